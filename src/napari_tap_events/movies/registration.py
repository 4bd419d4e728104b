"""By how much a picture moved from frame to frame, and a canvas on which it stays where it is.

Cells move as well, each its own way, and much of a fluorescent frame is dark. Correlation weighs pixels by the square of their brightness,
and follows the few brightest cells, which may be the dividing ones. Here the shift counts under which frames differ least by the mean
square root of the absolute difference: what agrees weighs more than how far off the rest is (a minimum of the L_p distance with p = 1/2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.normalise import SAMPLED_PIXELS

Keep = Literal["all", "common", "first"]

COMPARED_PX = 768
"""Frames are compared in their middle square of this side."""
_COARSE_PX, _COARSEST = 48, 4
"""Frames are first compared in this many times fewer rows and columns, while that leaves so many of them."""
_FINE_STEPS, _NEAR_PX = 2, 4
_SMOOTH_PX = 1.0
_ASIDE_PX, _STANDS_OUT = 8, 0.15
"""A shift that is at least so far from the best one must be worse by this share of what the best is better than most."""
_HELD_PX = 1.0
"""A frame is not moved for less than that: every move by a whole pixel leaves its trace between two frames."""
MOST_GROWTH = 4.0
"""Of the area of a frame: a larger canvas is refused."""
_LEAST_SIDE_PX = 16


def levelled(frame: NDArray[Any]) -> NDArray[np.float32]:
    """Return a (C, Y, X) frame whose middle and spread of brightness are those of every other.

    Nine tenths of the pixels set both. What few of them show, a cell that rounds up in a ring of light, must not make all others look
    as if they had changed.
    """
    stride = max(1, math.isqrt(frame.shape[1] * frame.shape[2] // SAMPLED_PIXELS))
    sample = frame[:, ::stride, ::stride].reshape(len(frame), -1).astype(np.float32)
    low, middle, high = np.percentile(sample, (5, 50, 95), axis=1)[..., None, None]
    spread = np.where(high > low, high - low, np.maximum(np.std(sample, axis=1)[:, None, None], 1e-12))
    return np.asarray((frame - middle) / spread, dtype=np.float32)


def shift_between(
    before: NDArray[np.float32], after: NDArray[np.float32], most_px: int, compared_px: int = COMPARED_PX
) -> tuple[float, float]:
    """Return by how much the picture moved from one frame to the next.

    Parameters
    ----------
    before, after : (C, Y, X) float32
        From `levelled`; channels move together.
    most_px : int
        Larger shifts are not looked for; nor such as are more than a sixth of the frame.
    compared_px : int
        Side of the middle square that is compared.

    Returns
    -------
    tuple of float
        (y, x) in pixels: what was at (0, 0) before is there afterwards. (0, 0) where no shift stands out: noise, or frames of one grey.
    """
    pair = [middle(frame, compared_px) for frame in (before, after)]
    if any(np.ptp(frame) == 0 for frame in pair):
        return 0.0, 0.0
    at, reach, factors = (0, 0), 0, _factors(min(pair[0].shape[1:]))
    for factor in factors:
        one, other = (_coarser(frame, factor) for frame in pair)
        side = min(one.shape[1:])
        reach = _FINE_STEPS if reach else max(1, min(-(-most_px // factor), side // 6))
        costs = _costs(one, other, (2 * at[0], 2 * at[1]), reach)
        at = min(costs, key=lambda shift: costs[shift])
        if factor == factors[0]:
            aside = -(-_ASIDE_PX // factor)
            back = _costs(other, one, (0, 0), reach)
            if not (_stands_out(costs, at, aside) and _is_way_back(min(back, key=lambda shift: back[shift]), at, aside)):
                return 0.0, 0.0
    return _least(costs)


def shift_near(before: NDArray[np.float32], after: NDArray[np.float32], near: tuple[float, float]) -> tuple[float, float]:
    """Return the same of a part of these frames, which moved by up to 4 px more or less than the whole of them."""
    if any(np.ptp(frame) == 0 for frame in (before, after)):
        return near
    one, other = (_coarser(frame, 1) for frame in (before, after))
    return _least(_costs(one, other, (round(near[0]), round(near[1])), _NEAR_PX))


def held_places(shifts: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return where the picture of the first frame lies in each frame, in whole pixels.

    Parameters
    ----------
    shifts : sequence of (y, x)
        From every frame to the next: N - 1 of them.

    Returns
    -------
    (N, 2) int64
        The sum of the shifts, rounded; but where it is no more than a pixel away from what is held, that is held on.
    """
    truly = np.vstack([np.zeros((1, 2)), np.cumsum(np.asarray(shifts, dtype=np.float64).reshape(-1, 2), axis=0)])
    held = np.zeros(truly.shape, dtype=np.int64)
    for t in range(1, len(truly)):
        held[t] = np.where(np.abs(truly[t] - held[t - 1]) > _HELD_PX, np.round(truly[t]), held[t - 1])
    return held


@dataclass(frozen=True)
class Canvas:
    """A field that stays where it is, and where each frame lies on it.

    Attributes
    ----------
    height, width : int
        In pixels.
    corners : (N, 2) int64
        Row and column of the canvas at which the first pixel of each frame lies; below 0 where that is outside.
    """

    height: int
    width: int
    corners: NDArray[np.int64]

    def placed(self, frame: NDArray[Any], t: int) -> NDArray[Any]:
        """Return frame `t`, (C, Y, X), as the canvas shows it: (C, height, width); its border goes on where it shows nothing."""
        y, x = self.corners[t]
        rows = np.clip(np.arange(self.height) - y, 0, frame.shape[1] - 1)
        columns = np.clip(np.arange(self.width) - x, 0, frame.shape[2] - 1)
        return frame[:, rows[:, None], columns]


def canvas_for(places: NDArray[np.int64], height: int, width: int, keep: Keep) -> Canvas:
    """Lay out frames so that the picture stays where it is.

    Parameters
    ----------
    places : (N, 2) int64
        From `held_places`.
    height, width : int
        Of a frame.
    keep : "all", "common" or "first"
        What any frame shows, what every frame shows, or what the first one shows.

    Raises
    ------
    MovieError
        When the canvas would be more than four times as large as a frame, or nothing is common.
    """
    corners = -places
    low, high = corners.min(axis=0), corners.max(axis=0)
    if keep == "first":
        return Canvas(height, width, corners)
    grown = np.array((height, width)) + (high - low) * (1 if keep == "all" else -1)
    wander = f"the picture wanders over {high[0] - low[0]} x {high[1] - low[1]} px, with frames of {height} x {width} px"
    if keep == "all" and np.prod(grown) > MOST_GROWTH * height * width:
        raise MovieError(
            f"{wander}: a field with all of it would be more than four times as large; choose --field first or common."
        )
    if grown.min() < _LEAST_SIDE_PX:
        raise MovieError(f"{wander}: hardly anything is seen in all of them; choose --field all or first.")
    return Canvas(int(grown[0]), int(grown[1]), corners - (low if keep == "all" else high))


def _factors(side: int) -> list[int]:
    """Return by how much frames are coarsened, one after the other; the last is 1."""
    factors = [1]
    while factors[0] < _COARSEST and side // (2 * factors[0]) >= _COARSE_PX:
        factors.insert(0, 2 * factors[0])
    return factors


def middle(frame: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the middle square of a (C, Y, X) frame; all of it where it is smaller."""
    y, x = (max(0, (n - side) // 2) for n in frame.shape[1:])
    return frame[:, y : y + side, x : x + side]


def _coarser(frame: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    from scipy import ndimage
    from skimage.transform import downscale_local_mean

    if factor == 1:
        return np.stack([ndimage.gaussian_filter(channel, _SMOOTH_PX) for channel in frame])
    return np.asarray(downscale_local_mean(frame, (1, factor, factor)), dtype=np.float32)  # type: ignore[no-untyped-call]


def _costs(
    before: NDArray[np.float32], after: NDArray[np.float32], around: tuple[int, int], reach: int
) -> dict[tuple[int, int], float]:
    """Return what each shift around one leaves of a difference, all over the same pixels."""
    height, width = before.shape[1:]
    edge_y, edge_x = (min(abs(at) + reach, side // 2 - 1) for at, side in zip(around, (height, width), strict=True))
    core = before[:, edge_y : height - edge_y, edge_x : width - edge_x]
    costs: dict[tuple[int, int], float] = {}
    for y in range(max(-edge_y, around[0] - reach), min(edge_y, around[0] + reach) + 1):
        for x in range(max(-edge_x, around[1] - reach), min(edge_x, around[1] + reach) + 1):
            moved = after[:, edge_y + y : height - edge_y + y, edge_x + x : width - edge_x + x]
            costs[y, x] = float(np.sqrt(np.abs(moved - core)).mean())
    return costs


def _stands_out(costs: dict[tuple[int, int], float], at: tuple[int, int], aside: int) -> bool:
    """Say whether no shift further aside is nearly as good as the best one."""
    others = [cost for shift, cost in costs.items() if max(abs(shift[0] - at[0]), abs(shift[1] - at[1])) > aside]
    depth = float(np.median(list(costs.values()))) - costs[at]
    return not others or min(others) - costs[at] >= _STANDS_OUT * depth


def _is_way_back(back: tuple[int, int], there: tuple[int, int], aside: int) -> bool:
    return max(abs(back[0] + there[0]), abs(back[1] + there[1])) <= aside


def _least(costs: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Return the shift of the least cost."""
    at = min(costs, key=lambda shift: costs[shift])
    return _between(costs, at, 0), _between(costs, at, 1)


def _between(costs: dict[tuple[int, int], float], at: tuple[int, int], axis: int) -> float:
    """Return where between whole pixels the least cost lies: the tip of two lines of equal slope through it and its neighbours.

    The costs of absolute differences meet in a tip; a parabola would draw the place towards whole pixels.
    """
    step = (1, 0) if axis == 0 else (0, 1)
    less, more = (costs.get((at[0] + sign * step[0], at[1] + sign * step[1])) for sign in (-1, 1))
    if less is None or more is None:
        return float(at[axis])
    slope = max(less, more) - costs[at]
    return at[axis] + (0.5 * (less - more) / slope if slope > 0 else 0.0)
