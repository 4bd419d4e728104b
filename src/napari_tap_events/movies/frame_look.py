"""What is measured on the frames of a movie before anybody learns from it: brightness, sharpness, saturation, shifts."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
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
_SUSPECTS, _MUCH = 10, 1.2
"""Of the other pairs those are compared, too, that differ this many times as much as is typical; so many at most, the most different."""


Shifts = list[tuple[float, float]]


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
    evenly : (M,) bool
        Which of these pairs are spread evenly; the others were chosen because much changes in them.
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
    evenly: NDArray[np.bool_]


def sampled_frames(n_frames: int, most: int) -> list[int]:
    """Return all frames where they are no more than `most`, else pairs of neighbours spread evenly."""
    if n_frames <= most:
        return list(range(n_frames))
    starts = np.unique(np.linspace(0, n_frames - 2, max(1, most // 2)).round().astype(int))
    return sorted({int(t) for start in starts for t in (start, start + 1)})


def looks_at(movie: Movie, numbers: Sequence[int], digests: list[bytes]) -> list[Look]:
    """Measure every channel, frame by frame; digests of whole frames go to `digests`."""
    rows: list[list[tuple[float, ...]]] = [[] for _ in range(movie.n_channels)]
    moves: list[dict[int, Shifts]] = [{} for _ in range(movie.n_channels)]
    changes: dict[int, list[float]] = {}
    evenly = _drift_pairs(numbers)
    before: NDArray[Any] | None = None
    for t in numbers:
        frame = movie.frame(t)
        digests.append(hashlib.blake2b(np.ascontiguousarray(frame).tobytes()).digest())
        for channel, image in enumerate(frame):
            rows[channel].append(_measured(image))
        if before is not None and t - 1 in numbers:
            changes[t] = [_change(*both) for both in zip(before, frame, strict=True)]
            if t in evenly:
                _compare(before, frame, t, moves)
        before = frame
    for t in _suspects(changes, evenly):
        _compare(movie.frame(t - 1), movie.frame(t), t, moves)
    return [_look(numbers, *measured, evenly) for measured in zip(rows, moves, strict=True)]


def _compare(before: NDArray[Any], after: NDArray[Any], t: int, moves: Sequence[dict[int, Shifts]]) -> None:
    """Measure by how much every part of every channel moved."""
    for channel, moved in enumerate(moves):
        both = [levelled(one[channel : channel + 1]) for one in (before, after)]
        whole = shift_between(both[0], both[1], _MOST_PX, _CROP_PX)
        parts = zip(_parts(both[0]), _parts(both[1]), strict=True)
        moved[t] = [shift_near(one, other, whole) for one, other in parts]


def _change(before: NDArray[Any], after: NDArray[Any]) -> float:
    """Return by how much two (Y, X) images differ, of every few pixels."""
    step = max(1, min(before.shape) // _PART_PX)
    one, other = (levelled(image[None, ::step, ::step]) for image in (before, after))
    return float(np.sqrt(np.abs(one - other)).mean())


def _suspects(changes: Mapping[int, Sequence[float]], compared: Container[int]) -> list[int]:
    """Return the frames that differ from the one before them by much more than is typical, and were not compared."""
    if not changes:
        return []
    relative = np.asarray(list(changes.values()))
    relative = (relative / np.maximum(np.median(relative, axis=0), 1e-12)).max(axis=1)
    found = sorted((-much, t) for t, much in zip(changes, relative, strict=True) if much > _MUCH and t not in compared)
    return sorted(t for _, t in found[:_SUSPECTS])


def _look(numbers: Sequence[int], rows: list[tuple[float, ...]], moves: dict[int, Shifts], evenly: Container[int]) -> Look:
    low, high, signal, contrast, sharpness, at_top, below_top = np.asarray(rows, dtype=np.float64).T
    shifted = sorted(moves)
    shifts = np.asarray([moves[t] for t in shifted], dtype=np.float64) if moves else np.zeros((0, 1, 2))
    measured = signal, contrast, sharpness, at_top, below_top, shifts, np.asarray(shifted, dtype=np.int64)
    return Look(np.asarray(numbers), low, high, *measured, np.asarray([t in evenly for t in shifted], dtype=bool))


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
