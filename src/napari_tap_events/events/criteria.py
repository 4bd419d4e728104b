"""When a pair of crops is an event: {any size, size filter} x {both, either}.

Chen, Namboodiri, Sero 2024, section on labelling. A crop of the mask qualifies when it holds more than `area_px` event pixels (any size:
more than none); a pair is an event when one (either) or each (both) of its crops qualifies. Pixels are counted, kind by kind. Only what
was looked at can be a negative: a window that touches an unknown place is neither.

What a head answers comes first for any event; where kinds are told apart, an answer for each of them follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.table import ANY_KIND, UNCERTAIN
from napari_tap_events.movies.masks import EventMasks, unknown_frame
from napari_tap_events.settings import Criterion, LabelSettings

CRITERIA: tuple[Criterion, ...] = ("any-both", "any-either", "size-both", "size-either")
UNKNOWN = -1


def qualifies(counts: NDArray[np.int64], criterion: Criterion, area_px: int) -> NDArray[np.bool_]:
    """Apply a criterion to counts of event pixels.

    Parameters
    ----------
    counts : (2, ...) int64
        Event pixels in the crops of frames t and t + 1.

    Returns
    -------
    (...) bool
    """
    enough = counts > (area_px if criterion.startswith("size") else 0)
    return np.asarray(enough.all(0) if criterion.endswith("both") else enough.any(0))


class _Seen(NamedTuple):
    """The windows of one frame: event pixels in them, (kinds, rows, columns) int64, and which touch an unknown place."""

    counts: NDArray[np.int64]
    unknown: NDArray[np.bool_]


def _seen(masks: EventMasks, t: int, grid: WindowGrid) -> _Seen:
    frame, nothing = masks.frame(t), np.zeros(grid.shape, np.int64)
    present = set(np.unique(frame).tolist())
    counts = [grid.sums(frame == value) if value in present else nothing for value in range(1, len(masks.kinds) + 1)]
    unknown = unknown_frame(masks, t)
    return _Seen(np.stack(counts), grid.sums(unknown) > 0 if unknown.any() else nothing > 0)


def _labels(first: _Seen, second: _Seen, criterion: Criterion, area_px: int) -> NDArray[np.int8]:
    labels = qualifies(np.stack([first.counts, second.counts]), criterion, area_px).astype(np.int8)
    labels[:, first.unknown | second.unknown] = UNKNOWN
    return labels


def _pairs(masks: EventMasks, grid: WindowGrid) -> Iterator[tuple[_Seen, _Seen]]:
    """Look at every frame once, in pairs of neighbours."""
    return pairwise(_seen(masks, t, grid) for t in range(masks.shape[0]))


def kind_labels(masks: EventMasks, t: int, grid: WindowGrid, criterion: Criterion, area_px: int) -> NDArray[np.int8]:
    """Label every window of the frame pair (t, t + 1) for each kind apart, (kinds, rows, columns) int8.

    1 is an event, 0 none, -1 unknown.
    """
    return _labels(_seen(masks, t, grid), _seen(masks, t + 1, grid), criterion, area_px)


def told_apart(kinds: Iterable[str], settings: LabelSettings) -> tuple[str, ...]:
    """Return which kinds a head tells apart that is taught by events of these kinds: all of them, or none where there is only one."""
    named = sorted(set(kinds) - {UNCERTAIN, ANY_KIND})
    return tuple(named) if settings.kinds == "separate" and len(named) > 1 else ()


def label_movie(masks: EventMasks, grid: WindowGrid, settings: LabelSettings, kinds: Sequence[str] = ()) -> NDArray[np.int8]:
    """Label the windows of all frame pairs.

    Parameters
    ----------
    masks, grid, settings
    kinds : sequence of str
        Which are told apart.

    Returns
    -------
    (T-1, K, rows, columns) int8
        1 event, 0 no event, -1 unknown: of any kind, then of each of `kinds`.
    """
    return np.stack(
        [_answers(masks, _labels(*pair, settings.criterion, settings.area_px), kinds) for pair in _pairs(masks, grid)]
    )


def label_pairs(masks: EventMasks, grid: WindowGrid, settings: LabelSettings, kinds: Sequence[str] = ()) -> NDArray[np.int8]:
    """As `label_movie`, looking only at frames of which something is known: quick where little was looked at."""
    boxes = [masks.scope, *masks.known.seen]
    frames = sorted({t for box in boxes for t in box.frames if 0 <= t < masks.shape[0]})
    labels = np.full((masks.shape[0] - 1, 1 + len(kinds), *grid.shape), UNKNOWN, np.int8)
    before: tuple[int, _Seen] | None = None
    for t in frames:
        now = _seen(masks, t, grid)
        if before is not None and before[0] == t - 1:
            labels[t - 1] = _answers(masks, _labels(before[1], now, settings.criterion, settings.area_px), kinds)
        before = (t, now)
    return labels


def _answers(masks: EventMasks, labels: NDArray[np.int8], kinds: Sequence[str]) -> NDArray[np.int8]:
    """Return of the labels of a mask's kinds that of any event, then those of some kinds; one that the mask lacks has no event."""
    any_kind = labels.max(0)
    lacking = np.minimum(any_kind, 0)
    of_kind = dict(zip(masks.kinds, labels, strict=True))
    return np.stack([any_kind, *(of_kind.get(kind, lacking) for kind in kinds)])


def count_positives(masks: EventMasks, grid: WindowGrid, area_px: int) -> dict[Criterion, int]:
    """Count the windows of a movie that each criterion makes an event, before anything is trained."""
    totals: dict[Criterion, int] = dict.fromkeys(CRITERIA, 0)
    for pair in _pairs(masks, grid):
        for criterion in CRITERIA:
            totals[criterion] += int((_labels(*pair, criterion, area_px).max(0) == 1).sum())
    return totals
