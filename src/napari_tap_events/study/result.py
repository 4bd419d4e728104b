"""A result folder as a reader finds it: whatever a command has left there, and a sentence for whatever cannot be read.

A report must come out of a half-finished or partly moved folder too: only a missing or damaged `result.json` is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from napari_tap_events.errors import OutputError, TapEventsError
from napari_tap_events.events.table import read_events
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import StoredMap, open_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings

CARD = "result.json"
SCHEMA = 1
Part = TypeVar("Part")


@dataclass(frozen=True)
class Result:
    """What a result folder holds; None where it holds no such thing, or one that cannot be read.

    Attributes
    ----------
    folder : Path
    card : mapping
        `result.json`.
    movie : Movie or None
    events, truth : events tables or None
    probability, arrow, grad_cam : StoredMap or None
        Maps (T-1, Y', X'), 0..1.
    pretrain_history, head_history : DataFrame or None
        One row a validation: step, losses, accuracies.
    insets : DataFrame or None
        Ranked places: rank, t (frames), y, x (pixels), value.
    evaluation : mapping
        Scores, curves and calibration on frames that did not teach; empty where nothing was judged.
    notes : tuple of str
        A sentence for everything that the card names and that cannot be shown.
    """

    folder: Path
    card: Mapping[str, Any]
    movie: Movie | None = None
    events: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    probability: StoredMap | None = None
    arrow: StoredMap | None = None
    grad_cam: StoredMap | None = None
    pretrain_history: pd.DataFrame | None = None
    head_history: pd.DataFrame | None = None
    insets: pd.DataFrame | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that wrote the folder."""
        return str(self.card.get("command", ""))

    @property
    def described(self) -> Mapping[str, Any]:
        """What the card says of the movie: name, shape (T, C, Y, X), dtype, pixel_size_um, interval_s, content_hash."""
        return _mapping(_mapping(self.card.get("inputs")).get("movie"))

    @property
    def shape(self) -> tuple[int, int, int, int] | None:
        """(T, C, Y, X) of the movie, from the movie itself or else from the card."""
        if self.movie is not None:
            return self.movie.shape
        shape = self.described.get("shape")
        return (int(shape[0]), int(shape[1]), int(shape[2]), int(shape[3])) if shape and len(shape) == 4 else None

    @property
    def interval_s(self) -> float | None:
        """Seconds between frames, where known."""
        return self.described.get("interval_s") or (self.movie.interval_s if self.movie else None)

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a pixel in micrometres, where known."""
        return self.described.get("pixel_size_um") or (self.movie.pixel_size_um if self.movie else None)

    def setting(self, name: str, default: Any = None) -> Any:
        """Return a setting from whichever section of the card has it."""
        return self.section_with(name).get(name, default)

    def section_with(self, name: str) -> Mapping[str, Any]:
        """Return the section of settings that has this one: what is told of a step belongs together."""
        sections = (_mapping(section) for section in _mapping(self.card.get("settings")).values())
        return next((section for section in sections if name in section), {})

    def of_movie(self, table: pd.DataFrame | None) -> pd.DataFrame | None:
        """Return the rows of the movie that is shown, where a table has those of several."""
        if table is None or "movie" not in table.columns:
            return table
        return table[table["movie"] == self.described.get("name")]

    @property
    def leaks(self) -> bool:
        """Whether frames that taught could leak into frames that judged, because pairs were split at random."""
        return bool(self.setting("split") == "random")

    @property
    def threshold(self) -> float | None:
        """Least probability of an event, wherever the folder tells it."""
        for value in (
            _mapping(self.card.get("summary")).get("threshold"),
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
    card = _read_card(folder)
    notes: list[str] = []
    read = _Reader(folder, {str(k): str(v) for k, v in _mapping(card.get("files")).items()}, notes)
    return Result(
        folder=folder,
        card=card,
        movie=_open_movie(folder, card, notes),
        events=read("events", read_events),
        truth=read("truth", read_events),
        probability=read("probability", open_map),
        arrow=read("arrow", open_map),
        grad_cam=read("grad_cam", open_map),
        pretrain_history=read("pretrain_history", _history),
        head_history=read("head_history", _history),
        insets=read("insets", _insets),
        evaluation=read("evaluation", _json) or {},
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Reader:
    """Reads what the card names, role by role; what cannot be read becomes a note."""

    folder: Path
    files: Mapping[str, str]
    notes: list[str]

    def __call__(self, role: str, how: Callable[[Path], Part]) -> Part | None:
        if role not in self.files:
            return None
        path = self.folder / self.files[role]
        if not path.exists():
            self.notes.append(f"The {role.replace('_', ' ')} is not shown: '{self.files[role]}' is no longer in the folder.")
            return None
        try:
            return how(path)
        except (TapEventsError, OSError, ValueError, KeyError) as error:
            self.notes.append(f"The {role.replace('_', ' ')} is not shown: {error}")
            return None


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OutputError(
            f"'{folder}' holds no result: there is no {CARD} in it; choose the folder that a command wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise OutputError(f"'{folder / CARD}' cannot be read ({error}); run the command again.") from None
    schema = card.get("schema") if isinstance(card, dict) else None
    if schema != SCHEMA:
        raise OutputError(
            f"'{folder / CARD}' has schema {schema}, this version reads schema {SCHEMA}; update napari-tap-events."
        )
    return dict(card)


def _open_movie(folder: Path, card: Mapping[str, Any], notes: list[str]) -> Movie | None:
    """Look for the movie in the folder, where it lay then, and beside the folder."""
    described = _mapping(_mapping(card.get("inputs")).get("movie"))
    inside = _mapping(card.get("files")).get("movie")
    places = [folder / str(inside)] if inside else []
    if described.get("path"):
        then = Path(str(described["path"]))
        places += [folder / then, folder / then.name, folder.parent / then.name]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        if places:
            name = described.get("name") or places[0].name
            notes.append(
                f"No pictures: the movie '{name}' is no longer where it was. "
                "Put it back, or beside this folder, and write the report again."
            )
        return None
    told = {**_mapping(_mapping(card.get("settings")).get("movie")), **described}
    known = {name: told[name] for name in MovieSettings.declared() if told.get(name) is not None}
    try:
        movie = open_movie(path, MovieSettings.checked(**known))
    except TapEventsError as error:
        notes.append(f"No pictures: {error}")
        return None
    shape = described.get("shape")
    if shape and tuple(shape) != movie.shape:
        notes.append(
            f"No pictures: '{path.name}' now has {movie.shape} frames, channels, rows and columns; it had {tuple(shape)}."
        )
        return None
    return movie


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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
