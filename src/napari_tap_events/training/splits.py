"""Which frame pairs teach, which judge; and how much the judges have seen of the teachers.

A part of a split is a list of frame pairs t, standing for (t, t + 1). Blocks of time are separated by a guard gap. A boundary that
falls into an event moves to the nearest pause between events; in a movie so crowded that there is none near, it stays, and the guard
keeps what is taught away from what is asked. `random` is the published split over crops; it leaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import ScopeError

SHARES = (0.6, 0.2, 0.2)
"""Train, validation, test."""


@dataclass(frozen=True)
class Block:
    """A run of frame pairs.

    Attributes
    ----------
    start, stop : int
        First pair, and one past the last.
    """

    start: int
    stop: int

    @property
    def pairs(self) -> range:
        """The frame pairs in it."""
        return range(self.start, self.stop)


def time_blocks(n_pairs: int, shares: Sequence[float], event_pairs: Iterable[int] = ()) -> list[Block]:
    """Cut a movie into blocks of time.

    Parameters
    ----------
    n_pairs : int
        Frame pairs of the movie, T - 1.
    shares : sequence of float
        Wanted lengths, adding up to 1.
    event_pairs : iterable of int
        Frame pairs that hold events; a boundary separates neighbours among them only where there is no other place for it.

    Returns
    -------
    list of Block
        In the order of time; guards are taken by `apart`.

    Raises
    ------
    ScopeError
        When a block would be empty.
    """
    busy = set(event_pairs)
    wanted = [0, *(round(n_pairs * float(share)) for share in np.cumsum(shares)[:-1]), n_pairs]
    lengths = [b - a for a, b in pairwise(wanted)]
    if min(lengths) < 1:
        raise ScopeError(
            f"{n_pairs} frame pairs cannot be cut into {len(lengths)} blocks; look at more frames, or choose fewer --folds."
        )
    inner = [_pause(edge, (min(around) - 1) // 2, busy) for edge, around in zip(wanted[1:-1], pairwise(lengths), strict=True)]
    return [Block(a, b) for a, b in pairwise([0, *inner, n_pairs])]


def _pause(edge: int, reach: int, busy: set[int]) -> int:
    """Return the boundary nearest to `edge`, at most `reach` away, that cuts no event; `edge` itself where all do."""
    near = sorted(range(edge - reach, edge + reach + 1), key=lambda place: (abs(place - edge), place))
    return next((place for place in near if not (place - 1 in busy and place in busy)), edge)


def even_blocks(n_pairs: int, folds: int, event_pairs: Iterable[int] = ()) -> list[Block]:
    """Cut a movie into `folds` blocks of about the same length."""
    return time_blocks(n_pairs, [1 / folds] * folds, event_pairs)


def event_blocks(n_pairs: int, folds: int, event_pairs: Iterable[int], guard: int) -> list[Block]:
    """Cut a movie into `folds` blocks of time that hold about as many events each.

    A boundary lies in the middle of a pause between events, among those that share them out evenly in the longest. Where the pause is too
    short for a guard on both sides, the boundary leaves room for it beside the block with fewer events, which can spare none.

    Parameters
    ----------
    n_pairs : int
        Frame pairs of the movie, T - 1.
    folds : int
    event_pairs : iterable of int
        Frame pairs that hold events; neighbours among them are one event.
    guard : int
        Frames that will be left out beside a block.

    Raises
    ------
    ScopeError
        When there are fewer events, told apart by time, than blocks.
    """
    runs = _runs(sorted(set(event_pairs)))
    if len(runs) < folds:
        raise ScopeError(
            f"events at {len(runs)} different times cannot be shared out over {folds} blocks; mark more events, or choose fewer --folds."
        )
    after = [0]
    for block in range(1, folds):
        wanted, most = len(runs) * block / folds, len(runs) - folds + block
        near = [i for i in range(after[-1] + 1, most + 1) if abs(i - wanted) <= 1] or [
            min(max(round(wanted), after[-1] + 1), most)
        ]
        after.append(max(near, key=lambda i: (runs[i].start - runs[i - 1].stop, -abs(i - wanted))))
    after.append(len(runs))
    edges = [
        _boundary(runs[i - 1].stop, runs[i].start, guard + 1, i - before <= then - i)
        for before, i, then in zip(after, after[1:], after[2:], strict=False)
    ]
    return [Block(a, b) for a, b in pairwise([0, *edges, n_pairs])]


def _runs(pairs: Sequence[int]) -> list[Block]:
    """Return the runs of neighbours among frame pairs in order."""
    starts = [pair for i, pair in enumerate(pairs) if i == 0 or pair > pairs[i - 1] + 1]
    stops = [pair + 1 for i, pair in enumerate(pairs) if i + 1 == len(pairs) or pairs[i + 1] > pair + 1]
    return [Block(a, b) for a, b in zip(starts, stops, strict=True)]


def _boundary(stop: int, start: int, room: int, first_is_poorer: bool) -> int:
    """Return where to cut the pause from `stop` to `start`, of which either side wants some room."""
    if start - stop >= 2 * room:
        return (stop + start) // 2
    return min(start, stop + room) if first_is_poorer else max(stop, start - room)


def apart(n_pairs: int, held_out: Sequence[Block], guard: int) -> list[int]:
    """Return the frame pairs that are at least `guard` frames away from every held-out block.

    With a guard of one or more, no frame is shared: pair t reads the frames t and t + 1.
    """
    near = np.zeros(n_pairs, bool)
    for block in held_out:
        near[max(0, block.start - guard - 1) : block.stop + guard + 1] = True
    return [int(t) for t in np.flatnonzero(~near)]


def random_parts(n_items: int, seed: int) -> NDArray[np.int8]:
    """Assign items at random to train (0), validation (1) and test (2): the published split, which leaks."""
    order = np.random.default_rng((seed, 7)).permutation(n_items)
    parts = np.full(n_items, 2, np.int8)
    first, second = round(SHARES[0] * n_items), round((SHARES[0] + SHARES[1]) * n_items)
    parts[order[:first]], parts[order[first:second]] = 0, 1
    return parts


def leakage(train: NDArray[np.int64], test: NDArray[np.int64], crop_px: int) -> float:
    """Return the share of test crop pairs that share a pixel with a training crop pair.

    Parameters
    ----------
    train, test : (N, 3) int64
        Crop pairs as (t, y, x): frame pair and upper left corner, pixels.
    crop_px : int
        Side of the crops.

    Returns
    -------
    float
        0..1; 0 for every split but `random`.
    """
    if not len(train) or not len(test):
        return 0.0
    by_frame: dict[int, list[NDArray[np.int64]]] = {}
    for t, y, x in train:
        for frame in (int(t), int(t) + 1):
            by_frame.setdefault(frame, []).append(np.array((y, x)))
    corners = {frame: np.stack(places) for frame, places in by_frame.items()}
    return float(np.mean([_touches(corners, row, crop_px) for row in test]))


def _touches(corners: dict[int, NDArray[np.int64]], crop: NDArray[np.int64], crop_px: int) -> bool:
    for frame in (int(crop[0]), int(crop[0]) + 1):
        there = corners.get(frame)
        if there is not None and bool((np.abs(there - crop[1:]).max(1) < crop_px).any()):
            return True
    return False
