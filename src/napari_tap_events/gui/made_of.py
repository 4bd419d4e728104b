"""Which movie a result, or a job that runs, works on: maps and events of one movie must not lie over another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_tap_events.errors import TapEventsError
from napari_tap_events.jobs.output import STARTED, read_json
from napari_tap_events.project.session import Session
from napari_tap_events.study.result_folder import mapping, read_result_folder


def results_of_open_movie(session: Session, holding: str) -> Iterator[Path]:
    """Yield the folders of the finished results of the open movie that hold a file or folder of this name, the newest first."""
    for folder in session.project.maps() if session.project is not None else ():
        if (folder / holding).exists() and is_of_open_movie(session, folder):
            yield folder


def is_of_open_movie(session: Session, folder: Path) -> bool:
    """Say whether a finished result is of the movie that is open, opened as it is now; the file may have moved since."""
    project, entry, movie = session.project, session.entry, session.movie
    if project is None or entry is None or movie is None:
        return False
    try:
        result = read_result_folder(folder)
    except TapEventsError:
        return False
    others = [place for other in project.movies if other.name != entry.name for place in other.places(project.path)]
    path = str(result.described.get("path", ""))
    if path and Path(path).resolve() in [place.resolve() for place in others]:
        return False  # as large, and of the same name, in another folder
    told, opening = result.described, mapping(mapping(result.card.get("settings")).get("movie"))
    looked_at = (*(told.get(name) for name in ("name", "shape", "dtype")), opening.get("channel"), opening.get("z"))
    return looked_at == (movie.name, list(movie.shape), str(movie.dtype), entry.opening.channel, entry.opening.z)


def reads_open_movie(session: Session, folder: Path) -> bool:
    """Say whether the job that writes into a folder reads the movie that is open, opened as it is now."""
    entry, movie = session.entry, session.movie
    if entry is None or movie is None:
        return False
    chosen = mapping((read_json(folder / STARTED) or {}).get("settings"))
    looked_at = chosen.get("movie"), chosen.get("channel"), chosen.get("z")
    return looked_at == ([str(Path(movie.source).resolve())], entry.opening.channel, entry.opening.z)


def movie_of(session: Session, folder: Path) -> str:
    """Return what the movie of a finished result is called, in the project where it is known there."""
    try:
        result = read_result_folder(folder)
    except TapEventsError:
        return folder.name
    path = str(result.described.get("path", ""))
    if session.project is not None and path:
        for entry in session.project.movies:
            if Path(path).resolve() in [place.resolve() for place in entry.places(session.project.path)]:
                return entry.name
    return result.movie_name
