"""The arrow of a pair of frames: which of two feature maps came first, for every pixel.

A Deep-Sets head, time-equivariant by construction (Gallusser, Stieber, Weigert 2023, section 2.2): swapping the two inputs swaps the
two answers. It is trained by time arrow prediction and kept, because its answer per pixel shows where a movie cannot run backwards.
"""

from __future__ import annotations

from typing import cast

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
