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
