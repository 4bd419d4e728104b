"""A slow copy of the encoder: it gives answers that the encoder learns to give, and is never taught itself."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder


class Teacher(nn.Module):
    """A copy of an encoder, always in eval mode, without gradient."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Teacher:
        """Stay in eval mode whatever is asked."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, crops: Tensor) -> Tensor:
        """Map crops (..., C, P, P) to features (..., F, P, P)."""
        z: Tensor = self.encoder(crops.reshape(-1, *crops.shape[-3:]).contiguous(memory_format=torch.channels_last))
        features: Tensor = z.float().unflatten(0, crops.shape[:-3])
        return features

    @torch.no_grad()
    def follow(self, encoder: Encoder, momentum: float) -> None:
        """Move towards the encoder: all weights and statistics, `momentum` of them staying as they are."""
        for own, other in zip(self.encoder.state_dict().values(), encoder.state_dict().values(), strict=True):
            if own.dtype.is_floating_point:
                own.lerp_(other, 1 - momentum)
            else:
                own.copy_(other)
