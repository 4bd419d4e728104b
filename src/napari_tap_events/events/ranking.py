"""Ranking: precision and recall at every threshold, their average, the best threshold, and how sure one can be of them.

At a threshold, the predictions with at least that probability are matched one to one with the true events (`match_events`). As
the threshold falls a true event that was found stays found, so every true event has one probability at which it is found, and
every false prediction one from which on it counts: the whole curve follows from those two lists, ties included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.candidates import Kinds, Scope, candidates, probabilities
from napari_tap_events.events.matching import found_in_order
from napari_tap_events.settings import ScoreSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """What happens to every event and every prediction as the threshold falls.

    Attributes
    ----------
    found_at : (M,) float64
        Highest threshold at which each certain true event is found; -1 where it is never found.
    truth_t : (M,) float64
        Frame of each of them.
    false_at : (F,) float64
        Probability from which on each false prediction counts.
    false_t : (F,) float64
        Frame of each of them.
    """

    found_at: Floats
    truth_t: Floats
    false_at: Floats
    false_t: Floats


@dataclass(frozen=True)
class PrCurve:
    """Precision and recall of events at every threshold that makes a difference, from the highest down.

    Attributes
    ----------
    threshold, precision, recall, f1 : (L,) float64
        0..1; predictions with at least `threshold` count. Recall is NaN where there is no true event.
    n_true : int
        Number of true events.
    """

    threshold: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    n_true: int

    @property
    def average_precision(self) -> float:
        """Sum over all thresholds, from the highest down, of (R_k - R_(k-1)) P_k; NaN where there is no true event."""
        return float(np.diff(self.recall, prepend=0.0) @ self.precision) if self.n_true else float("nan")

    @property
    def best_threshold(self) -> float:
        """The threshold with the best F1.

        All thresholds between two neighbouring probabilities score alike, and so may several such gaps in a row. The middle of the
        widest such plateau is taken, which a few events more or less move least. Where no prediction is true there is nothing to
        choose by, and the answer is 0.5.
        """
        if not self.f1.size or self.f1.max() <= 0:
            return 0.5
        best = np.isclose(self.f1, self.f1.max(), rtol=0, atol=1e-12)
        lower = np.append(self.threshold[1:], 0.0)
        plateaus = np.split(np.flatnonzero(best), np.flatnonzero(np.diff(np.flatnonzero(best)) > 1) + 1)
        ends = [(float(lower[run[-1]]), float(self.threshold[run[0]])) for run in plateaus]
        low, high = max(ends, key=lambda end: end[1] - end[0])
        middle = (low + high) / 2
        return middle if low < middle <= high else high

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as plain lists, fit for JSON; None stands for NaN."""
        curves = {name: getattr(self, name).tolist() for name in ("threshold", "precision", "recall", "f1")}
        plain = {name: [None if np.isnan(value) else value for value in values] for name, values in curves.items()}
        return {**plain, "n_true": self.n_true}


@dataclass(frozen=True)
class Interval:
    """Between which values a score lies, most of the time.

    Attributes
    ----------
    f1, ap : (low, high)
        NaN where there is too little to say.
    level : float
        Share of the resampled scores between low and high, 0..1.
    by : "blocks" or "events"
        What was drawn again.
    repeats, seed : int
    """

    f1: tuple[float, float]
    ap: tuple[float, float]
    level: float
    by: str
    repeats: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return the interval as plain values, fit for JSON; None stands for NaN."""
        values = asdict(self)
        for name in ("f1", "ap"):
            values[name] = [None if np.isnan(value) else value for value in values[name]]
        return values


def outcomes(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> Outcomes:
    """Follow every event and prediction through all thresholds; the parameters are those of `match_events`."""
    found = candidates(predicted, truth, settings.radius_px, settings.frames, kinds, scope)
    p = probabilities(predicted)[found.rows_predicted]
    order = np.argsort(-p, kind="stable")
    newly, _ = found_in_order(found, order)
    found_at = np.full(found.rows_truth.size, -1.0)
    found_at[newly[newly >= 0]] = p[order[newly >= 0]]
    # predictions that may go unmatched without harm step back here: the others then match as often as they can
    counting = order[~found.excused[order]]
    false = counting[~found_in_order(found, counting)[1]]
    return Outcomes(
        found_at=found_at,
        truth_t=truth["t"].to_numpy(dtype=np.float64)[found.rows_truth],
        false_at=p[false],
        false_t=predicted["t"].to_numpy(dtype=np.float64)[found.rows_predicted[false]],
    )


def pr_curve(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> PrCurve:
    """Return precision and recall at every threshold; the parameters are those of `match_events`."""
    return curve_of(outcomes(predicted, truth, settings, kinds, scope))


def curve_of(seen: Outcomes) -> PrCurve:
    """Return precision and recall at every threshold of events and predictions that were followed through all of them."""
    levels = np.unique(np.concatenate([seen.found_at[seen.found_at >= 0], seen.false_at]))[::-1]
    n_true = seen.found_at.size
    tp = (n_true - np.searchsorted(np.sort(seen.found_at), levels)).astype(np.float64)
    fp = (seen.false_at.size - np.searchsorted(np.sort(seen.false_at), levels)).astype(np.float64)
    recall = tp / n_true if n_true else np.full(levels.size, np.nan)
    return PrCurve(levels, tp / (tp + fp), recall, 2 * tp / (tp + fp + n_true), n_true)


def average_precision(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> float:
    """Return the average precision of events, 0..1, which needs no threshold.

    The sum over all distinct probabilities, from the highest down, of the gain in recall times the precision there, without
    interpolation. Predictions of equal probability come in together, so ties leave nothing to chance. 0 where there are true
    events and no predictions, NaN where there are no true events.
    """
    return pr_curve(predicted, truth, settings, kinds, scope).average_precision


def best_threshold(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> float:
    """Return the threshold with the best F1 (`PrCurve.best_threshold`): use it on other data than those it was chosen on."""
    return pr_curve(predicted, truth, settings, kinds, scope).best_threshold


def promised_threshold(probabilities: NDArray[np.floating[Any]], n_true: float | None = None) -> float:
    """Return the threshold with the best F1 that calibrated probabilities promise, which is half of that F1.

    Listing the n most probable candidates finds the sum of their probabilities, so it promises an F1 of 2 sum p / (n + N); to list one
    more pays where its probability is above half of that (Lipton, Elkan, Naryanaswamy 2014, "Thresholding Classifiers to Maximize F1
    Score", arXiv 1402.1892, theorem 1). This leans on the two fitted numbers of a calibrator, where `best_threshold` leans on the few
    events about which the candidates disagree, and moves less with other events.

    Parameters
    ----------
    probabilities : (n,) float
        Calibrated, 0..1, of all candidates; at least one.
    n_true : float, optional
        N, how many events there are, those without a candidate too; by default the sum of the probabilities.

    Returns
    -------
    float
        0..0.5.
    """
    falling = np.sort(np.asarray(probabilities, dtype=np.float64))[::-1]
    total = falling.sum() if n_true is None else n_true
    f1 = 2 * np.cumsum(falling) / (np.arange(1, falling.size + 1) + total)
    return min(0.5, 0.5 * float(f1.max()))


def bootstrap(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    *,
    threshold: float,
    n_frames: int,
    by: Literal["blocks", "events"] = "blocks",
    block_frames: int | None = None,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
) -> Interval:
    """Estimate how far F1 and average precision would move with other events, by drawing them again (Efron 1979).

    Matching is done once; then blocks of time, or single events and false predictions, are drawn with replacement and scored.
    Never crops: crops of one event are no independent witnesses.

    Parameters
    ----------
    predicted, truth, settings, kinds, scope
        As for `match_events`.
    threshold : float
        Least probability of an event for F1.
    n_frames : int
        Frames of the movie.
    by : "blocks" or "events"
    block_frames : int, optional
        Frames in a block; by default a twentieth of the movie, at least 2.
    repeats, seed : int
    level : float
        Share of the scores inside the interval, 0..1.
    """
    seen = outcomes(predicted, truth, settings, kinds, scope)
    weights = _weights(seen, n_frames, block_frames or block_length(n_frames), repeats, seed, by)
    if weights is None:
        nothing = (float("nan"), float("nan"))
        return Interval(nothing, nothing, level, by, repeats, seed)
    f1, ap = _f1_of(seen, weights, threshold), _ap_of(seen, weights)
    return Interval(_ends(f1, level), _ends(ap, level), level, by, repeats, seed)


def bootstrap_mean(
    tables: Sequence[tuple[pd.DataFrame, pd.DataFrame]],
    truth: pd.DataFrame,
    settings: ScoreSettings,
    *,
    n_frames: int,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Estimate how far the mean of several runs' scores would move with other events of the movie.

    Every draw takes the same blocks of time from every run, so that what remains is the chance of the movie, not that of the runs.

    Parameters
    ----------
    tables : sequence of (candidates, found)
        For each run, all candidates, for average precision, and the events that it reports, for F1.
    truth, settings, n_frames, repeats, level, seed
        As for `bootstrap`.
    """
    f1, ap = [], []
    for candidates_, found in tables:
        parts = [outcomes(table, truth, settings) for table in (found, candidates_)]
        weights = [_weights(seen, n_frames, block_length(n_frames), repeats, seed) for seen in parts]
        if weights[0] is not None and weights[1] is not None:
            f1.append(_f1_of(parts[0], weights[0], 0.0))
            ap.append(_ap_of(parts[1], weights[1]))
    nothing = np.zeros((1, 0))
    means = [np.mean(values or nothing, axis=0) for values in (f1, ap)]
    return Interval(_ends(means[0], level), _ends(means[1], level), level, "blocks", repeats, seed)


def ap_draws(
    candidates: pd.DataFrame, truth: pd.DataFrame, settings: ScoreSettings, *, n_frames: int, repeats: int = 1000, seed: int = 0
) -> Floats | None:
    """Return average precision with blocks of time drawn again, (repeats,); None where there is nothing to draw from.

    With the same seed, number of frames and repeats every table of candidates is judged on the same blocks: draws of two heads go together.
    """
    seen = outcomes(candidates, truth, settings)
    weights = _weights(seen, n_frames, block_length(n_frames), repeats, seed)
    return None if weights is None else _ap_of(seen, weights)


def block_length(n_frames: int) -> int:
    """Return the frames of a block that is drawn again: a twentieth of the movie, at least 2."""
    return max(2, -(-n_frames // 20))


def _weights(
    seen: Outcomes, n_frames: int, block_frames: int, repeats: int, seed: int, by: Literal["blocks", "events"] = "blocks"
) -> Floats | None:
    """Draw with replacement; return how often each event and each false prediction was drawn, (R, M + F), or None."""
    t = np.concatenate([seen.truth_t, seen.false_t])
    unit = (t // block_frames).astype(np.int64) if by == "blocks" else np.arange(t.size)
    n_units = -(-n_frames // block_frames) if by == "blocks" else t.size
    if n_units < 2 or not seen.found_at.size:
        return None
    draws = np.random.default_rng(seed).multinomial(n_units, np.full(n_units, 1 / n_units), size=repeats)
    return draws[:, np.minimum(unit, n_units - 1)].astype(np.float64)


def _f1_of(seen: Outcomes, weights: Floats, threshold: float) -> Floats:
    """Return F1 of every draw, (R,); weights (R, M + F)."""
    n_true = seen.found_at.size
    tp = weights[:, :n_true] @ (seen.found_at >= threshold)
    fp = weights[:, n_true:] @ (seen.false_at >= threshold)
    total = tp + fp + weights[:, :n_true].sum(axis=1)
    return np.asarray(np.divide(2 * tp, total, out=np.full(tp.size, np.nan), where=total > 0))


def _ap_of(seen: Outcomes, weights: Floats) -> Floats:
    """Return average precision of every draw, (R,); weights (R, M + F)."""
    n_true = seen.found_at.size
    at = np.concatenate([seen.found_at, seen.false_at])
    is_true = np.arange(at.size) < n_true
    order = np.argsort(-at, kind="stable")
    order = order[at[order] >= 0]
    if not order.size:
        return np.zeros(len(weights))
    last = np.append(np.flatnonzero(np.diff(at[order])), order.size - 1)
    tp = np.cumsum(weights[:, order] * is_true[order], axis=1)[:, last]
    counted = np.cumsum(weights[:, order], axis=1)[:, last]
    precision = np.divide(tp, counted, out=np.zeros_like(tp), where=counted > 0)
    n = weights[:, :n_true].sum(axis=1)
    area = (np.diff(tp, prepend=0.0, axis=1) * precision).sum(axis=1)
    return np.asarray(np.divide(area, n, out=np.full(n.size, np.nan), where=n > 0))


def _ends(values: Floats, level: float) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
