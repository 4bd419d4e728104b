"""What a result folder holds, opened: whatever a command has left there, and a sentence for whatever cannot be read.

A report must come out of a half-finished or partly moved folder too: only a missing or damaged `result.json` is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.table import read_events
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import StoredMap, open_map
from napari_tap_events.study.result_folder import JUDGED, SAID, ResultFolder, mapping, read_result_folder

Part = TypeVar("Part")


@dataclass(frozen=True)
class Result(ResultFolder):
    """What a result folder holds; None where it holds no such thing, or one that cannot be read.

    Attributes
    ----------
    folder, card, files, missing
        As of a `ResultFolder`.
    movie : Movie or None
    events, candidates, truth : events tables or None
    probability, simulated, arrow, grad_cam : StoredMap or None
        Maps (T-1, Y', X'), 0..1.
    pretrain_history, head_history : DataFrame or None
        One row a validation: step, losses, accuracies.
    insets : DataFrame or None
        Ranked places: rank, t (frames), y, x (pixels), value.
    evaluation : mapping
        Scores, curves and calibration on frames that did not teach; empty where nothing was judged.
    notes : tuple of str
        A sentence for everything that the card names and that cannot be shown.
    said : mapping
        What a person has said of the movie, in numbers (`review.said`); empty where nobody has.
    """

    movie: Movie | None = None
    events: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    probability: StoredMap | None = None
    simulated: StoredMap | None = None
    arrow: StoredMap | None = None
    grad_cam: StoredMap | None = None
    pretrain_history: pd.DataFrame | None = None
    head_history: pd.DataFrame | None = None
    insets: pd.DataFrame | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int, int] | None:
        """(T, C, Y, X) of the movie, from the movie itself or else from the card."""
        return super().shape if self.movie is None else self.movie.shape

    @property
    def interval_s(self) -> float | None:
        """Seconds between frames, where known."""
        return super().interval_s or (self.movie.interval_s if self.movie else None)

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a pixel in micrometres, where known."""
        return super().pixel_size_um or (self.movie.pixel_size_um if self.movie else None)

    @property
    def leaks(self) -> bool:
        """Whether frames that taught could leak into frames that judged, because pairs were split at random."""
        return bool(self.setting("split") == "random")

    @property
    def threshold(self) -> float | None:
        """Least probability of an event, wherever the folder tells it."""
        for value in (
            mapping(self.card.get("summary")).get("threshold"),
            self.evaluation.get("threshold"),
            self.setting("threshold"),
        ):
            if value is not None:
                return float(value)
        return None


def read_result(folder: Path) -> Result:
    """Read all that a result folder holds.

    Raises
    ------
    OutputError
        When there is no readable `result.json`, or one from a later version.
    """
    found = read_result_folder(folder)
    notes: list[str] = []
    read = _Reader(found, notes)
    judged = _judged(found.folder, notes)
    return Result(
        folder=found.folder,
        card=found.card,
        files=found.files,
        missing=found.missing,
        movie=_open_movie(found, notes),
        events=read("events", read_events) if judged is None else judged,
        candidates=read("candidates", read_events),
        truth=read("truth", read_events),
        probability=read("probability", open_map),
        simulated=read("simulated", open_map),
        arrow=read("arrow", open_map),
        grad_cam=read("grad_cam", open_map),
        pretrain_history=read("pretrain_history", _history),
        head_history=read("head_history", _history),
        insets=read("insets", _insets),
        evaluation=read("evaluation", _json) or {},
        notes=tuple(notes),
        said=_said(found.folder),
    )


@dataclass(frozen=True)
class _Reader:
    """Reads what the card names, role by role; what cannot be read becomes a note."""

    found: ResultFolder
    notes: list[str]

    def __call__(self, role: str, how: Callable[[Path], Part]) -> Part | None:
        name = self.found.listed.get(role)
        if name is None:
            return None
        path = self.found.folder / name
        if not path.exists():
            self.notes.append(f"The {role.replace('_', ' ')} is not shown: '{name}' is no longer in the folder.")
            return None
        try:
            return how(path)
        except (TapEventsError, OSError, ValueError, KeyError) as error:
            self.notes.append(f"The {role.replace('_', ' ')} is not shown: {error}")
            return None


def _judged(folder: Path, notes: list[str]) -> pd.DataFrame | None:
    """Return the events as a person has judged them, None where nobody has."""
    if not (folder / JUDGED).exists():
        return None
    try:
        judged = read_events(folder / JUDGED)
    except TapEventsError as error:
        notes.append(f"What a person has judged is not shown: {error}")
        return None
    said = judged["status"].value_counts()
    told = ", ".join(f"{said[status]} {status}" for status in ("confirmed", "added", "rejected", "proposed") if status in said)
    notes.append(f"Events are shown as a person has judged them: {told}. Scores are of what the program found.")
    return judged


def _said(folder: Path) -> Mapping[str, Any]:
    try:
        return mapping(_json(folder / SAID))
    except (OSError, ValueError):
        return {}


def _open_movie(found: ResultFolder, notes: list[str]) -> Movie | None:
    if not found.movie_name:
        return None
    try:
        return found.open_movie()
    except TapEventsError as error:
        notes.append(f"No pictures: {error}")
        return None


def _history(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path)
    if "step" not in frame.columns or frame.empty:
        raise ValueError(f"'{path.name}' has no steps yet.")
    return frame


def _insets(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path)
    missing = [name for name in ("t", "y", "x") if name not in frame.columns]
    if missing:
        raise ValueError(f"'{path.name}' lacks {', '.join(missing)}.")
    return frame.sort_values("rank") if "rank" in frame.columns else frame


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
