"""Places of a movie, compared: which of them are one and the same, which lie in a box, and which were judged until now."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import Place
from napari_tap_events.settings import EventSettings

Places = NDArray[np.float64]


def near_any(places: Places, others: ArrayLike, near: EventSettings) -> NDArray[np.bool_]:
    """Say which places (N, 3), t y x in frames and pixels, lie near one of some others (M, 3)."""
    found = np.zeros(len(places), bool)
    there = np.asarray(others, dtype=np.float64).reshape(-1, 3)
    if not len(there):
        return found
    first, last = there[:, 0].min() - near.radius_frames, there[:, 0].max() + near.radius_frames
    rows = np.flatnonzero((places[:, 0] >= first) & (places[:, 0] <= last))
    for t in np.unique(places[rows, 0]):  # frame by frame: hundreds of answers are compared while somebody waits for a card
        here, close = rows[places[rows, 0] == t], there[np.abs(there[:, 0] - t) <= near.radius_frames]
        away = (places[here, None, 1] - close[None, :, 1]) ** 2 + (places[here, None, 2] - close[None, :, 2]) ** 2
        found[here] = (away <= near.radius_px**2).any(1)
    return found


def in_boxes(places: Places, boxes: Sequence[Scope]) -> NDArray[np.bool_]:
    """Say which places (N, 3), t y x in frames and pixels, lie in one of some boxes."""
    inside = np.zeros(len(places), bool)
    t, y, x = places.T if len(places) else (np.zeros(0),) * 3
    for b in boxes:
        inside |= (t >= b.frames.start) & (t < b.frames.stop) & (y >= b.y0) & (y < b.y1) & (x >= b.x0) & (x < b.x1)
    return inside


def events_of(a: Annotations) -> list[Place]:
    """Return the places that are known to be events, by an answer or a mark."""
    return [_place(region.event.t, region.event.y, region.event.x) for region in a.events]


def nothing_of(a: Annotations) -> list[Place]:
    """Return the places of which a person said that there is no event."""
    return [_place(v.t, v.y, v.x) for v in a.verdicts if v.answer == "no"]


def table_of(places: Sequence[Place]) -> pd.DataFrame:
    """Return places as a table with the columns t, y and x."""
    return pd.DataFrame(np.array(places, dtype=np.float64).reshape(-1, 3), columns=["t", "y", "x"])


def _place(t: float, y: float, x: float) -> Place:
    return int(t), round(float(y), 2), round(float(x), 2)  # as the journal writes them, so that they can be found again
