"""What the audit tells of a movie: precision, recall, the number of events, events over time, and whether more review would pay."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.matching import match_events
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import AuditDesign
from napari_tap_events.review.audit_design import windows_of
from napari_tap_events.review.intervals import Draws, Estimate, Tally, draw, ends, estimate, precisions, recalls, totals
from napari_tap_events.settings import EventSettings

STOP_BELOW = 0.1
"""Suggest to stop when the interval of the number of events is narrower than this share of it."""
LEAST_WINDOWS = 2
"""Windows of each stratum that must have been looked at before anything is said."""


@dataclass(frozen=True)
class OverTimeBin:
    """Events in the frame pairs start..stop-1, with a 95 % interval."""

    start: int
    stop: int
    events: Estimate


@dataclass(frozen=True)
class Audit:
    """What is known of a movie by its audit.

    Attributes
    ----------
    looked, windows : int
        Windows looked at, and in all.
    precision, recall : Estimate
        Of the listed events, 0..1.
    events : Estimate
        Number of events in the movie.
    over_time : tuple of OverTimeBin
    enough : bool
        Whether the interval of the number is below 10 % of it.
    sentence : str
        All that for a person.
    """

    looked: int
    windows: int
    precision: Estimate
    recall: Estimate
    events: Estimate
    over_time: tuple[OverTimeBin, ...] = ()
    enough: bool = False
    sentence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; an estimate is [value, low, high]."""
        return {
            **{name: getattr(self, name) for name in ("looked", "windows", "enough", "sentence")},
            **{name: getattr(self, name).to_json() for name in ("precision", "recall", "events")},
            "over_time": [[b.start, b.stop, *b.events.to_json()] for b in self.over_time],
        }


@dataclass(frozen=True)
class _Sorted:
    """Everything known, window by window: (W,) int64 each, named as in `Tally`."""

    looked: NDArray[np.bool_]
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    missed: NDArray[np.int64]
    listed: NDArray[np.int64]
    confirmed: NDArray[np.int64]
    rejected: NDArray[np.int64]
    added: NDArray[np.int64]


def audit_movie(a: Annotations, listed: pd.DataFrame, near: EventSettings, bin_frames: int = 0, seed: int = 0) -> Audit | None:
    """Estimate how many events a movie holds, and how many of them are listed.

    Parameters
    ----------
    a : Annotations
        With the answers of the audit and of the review.
    listed : events table
        What the model lists, above its threshold, said where it was not taught (`held_out`).
    near : EventSettings
        When a listed event is one that a person saw.
    bin_frames : int
        Length of the bins over time; 0 chooses about 16 of them.
    seed : int

    Returns
    -------
    Audit or None
        None before the audit was drawn.
    """
    design = a.audit_design
    if design is None:
        return None
    found = _sorted(a, design, listed, near)
    strata = np.array(design.strata)
    tally = _tally(found, strata)
    looked, n = int(found.looked.sum()), len(strata)
    if (np.minimum(tally.windows, LEAST_WINDOWS) > tally.looked).any():
        nothing = Estimate(*[float("nan")] * 3)
        words = f"{looked} of {n} windows were looked at; too few to say how many events there are."
        return Audit(looked, n, nothing, nothing, nothing, sentence=words)
    drawn = draw(tally, seed)
    events, recall, precision = (estimate(f(tally, drawn)) for f in (totals, recalls, precisions))
    enough = events.width < STOP_BELOW * events.value
    bins = _over_time(found, design, tally, drawn, bin_frames or max(1, -(-(design.shape[0] - 1) // 16)))
    return Audit(looked, n, precision, recall, events, bins, enough, _sentence(events, recall, precision, enough))


def _sorted(a: Annotations, design: AuditDesign, listed: pd.DataFrame, near: EventSettings) -> _Sorted:
    """Share everything known out to the windows."""
    n = len(design.strata)
    answers = {audit.window: audit for audit in a.audits if not audit.unsure}
    looked = np.zeros(n, bool)
    looked[list(answers)] = True
    told = [(window, e) for window, audit in answers.items() for e in audit.seen]
    homes = windows_of(design, np.array([(e.t, e.y, e.x) for _, e in told], dtype=np.float64))
    # what was seen just outside of one window, and lies in another one that was looked at, is told there
    kept = [n for n, (window, _) in enumerate(told) if homes[n] == window or not looked[homes[n]]]
    seen = _table([(told[n][1].t, told[n][1].y, told[n][1].x) for n in kept])
    owner = homes[np.array(kept, dtype=np.int64)]
    own = looked[owner]
    match = match_events(listed, seen, near.radius_px, near.radius_frames)
    where = windows_of(design, listed[["t", "y", "x"]].to_numpy(dtype=np.float64))
    inside = looked[where] if len(where) else np.zeros(0, bool)
    hit = np.zeros(len(listed), bool)
    hit[match.predicted] = True
    unlisted = np.ones(len(seen), bool)
    unlisted[match.truth] = False
    yes, no = _judged(a)
    as_yes, as_no = (match_events(listed, table, near.radius_px, near.radius_frames) for table in (yes, no))
    agreed, refused = np.zeros(len(listed), bool), np.zeros(len(listed), bool)
    agreed[as_yes.predicted], refused[as_no.predicted] = True, True
    extra = yes.iloc[as_yes.missed][["t", "y", "x"]].to_numpy(dtype=np.float64)
    other = windows_of(design, extra)
    other = other[~looked[other]] if len(other) else other

    def count(windows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(windows, minlength=n).astype(np.int64)

    return _Sorted(
        looked=looked,
        right=count(where[inside & hit]),
        wrong=count(where[inside & ~hit]),
        missed=count(owner[own & unlisted]),
        listed=count(where[~inside]),
        confirmed=count(where[~inside & agreed]),
        rejected=count(where[~inside & refused & ~agreed]),
        added=count(other),
    )


def _judged(a: Annotations) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the places of what is known to be an event, by a verdict or a mark, and of what is known to be none."""
    marks = [(r.event.t, r.event.y, r.event.x) for r in a.events]
    no = [(v.t, v.y, v.x) for v in a.verdicts if v.answer == "no"]
    return _table(marks), _table(no)


def _table(places: list[tuple[int, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(places, dtype=np.float64).reshape(-1, 3), columns=["t", "y", "x"])


def _tally(found: _Sorted, strata: NDArray[np.int64]) -> Tally:
    size = int(strata.max()) + 1

    def total(values: NDArray[Any]) -> NDArray[np.int64]:
        return np.bincount(strata, weights=values, minlength=size).astype(np.int64)

    counts = {f.name: total(getattr(found, f.name)) for f in fields(_Sorted)}
    return Tally(windows=np.bincount(strata, minlength=size).astype(np.int64), **counts)


def _over_time(found: _Sorted, design: AuditDesign, tally: Tally, drawn: Draws, length: int) -> tuple[OverTimeBin, ...]:
    """Share the drawn numbers of each stratum out over time: right ones as the listed lie, missed ones as the windows lie."""
    strata = np.array(design.strata)
    pairs = design.shape[0] - 1
    rng = np.random.default_rng((design.seed, 4))
    shares_listed, shares_area, known = [], [], np.zeros(pairs)
    for n, stratum in enumerate(strata):
        box = design.box(n).frames
        per_pair = 1 / len(box)
        if found.looked[n]:
            known[box.start : box.stop] += (found.right[n] + found.missed[n]) * per_pair
        else:
            shares_listed.append((stratum, box, found.listed[n] * per_pair))
            shares_area.append((stratum, box, per_pair))
    edges = [*range(0, pairs, length), pairs]
    at_listed, at_area = (_by_bin(shares, edges, len(tally.windows)) for shares in (shares_listed, shares_area))
    counts = _spread(drawn.right, at_listed, rng) + _spread(drawn.missed, at_area, rng)
    bins = []
    for i, (start, stop) in enumerate(pairwise(edges)):
        values = counts[i] + known[start:stop].sum()
        low, high = ends(values)
        bins.append(OverTimeBin(start, stop, Estimate(float(values.mean()), float(low), float(high))))
    return tuple(bins)


def _by_bin(shares: list[tuple[int, range, float]], edges: list[int], strata: int) -> NDArray[np.float64]:
    """Return which share of a stratum lies in each bin of time, (H, B)."""
    per_pair = np.zeros((strata, edges[-1]))
    for stratum, box, share in shares:
        per_pair[stratum, box.start : box.stop] += share
    by_bin = np.add.reduceat(per_pair, edges[:-1], axis=1)
    total = by_bin.sum(1, keepdims=True)
    shares_of: NDArray[np.float64] = np.where(total > 0, by_bin / np.maximum(total, 1e-12), 1 / by_bin.shape[1])
    return shares_of


def _spread(drawn: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Throw the drawn events (H, D) of each stratum into bins by their shares (H, B); return (B, D)."""
    thrown: NDArray[np.int64] = np.sum([rng.multinomial(drawn[h], shares[h]) for h in range(len(shares))], axis=0)
    by_bin: NDArray[np.float64] = np.array(thrown.T, dtype=np.float64)
    return by_bin


def _sentence(events: Estimate, recall: Estimate, precision: Estimate, enough: bool) -> str:
    told = f"About {events.value:.0f} events (95 %: {events.low:.0f} to {events.high:.0f}). "
    if np.isfinite(recall.value):
        told += f"{recall.value:.0%} of them are listed ({recall.low:.0%} to {recall.high:.0%}). "
    if np.isfinite(precision.value):
        told += f"Of those listed {precision.value:.0%} are events ({precision.low:.0%} to {precision.high:.0%}). "
    return told + ("That is sure to 10 %: you can stop." if enough else "More windows would make this surer.")
