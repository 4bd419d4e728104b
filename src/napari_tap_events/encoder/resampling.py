"""Images and maps with more or fewer pixels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def scaled(image: Tensor, scale: float, multiple: int) -> Tensor:
    """Return an image (C, H, W) with `scale` times as many pixels to each side, to the nearest multiple."""
    height, width = (max(1, round(side * scale / multiple)) * multiple for side in image.shape[1:])
    return resized(image, height, width)


def resized(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps (C, H, W) with other sides, bilinear, smoothed where they shrink."""
    if not len(maps):
        return maps.new_empty((0, height, width))
    on = maps.cpu() if maps.device.type == "mps" else maps  # where smoothing is not known
    return F.interpolate(on[None], (height, width), mode="bilinear", antialias=True)[0].to(maps.device)


def pooled(maps: Tensor, stride_px: int) -> Tensor:
    """Average (C, H, W) over blocks of `stride_px`; an incomplete last block is left out."""
    if not len(maps):
        return maps.new_empty((0, maps.shape[1] // stride_px, maps.shape[2] // stride_px))
    return F.avg_pool2d(alone(maps), stride_px)[0] if stride_px > 1 else maps


def alone(maps: Tensor) -> Tensor:
    """Return maps (C, H, W) as a batch of one, (1, C, H, W); unlike after `maps[None]`, torch knows how its channels lie."""
    around = max(size * step for size, step in zip(maps.shape, maps.stride(), strict=True))
    return maps.as_strided((1, *maps.shape), (around, *maps.stride()))
