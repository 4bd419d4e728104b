"""`project.json`: what a project holds, beside its journal; older forms are brought up to date as they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_tap_events.errors import ProjectError, SettingsError
from napari_tap_events.project.entry import MovieEntry
from napari_tap_events.project.journal import wait_for_folder
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind, checked_kinds, kind_from_json, kind_to_json
from napari_tap_events.settings import MovieSettings
from napari_tap_events.writing import all_or_nothing

NAME = "project.json"
SCHEMA = 1


@dataclass(frozen=True)
class ProjectCard:
    """What `project.json` holds.

    Attributes
    ----------
    created : str
        Date and time, UTC.
    movies : tuple of MovieEntry
    kinds : tuple of Kind
        Those that the project began with; the journal tells what became of them.
    saved_as : str
        Of a project that was not saved yet: where its copy was saved.
    settings : mapping
        Of each command the settings that somebody has chosen in this project, by name, as JSON.
    """

    created: str
    movies: tuple[MovieEntry, ...] = ()
    kinds: tuple[Kind, ...] = DEFAULT_KINDS
    saved_as: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def entry(self, name: str) -> MovieEntry:
        """Return the movie of a name.

        Raises
        ------
        ProjectError
            When there is none.
        """
        found = next((entry for entry in self.movies if entry.name == name), None)
        if found is None:
            known = ", ".join(entry.name for entry in self.movies) or "none"
            raise ProjectError(f"the project has no movie '{name}'; its movies are: {known}.")
        return found

    def with_entry(self, entry: MovieEntry) -> ProjectCard:
        """Return the card with a movie, in the place of the one of its name where there is one."""
        others = tuple(entry if known.name == entry.name else known for known in self.movies)
        return replace(self, movies=others if entry in others else (*others, entry))


def new_card() -> ProjectCard:
    """Return the card of a project that begins now."""
    return ProjectCard(datetime.now(UTC).isoformat(timespec="seconds"))


def read_card(folder: Path) -> tuple[ProjectCard, int]:
    """Return the card of a project folder, and the schema in which it is written.

    Raises
    ------
    ProjectError
        When there is none, or it is damaged, or was written by a later version.
    """
    path = folder / NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProjectError(
            f"'{folder}' is no project: there is no {NAME} in it; choose a folder that was saved here."
        ) from None
    except (OSError, ValueError) as error:
        raise ProjectError(f"'{path}' cannot be read ({error}); put back a copy of it.") from None
    schema = values.get("schema") if isinstance(values, dict) else None
    if not isinstance(schema, int) or schema < 0:
        raise ProjectError(f"'{path}' has no schema number, so it is no project of this software; choose another folder.")
    if schema > SCHEMA:
        raise ProjectError(
            f"the project '{folder.name}' has schema {schema}, this version knows up to {SCHEMA}: update napari-tap-events."
        )
    try:
        return _card(migrated(values)), schema
    except (KeyError, TypeError, ValueError, AttributeError, SettingsError) as error:
        raise ProjectError(f"'{path}' is damaged ({error!r}); put back a copy of it.") from None


def write_card(folder: Path, card: ProjectCard) -> None:
    """Write `project.json`: all of it or, when something fails, none of it.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    values = {
        "schema": SCHEMA,
        "created": card.created,
        "kinds": [kind_to_json(kind) for kind in card.kinds],
        "movies": [_entry_to_json(entry) for entry in card.movies],
    }
    values |= {"saved_as": card.saved_as} if card.saved_as else {}
    values |= {"settings": card.settings} if card.settings else {}
    with all_or_nothing(folder / NAME) as partial, partial.open("w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    wait_for_folder(folder)


def migrated(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of an older `project.json` in the form of today."""
    for schema in range(values["schema"], SCHEMA):
        values = {**_STEPS[schema](values), "schema": schema + 1}
    return values


def _from_0(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Kinds were names, in the order of their values; a movie had its axes alone, and its hash was called so."""
    kinds = [{"name": name, "value": i, "key": str(i) if i < 10 else ""} for i, name in enumerate(values["kinds"], start=1)]
    movies = [
        {
            "name": movie["name"],
            "path": movie["path"],
            "content_hash": movie["hash"],
            "shape": movie["shape"],
            "opening": {"axes": movie.get("axes")},
        }
        for movie in values["movies"]
    ]
    return {"created": values.get("created", ""), "kinds": kinds, "movies": movies}


_STEPS: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {0: _from_0}
"""From each schema to the next."""


def _card(values: Mapping[str, Any]) -> ProjectCard:
    return ProjectCard(
        created=str(values["created"]),
        movies=tuple(_entry_from_json(movie) for movie in values["movies"]),
        kinds=checked_kinds(tuple(kind_from_json(kind) for kind in values["kinds"])),
        saved_as=str(values.get("saved_as", "")),
        settings={command: dict(chosen) for command, chosen in values.get("settings", {}).items()},
    )


def _entry_to_json(entry: MovieEntry) -> dict[str, Any]:
    return {**asdict(entry), "shape": list(entry.shape), "opening": entry.opening.model_dump(mode="json", exclude_none=True)}


def _entry_from_json(values: Mapping[str, Any]) -> MovieEntry:
    t, c, y, x = (int(n) for n in values["shape"])
    return MovieEntry(
        name=str(values["name"]),
        path=str(values["path"]),
        content_hash=str(values["content_hash"]),
        opening=MovieSettings.checked(**values.get("opening", {})),
        shape=(t, c, y, x),
        seen_at=str(values.get("seen_at", "")),
        cell_px=None if values.get("cell_px") is None else float(values["cell_px"]),
    )
