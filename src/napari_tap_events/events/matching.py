"""Matching: which predicted event is which true one, each at most once.

Among all ways to match the candidates (`candidates.py`), the one with the most matches wins; among those the one that leaves
the fewest predictions false; among those the one with the least distance.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.candidates import Candidates, Kinds, Rows, Scope, candidates


@dataclass(frozen=True)
class Matching:
    """Who is who, as row positions (0-based, as they lie in the tables).

    Attributes
    ----------
    predicted, truth : (M,) int64
        The matched pairs: row `predicted[i]` of the one table is row `truth[i]` of the other.
    false : (F,) int64
        Predictions that are no event.
    missed : (K,) int64
        Certain true events that nothing was found for.
    ignored : (I,) int64
        Predictions that count neither way.
    """

    predicted: Rows
    truth: Rows
    false: Rows
    missed: Rows
    ignored: Rows

    @property
    def tp(self) -> int:
        """Number of true events found."""
        return self.predicted.size

    @property
    def fp(self) -> int:
        """Number of predictions that are no event."""
        return self.false.size

    @property
    def fn(self) -> int:
        """Number of true events missed."""
        return self.missed.size


def match_events(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    radius_px: float,
    frames: int,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> Matching:
    """Match predicted and true events one to one, as well as can be.

    Parameters
    ----------
    predicted, truth : events tables
        With `t` (frames), `y` and `x` (pixels); rows with status "rejected" are left out.
    radius_px : float
        Greatest distance in space, pixels, inclusive.
    frames : int
        Greatest distance in time, frames, inclusive.
    kinds : "merged" or "separate"
        "separate" matches events of one kind only.
    scope : Scope, optional
        Where the truth is complete; by default everywhere.
    """
    found = candidates(predicted, truth, radius_px, frames, kinds, scope)
    left, right = _assign(found)
    free = np.ones(found.rows_predicted.size, dtype=bool)
    free[left] = False
    missed = np.delete(found.rows_truth, right)
    return Matching(
        predicted=found.rows_predicted[left],
        truth=found.rows_truth[right],
        false=np.sort(found.rows_predicted[free & ~found.excused]),
        missed=np.sort(missed),
        ignored=np.sort(found.rows_predicted[free & found.excused]),
    )


def found_in_order(found: Candidates, order: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Let predictions claim true events one after the other; a claim stands if all before it can still be kept.

    After every step as many true events are found as a best matching of the predictions so far would find (predictions that can
    be matched together form a transversal matroid, and greedy is optimal there: Edmonds and Fulkerson 1965).

    Parameters
    ----------
    found : Candidates
    order : (P,) int64
        Positions in `found.rows_predicted`, the first to claim first.

    Returns
    -------
    newly_found : (P,) int64
        Position in `found.rows_truth` of the true event that each step adds, -1 where it adds none.
    claimed : (P,) bool
        Where a step adds one.
    """
    neighbours: list[list[int]] = [[] for _ in range(found.rows_predicted.size)]
    for one, other in zip(found.left.tolist(), found.right.tolist(), strict=True):
        neighbours[one].append(other)
    owner = [-1] * found.rows_truth.size
    held: dict[int, int] = {}
    newly = np.array([_claim(int(position), neighbours, owner, held) for position in order], dtype=np.int64)
    return newly, newly >= 0


def _assign(found: Candidates) -> tuple[Rows, Rows]:
    """Choose pairs, cluster by cluster of events that could be confused with each other."""
    n, m = found.rows_predicted.size, found.rows_truth.size
    if not found.left.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    from scipy.sparse import coo_array  # slow to import: the window need not wait for it when it opens
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(found.left.size), (found.left, found.right + n)), shape=(n + m, n + m))
    cluster = connected_components(graph, directed=False)[1][found.left]
    chosen = [_assign_cluster(found, np.flatnonzero(cluster == label)) for label in np.unique(cluster)]
    pairs = np.sort(np.concatenate(chosen))
    return found.left[pairs], found.right[pairs]


def _assign_cluster(found: Candidates, pairs: Rows) -> Rows:
    """Choose among the given pairs (positions in `found.left`): most matches, then fewest excused, then least distance."""
    if pairs.size == 1:
        return pairs
    left, i = np.unique(found.left[pairs], return_inverse=True)
    right, j = np.unique(found.right[pairs], return_inverse=True)
    most = min(left.size, right.size)
    excused_cost = 2.0 * (most + 1)
    no_pair_cost = (excused_cost + 2.0) * (most + 1)
    cost = np.full((left.size, right.size), no_pair_cost)
    cost[i, j] = found.distance[pairs] + excused_cost * found.excused[found.left[pairs]]
    which = np.full(cost.shape, -1, dtype=np.int64)
    which[i, j] = pairs
    from scipy.optimize import linear_sum_assignment

    chosen: Rows = which[linear_sum_assignment(cost)]
    return np.asarray(chosen[chosen >= 0])


def _claim(start: int, neighbours: list[list[int]], owner: list[int], held: dict[int, int]) -> int:
    """Find a true event for one more prediction by moving others aside (Kuhn 1955); return the one gained, or -1."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        prediction = waiting.popleft()
        for event in neighbours[prediction]:
            if event in came_from:
                continue
            came_from[event] = prediction
            if owner[event] < 0:
                _hand_over(event, start, came_from, owner, held)
                return event
            waiting.append(owner[event])
    return -1


def _hand_over(event: int, start: int, came_from: dict[int, int], owner: list[int], held: dict[int, int]) -> None:
    """Walk the path back from the event gained to the prediction that asked, giving every event its new owner."""
    while True:
        prediction = came_from[event]
        before = held.get(prediction, -1)
        owner[event], held[prediction] = prediction, event
        if prediction == start:
            return
        event = before
