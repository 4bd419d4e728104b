"""The honest score of a head: calibrated fold by fold, judged on what neither head nor calibration saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from napari_tap_events.events.calibration import Method, calibration_summary
from napari_tap_events.events.candidates import Kinds
from napari_tap_events.events.held_out import APART_FRAMES, Calibration, HeldOut, calibrate, candidate_table, held_truth
from napari_tap_events.events.ranking import average_precision, bootstrap, pr_curve
from napari_tap_events.events.scoring import EventScore, score_events
from napari_tap_events.settings import ScoreSettings

Answers = Mapping[tuple[int, int], list[HeldOut]]


@dataclass(frozen=True)
class Judged:
    """Held-out answers of all folds, calibrated.

    Attributes
    ----------
    calibrations : mapping of fold to Calibration
        Each from answers on other units than the fold's own, levelled to the prior of all.
    final : Calibration
        For the final head, from all held-out answers.
    candidates : DataFrame
        Events table of all candidates, with columns `score`, `movie`, and `found`: above its fold's threshold.
    truth : DataFrame
    probability, raw : (N,) float
        Of every held-out window: calibrated, and before.
    labels : (N,) int8
    t : (N,) int64
        Frame pair of every window, movies behind each other.
    """

    calibrations: Mapping[int, Calibration]
    final: Calibration
    candidates: pd.DataFrame
    truth: pd.DataFrame
    probability: NDArray[np.float64]
    raw: NDArray[np.float64]
    labels: NDArray[np.int8]
    t: NDArray[np.int64]


def judge_folds(
    answers: Answers, truths: Sequence[pd.DataFrame], kinds: Sequence[str], method: Method, score: ScoreSettings
) -> Judged:
    """Calibrate every fold on the others, apply, and pool.

    Parameters
    ----------
    answers : mapping of (fold, unit) to list of HeldOut
        (k, k) is the test of fold k; (k, j) calibrates it.
    truths : sequence of DataFrame
        True events of every movie.
    """
    folds = sorted(k for k, j in answers if k == j)
    tests = [part for k in folds for part in answers[k, k]]
    pooled = tests if len(folds) > 1 else [part for (_, unit), parts in answers.items() if unit not in folds for part in parts]
    final = calibrate(pooled, truths, method, score)
    calibrations, tables = {}, []
    windows: list[tuple[NDArray[Any], ...]] = []
    for k in folds:
        others = [part for (fold, unit), parts in sorted(answers.items()) if fold == k and unit != k for part in parts]
        calibrations[k] = calibrate(others, truths, method, score).levelled(final.prior)
        table = candidate_table(answers[k, k], calibrations[k], kinds)
        tables.append(table.assign(found=table["probability"] >= calibrations[k].threshold))
        windows += [_windows(part, calibrations[k]) for part in answers[k, k]]
    probability, raw, labels, t = (np.concatenate(parts) for parts in zip(*windows, strict=True))
    return Judged(
        calibrations=calibrations,
        final=final,
        candidates=_without_doubles(pd.concat(tables, ignore_index=True), score),
        truth=held_truth(tests, truths),
        probability=probability,
        raw=raw,
        labels=labels,
        t=t,
    )


def _windows(part: HeldOut, calibration: Calibration) -> tuple[NDArray[Any], ...]:
    """Return probability of any event, the same uncalibrated, label and time of windows."""
    logits = part.logits[:, 0].astype(np.float64)
    return calibration.windows[0].probability(logits), expit(logits), part.labels[:, 0], part.t + part.movie * APART_FRAMES


def _without_doubles(table: pd.DataFrame, score: ScoreSettings) -> pd.DataFrame:
    """Drop the weaker of two candidates that lie on both sides of a boundary between folds."""
    ranked = table.sort_values("probability", ascending=False, kind="stable").reset_index(drop=True)
    t, y, x = (ranked[name].to_numpy(dtype=np.float64) for name in ("t", "y", "x"))
    order = np.argsort(t, kind="stable")
    keep = np.ones(len(ranked), bool)
    for place, row in enumerate(order):
        after = order[place + 1 :][t[order[place + 1 :]] - t[row] <= score.frames]
        near = after[(y[after] - y[row]) ** 2 + (x[after] - x[row]) ** 2 <= score.radius_px**2]
        near = near[t[near] > t[row]]
        keep[np.maximum(near, row)] = False
    kept = ranked[keep].sort_values(["t", "probability"], ascending=[True, False], kind="stable").reset_index(drop=True)
    return kept.assign(id=np.arange(1, len(kept) + 1))


@dataclass(frozen=True)
class Field:
    """Size of what was judged: frames of all movies, how many of their frame pairs were judged, pixels, and the pixel size."""

    n_frames: int
    judged_pairs: int
    height: int
    width: int
    pixel_size_um: float | None


def event_score(judged: Judged, field: Field, score: ScoreSettings, told_apart: bool) -> EventScore:
    """Score the events found at each fold's own threshold; average precision is over all candidates.

    An event is found whatever it is taken for; where kinds are told apart, the scores of each kind ask for its name as well.
    """

    def scored(kinds: Kinds) -> EventScore:
        return score_events(
            judged.candidates[judged.candidates["found"]],
            judged.truth,
            score,
            n_frames=field.n_frames,
            height=field.height,
            width=field.width,
            pixel_size_um=field.pixel_size_um,
            kinds=kinds,
        )

    result = scored("merged")
    by_kind = scored("separate").kinds if told_apart else result.kinds
    ap = average_precision(judged.candidates, judged.truth, score)
    rate = result.false_rate * field.n_frames / field.judged_pairs
    threshold = judged.final.threshold
    return replace(result, average_precision=ap, threshold=threshold, false_rate=rate, kinds=by_kind)


def evaluation(judged: Judged, field: Field, score: ScoreSettings, told_apart: bool) -> dict[str, Any]:
    """Return all measured numbers as plain values, fit for JSON and for the report."""
    result = event_score(judged, field, score, told_apart)
    thresholds = [c.threshold for c in judged.calibrations.values()]
    values: dict[str, Any] = {
        "reliability_before": calibration_summary(judged.raw, judged.labels).to_dict(),
        "reliability_after": calibration_summary(judged.probability, judged.labels).to_dict(),
        "pr": pr_curve(judged.candidates, judged.truth, score).to_dict(),
        "score": result.to_dict(),
        "threshold": judged.final.threshold,
        "fold_thresholds": thresholds,
        "crop_level": crop_level(judged.probability, judged.labels),
        "crop_level_argmax": crop_level(judged.raw, judged.labels),
        "by_time": by_time(judged.t, judged.labels, judged.probability),
    }
    if field.n_frames < APART_FRAMES and judged.truth["t"].max() < APART_FRAMES:
        interval = bootstrap(
            judged.candidates, judged.truth, score, threshold=float(np.median(thresholds)), n_frames=field.n_frames
        )
        values["interval"] = interval.to_dict()
    return values


def crop_level(probability: NDArray[np.float64], labels: NDArray[np.int8]) -> dict[str, Any]:
    """Return precision, recall, confusion matrix at p = 0.5, areas under the PR and ROC curves, as the paper's Table 2.

    The areas need scikit-learn and are left out where it is not installed.
    """
    truth, said = labels == 1, probability >= 0.5
    tn, fp = int((~truth & ~said).sum()), int((~truth & said).sum())
    fn, tp = int((truth & ~said).sum()), int((truth & said).sum())
    values: dict[str, Any] = {
        "confusion": [[tn, fp], [fn, tp]],
        "precision": _share(tp, tp + fp),
        "recall": _share(tp, tp + fn),
        "precision_0": _share(tn, tn + fn),
        "recall_0": _share(tn, tn + fp),
        "prevalence": _share(tp + fn, len(labels)),
    }
    try:
        from sklearn.metrics import average_precision_score, roc_auc_score
    except ImportError:
        return values
    if 0 < truth.sum() < len(truth):
        values["auprc"] = float(average_precision_score(truth, probability))
        values["auroc"] = float(roc_auc_score(truth, probability))
    return values


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def by_time(t: NDArray[np.int64], labels: NDArray[np.int8], probability: NDArray[np.float64]) -> dict[str, list[int]]:
    """Count event windows, false positives and false negatives for every frame pair, at p = 0.5 (the paper's Figures 3 and 4).

    Frames of several movies are counted together.

    Parameters
    ----------
    t : (N,) int64
        Frame pair of every window.
    labels : (N,) int8
    probability : (N,) 0..1
    """
    pairs, index = np.unique(t % APART_FRAMES, return_inverse=True)
    truth, said = labels == 1, probability >= 0.5
    counts = {"true": truth, "false_positive": ~truth & said, "false_negative": truth & ~said}
    return {"t": pairs.tolist(), **{name: np.bincount(index, which).astype(int).tolist() for name, which in counts.items()}}
