"""What is said of a review: how far it is, what the audit tells, and what is missing before anything can be learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_tap_events.project.annotations import Annotations


def progress_words(annotations: Annotations) -> str:
    """Return the numbers of answers in one line."""
    answers = [verdict.answer for verdict in annotations.verdicts]
    yes, no, unsure = (answers.count(answer) for answer in ("yes", "no", "unsure"))
    windows = len(annotations.audits)
    total = len(answers) + windows
    parts = [
        f"{yes} yes",
        f"{no} no",
        *([f"{unsure} unsure"] if unsure else []),
        f"{windows} window{'' if windows == 1 else 's'}",
    ]
    return f"<b>{total} answers</b>: {', '.join(parts)}."


def audit_words(audit: Mapping[str, Any] | None) -> str:
    """Return what the audit tells; where it is sure enough, that one can stop stands first."""
    if audit is None:
        return ""
    stop = "<b>■ You can stop.</b> " if audit.get("enough") else ""
    return f"{stop}{audit.get('sentence', '')}"


def trust_words(about: Mapping[str, Any]) -> str:
    """Return how far a head that was taught elsewhere can be trusted, and what answers do to it."""
    answers, needed, of_either, shift, ranks = (
        about.get(name) for name in ("answers", "needed", "of_either", "shift", "ranks")
    )
    alike = "" if shift is None else f" The features differ from those that taught it by {shift:.1f} sd."
    if ranks is not None:
        share = f"{100 * ranks:.0f} %"
        parts = f"{answers} answers have put its probabilities right; it ranks what you confirmed above what you rejected in {share}."
    elif answers is not None and needed is not None and answers >= needed:
        parts = f"{answers} answers; at least {of_either} yes and {of_either} no are needed to put its probabilities right."
    else:
        parts = f"{answers} of {needed} answers that put its probabilities right."
    warning = f" ⚠ {about['words']}" if about.get("words") else ""
    return f"<b>Head from elsewhere:</b> {parts}{alike}{warning}"


def learning_words(annotations: Annotations) -> str:
    """Return what is missing before a head can be taught; "" where nothing is."""
    answers = {verdict.answer for verdict in annotations.verdicts}
    if not annotations.events and "yes" not in answers:
        return "Learns as soon as one event was found."
    if not answers & {"yes", "no"} and annotations.scope is None:
        return "Learns as soon as one card was answered with yes or no."
    return ""
