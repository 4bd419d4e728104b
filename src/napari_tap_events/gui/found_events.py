"""The events that a search has found in the open movie: as a person has judged them, and from which probability on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tap_events.events.listed import are_listed
from napari_tap_events.events.table import read_events
from napari_tap_events.gui.made_of import is_of_open_movie, model_of
from napari_tap_events.project.judged import judged
from napari_tap_events.project.session import Session
from napari_tap_events.review.proposals import review_folder
from napari_tap_events.review.said import what_was_said
from napari_tap_events.study.result_folder import mapping, read_result_folder

CANDIDATES = "candidates.csv"


@dataclass(frozen=True)
class Search:
    """What the card of a search tells.

    Attributes
    ----------
    folder : Path
    radius_px, radius_frames : float, int
        How near two events are one, in pixels and frames.
    threshold : float
        Probability, 0..1, from which on a candidate is listed until somebody moves it.
    notes : tuple of str
        What a reader must know before believing it.
    """

    folder: Path
    radius_px: float
    radius_frames: int
    threshold: float
    notes: tuple[str, ...]

    def judged(self, candidates: pd.DataFrame, session: Session) -> pd.DataFrame:
        """Return the candidates with their `status` as the marks and answers on the open movie say."""
        marks, movie = session.annotations, session.movie
        return candidates if marks is None else judged(candidates, marks, self.radius_px, self.radius_frames, movie)

    def in_words(self) -> str:
        """Say which model has searched, and what must be known of that."""
        model = model_of(self.folder)
        return "\n".join([*([f"Found by {model}."] if model else []), *(f"Note: {note}" for note in self.notes)])


def read_search(folder: Path) -> Search:
    """Read the card of a search.

    Raises
    ------
    OutputError
        When the folder holds no result.
    """
    card = read_result_folder(folder).card
    told = card["settings"]["detect"]
    threshold = float(mapping(card.get("summary")).get("threshold", 0.5))
    return Search(folder, told["radius_px"], told["radius_frames"], threshold, tuple(card.get("warnings", ())))


def said_of(session: Session, folder: Path) -> dict[str, Any] | None:
    """Return what a person has said of the movie of a search, in numbers; None where another movie is open."""
    project, entry, marks = session.project, session.entry, session.annotations
    if project is None or entry is None or marks is None or not is_of_open_movie(session, folder):
        return None
    return what_was_said(marks, review_folder(project.path, entry.name))


def count_listed(session: Session, folder: Path) -> int:
    """Return how many events of a search through the open movie are listed, before somebody moves the threshold.

    Raises
    ------
    TapEventsError
        When the folder holds no result, or its candidates cannot be read.
    """
    search = read_search(folder)
    events = search.judged(read_events(folder / CANDIDATES), session)
    return int(are_listed(events, search.threshold).sum())
