"""Other microscopes: crop pairs get another contrast, another light, another focus and other noise, as tensor operations.

What is drawn once for both frames is the microscope; what is drawn for each frame apart is what happens between two frames: flicker,
bleaching, a focus that jumps.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

INVERTED = 0.1
"""Share of crops shown as their negative."""
REACH = 6
"""Half width of the blur kernels, pixels."""


def another_microscope(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Return crops (B, S, C, P, P), normalised, as other microscopes would show them; the same shape."""
    draw = _Chance(generator, crops.shape[0], crops.shape[1])
    crops = _blurred(crops, draw.both(0.0, 1.4, 0.3) + draw.each(0.3, 1.6, 0.12))
    crops = _gamma(crops, draw.ratio(1.6, 0.5))
    crops = crops * (1 + draw.field(0.35, 0.35, crops.shape[-1])) + draw.field(0.15, 0.25, crops.shape[-1])
    crops = crops * draw.ratio(1.4, 0.7) * draw.each_ratio(1.12, 0.5)
    crops = crops + draw.both(-0.15, 0.15, 0.7) + draw.each(-0.05, 0.05, 0.5)
    crops = torch.where(draw.coin(INVERTED), 1 - crops, crops)
    return crops + draw.noise(crops)


class _Chance:
    """Random numbers for B crop pairs, shaped (B, S, 1, 1, 1) or (B, 1, 1, 1, 1)."""

    def __init__(self, generator: torch.Generator, batch: int, frames: int) -> None:
        self.generator, self.batch, self.frames = generator, batch, frames

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(self.batch, *shape, generator=self.generator, device=self.generator.device)

    def coin(self, share: float, frames: int = 1) -> Tensor:
        return self._rand(frames, 1, 1, 1) < share

    def both(self, low: float, high: float, share: float) -> Tensor:
        """Draw one value for both frames; 0 where the coin falls the other way."""
        return (low + (high - low) * self._rand(1, 1, 1, 1)) * self.coin(share)

    def each(self, low: float, high: float, share: float) -> Tensor:
        return (low + (high - low) * self._rand(self.frames, 1, 1, 1)) * self.coin(share, self.frames)

    def ratio(self, top: float, share: float) -> Tensor:
        return self.both(-math.log(top), math.log(top), share).exp()

    def each_ratio(self, top: float, share: float) -> Tensor:
        return self.each(-math.log(top), math.log(top), share).exp()

    def field(self, strength: float, share: float, side: int) -> Tensor:
        """Draw a smooth field (B, 1, 1, P, P), the same in both frames: uneven light."""
        knots = (2 * self._rand(1, 3, 3) - 1) * strength * self.coin(share)[:, 0]
        return F.interpolate(knots, size=(side, side), mode="bicubic", align_corners=True)[:, None]

    def noise(self, crops: Tensor) -> Tensor:
        """Draw noise of one strength for both frames: of single pixels, or soft where a camera or a codec has smoothed it."""
        white = torch.randn(crops.shape, generator=self.generator, device=self.generator.device)
        soft = F.avg_pool2d(white.flatten(0, 1), 3, 1, 1).unflatten(0, white.shape[:2]) * 3
        strength = 0.005 * (self.both(0.0, math.log(30), 1.0)).exp() * self.coin(0.7)
        return strength * torch.where(self.coin(0.25), soft, white)


def _gamma(crops: Tensor, power: Tensor) -> Tensor:
    """Bend the grey values, keeping 0 and 1; what lies below 0 is mirrored."""
    return crops.sign() * crops.abs().clamp(1e-6, 8) ** power


def _blurred(crops: Tensor, sigma: Tensor) -> Tensor:
    """Blur every frame (B, S, C, P, P) with its own Gaussian, sigma (B, S, 1, 1, 1) pixels; below 0.2 it is left alone."""
    batch, frames, channels, side, _ = crops.shape
    taps = torch.arange(-REACH, REACH + 1, device=crops.device)
    kernel = torch.exp(-0.5 * (taps / sigma.clamp(min=0.2)[..., 0, 0]) ** 2)
    kernel = kernel / kernel.sum(-1, keepdim=True)
    kernel = kernel[:, :, None].expand(-1, -1, channels, -1).reshape(batch * frames * channels, 1, -1)
    flat = F.pad(crops.reshape(1, -1, side, side), (REACH, REACH, REACH, REACH), mode="replicate")
    flat = F.conv2d(flat, kernel[:, :, :, None], groups=flat.shape[1])
    flat = F.conv2d(flat, kernel[:, :, None, :], groups=flat.shape[1])
    return torch.where(sigma < 0.2, crops, flat.view(crops.shape))
