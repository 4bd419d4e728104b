"""What is said of a review: how far it is, what the audit tells, and what is missing before anything can be learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.transfer import FOREIGN, enough


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
    return f"<b>{total} answer{'' if total == 1 else 's'}</b>: {', '.join(parts)}."


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
    alike = " This movie looks like what taught it." if shift is not None and shift < FOREIGN else ""
    if ranks is not None:
        share = f"{100 * ranks:.0f} %"
        parts = f"{answers} answers have put its probabilities right; it ranks what you confirmed above what you rejected in {share}."
    elif enough(about.get("yes", 0), about.get("no", 0)):
        parts = f"{answers} answers: enough to put its probabilities right."
    elif answers is not None and needed is not None and answers >= needed:
        parts = f"{answers} answers; at least {of_either} yes and {of_either} no are needed to put its probabilities right."
    else:
        parts = f"{answers} of {needed} answers, yes or no, that put its probabilities right."
    warning = f" ⚠ {about['words']}" if about.get("words") else ""
    return f"<b>Head from elsewhere:</b> {parts}{alike}{warning}"


def shift_words(shift: float | None) -> str:
    """Return by how much the features of a movie differ from those that taught a head, in numbers; "" where nobody knows."""
    return "" if shift is None else f"Its features lie {shift:.1f} standard deviations from those that taught the head."


def untaught_words(answers: int, missing: str, every: int) -> str:
    """Return that some answers have taught nothing yet, and what to do; "" where all have.

    Parameters
    ----------
    answers : int
        Which no head has learned from.
    missing : str
        What is missing before any head can learn; see `learning_words`.
    every : int
        A head learns by itself after so many answers; 0 where none does.
    """
    if not answers:
        return ""
    told = f"{answers} answer{'' if answers == 1 else 's'} that no head has learned from yet"
    if missing:
        return f"{told}. {missing}"
    return f"{told}: press <b>Learn now</b>" + (f", or go on, a head learns after every {every}." if every else ".")


def learning_words(annotations: Annotations) -> str:
    """Return what is missing before a head can be taught; "" where nothing is."""
    answers = {verdict.answer for verdict in annotations.verdicts}
    if not annotations.events and "yes" not in answers:
        return "Learns as soon as one event was found."
    if not answers & {"yes", "no"} and annotations.scope is None:
        return "Learns as soon as one card was answered with yes or no."
    return ""
