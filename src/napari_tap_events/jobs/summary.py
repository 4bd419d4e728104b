"""A finished folder in a few lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_tap_events.events.listed import LISTED_FROM
from napari_tap_events.jobs.output import RESULT, read_json

NOTHING_TO_JUDGE = (
    "No marked event lies in the frames that were kept for judging, so there is no score. Mark events in other frames, too, some frames "
    "apart, and leave the number of folds to the program: then every event is judged by a head that never saw it."
)
HARDLY = 0.52
"""Accuracy below this says that little was learned."""


def summary_text(folder: Path) -> str:
    """Return what a command found, where it lies, and what to do next."""
    result = read_json(folder / RESULT)
    if result is None:
        return f"Nothing finished in {folder}."
    return "\n".join([findings_text(folder), f"Written to {folder}", *_next(result["command"], folder)])


def findings_text(folder: Path) -> str:
    """Return what a command found, and what must be known before one believes it; empty where nothing is finished."""
    result = read_json(folder / RESULT)
    if result is None:
        return ""
    return "\n".join([*_findings(result["command"], result["summary"]), *(f"Note: {text}" for text in result["warnings"])])


def _findings(command: str, summary: Mapping[str, Any]) -> list[str]:
    if command.startswith("study"):
        return [f"{summary['trials']} trials of {summary['rows']} rows, {summary['failed']} of them failed."]
    if command == "pretrain":
        return [_accuracy(summary)]
    if command == "adopt":
        kept = f"{summary['features']} of {summary['of']} features of a checkpoint, one place every {summary['stride']} px."
        return [f"An encoder that keeps {kept} It has no arrow of time, and is not taught any further."]
    if command == "train" or (command == "demo" and "f1" in summary):
        return _training(summary) + ([_accuracy(summary)] if command == "demo" else [])
    if command == "register":
        return [_moved(summary)]
    if command in ("detect", "demo"):
        return [_found(summary)]
    return [f"{summary.get('insets', 0)} insets ranked."]


def _found(summary: Mapping[str, Any]) -> str:
    if "expected_events" not in summary:
        return _ranked(summary)
    found = f"{summary['events']} events above the threshold {summary['threshold']:.2f}, of {summary['candidates']} candidates."
    return f"{found} By the sum of all probabilities {summary['expected_events']:.1f} are to be expected."


def _moved(summary: Mapping[str, Any]) -> str:
    shift = f"{summary['typical_shift_px']:g} px from frame to frame, {summary['largest_shift_px']:g} px at most"
    wander = f"{summary['wander_y_px']} x {summary['wander_x_px']} px"
    return (
        f"The picture moved by {shift} (to frame {summary['largest_shift_to_frame']}), and wandered over {wander} (y, x). It stays "
        f"where it is now, in a field of {summary['height_px']} x {summary['width_px']} px."
    )


def _ranked(summary: Mapping[str, Any]) -> str:
    threshold = summary["threshold"]
    why = "what suits simulated movies" if threshold == LISTED_FROM else "not learned from your movie"
    return (
        f"{summary['events']} events above the threshold {threshold:.2f}, of {summary['candidates']} candidates, the most probable "
        f"first. The threshold is {why}; --threshold moves it."
    )


def _accuracy(summary: Mapping[str, Any]) -> str:
    where = [
        (name, summary.get(f"val_accuracy_{key}")) for name, key in (("where cells move", "motion"), ("anywhere", "uniform"))
    ]
    told = ", ".join(f"{value:.3f} {name}" for name, value in where if value is not None)
    sentences = [f"Time arrow, accuracy on frames that did not teach (chance 0.5): {told}."] if told else []
    if told and max(value for _, value in where if value is not None) < HARDLY:
        sentences.append("That is hardly more than a guess: teach longer, or on more movies.")
    if "val_ap_simulated" in summary:
        found = summary["val_ap_simulated"]
        sentences.append(f"Simulated movies that did not teach: average precision of crops with an event {found:.3f}.")
    return " ".join(sentences)


def _training(summary: Mapping[str, Any]) -> list[str]:
    error = f"Calibration error of the map: {summary['ece_before']:.3f} before, {summary['ece_after']:.3f} after."
    return [_score(summary), error, summary["protocol"]]


def _score(summary: Mapping[str, Any]) -> str:
    if not summary["n_true"]:
        return NOTHING_TO_JUDGE
    return (
        f"Events on frames the head never saw: {summary['tp']} of {summary['n_true']} found, {summary['fp']} false: "
        f"precision {_number(summary['precision'])}, recall {_number(summary['recall'])}, F1 {_number(summary['f1'])}, "
        f"average precision {_number(summary['average_precision'])}."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _next(command: str, folder: Path) -> list[str]:
    follow = {
        "pretrain": f"Next: napari-tap-events train --movie MOVIE --masks MASKS --encoder {folder} --out HEAD",
        "adopt": f"Next: napari-tap-events train --movie MOVIE --masks MASKS --encoder {folder} --out HEAD",
        "register": "Next: work on the new movie; marks on the movie before do not fit it.",
        "train": f"Next: napari-tap-events detect MOVIE --head {folder} --out RESULTS",
        "detect": f"Next: napari-tap-events open {folder}",
        "explain": f"Next: napari-tap-events open {folder}",
        "demo": f"Next: open {folder / 'report.html'} in a browser, or: napari-tap-events open {folder}",
    }
    if command.startswith("study"):
        return [f"Next: open {folder / 'report.html'} in a browser; {folder / 'table.md'} has the same tables as Markdown."]
    return [follow[command]] if command in follow else []
