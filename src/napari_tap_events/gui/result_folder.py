"""A result folder: what a command has written, and what it was written from, as told by its `result.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_tap_events.errors import OutputError
from napari_tap_events.movies.axes import KNOWN
from napari_tap_events.settings import MovieSettings

CARD = "result.json"
SCHEMA = 1


@dataclass(frozen=True)
class ResultFolder:
    """What lies in a result folder.

    Attributes
    ----------
    path : Path
    command : str
        The command that made it.
    files : mapping of str to Path
        By role (movie, masks, truth, probability, arrow, grad_cam, events); only what is there.
    missing : tuple of str
        Relative paths that the card lists and that are not there.
    movie_settings : MovieSettings
        How the movie was opened.
    movie_name : str
        The movie's path as it was then, for messages.
    movie_shape : tuple of int or None
        (T, C, Y, X) of the movie as it was then.
    radius_px : float or None
        Radius of a cell that the command was told.
    """

    path: Path
    command: str
    files: Mapping[str, Path]
    missing: tuple[str, ...]
    movie_settings: MovieSettings
    movie_name: str
    movie_shape: tuple[int, ...] | None = None
    radius_px: float | None = None


def read_result(folder: str | Path) -> ResultFolder:
    """Read the card of a result folder and look for the files that it names.

    The movie is looked for in the folder, where it lay when the result was made, and beside the result.

    Raises
    ------
    OutputError
        When the folder holds no result, or one from a later version.
    """
    path = Path(folder)
    card = _read_card(path)
    listed: dict[str, str] = dict(card.get("files", {}))
    inputs: dict[str, Any] = card.get("inputs", {})
    described: Mapping[str, Any] = inputs.get("movie") or {}
    files = {role: path / name for role, name in listed.items() if (path / name).exists()}
    for role in ("movie", "masks", "truth"):
        found = _find_input(path, inputs.get(role))
        if role not in files and found is not None:
            files[role] = found
    return ResultFolder(
        path=path,
        command=str(card.get("command", "")),
        files=files,
        missing=tuple(name for role, name in listed.items() if role not in files),
        movie_settings=_movie_settings(card, described),
        movie_name=str(described.get("path") or listed.get("movie", "")),
        movie_shape=tuple(described["shape"]) if described.get("shape") else None,
        radius_px=_radius_px(card),
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
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
    return next((place for place in (then, folder / then, *inside, folder.parent / then.name) if place.exists()), None)


def _movie_settings(card: Mapping[str, Any], described: Mapping[str, Any]) -> MovieSettings:
    """Return how the movie was opened: as the command was told, with the axes and the scale that it found."""
    told = dict(described) | dict((card.get("settings") or {}).get("movie") or {})
    told |= {name: described[name] for name in ("pixel_size_um", "interval_s") if described.get(name) is not None}
    if not set(str(told.get("axes") or "")) <= set(KNOWN):
        del told["axes"]
    return MovieSettings.checked(**{name: told[name] for name in MovieSettings.declared() if told.get(name) is not None})


def _radius_px(card: Mapping[str, Any]) -> float | None:
    sections = [values for values in (card.get("settings") or {}).values() if isinstance(values, dict)]
    radii = [float(values["radius_px"]) for values in sections if values.get("radius_px")]
    return radii[-1] if radii else None
