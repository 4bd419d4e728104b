"""A sheet laid over the mask: marks are tried out on it, and what differs in the end is the correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.project.patches import FramePatch, joined_patches

Pixels = NDArray[np.int64]
"""y * width + x."""


class Sheet:
    """What a mask would become; the mask itself is only read.

    Parameters
    ----------
    labels : (T, Y, X) uint8
    """

    def __init__(self, labels: NDArray[np.uint8]) -> None:
        self._labels = labels
        self._laid: dict[int, FramePatch] = {}

    def lay(self, t: int, pixels: Pixels, value: int) -> None:
        """Give pixels of frame `t` a value."""
        pixels = np.unique(np.asarray(pixels, np.int64))
        patch = FramePatch(t, pixels, self.values(t, pixels), np.full(len(pixels), value, np.uint8))
        for joined in joined_patches([self._laid.pop(t), patch] if t in self._laid else [patch]):
            self._laid[t] = joined

    def values(self, t: int, pixels: Pixels) -> NDArray[np.uint8]:
        """Return the values of pixels, with what has been laid on them."""
        found: NDArray[np.uint8] = self._labels[t].reshape(-1)[pixels]
        if t in self._laid:
            laid = self._laid[t]
            at = np.minimum(np.searchsorted(laid.pixels, pixels), len(laid.pixels) - 1)
            hit = laid.pixels[at] == pixels
            found[hit] = laid.after[at[hit]]
        return found

    def patches(self) -> tuple[FramePatch, ...]:
        """Return what has changed, a patch for each frame."""
        return tuple(patch for _, patch in sorted(self._laid.items()))

    def stamp(self, value: int, frames: tuple[int, int], pixels: Pixels, place: tuple[float, float]) -> None:
        """Lay one shape into two frames, apart from all other marks of this value, as far as it hangs together at its place."""
        if not len(pixels):
            return
        first, last = frames
        for t in frames:
            pixels = self.apart(t, value, pixels)
        for t in (first - 1, last + 1):
            if 0 <= t < len(self._labels):
                pixels = pixels[self.values(t, pixels) != value]
        pixels = _piece_at(pixels, place, self._labels.shape[2])
        for t in frames:
            self.lay(t, pixels, value)

    def apart(self, t: int, value: int, pixels: Pixels) -> Pixels:
        """Return those pixels that neither are of a value in frame `t` nor touch one that is."""
        _, height, width = self._labels.shape
        y, x = np.divmod(pixels, width)
        free = np.ones(len(pixels), bool)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                rows, columns = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
                free &= self.values(t, rows * width + columns) != value
        return pixels[free]


def frames_of_event(t: int, n_frames: int) -> tuple[int, int]:
    """Return the two frames of an event that begins at `t`; the last frame of a movie stands for the one before it."""
    first = min(max(t, 0), n_frames - 2)
    return first, first + 1


def disc(shape: Sequence[int], y: float, x: float, radius_px: float) -> Pixels:
    """Return the pixels of a disc in frames of a movie (T, Y, X), cut at the border; one pixel at least where it is inside."""
    height, width = shape[-2:]
    top, bottom = max(0, int(np.floor(y - radius_px))), min(height - 1, int(np.ceil(y + radius_px)))
    left, right = max(0, int(np.floor(x - radius_px))), min(width - 1, int(np.ceil(x + radius_px)))
    rows, columns = np.ogrid[top : bottom + 1, left : right + 1]
    inside = (rows - y) ** 2 + (columns - x) ** 2 <= max(radius_px, 0.5) ** 2
    return (rows * width + columns)[inside].astype(np.int64)


def _piece_at(pixels: Pixels, place: tuple[float, float], width: int) -> Pixels:
    """Return the connected part of a shape that lies nearest to a place."""
    from napari_tap_events.movies.blobs import blobs_in

    pieces = blobs_in(np.unique(pixels), np.ones(len(pixels), np.uint8), width)
    if len(pieces) < 2:
        return pixels
    return min(pieces, key=lambda piece: float(np.min(np.hypot(*(piece.pixels - place).T)))).flat
