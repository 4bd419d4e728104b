"""What a person has said of a movie, in numbers, and the last count of its events: for reports, and while no worker runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import ANSWERS
from napari_tap_events.writing import all_or_nothing

AUDIT = "audit.json"


def keep_audit(folder: Path, audit: Mapping[str, Any] | None) -> None:
    """Keep what the audit tells (`Audit.to_json`) in the folder of a review; where it cannot be written, it is counted again some day."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with all_or_nothing(folder / AUDIT) as partial:
            partial.write_text(json.dumps(audit), encoding="utf-8")


def last_audit(folder: Path) -> dict[str, Any] | None:
    """Return what the audit told last in the folder of a review; None where it told nothing yet."""
    try:
        told = json.loads((folder / AUDIT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def what_was_said(a: Annotations, folder: Path) -> dict[str, Any]:
    """Return how much was said of a movie, fit for JSON.

    Parameters
    ----------
    a : Annotations
    folder : Path
        Of the review.

    Returns
    -------
    dict
        `marks`: number by kind; `answers`: number by answer; `audit`: as `last_audit`, where random windows were looked at.
    """
    marks = {kind.name: sum(region.event.kind == kind.name for region in a.events) for kind in a.kinds}
    answers = [verdict.answer for verdict in a.verdicts]
    return {
        "marks": {kind: count for kind, count in marks.items() if count},
        "answers": {answer: answers.count(answer) for answer in ANSWERS if answer in answers},
        "audit": last_audit(folder) if a.audits else None,
    }
