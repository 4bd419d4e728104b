"""What a model says of a movie, on disk: the queue is made from it wherever it is needed, in the window or in a worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_tap_events.events.table import read_events, write_events
from napari_tap_events.review.queue import Proposals
from napari_tap_events.writing import all_or_nothing

TABLE, ABOUT = "candidates.csv", "proposals.json"


@dataclass(frozen=True)
class ProposalsOnDisk:
    """Proposals, and where they come from.

    Attributes
    ----------
    proposals : Proposals
    threshold : float
        Probability from which a candidate is listed.
    head : str
        Folder of the head from the project's; "" for the arrow map.
    answers : int
        How many answers taught it.
    """

    proposals: Proposals
    threshold: float
    head: str
    answers: int

    @property
    def listed(self) -> pd.DataFrame:
        """The candidates that are listed, said where the head was not taught: for the audit."""
        table = self.proposals.candidates
        column = "held_out" if "held_out" in table.columns else "probability"
        return table[table[column] >= self.threshold].reset_index(drop=True)


def review_folder(project: Path, movie: str) -> Path:
    """Return where the review of a movie keeps what can be computed again."""
    return project / "review" / movie


def write_proposals(folder: Path, told: ProposalsOnDisk) -> None:
    """Write proposals; the note beside the table is written last.

    Raises
    ------
    OutputError, OSError
        When they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_events(folder / TABLE, told.proposals.candidates)
    about = {
        "schema": 1,
        "taught": told.proposals.taught,
        "threshold": told.threshold,
        "head": told.head,
        "answers": told.answers,
    }
    with all_or_nothing(folder / ABOUT) as partial:
        partial.write_text(json.dumps(about | {"candidates": len(told.proposals.candidates)}, indent=2), encoding="utf-8")


def read_proposals(folder: Path) -> ProposalsOnDisk | None:
    """Read proposals; None where there are none yet, or they are half written.

    Raises
    ------
    MaskError
        When the table is damaged.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        table = read_events(folder / TABLE)
        if len(table) != about["candidates"]:
            return None
        for name in ("score", "held_out"):
            if name in table.columns:
                table[name] = pd.to_numeric(table[name]).astype(np.float64)
        return ProposalsOnDisk(
            Proposals(table, bool(about["taught"])), float(about["threshold"]), str(about["head"]), int(about["answers"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
