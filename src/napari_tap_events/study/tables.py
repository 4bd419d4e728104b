"""Tables of the report: scores, tolerance, kinds, crops, calibration, events, settings, as rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.study.result import Result
from napari_tap_events.study.result_folder import mapping
from napari_tap_events.study.words import counted_by_windows, duration, interval_words, listed, plural

MOST_EVENTS = 300
NOT_KNOWN = "–"


MOVIE_NAMES = {"shape": "shape (T, C, Y, X)", "axes": "axes of the file"}


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    caption : str
    head : tuple of str
        Names of the columns.
    rows : tuple of rows
        The first cell of a row names it.
    shades : tuple of rows of float or None
        How strongly to tint each cell after the first, 0..1; empty for none.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shades: tuple[tuple[float, ...], ...] = ()


def score_table(result: Result) -> Table | None:
    """Return the scores of events, each with its meaning."""
    score = result.evaluation.get("score")
    if not score:
        return None
    rows = [
        ("True events", f"{score.get('n_true', NOT_KNOWN)}", f"{score.get('tp', 0)} found, {score.get('fn', 0)} missed"),
        (
            "False events",
            f"{score.get('fp', NOT_KNOWN)}",
            f"{score.get('ignored', 0)} more count neither way: uncertain, or outside the scope",
        ),
        ("Recall", number(score.get("recall")), f"share of true events that were found {_brackets(result, 'recall')}"),
        (
            "Precision",
            number(score.get("precision")),
            f"share of predicted events that are true {_brackets(result, 'precision')}",
        ),
        ("F1", number(score.get("f1")), f"harmonic mean of the two {_brackets(result, 'f1')}"),
        ("Average precision", number(score.get("average_precision")), f"over all thresholds {_brackets(result, 'ap')}"),
        ("False event rate", _short(score.get("false_rate")), str(score.get("false_rate_unit", "")).replace("mm2", "mm²")),
        (
            "Timing error",
            _timing(score, result.interval_s),
            "predicted minus true frame: median, and interquartile range",
        ),
    ]
    if result.evaluation.get("leakage") is not None:
        rows.append(
            (
                "Leakage",
                number(result.evaluation["leakage"]),
                "how much of what judged could be known from what taught; 0 is clean",
            )
        )
    threshold = f" at probability {number(score.get('threshold'))}" if score.get("threshold") is not None else ""
    caption = f"Events{threshold}, matched within {score['radius_px']:g} px and {score['frames']} frames"
    return Table(caption, ("", "value", "meaning"), tuple((a, b, c.strip()) for a, b, c in rows))


def said_table(result: Result) -> Table | None:
    """Return what a person has marked and answered, and the count by random windows."""
    marks, answers, audit = (mapping(result.said.get(name)) for name in ("marks", "answers", "audit"))
    rows = []
    if marks:
        named = listed([plural(int(count), str(kind)) for kind, count in marks.items()])
        rows.append(("Marks", str(sum(marks.values())), f"{named}, those that answers set included"))
    if answers:
        rows.append(
            ("Answers to cards", str(sum(answers.values())), ", ".join(f"{n} {answer}" for answer, n in answers.items()))
        )
    if audit:
        rows.append(("Random windows", str(audit.get("looked")), f"looked at of {audit.get('windows')}"))
    counted = counted_by_windows(result)
    if counted:
        rows.append(("Events in the movie", *_estimate(counted, 0, "by what these windows show")))
    for name, meaning in (("recall", "share of all events that is listed"), ("precision", "share of the list that is events")):
        if counted and None not in audit.get(name, (None,)):
            rows.append((name.capitalize(), *_estimate(audit[name], 2, meaning)))
    return Table("Marks and review", ("", "number", "meaning"), tuple(rows)) if rows else None


def _estimate(estimate: Sequence[float], digits: int, meaning: str) -> tuple[str, str]:
    value, low, high = (f"{part:.{digits}f}" for part in estimate)
    return value, f"{meaning}; 95 %: {low} to {high}"


def threshold_table(result: Result) -> Table | None:
    """Return precision, recall and F1 at a few thresholds and the one in use."""
    curve = result.evaluation.get("pr")
    if not curve or not curve.get("threshold"):
        return None
    level = np.array(curve["threshold"], dtype=np.float64)
    asked = [(at, f"{at:.1f}") for at in np.arange(0.1, 0.95, 0.1)]
    if result.threshold is not None:
        asked = sorted([*asked, (result.threshold, f"{result.threshold:.2f} (in use)")])
    rows = []
    for at, name in asked:
        kept = np.flatnonzero(level >= at)
        if kept.size:
            k = int(kept[np.argmin(level[kept])])
            rows.append((name, number(curve["precision"][k]), number(curve["recall"][k]), number(_f1(curve, k))))
    return Table("If the threshold were", ("probability", "precision", "recall", "F1"), tuple(rows))


def _f1(curve: Mapping[str, Any], k: int) -> float | None:
    precision, recall = curve["precision"][k], curve["recall"][k]
    return None if precision is None or recall is None else 2 * precision * recall / max(precision + recall, 1e-12)


def kinds_table(result: Result) -> Table | None:
    """Return the score of every kind."""
    kinds = (result.evaluation.get("score") or {}).get("kinds")
    if not kinds:
        return None
    rows = tuple(
        (
            str(k["kind"]),
            str(k["n_true"]),
            str(k["tp"]),
            str(k["fn"]),
            _or_dash(k.get("fp")),
            number(k.get("recall")),
            number(k.get("precision")),
        )
        for k in kinds
    )
    return Table("Each kind", ("kind", "true", "found", "missed", "false", "recall", "precision"), rows)


def tolerance_table(result: Result) -> Table | None:
    """Return F1, or recall where only that is known, for every tolerance."""
    points = (result.evaluation.get("score") or {}).get("tolerance_curve")
    if not points:
        return None
    name = "recall" if result.evaluation["score"].get("recall_only") else "f1"
    frames = sorted({point["frames"] for point in points})
    radii = sorted({point["radius_px"] for point in points})
    values = {(point["radius_px"], point["frames"]): point.get(name) for point in points}
    rows = tuple((f"{radius:g} px", *(number(values.get((radius, f))) for f in frames)) for radius in radii)
    shades = tuple(tuple(float(values.get((radius, f)) or 0) for f in frames) for radius in radii)
    label = "Recall" if name == "recall" else "F1"
    return Table(f"{label} under other tolerances", ("within", *(f"± {f} frames" for f in frames)), rows, shades)


def crop_tables(result: Result) -> list[Table]:
    """Return crop-level scores and confusion, and how many crops each criterion calls events."""
    tables = []
    crop = result.evaluation.get("crop_level") or {}
    names = (("precision", "precision"), ("recall", "recall"), ("auprc", "area under PR"), ("auroc", "area under ROC"))
    rows = tuple(
        (label, number(crop.get(f"{name}_0")), number(crop[name])) for name, label in names if crop.get(name) is not None
    )
    if rows:
        tables.append(Table("Scores of crops", ("", "no event", "event"), rows))
    if crop.get("confusion"):
        (tn, fp), (fn, tp) = crop["confusion"]
        counted = (("no event", f"{tn:,}", f"{fp:,}"), ("event", f"{fn:,}", f"{tp:,}"))
        shades = tuple(tuple(value / max(sum(pair), 1) for value in pair) for pair in ((tn, fp), (fn, tp)))
        tables.append(Table("Confusion of crops", ("true \\ predicted", "no event", "event"), counted, shades))
    positives = result.evaluation.get("positives")
    if isinstance(positives, Mapping) and positives:
        rows_by_criterion = tuple((str(name), f"{count:,}") for name, count in positives.items())
        tables.append(Table("Crop pairs that each criterion calls events", ("criterion", "crop pairs"), rows_by_criterion))
    return tables


def calibration_table(result: Result) -> Table | None:
    """Return the calibration measures before and after."""
    pairs = [(when, result.evaluation.get(f"reliability_{when}")) for when in ("before", "after")]
    rows = tuple(
        (when, *(number(summary.get(name), 3) for name in ("ece", "brier", "nll", "prevalence")))
        for when, summary in pairs
        if summary
    )
    return Table("Calibration", ("", "ECE", "Brier score", "log loss", "prevalence"), rows) if rows else None


def calibration_methods_table(result: Result) -> Table | None:
    """Return how honest the same answers are under each calibration, with the intervals over blocks of time."""
    methods = result.evaluation.get("calibration_methods")
    if not isinstance(methods, Mapping) or not methods:
        return None
    names = ("ece", "brier", "nll")
    rows = tuple(
        (str(method), *(_with_interval(values, name) for name in names), number(values.get("prevalence"), 3))
        for method, values in methods.items()
    )
    caption = "The same answers under each calibration; in brackets 95 % intervals, blocks of time drawn again"
    return Table(caption, ("", "ECE", "Brier score", "log loss", "prevalence"), rows)


def _with_interval(values: Mapping[str, Any], name: str) -> str:
    ends = (values.get("interval") or {}).get(name)
    told = f" ({number(ends[0], 3)} to {number(ends[1], 3)})" if ends else ""
    return number(values.get(name), 3) + told


def events_rows(events: pd.DataFrame | None, interval_s: float | None) -> Table | None:
    """Return the most probable events, at most `MOST_EVENTS`, in their order in time."""
    if events is None or events.empty:
        return None
    shown = events.sort_values("probability", ascending=False, na_position="first", kind="stable").head(MOST_EVENTS)
    rows = tuple(
        (
            str(event["id"]),
            str(event["t"]),
            duration(event["t"] * interval_s) if interval_s else NOT_KNOWN,
            f"{event['y']:.1f}",
            f"{event['x']:.1f}",
            str(event["kind"]),
            number(event["probability"]),
            str(event["status"]),
        )
        for event in shown.sort_values(["t", "y", "x"]).to_dict("records")
    )
    caption = f"{len(rows)} events" if len(rows) == len(events) else f"The {len(rows)} most probable of {len(events)} events"
    return Table(caption, ("id", "frame", "time", "row (px)", "column (px)", "kind", "probability", "status"), rows)


def setting_tables(result: Result) -> list[Table]:
    """Return what is known of the movie, the main numbers, every section of settings, and the versions."""
    sections = [(f"Settings: {name}", values) for name, values in (result.card.get("settings") or {}).items()]
    movie = {MOVIE_NAMES.get(name, name): value for name, value in result.described.items() if name != "path"}
    inputs = {name: value for name, value in (result.card.get("inputs") or {}).items() if not isinstance(value, Mapping)}
    summary = result.card.get("summary") or {}
    everything = [
        ("Movie", movie),
        ("Inputs", inputs),
        ("Summary", summary),
        *sections,
        ("Versions", result.card.get("versions") or {}),
    ]
    return [pairs_table(caption, values) for caption, values in everything if values]


def pairs_table(caption: str, values: Mapping[str, Any]) -> Table:
    """Return names and values as a table."""
    return Table(caption, ("", ""), tuple((str(name), plain(value)) for name, value in values.items()))


def plain(value: Any) -> str:
    """Write a setting as a person would."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(part) for part in value)
    return str(value)


def number(value: Any, digits: int = 2) -> str:
    """Write a number with so many digits, or a dash where there is none."""
    return NOT_KNOWN if value is None or np.isnan(value) else f"{value:.{digits}f}"


def _brackets(result: Result, name: str) -> str:
    words = interval_words(result, name)
    return f"({words})" if words else ""


def _or_dash(value: Any) -> str:
    return NOT_KNOWN if value is None else str(value)


def _timing(score: Mapping[str, Any], interval_s: float | None) -> str:
    median, spread = score.get("timing_median_frames"), score.get("timing_iqr_frames")
    if median is None or spread is None:
        return NOT_KNOWN
    scaled = f", {duration(abs(median) * interval_s)}" if interval_s and median else ""
    return f"{median:+g} frames{scaled} (IQR {spread:g})" if median else f"0 frames (IQR {spread:g})"


def _short(value: Any) -> str:
    return NOT_KNOWN if value is None else f"{value:.3g}"
