"""A head over whole frames: logits for every window of the grid, and evidence for every pixel.

A frame is read in bands of rows, so that the hidden maps of a large frame are never held as a whole, and once: what the head says of
it by itself is kept for the next frame pair. For the published heads, which are sums, that is one or two numbers per window and kind;
for the evidence head it is what it reads of the frame, 134 MB for 32 features of 1024 x 1024 map pixels.
Who asks about the same frame pairs again keeps what the head said of them (`Said`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_tap_events.encoder.unet import folded
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.map_tiles import MapTiles, Span

BAND_VALUES = 2**21
"""Numbers in the widest map of a band: 8 MB, which a processor's cache holds; much larger bands are slower."""
LEAST_ROWS = 32
"""Rows of a band at least, as its margin is read twice."""
SAID_BYTES = 2**26
"""What a head said is kept up to this size, for each of a lesson's heads."""


class Said:
    """What a head said of frame pairs, kept up to a size: of more than that those that came first.

    It is what is said before opinions are weighed, and so holds whatever a head's weights and scale become.
    """

    def __init__(self, most_bytes: int = SAID_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: dict[tuple[int, int], Tensor] = {}

    def find(self, t: int, step: int) -> Tensor | None:
        """Return what was said of the frame pair (t, t + 1) for windows at this distance; None where it is not kept."""
        return self._kept.get((t, step))

    def keep(self, t: int, step: int, said: Tensor) -> None:
        """Keep what was said, if there is room."""
        if self._bytes + said.nbytes <= self._most:
            self._kept[t, step] = said
            self._bytes += said.nbytes


class DenseHead:
    """A head on its way along one movie; ask for frame pairs in order, and every frame is read once.

    Parameters
    ----------
    head : EventHead
        In eval mode; what it learns later is not seen.
    said : Said, optional
        What this very head said before; what it says now is added.
    """

    def __init__(self, head: EventHead, said: Said | None = None) -> None:
        self.head = folded(head)
        if not head.shape.features:  # convolutions of an image are faster so; to lay out many features anew would cost more
            self.head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.said = Said(0) if said is None else said
        self.step = math.gcd(head.shape.crop, head.shape.stride)
        self._frames: dict[tuple[int, int], Tensor] = {}
        self._pair: tuple[int, Tensor] | None = None

    @torch.no_grad()
    def window_logits(self, tiles: MapTiles, t: int, stride: int | None = None) -> NDArray[np.float32]:
        """Return the logits of every complete window of the frame pair (t, t + 1).

        Parameters
        ----------
        tiles : MapTiles
            Of the movie, or of these two frames.
        t : int
        stride : int, optional
            Distance of the windows in map pixels; by default the head's own.

        Returns
        -------
        (K, rows, columns) float32
            The value at a place is what the head says for the window there, cut out with its margin.
        """
        return self.head.weighed(self.window_opinions(tiles, t, stride))

    @torch.no_grad()
    def window_opinions(self, tiles: MapTiles, t: int, stride: int | None = None) -> NDArray[np.float32]:
        """Return each opinion of every complete window, (opinions, K, rows, columns) float32; see `window_logits`."""
        stride = stride or self.head.shape.stride
        if stride % self.step:  # a finer grid than any before holds the coarser ones, too
            self.step = math.gcd(stride, self.step)
            self._frames, self._pair = {}, None
        every = stride // self.step
        opinions = self.head.window_opinions(self._said(tiles, t), self.step)[0, ..., ::every, ::every]
        return opinions.contiguous().cpu().numpy()

    @torch.no_grad()
    def said_map(self, tiles: MapTiles, t: int) -> NDArray[np.float32]:
        """Return what the head says of every map pixel of the frame pair (t, t + 1), (K, h, w) float32 or more of them."""
        return self._said(tiles, t)[0].cpu().numpy()

    def _said(self, tiles: MapTiles, t: int) -> Tensor:
        """Return what the head says of a frame pair, before it is read off for windows."""
        if self._pair is None or self._pair[0] != t:
            said = self.said.find(t, self.step)
            if said is None:
                self._frames = {key: part for key, part in self._frames.items() if key[0] == t}
                parts = [self._band(tiles, t, rows) for rows in self._bands(tiles)]
                said = _stitched(parts, self.head.overlap(self.step))
                self.said.keep(t, self.step, said)
            self._pair = (t, said)
        return self._pair[1]

    def _bands(self, tiles: MapTiles) -> list[Span]:
        rows = BAND_VALUES // (tiles.width * self.head.widest(self.step))
        tops = range(0, tiles.height - self.step + 1, math.ceil(max(rows, LEAST_ROWS) / self.step) * self.step)
        return list(zip(tops, [*tops[1:], tiles.height], strict=True))

    def _band(self, tiles: MapTiles, t: int, rows: Span) -> Tensor:
        first = self._frames.pop((t, rows[0]), None)
        if first is None:
            first = self._frame(tiles, t, rows)
        second = self._frames[t + 1, rows[0]] = self._frame(tiles, t + 1, rows)
        pairs = tiles.pair(t, *self._block(tiles, rows))
        with tiles.compute.autocast():
            return self.head.pair_part(first, second, pairs[None], self.step).float()

    def _frame(self, tiles: MapTiles, t: int, rows: Span) -> Tensor:
        maps = tiles.frame(t, *self._block(tiles, rows))
        with tiles.compute.autocast():
            return self.head.frame_part(maps[None], self.step)

    def _block(self, tiles: MapTiles, rows: Span) -> tuple[Span, Span]:
        m = self.head.margin
        return (rows[0] - m, rows[1] + m), (-m, tiles.width + m)


def _stitched(bands: Sequence[Tensor], overlap: int) -> Tensor:
    """Put bands (1, K, rows, columns) below each other; where they overlap, they add up."""
    height = sum(band.shape[-2] - overlap for band in bands) + overlap
    whole = bands[0].new_zeros(*bands[0].shape[:-2], height, bands[0].shape[-1])
    top = 0
    for band in bands:
        whole[..., top : top + band.shape[-2], :] += band
        top += band.shape[-2] - overlap
    return whole
