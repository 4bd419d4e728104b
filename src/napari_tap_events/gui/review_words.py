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


def learning_words(annotations: Annotations) -> str:
    """Return what is missing before a head can be taught; "" where nothing is."""
    answers = {verdict.answer for verdict in annotations.verdicts}
    if not annotations.events and "yes" not in answers:
        return "Learns as soon as one event was found."
    if not answers & {"yes", "no"} and annotations.scope is None:
        return "Learns as soon as one card was answered with yes or no."
    return ""
