"""A result folder: what a command has written, and what it was written from, as told by its `result.json`.

Only the card is read here, and files are looked for; what they hold is for others to open: the window as layers, the report as
pages. So this needs neither torch nor matplotlib, and the window may use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tap_events.errors import MovieError, OutputError, SettingsError
from napari_tap_events.movies.axes import KNOWN
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings, frame_range

CARD = "result.json"
SCHEMA = 1
INPUTS = ("movie", "masks", "truth")
JUDGED = "judged.csv"
"""Beside what a command has written: its events as a person has judged them since, above the threshold that was chosen in the window."""

SAID = "said.json"
"""Beside it: what a person has said of the movie, in numbers, as `review.said` tells it."""


@dataclass(frozen=True)
class ResultFolder:
    """What lies in a result folder.

    Attributes
    ----------
    folder : Path
    card : mapping
        `result.json`.
    files : mapping of str to Path
        By role (movie, masks, truth, probability, events, candidates, ...); only what is there.
    missing : tuple of str
        Relative paths that the card lists and that are not there.
    """

    folder: Path
    card: Mapping[str, Any]
    files: Mapping[str, Path]
    missing: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that wrote the folder."""
        return str(self.card.get("command", ""))

    @property
    def described(self) -> Mapping[str, Any]:
        """What the card says of the movie: name, path, shape (T, C, Y, X), dtype, pixel_size_um, interval_s, content_hash."""
        return mapping(mapping(self.card.get("inputs")).get("movie"))

    @property
    def listed(self) -> dict[str, str]:
        """Relative paths by role, as the card lists them, whether they are there or not."""
        return {str(role): str(path) for role, path in mapping(self.card.get("files")).items()}

    @property
    def movie_name(self) -> str:
        """What the movie was called, for messages; empty where the card tells of none."""
        path = self.described.get("path") or self.listed.get("movie") or ""
        return str(self.described.get("name") or Path(path).name)

    @property
    def shape(self) -> tuple[int, int, int, int] | None:
        """(T, C, Y, X) of the movie as it was then."""
        shape = self.described.get("shape")
        return (int(shape[0]), int(shape[1]), int(shape[2]), int(shape[3])) if shape and len(shape) == 4 else None

    @property
    def interval_s(self) -> float | None:
        """Seconds between frames, where known."""
        return self.described.get("interval_s")

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a pixel in micrometres, where known."""
        return self.described.get("pixel_size_um")

    @property
    def radius_px(self) -> float | None:
        """Radius of a cell in pixels that the command was told."""
        radius = self.setting("radius_px")
        return float(radius) if radius else None

    @property
    def searched(self) -> range | None:
        """Frames in which events were sought, where the card tells."""
        asked = self.setting("scope_frames") or mapping(mapping(self.card.get("settings")).get("detect")).get("frames")
        try:
            return frame_range(str(asked or ""), self.shape[0], "frames") if self.shape else None
        except SettingsError:
            return None

    def setting(self, name: str, default: Any = None) -> Any:
        """Return a setting from whichever section of the card has it."""
        return self.section_with(name).get(name, default)

    def section_with(self, name: str) -> Mapping[str, Any]:
        """Return the section of settings that has this one: what is told of a step belongs together."""
        sections = (mapping(section) for section in mapping(self.card.get("settings")).values())
        return next((section for section in sections if name in section), {})

    def of_movie(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the movie that is shown, where a table has those of several."""
        return table if "movie" not in table.columns else table[table["movie"] == self.described.get("name")]

    def open_movie(self, path: str | Path | None = None) -> Movie:
        """Open the movie as the command opened it.

        Parameters
        ----------
        path : path, optional
            Where it is now, if it was moved since.

        Raises
        ------
        MovieError
            When it is gone, cannot be read, or is another one.
        """
        place = Path(path) if path is not None else self.files.get("movie")
        if place is None:
            raise MovieError(
                f"the movie '{self.movie_name}' is no longer where it was; put it back, or put it beside the result folder "
                f"'{self.folder.name}'."
            )
        # a movie that the command itself wrote tells its own axes and scale
        of_ours = path is None and "movie" in self.listed
        movie = open_movie(place, MovieSettings() if of_ours else self._movie_settings())
        if self.shape is not None and movie.shape != self.shape:
            raise MovieError(
                f"'{place.name}' is not the movie of '{self.folder.name}': its frames, channels, rows and columns are "
                f"{movie.shape}, they were {self.shape}; put the right one there, or tell where it is."
            )
        return movie

    def _movie_settings(self) -> MovieSettings:
        """Return how the movie was opened: as the command was told, with the axes and the scale that it found."""
        told = {**self.described, **mapping(mapping(self.card.get("settings")).get("movie"))}
        told |= {name: value for name in ("pixel_size_um", "interval_s") if (value := self.described.get(name)) is not None}
        if not set(str(told.get("axes") or "")) <= set(KNOWN):
            del told["axes"]
        return MovieSettings.checked(**{name: told[name] for name in MovieSettings.declared() if told.get(name) is not None})


def read_result_folder(folder: str | Path) -> ResultFolder:
    """Read the card of a result folder and look for the files that it names.

    What went in, the movie above all, is looked for where it lay then, in the folder, and beside it.

    Raises
    ------
    OutputError
        When the folder holds no result, or one from a later version.
    """
    path = Path(folder)
    card = _read_card(path)
    inputs = mapping(card.get("inputs"))
    listed = {str(role): str(name) for role, name in mapping(card.get("files")).items()}
    files = {role: path / name for role, name in listed.items() if (path / name).exists()}
    for role in INPUTS:
        found = _find_input(path, inputs.get(role))
        if role not in files and found is not None:
            files[role] = found
    missing = tuple(name for role, name in listed.items() if role not in files)
    return ResultFolder(path, card, files, missing)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a part of the card, empty where it is no mapping."""
    return value if isinstance(value, Mapping) else {}


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not path.exists():
            raise OutputError(f"there is no folder '{path}'; check the spelling.") from None
        raise OutputError(
            f"'{path}' holds no result: there is no {CARD} in it; choose the folder that a command wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise OutputError(f"'{path / CARD}' cannot be read ({error}); run the command again.") from None
    schema = card.get("schema") if isinstance(card, dict) else None
    if schema != SCHEMA:
        raise OutputError(f"'{path / CARD}' has schema {schema}, this version reads schema {SCHEMA}; update napari-tap-events.")
    return dict(card)


def _find_input(folder: Path, described: Any) -> Path | None:
    """Look for an input where it lay then, in the folder, and beside it; `described` is a path, or a mapping with one."""
    path = described.get("path") if isinstance(described, Mapping) else described
    if not isinstance(path, str) or not path:
        return None
    then = Path(path)
    inside = [folder.joinpath(*then.parts[-depth:]) for depth in (3, 2, 1)]
    return next((place for place in (folder / then, *inside, folder.parent / then.name) if place.exists()), None)
