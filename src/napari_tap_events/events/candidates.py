"""Candidates: which predicted event could be which true one, and what counts neither way.

A pair may match when it lies within the tolerance in space and in time. Some rows count neither way: a true event that is
uncertain, or outside the annotated scope, is neither found nor missed; a prediction that matches nothing is excused when it is
near one of those, or outside the scope itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.table import UNCERTAIN

Kinds = Literal["merged", "separate"]
Rows = NDArray[np.int64]


class Scope(Protocol):
    """Where and when every event was annotated: frames start..stop-1, rows y0..y1-1, columns x0..x1-1."""

    @property
    def start(self) -> int:
        """First frame."""
        ...

    @property
    def stop(self) -> int:
        """Frame after the last one."""
        ...

    @property
    def y0(self) -> int:
        """First row."""
        ...

    @property
    def y1(self) -> int:
        """Row after the last one."""
        ...

    @property
    def x0(self) -> int:
        """First column."""
        ...

    @property
    def x1(self) -> int:
        """Column after the last one."""
        ...


@dataclass(frozen=True)
class Candidates:
    """Every pair that may match, and what does not count.

    Attributes
    ----------
    rows_predicted : (N,) int64
        Row positions of the predictions in an order of their own, so that the order in the table changes nothing.
    rows_truth : (M,) int64
        The same for the certain true events inside the scope.
    excused : (N,) bool
        Predictions that are not false when they match nothing.
    left, right : (K,) int64
        Pairs that may match, as positions in `rows_predicted` and `rows_truth`.
    distance : (K,) float64
        Distance of the pairs in units of the tolerance, at most sqrt(2).
    """

    rows_predicted: Rows
    rows_truth: Rows
    excused: NDArray[np.bool_]
    left: Rows
    right: Rows
    distance: NDArray[np.float64]


def candidates(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    radius_px: float,
    frames: int,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> Candidates:
    """Find the pairs that may match; the parameters are those of `matching.match_events`."""
    rows_predicted, rows_all = _rows_in_order(predicted), _rows_in_order(truth)
    certain = (column(truth, "kind", "event") != UNCERTAIN) & inside(truth, scope)
    rows_truth, rows_doubtful = rows_all[certain[rows_all]], rows_all[~certain[rows_all]]
    left, right, distance = _near(predicted, rows_predicted, truth, rows_truth, radius_px, frames)
    if kinds == "separate":
        kind_predicted, kind_truth = column(predicted, "kind", "event"), column(truth, "kind", "event")
        same = kind_predicted[rows_predicted[left]] == kind_truth[rows_truth[right]]
        left, right, distance = left[same], right[same], distance[same]
    excused = ~inside(predicted, scope)[rows_predicted]
    excused[_near(predicted, rows_predicted, truth, rows_doubtful, radius_px, frames)[0]] = True
    return Candidates(rows_predicted, rows_truth, excused, left, right, distance)


def inside(table: pd.DataFrame, scope: Scope | None) -> NDArray[np.bool_]:
    """Say which rows of a table lie inside the scope, (N,); all do where there is none."""
    if scope is None:
        return np.ones(len(table), dtype=bool)
    t, y, x = (table[name].to_numpy(dtype=np.float64) for name in ("t", "y", "x"))
    # a pixel reaches half a pixel to each side of its centre
    within: NDArray[np.bool_] = (
        ((t >= scope.start) & (t < scope.stop))
        & ((y >= scope.y0 - 0.5) & (y < scope.y1 - 0.5))
        & ((x >= scope.x0 - 0.5) & (x < scope.x1 - 0.5))
    )
    return within


def column(table: pd.DataFrame, name: str, default: str) -> NDArray[Any]:
    """Return a text column of a table, or its default where the table has none, (N,) object."""
    if name in table.columns:
        return table[name].to_numpy(dtype=object)
    return np.full(len(table), default, dtype=object)


def probabilities(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probabilities of a table, (N,) 0..1; what a person set has none and counts as 1."""
    if "probability" not in table.columns:
        return np.ones(len(table))
    return table["probability"].fillna(1.0).to_numpy(dtype=np.float64)


def _rows_in_order(table: pd.DataFrame) -> Rows:
    """Return the positions of all rows that are not rejected, ordered by what they say and not by where they lie."""
    kind = column(table, "kind", "event").astype(str)
    t, y, x = (table[name].to_numpy(dtype=np.float64) for name in ("t", "y", "x"))
    order = np.lexsort((kind, -probabilities(table), x, y, t))
    kept: Rows = order[column(table, "status", "proposed")[order] != "rejected"].astype(np.int64)
    return kept


def _near(
    one: pd.DataFrame, rows_one: Rows, other: pd.DataFrame, rows_other: Rows, radius_px: float, frames: int
) -> tuple[Rows, Rows, NDArray[np.float64]]:
    """Return all pairs within the tolerance, as positions in the two lists of rows, and their distance in its units."""
    from scipy.spatial import KDTree  # slow to load, and the window loads this file

    if not rows_one.size or not rows_other.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    unit = np.array([frames + 0.5, max(radius_px, 1e-6), max(radius_px, 1e-6)])
    a, b = (table[["t", "y", "x"]].to_numpy(dtype=np.float64)[rows] for table, rows in ((one, rows_one), (other, rows_other)))
    lists = KDTree(a / unit).query_ball_tree(KDTree(b / unit), r=1 + 1e-9, p=np.inf)
    left = np.repeat(np.arange(len(lists)), [len(near) for near in lists])
    right = np.array([position for near in lists for position in sorted(near)], dtype=np.int64)
    space = np.hypot(a[left, 1] - b[right, 1], a[left, 2] - b[right, 2])
    time = np.abs(a[left, 0] - b[right, 0])
    close = (space <= radius_px) & (time <= frames)
    distance = np.hypot(space / unit[1], time / max(frames, 1))
    return left[close].astype(np.int64), right[close], distance[close]
