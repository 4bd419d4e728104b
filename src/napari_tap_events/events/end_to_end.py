"""Control: encoder and event head trained together, from random weights, on labels alone (Chen, Namboodiri, Sero 2024, Table 2, C)."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.events.head import EventHead
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import normalise

CONTEXT_PX = 16
"""Pixels of image around a tile; less than the network can see, which costs little and saves much."""


class EndToEnd(nn.Module):
    """Encoder and head as one: images in, logits out.

    Parameters
    ----------
    encoder : Encoder
    head : EventHead
    """

    def __init__(self, encoder: Encoder, head: EventHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, images: Tensor, pairs: Tensor) -> Tensor:
        """Return the logits (B, K, rows, columns) of the windows in images (B, 2, C, H, W)."""
        z = self.encoder(images.flatten(0, 1))[..., CONTEXT_PX:-CONTEXT_PX, CONTEXT_PX:-CONTEXT_PX]
        maps = F.avg_pool2d(z, self.head.shape.map_stride_px).unflatten(0, images.shape[:2])
        return cast(Tensor, self.head(maps, pairs))


class ImageTiles:
    """Blocks of the images themselves, addressed like blocks of maps, with `CONTEXT_PX` around.

    Parameters
    ----------
    movie : Movie
    stride_px : int
        Pixels per pixel of the maps that stand for them.
    compute : Compute
    """

    def __init__(self, movie: Movie, stride_px: int, compute: Compute) -> None:
        self.stride_px, self.compute = stride_px, compute
        self.images = np.stack([normalise(movie.frame(t)).astype(np.float16) for t in range(movie.n_frames)])

    def extent(self, maps: int) -> int:
        """Return the side in pixels that so many map pixels need."""
        return maps * self.stride_px + 2 * CONTEXT_PX

    def block(self, t: int, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return images (2, C, H, W) of the frames t and t + 1, continued by their border, and no pair maps (0, h, w)."""
        y, x = (self._pixels(part, size) for part, size in zip((rows, columns), self.images.shape[-2:], strict=True))
        images = self.images[t : t + 2][:, :, y[:, None], x[None]].astype(np.float32)
        empty = torch.zeros(0, rows[1] - rows[0], columns[1] - columns[0], device=self.compute.device)
        return torch.from_numpy(images).to(self.compute.device), empty

    def _pixels(self, part: tuple[int, int], size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        wanted = np.arange(part[0] * self.stride_px - CONTEXT_PX, part[1] * self.stride_px + CONTEXT_PX)
        return np.clip(wanted, 0, size - 1)
