"""The connected areas of one frame of a mask, found from its marked pixels alone: what is empty costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import dist, inf, pi, sqrt
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int64]
"""Places in a frame laid out in one row, row after row: y * width + x."""


@dataclass(frozen=True, eq=False)
class Blob:
    """A connected area of one kind in one frame; it is itself and equals no other.

    Attributes
    ----------
    value : int
        Of the mask, 1 to 255.
    flat : (N,) int64
        Its pixels, y * width + x, ascending.
    width : int
        Of the frame, in pixels.
    centre : (float, float)
        (y, x), pixels.
    reach_px : float
        Distance from the centre to the furthest pixel.
    box : (int, int, int, int)
        First and last row, first and last column.
    """

    value: int
    flat: Pixels
    width: int
    centre: tuple[float, float]
    reach_px: float
    box: tuple[int, int, int, int]

    @property
    def pixels(self) -> Pixels:
        """(N, 2) as (y, x)."""
        return np.stack(np.divmod(self.flat, self.width), axis=1)

    @cached_property
    def radius_px(self) -> float:
        """Radius of the disc of the same area."""
        return sqrt(len(self.flat) / pi)

    @cached_property
    def _gaps(self) -> WeakKeyDictionary[Blob, float]:
        return WeakKeyDictionary()

    def shares(self, other: Blob) -> bool:
        """Say whether two blobs, of different frames, have a pixel in common."""
        top, bottom, left, right = self.box
        if other.box[0] > bottom or other.box[1] < top or other.box[2] > right or other.box[3] < left:
            return False
        at = np.searchsorted(self.flat, other.flat)
        at[at == len(self.flat)] = 0
        return bool(np.any(self.flat[at] == other.flat))

    def gap_px(self, other: Blob) -> float:
        """Return the least distance between two blobs, 0 where they share a pixel, infinite for two kinds or far away."""
        known = self._gaps.get(other)
        if known is None:
            known = self._gaps[other] = self._measured_gap_px(other)
        return known

    def _measured_gap_px(self, other: Blob) -> float:
        from scipy.spatial import cKDTree

        far = dist(self.centre, other.centre) - self.reach_px - other.reach_px
        if self.value != other.value or far > 2 * max(self.radius_px, other.radius_px):
            return inf
        if self.shares(other):
            return 0.0
        distances, _ = cKDTree(self.pixels).query(other.pixels)
        return float(np.min(distances))


def blobs_in(flat: Pixels, values: NDArray[np.uint8], width: int) -> list[Blob]:
    """Find the connected areas (8 neighbours) of marked pixels.

    Parameters
    ----------
    flat : (N,) int64
        y * width + x, ascending, each once.
    values : (N,) uint8
        Of these pixels; 0 is nothing.
    width : int
        Of the frame, in pixels.

    Returns
    -------
    list of Blob
        By value, and those of one value by their first pixel.
    """
    flat, values = flat[values > 0], values[values > 0]
    if not len(flat):
        return []
    number = _numbered(flat, values, width)
    order = np.argsort(number, kind="stable")
    flat, number = flat[order], number[order]
    first = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1])
    n = np.diff(np.append(first, len(flat)))
    y, x = np.divmod(flat, width)
    centre = np.stack([np.add.reduceat(y, first) / n, np.add.reduceat(x, first) / n], axis=1)
    away = (y - np.repeat(centre[:, 0], n)) ** 2 + (x - np.repeat(centre[:, 1], n)) ** 2
    reach = np.sqrt(np.maximum.reduceat(away, first)).tolist()
    boxes = np.stack([reduce(line, first) for line in (y, x) for reduce in (np.minimum.reduceat, np.maximum.reduceat)], axis=1)
    facts = zip(values[order][first].tolist(), np.split(flat, first[1:]), centre.tolist(), reach, boxes.tolist(), strict=True)
    return _in_order(Blob(value, part, width, (c[0], c[1]), r, (b[0], b[1], b[2], b[3])) for value, part, c, r, b in facts)


def _numbered(flat: Pixels, values: NDArray[np.uint8], width: int) -> NDArray[np.int64]:
    """Return for each pixel the number of its area, (N,) from 0: stretches of a row are joined to those they touch below."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    new = (np.diff(flat) != 1) | (np.diff(values) != 0) | (flat[1:] % width == 0)
    first = np.concatenate([[0], np.flatnonzero(new) + 1])
    length = np.diff(np.append(first, len(flat)))
    row, column = np.divmod(flat[first], width)
    wide = width + 2  # so that a stretch never reaches over the end of its row
    starts, ends = row * wide + column, row * wide + column + length - 1
    low, high = np.searchsorted(ends, starts + wide - 1), np.searchsorted(starts, ends + wide + 1, side="right")
    upper = np.repeat(np.arange(len(first)), high - low)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + low[upper]
    alike = values[first][upper] == values[first][lower]
    joined = coo_array((np.ones(int(alike.sum()), bool), (upper[alike], lower[alike])), shape=(len(first),) * 2)
    _, numbers = connected_components(joined, directed=False)
    return np.repeat(numbers.astype(np.int64), length)


def _in_order(blobs: Iterable[Blob]) -> list[Blob]:
    return sorted(blobs, key=lambda blob: (blob.value, int(blob.flat[0])))


def changed_blobs(blobs: Sequence[Blob], frame: NDArray[np.uint8], changed: Pixels) -> list[Blob]:
    """Find the areas of a frame anew where some of its pixels have changed; blobs that this does not touch stay themselves.

    Parameters
    ----------
    blobs : sequence of Blob
        Of the frame before.
    frame : (Y, X) uint8
        As it is now.
    changed : int64
        Its pixels that may have changed, y * width + x, in any order.
    """
    if not len(changed):
        return list(blobs)
    width = frame.shape[1]
    rows, columns = np.divmod(changed, width)
    top, bottom, left, right = rows.min() - 1, rows.max() + 1, columns.min() - 1, columns.max() + 1
    near = [b.box[0] <= bottom and b.box[1] >= top and b.box[2] <= right and b.box[3] >= left for b in blobs]
    kept = [blob for blob, is_near in zip(blobs, near, strict=True) if not is_near]
    touched = [blob.flat for blob, is_near in zip(blobs, near, strict=True) if is_near]
    flat = _each_once(np.concatenate([changed, *touched]))
    return _in_order(kept + blobs_in(flat, frame.reshape(-1)[flat], width))


def _each_once(numbers: Pixels) -> Pixels:
    """Return numbers ascending, each once; of so few, sorting is quicker than the hashing of numpy's unique."""
    ascending: Pixels = np.sort(numbers)
    new = np.concatenate([[True], np.diff(ascending) > 0])
    found: Pixels = ascending[new]
    return found


def near_blobs(some: Sequence[Blob], others: Sequence[Blob]) -> list[list[int]]:
    """Return for each of some blobs the numbers of all others whose gap to it can be finite, ascending."""
    if not some or not others:
        return [[] for _ in some]
    from scipy.spatial import cKDTree

    reach = max(blob.reach_px for blob in others)
    radius = max(blob.radius_px for blob in others)
    far = [blob.reach_px + reach + 2 * max(blob.radius_px, radius) + 1e-6 for blob in some]
    tree = cKDTree([blob.centre for blob in others])
    found = tree.query_ball_point([blob.centre for blob in some], far, return_sorted=True)
    return [list(numbers) for numbers in found]
