"""A project is copied as a whole: all of it arrives, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.card import ProjectCard, write_card
from napari_tap_events.project.entry import MovieEntry, path_from
from napari_tap_events.project.lock import NAME as LOCK

_LEFT_OUT = (LOCK, LOCK + ".*", "features", "jobs", "*.partial")
"""What other processes use at this moment, and what can be computed again."""


def check_free(folder: Path) -> None:
    """Refuse a place for a project where something lies already.

    Raises
    ------
    ProjectError
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"'{folder}' exists already and is not empty; choose another name.")


def copy_project(folder: Path, target: Path, card: ProjectCard, finish: Callable[[Path], None]) -> ProjectCard:
    """Copy a project folder, with the paths of its movies as they are seen from the new place.

    Parameters
    ----------
    folder, target : Path
    card : ProjectCard
        Its newest, which need not be on disk.
    finish : callable
        Writes into the copy, while it is not yet in place, what is not on disk in `folder`.

    Returns
    -------
    ProjectCard
        Of the copy.

    Raises
    ------
    ProjectError
        When something is in the way, or the copy cannot be written; then nothing is left of it.
    """
    check_free(target)
    if target.resolve().is_relative_to(folder.resolve()):
        raise ProjectError(f"'{target}' lies inside of the project itself; choose another place.")
    moved = replace(card, movies=tuple(_seen_from(target, folder, entry) for entry in card.movies))
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        write_card(partial, moved)
        finish(partial)
        if target.exists():
            target.rmdir()
        partial.replace(target)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ProjectError(f"the project cannot be saved as '{target}': {_reason(error)}; choose another place.") from None
    return moved


def _seen_from(target: Path, folder: Path, entry: MovieEntry) -> MovieEntry:
    place = entry.place(folder) or entry.places(folder)[0]
    if place.resolve().is_relative_to(folder.resolve()):
        return entry
    return replace(entry, path=path_from(target, place), seen_at=str(place.resolve()))


def _reason(error: OSError) -> str:
    """Return one reason of an error that may list many files."""
    first = error.args[0] if error.args else ""
    if isinstance(error, shutil.Error) and isinstance(first, list) and first:
        return str(first[0][-1])
    return error.strerror or str(error)
