"""Crops turned, mirrored, scaled and shifted: exactly, by quarter turns, or resampled once from a larger window."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def mirrored(windows: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror and transpose each of (B, ..., P, P) at random, all its frames alike: one of the eight symmetries of a square."""
    shape = (len(windows), *[1] * (windows.ndim - 1))
    coins = torch.rand(3, len(windows), generator=generator, device=windows.device) < 0.5
    windows = torch.where(coins[0].view(shape), windows.flip(-1), windows)
    windows = torch.where(coins[1].view(shape), windows.flip(-2), windows)
    return torch.where(coins[2].view(shape), windows.transpose(-1, -2), windows)


def lit(crops: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Show crops (B, ..., P, P) in another light, all frames of a crop alike: x 0.8 to 1.25 and +- 0.1, times `strength`."""
    shape = (len(crops), *[1] * (crops.ndim - 1))
    u = 2 * torch.rand(2, len(crops), generator=generator, device=crops.device) - 1
    gain = torch.exp(u[0] * strength * math.log(1.25)).view(shape)
    return crops * gain + (0.1 * strength * u[1]).view(shape)


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Draw (count,) numbers evenly."""
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)


def resampled(windows: Tensor, side: int, angle: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
    """Resample windows around their middle.

    Parameters
    ----------
    windows : (N, C, w, w)
    side : int
        Of the result, pixels.
    angle : (N,)
        Radians.
    scale : (N,) or (N, 2), optional
        Pixels of the window for one of the result; of both sides, or (y, x).
    shift : (N, 2), optional
        (y, x), pixels of the window.

    Returns
    -------
    (N, C, side, side)
    """
    size = windows.shape[-1]
    place = places(side, angle, scale, shift).flip(-1)
    return F.grid_sample(windows, place * (2 / (size - 1)), "bilinear", "reflection", align_corners=True)


def places(side: int, angle: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
    """Return where each pixel of a view is taken from, (N, side, side, 2) as (y, x) from the middle of the window, as in `resampled`."""
    scale = torch.ones_like(angle) if scale is None else scale
    sides = (scale[:, None] if scale.ndim == 1 else scale).expand(-1, 2)[:, :, None, None]
    line = torch.arange(side, device=angle.device) - (side - 1) / 2
    y, x = sides[:, 0] * line[:, None], sides[:, 1] * line
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    place = torch.stack([sin * x + cos * y, cos * x - sin * y], -1)
    return place if shift is None else place + shift[:, None, None, :]


def quarter_turned(crops: Tensor, quarters: Tensor) -> Tensor:
    """Turn each crop (N, C, P, P) by so many quarters (N,), exactly."""
    turned = torch.stack([crops.rot90(k, (-2, -1)) for k in range(4)])
    return turned[quarters, torch.arange(len(crops), device=crops.device)]


def disc(side: int, device: torch.device) -> Tensor:
    """Return 1 within the largest circle of a square, 0 outside, (side, side) float32."""
    line = torch.arange(side, device=device) - (side - 1) / 2
    return ((line[:, None] ** 2 + line**2) <= (side / 2) ** 2).float()
