"""When a pair of crops is an event: {any size, size filter} x {both, either}.

Chen, Namboodiri, Sero 2024, section on labelling. A crop of the mask qualifies when it holds more than `area_px` event pixels (any size:
more than none); a pair is an event when one (either) or each (both) of its crops qualifies. Pixels are counted, kind by kind. Only what
was looked at can be a negative: a window that touches an unknown place is neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.events.crops import WindowGrid
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


def label_windows(masks: EventMasks, t: int, grid: WindowGrid, settings: LabelSettings) -> NDArray[np.int8]:
    """Label every window of the frame pair (t, t + 1).

    Returns
    -------
    (K, rows, columns) int8
        1 event, 0 no event, -1 unknown; K is 1 for merged kinds, else one per kind.
    """
    labels = kind_labels(masks, t, grid, settings.criterion, settings.area_px)
    return labels.max(0, keepdims=True) if settings.kinds == "merged" else labels


def kind_labels(masks: EventMasks, t: int, grid: WindowGrid, criterion: Criterion, area_px: int) -> NDArray[np.int8]:
    """Label every window for each kind apart, (kinds, rows, columns) int8."""
    frames = [masks.frame(t), masks.frame(t + 1)]
    per_kind = []
    for value in range(1, len(masks.kinds) + 1):
        counts = np.stack([grid.sums(frame == value) for frame in frames])
        per_kind.append(qualifies(counts, criterion, area_px))
    labels = np.stack(per_kind).astype(np.int8)
    unknown = sum(grid.sums(unknown_frame(masks, when)) for when in (t, t + 1))
    labels[:, np.asarray(unknown) > 0] = UNKNOWN
    return labels


def count_positives(masks: EventMasks, grid: WindowGrid, area_px: int) -> dict[Criterion, int]:
    """Count the windows of a movie that each criterion makes an event, before anything is trained."""
    totals: dict[Criterion, int] = dict.fromkeys(CRITERIA, 0)
    for t in range(masks.shape[0] - 1):
        for criterion in CRITERIA:
            totals[criterion] += int((kind_labels(masks, t, grid, criterion, area_px).max(0) == 1).sum())
    return totals


def label_movie(masks: EventMasks, grid: WindowGrid, settings: LabelSettings) -> NDArray[np.int8]:
    """Label the windows of all frame pairs, (T-1, K, rows, columns) int8; see `label_windows`."""
    return np.stack([label_windows(masks, t, grid, settings) for t in range(masks.shape[0] - 1)])
