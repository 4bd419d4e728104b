"""What the audit tells of a movie: precision, recall, the number of events, events over time, and whether more review would pay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import AuditDesign
from napari_tap_events.review.audit_counts import Counted, count
from napari_tap_events.review.intervals import (
    Draws,
    Estimate,
    draw,
    estimate,
    expected,
    precisions,
    recalls,
    totals,
)
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
    found = count(a, design, listed, near)
    strata = np.array(design.strata)
    tally = found.tally(strata)
    looked, n = int(found.looked.sum()), len(strata)
    if (np.minimum(tally.windows, LEAST_WINDOWS) > tally.looked).any():
        nothing = Estimate(*[float("nan")] * 3)
        more = int(np.maximum(np.minimum(tally.windows, LEAST_WINDOWS) - tally.looked, 0).sum())
        words = (
            f"{looked} of {n} windows were looked at; too few to say how many events there are: {_windows(more)} more at least."
        )
        return Audit(looked, n, nothing, nothing, nothing, sentence=words)
    drawn, likely = draw(tally, seed), expected(tally)
    events, recall, precision = (
        estimate(told(tally, drawn), float(told(tally, likely)[0])) for told in (totals, recalls, precisions)
    )
    enough = events.width <= STOP_BELOW * events.value  # also where all was looked at and nothing is there
    bins = _over_time(found, design, (drawn, likely), bin_frames or max(1, -(-(design.shape[0] - 1) // 16)))
    more = max(1, windows_to_stop(looked, n, events))
    return Audit(looked, n, precision, recall, events, bins, enough, _sentence(events, recall, precision, enough, more))


def windows_to_stop(looked: int, windows: int, events: Estimate) -> int:
    """Return how many more windows make the interval of the number of events narrow enough to stop, about.

    The variance of a total that is drawn without return goes as (N - n) / n (Cochran 1977, Sampling Techniques, chapter 2), with n of
    N windows looked at.

    Parameters
    ----------
    looked, windows : int
        n and N.
    events : Estimate
        With n windows.
    """
    if events.width <= 0 or not looked:
        return 0
    left = (windows - looked) / looked * (STOP_BELOW * events.value / events.width) ** 2
    return max(0, math.ceil(windows / (1 + left)) - looked)


def _over_time(found: Counted, design: AuditDesign, draws: tuple[Draws, Draws], length: int) -> tuple[OverTimeBin, ...]:
    """Share what is drawn, and what is expected, out over time: right ones as the listed lie, missed ones as the windows lie."""
    drawn, likely = draws
    strata = np.array(design.strata)
    pairs = design.shape[0] - 1
    rng = np.random.default_rng((design.seed, 4))
    shares_listed, shares_area = [], []
    known, more = (_per_pair(frames, pairs) for frames in (found.counted_t, found.more_t))
    for n in np.flatnonzero(~found.looked):
        box = design.box(int(n)).frames
        shares_listed.append((int(strata[n]), box, found.listed[n] / len(box)))
        shares_area.append((int(strata[n]), box, 1 / len(box)))
    edges = [*range(0, pairs, length), pairs]
    at_listed, at_area = (_by_bin(shares, edges, len(drawn.right)) for shares in (shares_listed, shares_area))
    counts = _spread(drawn.right, at_listed, rng) + _spread(drawn.missed, at_area, rng)
    means = (likely.right * at_listed + likely.missed * at_area).sum(0)
    bins = []
    for i, (start, stop) in enumerate(pairwise(edges)):
        here = known[start:stop].sum()
        least = here + more[start:stop].sum()
        told = estimate(np.maximum(counts[i] + here, least), max(float(means[i] + here), least))
        bins.append(OverTimeBin(start, stop, told))
    return tuple(bins)


def _per_pair(frames: NDArray[np.int64], pairs: int) -> NDArray[np.float64]:
    """Return how many events there are in each frame pair."""
    return np.bincount(np.clip(frames, 0, pairs - 1), minlength=pairs).astype(np.float64)


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


def _windows(count: int) -> str:
    return f"{count} window{'' if count == 1 else 's'}"


def _sentence(events: Estimate, recall: Estimate, precision: Estimate, enough: bool, more: int) -> str:
    told = f"About {events.value:.0f} events (95 %: {events.low:.0f} to {events.high:.0f}). "
    if np.isfinite(recall.value):
        told += f"{recall.value:.0%} of them are listed ({recall.low:.0%} to {recall.high:.0%}). "
    if np.isfinite(precision.value):
        told += f"Of those listed {precision.value:.0%} are events ({precision.low:.0%} to {precision.high:.0%}). "
    return told + (
        "That is sure to 10 %: you can stop." if enough else f"About {_windows(more)} more would make it sure to 10 %."
    )
