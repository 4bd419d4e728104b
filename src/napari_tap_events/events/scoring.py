"""Scores: how well predicted events agree with true ones, in the numbers a biologist asks for.

Predicted and true events are matched one to one (`matching.py`); what needs no threshold comes from the ranking (`ranking.py`).
A ratio that does not exist, such as precision without predictions, is NaN, never 0 or 1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.events.candidates import Kinds, Scope, column, probabilities
from napari_tap_events.events.matching import Matching, match_events
from napari_tap_events.events.ranking import average_precision
from napari_tap_events.settings import ScoreSettings

CURVE_FRAMES = (0, 1, 2, 3, 6)
CURVE_RADII = (0.5, 1.0, 2.0)
NAN = float("nan")


@dataclass(frozen=True)
class KindScore:
    """The score of one kind of event.

    Attributes
    ----------
    kind : str
    n_true, tp, fn : int
        True events of this kind, found and missed.
    fp : int or None
        False predictions of this kind; None where kinds are merged, since predictions then have no kind.
    precision, recall, f1 : float
        0..1, NaN where undefined.
    """

    kind: str
    n_true: int
    tp: int
    fn: int
    fp: int | None
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class CountError:
    """How many events a stretch of time holds, and how many were predicted: frames start..stop-1; error = predicted - true."""

    start: int
    stop: int
    n_true: int
    n_predicted: int
    error: int


@dataclass(frozen=True)
class TolerancePoint:
    """The score under another tolerance: `frames` in time, `radius_px` pixels in space."""

    frames: int
    radius_px: float
    tp: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class EventScore:
    """How well predicted events agree with true ones.

    Attributes
    ----------
    radius_px, frames
        The tolerance: pixels and frames.
    threshold : float or None
        Least probability of the predictions that were counted.
    n_true, n_predicted, tp, fp, fn, ignored : int
        True events, predictions, found, false, missed, and predictions that count neither way.
    precision, recall, f1 : float
        0..1, NaN where undefined.
    average_precision : float
        0..1, over all predictions whatever the threshold: see `ranking.average_precision`.
    false_rate : float
        False events per 100 frames and unit of area.
    false_rate_unit : str
        "per 100 frames per mm2", or "per 100 frames per megapixel" where the pixel size is not known.
    timing_median_frames, timing_iqr_frames : float
        Signed timing error t_predicted - t_true of the events found: median, and distance of its quartiles; frames.
    counts : tuple of CountError
        By time bin.
    kinds : tuple of KindScore
    tolerance_curve : tuple of TolerancePoint
        For 0, 1, 2, 3, 6 frames and half, once and twice the radius.
    recall_only : bool
        The truth is not complete, so a false event cannot be told from one nobody marked: precision, F1, average precision and
        false rate are NaN.
    """

    radius_px: float
    frames: int
    threshold: float | None
    n_true: int
    n_predicted: int
    tp: int
    fp: int
    fn: int
    ignored: int
    precision: float
    recall: float
    f1: float
    average_precision: float
    false_rate: float
    false_rate_unit: str
    timing_median_frames: float
    timing_iqr_frames: float
    counts: tuple[CountError, ...]
    kinds: tuple[KindScore, ...]
    tolerance_curve: tuple[TolerancePoint, ...]
    recall_only: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain values, fit for JSON; None stands for NaN."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def score_events(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    *,
    n_frames: int,
    height: int,
    width: int,
    threshold: float | None = None,
    pixel_size_um: float | None = None,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
    recall_only: bool = False,
    bin_frames: int | None = None,
) -> EventScore:
    """Score predicted events against true ones.

    Parameters
    ----------
    predicted, truth : events tables
        Rejected rows are left out; true events of kind "uncertain" count neither way.
    settings, kinds, scope
        The tolerance, whether a prediction must name the right kind, and where every event was annotated: as for `match_events`.
    n_frames, height, width, pixel_size_um
        Size of the movie in frames and pixels, and the side of a pixel in micrometres, where it is known.
    threshold : float, optional
        Least probability, 0..1, of a prediction that counts; what a person set always does. By default all count.
    recall_only : bool
        Not even the scope was annotated completely.
    bin_frames : int, optional
        Length of the time bins of the count error; by default a tenth of the movie.
    """
    counted = predicted if threshold is None else predicted[probabilities(predicted) >= threshold]
    matching = match_events(counted, truth, settings.radius_px, settings.frames, kinds, scope)
    precision, recall, f1 = _ratios(matching, recall_only)
    median, iqr = _timing(counted, truth, matching)
    rate, unit = _false_rate(matching.fp, n_frames, height, width, pixel_size_um, scope)
    return EventScore(
        radius_px=settings.radius_px,
        frames=settings.frames,
        threshold=threshold,
        n_true=matching.tp + matching.fn,
        n_predicted=matching.tp + matching.fp,
        tp=matching.tp,
        fp=matching.fp,
        fn=matching.fn,
        ignored=matching.ignored.size,
        precision=precision,
        recall=recall,
        f1=f1,
        average_precision=NAN if recall_only else average_precision(predicted, truth, settings, kinds, scope),
        false_rate=NAN if recall_only else rate,
        false_rate_unit=unit,
        timing_median_frames=median,
        timing_iqr_frames=iqr,
        counts=_counts(counted, truth, matching, n_frames, bin_frames),
        kinds=_kind_scores(counted, truth, matching, kinds, recall_only),
        tolerance_curve=tolerance_curve(counted, truth, settings, kinds, scope, recall_only),
        recall_only=recall_only,
    )


def tolerance_curve(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    settings: ScoreSettings,
    kinds: Kinds = "merged",
    scope: Scope | None = None,
    recall_only: bool = False,
) -> tuple[TolerancePoint, ...]:
    """Score under 0, 1, 2, 3, 6 frames and half, once and twice the radius; the parameters are those of `score_events`."""
    points = []
    for factor in CURVE_RADII:
        for frames in CURVE_FRAMES:
            radius_px = factor * settings.radius_px
            matching = match_events(predicted, truth, radius_px, frames, kinds, scope)
            points.append(TolerancePoint(frames, radius_px, matching.tp, *_ratios(matching, recall_only)))
    return tuple(points)


def _ratios(matching: Matching, recall_only: bool = False) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    tp, fp, fn = matching.tp, matching.fp, matching.fn
    recall = _share(tp, tp + fn)
    return (NAN, recall, NAN) if recall_only else (_share(tp, tp + fp), recall, _share(2 * tp, 2 * tp + fp + fn))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def _timing(predicted: pd.DataFrame, truth: pd.DataFrame, matching: Matching) -> tuple[float, float]:
    """Return median and interquartile range of t_predicted - t_true, frames."""
    if not matching.tp:
        return NAN, NAN
    t_predicted, t_true = (table["t"].to_numpy(dtype=np.float64) for table in (predicted, truth))
    low, median, high = np.quantile(t_predicted[matching.predicted] - t_true[matching.truth], [0.25, 0.5, 0.75])
    return float(median), float(high - low)


def _false_rate(
    fp: int, n_frames: int, height: int, width: int, pixel_size_um: float | None, scope: Scope | None
) -> tuple[float, str]:
    """Return false events per 100 frames and mm2 (or megapixel), and the words for it."""
    if scope is not None:
        n_frames = max(min(scope.stop, n_frames) - max(scope.start, 0), 0)
        height = max(min(scope.y1, height) - max(scope.y0, 0), 0)
        width = max(min(scope.x1, width) - max(scope.x0, 0), 0)
    area = height * width * (1e-6 if pixel_size_um is None else pixel_size_um**2 * 1e-6)
    unit = "per 100 frames per megapixel" if pixel_size_um is None else "per 100 frames per mm2"
    return (fp / (n_frames / 100 * area) if n_frames * area else NAN), unit


def _counts(
    predicted: pd.DataFrame, truth: pd.DataFrame, matching: Matching, n_frames: int, bin_frames: int | None
) -> tuple[CountError, ...]:
    """Count true and predicted events in bins of time, what counts neither way left out."""
    length = bin_frames or max(1, math.ceil(n_frames / 10))
    n_bins = max(1, math.ceil(n_frames / length))
    true, found = (
        np.bincount(np.clip(table["t"].to_numpy(dtype=np.int64)[rows] // length, 0, n_bins - 1), minlength=n_bins)
        for table, rows in (
            (truth, np.concatenate([matching.truth, matching.missed])),
            (predicted, np.concatenate([matching.predicted, matching.false])),
        )
    )
    return tuple(
        CountError(i * length, min((i + 1) * length, n_frames), int(true[i]), int(found[i]), int(found[i] - true[i]))
        for i in range(n_bins)
    )


def _kind_scores(
    predicted: pd.DataFrame, truth: pd.DataFrame, matching: Matching, kinds: Kinds, recall_only: bool
) -> tuple[KindScore, ...]:
    """Score every kind that the truth, or where kinds are separate a prediction, names."""
    kind_predicted, kind_truth = column(predicted, "kind", "event"), column(truth, "kind", "event")
    found, missed, false = kind_truth[matching.truth], kind_truth[matching.missed], kind_predicted[matching.false]
    named = set(found) | set(missed) | (set(false) if kinds == "separate" else set())
    scores = []
    for kind in sorted(named):
        tp, fn = int((found == kind).sum()), int((missed == kind).sum())
        fp = int((false == kind).sum()) if kinds == "separate" else None
        known = fp is not None and not recall_only
        precision = _share(tp, tp + (fp or 0)) if known else NAN
        f1 = _share(2 * tp, 2 * tp + (fp or 0) + fn) if known else NAN
        scores.append(KindScore(kind, tp + fn, tp, fn, fp, precision, _share(tp, tp + fn), f1))
    return tuple(scores)


def _plain(value: Any) -> Any:
    """Turn tuples into lists and NaN into None."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
