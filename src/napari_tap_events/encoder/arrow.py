"""The arrow of a pair of frames: which of two feature maps came first, for every pixel.

A Deep-Sets head, time-equivariant by construction (Gallusser, Stieber, Weigert 2023, section 2.2): swapping the two inputs swaps the
two answers. It is trained by time arrow prediction and kept, because its answer per pixel shows where a movie cannot run backwards.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class EquivariantLayer(nn.Module):
    """`y_s = L z_s + mean over s' of G z_s'`, per pixel, for the two frames s."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.local = nn.Conv2d(channels_in, channels_out, 1)
        self.shared = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """Map (B, 2, F, H, W) to (B, 2, G, H, W)."""
        own = self.local(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        return cast(Tensor, own + self.shared(z.mean(1)).unsqueeze(1))


class ArrowHead(nn.Module):
    """Two equivariant layers with BatchNorm and LeakyReLU, and a third that answers with one logit per frame and pixel."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([EquivariantLayer(features, features), EquivariantLayer(features, features)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(features), nn.BatchNorm2d(features)])
        self.activation = nn.LeakyReLU(0.01)
        self.last = EquivariantLayer(features, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits of "this frame came first", (B, 2, H, W), for features z (B, 2, F, H, W)."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            z = self.activation(norm(layer(z).flatten(0, 1))).unflatten(0, z.shape[:2])
        return cast(Tensor, self.last(z).squeeze(2))

    def arrow(self, z: Tensor) -> Tensor:
        """Return the arrow map (B, H, W): the logit that the first frame of z (B, 2, F, H, W) did come first.

        Its mean over a crop is the logit of the crop pair: averaging commutes with the last layer.
        """
        logits = self.forward(z)
        return logits[:, 0] - logits[:, 1]


@torch.no_grad()
def joined(head: ArrowHead) -> nn.Sequential:
    """Return a head's arrow as plain convolutions of both frames side by side, norms folded in, for inference.

    It maps features (B, 2F, H, W), those of the first frame first, to the arrow map (B, 1, H, W): the same answers in half the time.
    """
    layers: list[nn.Module] = []
    for layer, norm in zip(head.layers, head.norms, strict=True):
        own, norm = cast(EquivariantLayer, layer), cast(nn.BatchNorm2d, norm)
        local, shared = own.local.weight, own.shared.weight / 2
        both = torch.cat([torch.cat([local + shared, shared], 1), torch.cat([shared, local + shared], 1)])
        gain = norm.weight / torch.sqrt(cast(Tensor, norm.running_var) + norm.eps)
        bias = (cast(Tensor, own.local.bias) - cast(Tensor, norm.running_mean)) * gain + norm.bias
        layers += [_pointwise(both * gain.repeat(2)[:, None, None, None], bias.repeat(2)), nn.LeakyReLU(0.01, inplace=True)]
    last = head.last.local.weight  # what both frames share, and the bias, cancel
    return nn.Sequential(*layers, _pointwise(torch.cat([last, -last], 1), None)).requires_grad_(False)


def _pointwise(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None, device=weight.device)
    conv.weight.copy_(weight)
    if bias is not None:
        cast(Tensor, conv.bias).copy_(bias)
    return conv
