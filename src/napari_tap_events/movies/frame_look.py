"""What is measured on the frames of a movie before anybody learns from it: brightness, sharpness, saturation, shifts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.registration import levelled, middle, shift_between, shift_near

_CROP_PX = 512
"""Focus is measured in the middle square of this side, at full resolution."""
_PART_PX, _LEAST_PART_PX = 256, 32
"""Drift is measured in the middle squares of the four quarters of a frame; in the whole frame where they would be smaller than that."""
_DRIFT_PAIRS, _MOST_PX = 40, 32


@dataclass(frozen=True)
class Look:
    """What was measured on one channel of the frames that were looked at.

    Attributes
    ----------
    frames : (N,) int
    low, high : (N,) float
        Least and greatest pixel.
    signal : (N,) float
        Mean above the background, the 5th percentile.
    contrast : (N,) float
        Standard deviation.
    sharpness : (N,) float
        Variance of the Laplacian over the variance of the pixels.
    at_top, below_top : (N,) float
        Share of pixels at the frame's greatest value, and in the hundredth of its range below that.
    shifts : (M, P, 2) float
        Shift (y, x) from one frame to the next in pixels, for pairs of neighbours and P parts of the frame: see `registration`.
    shifted : (M,) int
        The second frames of these pairs.
    """

    frames: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    signal: NDArray[np.float64]
    contrast: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    at_top: NDArray[np.float64]
    below_top: NDArray[np.float64]
    shifts: NDArray[np.float64]
    shifted: NDArray[np.int64]


def sampled_frames(n_frames: int, most: int) -> list[int]:
    """Return all frames where they are no more than `most`, else pairs of neighbours spread evenly."""
    if n_frames <= most:
        return list(range(n_frames))
    starts = np.unique(np.linspace(0, n_frames - 2, max(1, most // 2)).round().astype(int))
    return sorted({int(t) for start in starts for t in (start, start + 1)})


def looks_at(movie: Movie, numbers: Sequence[int], digests: list[bytes]) -> list[Look]:
    """Measure every channel, each frame read once; digests of whole frames go to `digests`."""
    measured: list[list[tuple[float, ...]]] = [[] for _ in range(movie.n_channels)]
    shifts: list[list[list[tuple[float, float]]]] = [[] for _ in range(movie.n_channels)]
    pairs = _drift_pairs(numbers)
    before: NDArray[Any] | None = None
    for t in numbers:
        frame = movie.frame(t)
        digests.append(hashlib.blake2b(np.ascontiguousarray(frame).tobytes()).digest())
        for channel, image in enumerate(frame):
            measured[channel].append(_measured(image))
            if before is not None and t in pairs:
                both = [levelled(one[channel : channel + 1]) for one in (before, frame)]
                whole = shift_between(both[0], both[1], _MOST_PX, _CROP_PX)
                parts = zip(_parts(both[0]), _parts(both[1]), strict=True)
                shifts[channel].append([shift_near(one, other, whole) for one, other in parts])
        before = frame
    shifted = np.array([t for t in numbers if t in pairs], dtype=np.int64)
    return [_look(numbers, rows, moves, shifted) for rows, moves in zip(measured, shifts, strict=True)]


def _look(
    numbers: Sequence[int],
    rows: list[tuple[float, ...]],
    moves: list[list[tuple[float, float]]],
    shifted: NDArray[np.int64],
) -> Look:
    low, high, signal, contrast, sharpness, at_top, below_top = np.asarray(rows, dtype=np.float64).T
    shifts = np.asarray(moves, dtype=np.float64) if moves else np.zeros((0, 1, 2))
    return Look(np.asarray(numbers), low, high, signal, contrast, sharpness, at_top, below_top, shifts, shifted)


def _measured(image: NDArray[Any]) -> tuple[float, ...]:
    """Return the numbers of one (Y, X) image, in the order of `Look`."""
    from scipy import ndimage

    step = max(1, min(image.shape) // 512)
    thin = image[::step, ::step].astype(np.float32)
    low, high = float(image.min()), float(image.max())
    sharp = middle(image[None], _CROP_PX)[0].astype(np.float32)
    variance = float(sharp.var())
    sharpness = float(ndimage.laplace(sharp).var()) / variance if variance > 0 else 0.0
    at_top = np.count_nonzero(thin == high) / thin.size
    below = np.count_nonzero(thin > high - max((high - low) / 100, 1e-12)) / thin.size - at_top
    signal = float(thin.mean() - np.percentile(thin, 5))
    return low, high, signal, float(thin.std()), sharpness, at_top, below


def _parts(frame: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the middles of the four quarters of a (C, Y, X) frame, or the whole of a small one."""
    if min(frame.shape[1:]) < 2 * _LEAST_PART_PX:
        return [frame]
    return [middle(part, _PART_PX) for half in np.array_split(frame, 2, axis=1) for part in np.array_split(half, 2, axis=2)]


def _drift_pairs(numbers: Sequence[int]) -> set[int]:
    """Return the frames, at most so many, that are compared with the frame before them."""
    seconds = [t for before, t in pairwise(numbers) if t == before + 1]
    chosen = np.linspace(0, len(seconds) - 1, min(_DRIFT_PAIRS, len(seconds))).round().astype(int)
    return {seconds[i] for i in chosen}
