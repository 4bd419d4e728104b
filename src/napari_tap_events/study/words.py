"""What a report says in words: its headline and the few numbers below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from napari_tap_events.study.result import Result
from napari_tap_events.study.result_folder import mapping


@dataclass(frozen=True)
class Tile:
    """One number that stands out: `value`, what it is, and a remark."""

    value: str
    label: str
    remark: str = ""


def counted_events(result: Result) -> pd.DataFrame | None:
    """Return the events that count: all but those that a person rejected."""
    return None if result.events is None else result.events[result.events["status"] != "rejected"]


def counted_by_windows(result: Result) -> tuple[float, float, float] | None:
    """Return how many events the movie holds, low and high end, by the random windows of a review; None where nobody knows."""
    found = mapping(result.said.get("audit")).get("events")
    if not found or None in found:
        return None
    value, low, high = found
    return float(value), float(low), float(high)


def headline(result: Result) -> str:
    """Say in one sentence what came out."""
    events = counted_events(result)
    if events is not None:
        return _events_found(result, events)
    accuracy = arrow_accuracy(result)
    if accuracy is not None:
        return f"The encoder tells which of two frames came first in {accuracy:.0%} of unseen pairs; guessing would give 50%."
    score = result.evaluation.get("score")
    if score and score.get("recall") is not None:
        return f"The head finds {score['tp']} of {score['n_true']} true events in frames it did not learn from."
    if result.grad_cam is not None:
        return "Where the network looks when it decides."
    return "The result folder holds nothing to show yet."


def _events_found(result: Result, events: pd.DataFrame) -> str:
    frames = f" in {result.shape[0]} frames" if result.shape else ""
    if "movie" in events.columns:
        frames = f" in {plural(events['movie'].nunique(), 'movie')}"
    kinds = events["kind"].value_counts()
    named = [plural(int(number), str(kind)) for kind, number in kinds.items()]
    told = f": {listed(named)}" if len(named) > 1 or (len(named) == 1 and kinds.index[0] != "event") else ""
    sentence = f"{plural(len(events), 'event')} found{frames}{told}."
    score = result.evaluation.get("score")
    if not score or not score.get("n_true"):
        return sentence
    sentence += f" Of {plural(score['n_true'], 'true event')}, {score['tp']} {was(score['tp'])} found"
    if score.get("recall_only"):
        return f"{sentence}; false events cannot be told, because the annotation is not complete."
    return f"{sentence} and {score['fn']} missed; {score['fp']} found {was(score['fp'])} false."


def tiles(result: Result) -> list[Tile]:
    """Return the few numbers that matter most."""
    found = []
    events, score = counted_events(result), result.evaluation.get("score") or {}
    if events is not None:
        found.append(Tile(str(len(events)), "events", _threshold_words(result, events)))
    counted = counted_by_windows(result)
    if counted is not None:
        value, low, high = (f"{part:.0f}" for part in counted)
        found.append(Tile(f"≈ {value}", "in the movie", f"by random windows; 95%: {low} to {high}"))
    for name, label in (
        ("f1", "F1"),
        ("recall", "recall"),
        ("precision", "precision"),
        ("average_precision", "average precision"),
    ):
        if score.get(name) is not None:
            found.append(
                Tile(f"{score[name]:.2f}", label, interval_words(result, "ap" if name == "average_precision" else name))
            )
    accuracy = arrow_accuracy(result)
    if accuracy is not None:
        found.append(Tile(f"{accuracy:.0%}", "time arrow accuracy", "chance is 50%"))
    after = result.evaluation.get("reliability_after") or {}
    if after.get("ece") is not None:
        found.append(Tile(f"{after['ece']:.3f}", "calibration error", "ECE after calibration"))
    return found[:6]


def _threshold_words(result: Result, events: pd.DataFrame) -> str:
    """Tell the threshold, unless events below it show that each fold had its own."""
    if result.threshold is None or (events["probability"] < result.threshold).any():
        return ""
    return f"probability at least {result.threshold:.2f}"


def interval_words(result: Result, name: str) -> str:
    """Return the interval of a score in words, or nothing where it is not known."""
    ends = (result.evaluation.get("interval") or {}).get(name)
    return f"95%: {ends[0]:.2f} to {ends[1]:.2f}" if ends and None not in ends else ""


def arrow_accuracy(result: Result) -> float | None:
    """Return the share of unseen pairs whose order the encoder tells, 0..1: of the model that was kept, or else the last."""
    name = f"val_accuracy_{result.setting('sampling', 'motion')}"
    kept = (result.card.get("summary") or {}).get(name)
    if kept is not None:
        return float(kept)
    exact = last_value(result.pretrain_history, name)
    return last_value(result.pretrain_history, "val_acc") if exact is None else exact


def last_value(history: pd.DataFrame | None, start: str) -> float | None:
    """Return the last number in the first column whose name begins so, or None."""
    names = [] if history is None else [name for name in history.columns if str(name).startswith(start)]
    if history is None or not names or history[names[0]].dropna().empty:
        return None
    return float(history[names[0]].dropna().iloc[-1])


def listed(words: list[str]) -> str:
    """Join words as one says them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(number: Any, noun: str) -> str:
    """Return '1 event', '2 events'."""
    return f"{number} {noun}{'' if number == 1 or noun == 'uncertain' else 's'}"


def was(number: int) -> str:
    """Return the verb that fits a number."""
    return "was" if number == 1 else "were"


def duration(seconds: float) -> str:
    """Return a time in the unit one would say it in."""
    for unit_s, name in ((3600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.4g} {name}"
    return f"{seconds:.4g} s"
