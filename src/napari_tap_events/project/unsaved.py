"""Where projects lie that nobody has saved yet: in the user's own data folder, so that nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.card import NAME, read_card, write_card
from napari_tap_events.project.lock import is_held

KEPT_DAYS = 7
"""So long a project that was saved elsewhere stays where it was before."""


def unsaved_folder() -> Path:
    """Return the folder of projects that are not saved yet; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("napari-tap-events", appauthor=False) / "unsaved"


def new_place(parent: Path) -> Path:
    """Return a free place for a project, named after the present day and minute."""
    stem = datetime.now().astimezone().strftime("%Y-%m-%d %H.%M")
    numbered = (parent / (stem if i == 1 else f"{stem} ({i})") for i in count(1))
    return next(path for path in numbered if not path.exists())


def left_unsaved(parent: Path) -> tuple[Path, ...]:
    """Return the projects in a folder that hold marks and were never saved elsewhere, newest first."""
    found = [path.parent for path in parent.glob(f"*/{NAME}") if (path.parent / "journal.jsonl").exists()]
    return tuple(sorted((folder for folder in found if not _saved(folder)), key=lambda folder: folder.name, reverse=True))


def words_of(folder: Path) -> str:
    """Return what a person knows of a project that was not saved: its movies, and when it was begun."""
    try:
        movies = ", ".join(Path(entry.path).name for entry in read_card(folder)[0].movies)
    except ProjectError:
        movies = ""
    return f"{movies or 'no movie'}, begun {folder.name}"


def left_of_movie(folders: Iterable[Path], content_hash: str) -> Path | None:
    """Return the first project that holds a movie and that no window has open; any movie where no hash is given."""
    for folder in folders:
        try:
            held = [entry.content_hash for entry in read_card(folder)[0].movies]
        except ProjectError:
            continue
        if (content_hash in held or not content_hash) and not is_held(folder):
            return folder
    return None


def tell_saved(folder: Path, target: Path) -> None:
    """Write into a project that was not saved where its copy lies now; where that cannot be written it does not matter."""
    try:
        card, _ = read_card(folder)
        write_card(folder, replace(card, saved_as=str(target)))
    except (OSError, ProjectError):
        return


def remove_saved(parent: Path, days: float = KEPT_DAYS) -> None:
    """Remove projects whose copy was saved elsewhere some days ago and lies there; what cannot be removed stays."""
    before = datetime.now().timestamp() - 86_400 * days
    for folder in (path.parent for path in parent.glob(f"*/{NAME}")):
        try:
            copy, at = read_card(folder)[0].saved_as, (folder / NAME).stat().st_mtime
        except (OSError, ProjectError):
            continue
        if copy and at < before and (Path(copy) / NAME).exists() and not is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)


def remove_unused(folder: Path) -> None:
    """Remove a project that holds nothing but its card."""
    try:
        (folder / NAME).unlink(missing_ok=True)
        folder.rmdir()
    except OSError:
        return


def _saved(folder: Path) -> bool:
    try:
        return bool(read_card(folder)[0].saved_as)
    except ProjectError:
        return False
