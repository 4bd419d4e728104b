"""How many events there are over time, and how sure that is: counts per bin, a sliding mean, and a 95 % interval.

Which question the interval answers depends on what is known, and `OverTime.calibrated` says which of the two it was.

**Calibrated**: every proposed event has a probability that means a share (one of `train` or `detect --head`). Then each candidate
is an event with its probability p, independently of the others; what a person confirmed or added has p = 1. The line is the
expected number of events, the sum of p. The interval is the central 95 % of the Poisson-binomial distribution: **how many of
these candidates are events in this movie**. It does not cover events that are no candidate at all, nor that the calibration was
itself fitted to few events.

**Counted**: there are no such probabilities (marks of a person, true events, candidates of an encoder, whose probability only
ranks). Then the line is the count, and the interval is the exact Poisson interval of Garwood (1936, doi:10.2307/2333958): **which
rates would give such a count**, were the experiment done again. It takes the count for right.

Both intervals hold the truth at least 95 % of the time, often more: counts are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.table import UNCERTAIN

Numbers = NDArray[np.float64]

RANKS_ONLY = ("arrow", "simulated", "both")
"""Sources whose probabilities rank candidates and mean no share: no label of this movie has taught or calibrated them."""
BY_A_PERSON = ("confirmed", "added")
MOST_BINS = 32
"""Bins are chosen no shorter than this many of them need."""
LEVEL = 0.95


@dataclass(frozen=True)
class Smoothing:
    """How time is cut and smoothed.

    Attributes
    ----------
    bin_frames : int
        Length of a bin in frames; 0 chooses it from the length of the movie.
    window_frames : int
        Length of the sliding window in frames, rounded to an odd number of bins; 0 takes three bins.
    """

    bin_frames: int = 0
    window_frames: int = 0

    def bin_length(self, n_frames: int) -> int:
        """Return the length of a bin in frames."""
        return self.bin_frames or max(1, -(-n_frames // MOST_BINS))

    def reach(self, n_frames: int) -> int:
        """Return how many bins to each side of a bin its window holds."""
        length = self.bin_length(n_frames)
        return max(0, round((self.window_frames / length - 1) / 2)) if self.window_frames else 1


@dataclass(frozen=True)
class KindOverTime:
    """One kind of event over time, in B bins.

    Attributes
    ----------
    kind : str
    counted : (B,) int64
        Listed events of each bin.
    mean, low, high : (B,) float64
        Events per full bin, averaged over the window, and the ends of the 95 % interval; NaN where nothing was searched.
    """

    kind: str
    counted: NDArray[np.int64]
    mean: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class OverTime:
    """Events over time.

    Attributes
    ----------
    edges : (B + 1,) int64
        Frames at which bins begin and end; the last may reach past the movie.
    window_bins : int
        Bins in the sliding window, an odd number.
    calibrated : bool
        What line and interval mean; see the top of this file.
    all_candidates : bool
        Whether expected numbers count the candidates below the threshold too.
    kinds : tuple of KindOverTime
        In alphabetical order; none where there are no events.
    """

    edges: NDArray[np.int64]
    window_bins: int
    calibrated: bool
    all_candidates: bool = False
    kinds: tuple[KindOverTime, ...] = ()

    @property
    def bin_frames(self) -> int:
        """Length of a bin in frames."""
        return int(self.edges[1] - self.edges[0])

    @property
    def window_frames(self) -> int:
        """Length of the sliding window in frames."""
        return self.window_bins * self.bin_frames

    @property
    def centres(self) -> Numbers:
        """Middle of each bin in frames, (B,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def meaning(self) -> str:
        """Say in words what the line and the band around it are."""
        alone = "no smoothing" if self.bin_frames == 1 else f"in steps of {self.bin_frames} frames, no smoothing beyond"
        window = f"mean over {self.window_frames} frames" if self.window_bins > 1 else alone
        if self.calibrated and self.all_candidates:
            return f"Line: expected number of events, {window}. Band: how many of the candidates are events, 95 %."
        if self.calibrated:
            return (
                f"Line: expected number of events among those listed, {window}. Band: how many of them are events, 95 %. "
                "What lies below the threshold is not in it."
            )
        return f"Line: events listed, {window}. Band: rates that would give such a count, 95 %."


def events_over_time(
    events: pd.DataFrame,
    n_frames: int,
    smoothing: Smoothing | None = None,
    candidates: pd.DataFrame | None = None,
    searched: range | None = None,
) -> OverTime:
    """Count events over time, kind by kind.

    Parameters
    ----------
    events : events table
        What was found or marked; rejected rows and uncertain ones do not count.
    n_frames : int
        Length of the movie.
    smoothing : Smoothing, optional
    candidates : events table, optional
        All candidates with their probability, those below the threshold too: without them, expected numbers leave out what lies
        below it. A row of `events` stands for the candidate with its id.
    searched : range, optional
        Frames in which events were sought; by default all. Outside, nothing is known.

    Returns
    -------
    OverTime
    """
    smoothing, searched = smoothing or Smoothing(), searched or range(n_frames)
    length = smoothing.bin_length(n_frames)
    edges = np.arange(max(1, -(-n_frames // length)) + 1, dtype=np.int64) * length
    listed, weighed = _counting(events), _counting(_with_verdicts(events, candidates))
    bins = OverTime(edges, 2 * smoothing.reach(n_frames) + 1, _is_calibrated(weighed), candidates is not None)
    # an event belongs to the frame pair (t, t + 1), so the last frame begins none
    pairs = np.histogram(np.arange(searched.start, searched.stop - 1), edges)[0].astype(np.float64)
    names = sorted({str(kind) for table in (listed, weighed) for kind in table["kind"]})
    return replace(bins, kinds=tuple(_kind(name, listed, weighed, bins, pairs) for name in names))


def poisson_interval(counts: Numbers, level: float = LEVEL) -> tuple[Numbers, Numbers]:
    """Return the ends of the exact interval of a Poisson mean, given what was counted.

    Parameters
    ----------
    counts : (N,) float64
        Whole numbers from 0.
    level : float
        0..1.
    """
    tail = (1 - level) / 2
    from scipy.special import gammaincinv  # slow to import: the window need not wait for it when it opens

    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(counts + 1, 1 - tail), dtype=np.float64)


def poisson_binomial(probabilities: Iterable[float]) -> Numbers:
    """Return the distribution of the number of events among N independent candidates, (N + 1,) float64 that sums to 1.

    Single distributions are joined in pairs, so that N candidates cost about N^2 / 4 multiplications in few large steps.
    """
    parts = [np.array([1 - p, p]) for p in probabilities]
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [np.convolve(a, b) for a, b in pairs] + parts[len(parts) & ~1 :]
    return parts[0] if parts else np.ones(1)


def central_interval(distribution: Numbers, level: float = LEVEL) -> tuple[int, int]:
    """Return the least and the greatest number within the central part of a distribution over 0, 1, 2 ...

    Each tail left out holds at most (1 - level) / 2.
    """
    tail = (1 - level) / 2
    below, above = np.cumsum(distribution), np.cumsum(distribution[::-1])[::-1]
    # rounding must not push an end out by one: sums are good to about 1e-12
    return int(np.argmax(below > tail + 1e-12)), int(np.flatnonzero(above > tail + 1e-12)[-1])


def _counting(events: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count: neither rejected nor uncertain."""
    kept = events["kind"] != UNCERTAIN
    return events[kept & (events["status"] != "rejected")] if "status" in events else events[kept]


def _with_verdicts(events: pd.DataFrame, candidates: pd.DataFrame | None) -> pd.DataFrame:
    """Return all candidates; a row of `events` takes the place of the candidate with its id, as a person may have judged it."""
    if candidates is None:
        return events
    others = candidates[~candidates["id"].isin(events["id"])]
    return pd.concat([events, others], ignore_index=True) if len(events) else others


def _is_calibrated(events: pd.DataFrame) -> bool:
    """Say whether every proposed event has a probability that means a share, and there is one at all."""
    if not {"probability", "status"} <= set(events.columns):
        return False
    proposed = events[~events["status"].isin(BY_A_PERSON)]
    sources = proposed["source"] if "source" in proposed else pd.Series(dtype=str)
    return len(proposed) > 0 and bool(proposed["probability"].notna().all()) and not bool(sources.isin(RANKS_ONLY).any())


def _kind(name: str, listed: pd.DataFrame, weighed: pd.DataFrame, bins: OverTime, pairs: Numbers) -> KindOverTime:
    """Count one kind in the listed events, and in all candidates where probabilities count; `pairs` were searched in each bin."""
    counted = np.histogram(listed.loc[listed["kind"] == name, "t"], bins.edges)[0].astype(np.int64)
    reach = bins.window_bins // 2
    if bins.calibrated:
        mean, low, high = _expected(weighed[weighed["kind"] == name], bins.edges, reach)
    else:
        mean = _sliding_sum(counted.astype(np.float64), reach)
        low, high = poisson_interval(mean)
    searched = _sliding_sum(pairs, reach)
    per_bin = np.divide(bins.bin_frames, searched, out=np.full(searched.shape, np.nan), where=searched > 0)
    return KindOverTime(name, counted, mean * per_bin, low * per_bin, high * per_bin)


def _expected(candidates: pd.DataFrame, edges: NDArray[np.int64], reach: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return the expected number of events in each window and the ends of its interval, (B,) each."""
    by_a_person = candidates["status"].isin(BY_A_PERSON)
    p = np.where(by_a_person, 1.0, candidates["probability"].to_numpy(dtype=np.float64))
    bins = np.digitize(candidates["t"].to_numpy(), edges) - 1
    each = [p[bins == i] for i in range(edges.size - 1)]
    numbers = [poisson_binomial(inside) for inside in each]
    ends = [central_interval(_joined(numbers[max(0, i - reach) : i + reach + 1])) for i in range(len(numbers))]
    low, high = np.array(ends, dtype=np.float64).T
    return _sliding_sum(np.array([inside.sum() for inside in each]), reach), low, high


def _joined(distributions: list[Numbers]) -> Numbers:
    """Return the distribution of the sum of independent numbers."""
    joined = np.ones(1)
    for distribution in distributions:
        joined = np.convolve(joined, distribution)
    return joined


def _sliding_sum(values: Numbers, reach: int) -> Numbers:
    """Sum each value with its `reach` neighbours to both sides; beyond the ends there is nothing."""
    return np.convolve(values, np.ones(2 * reach + 1))[reach : reach + values.size]
