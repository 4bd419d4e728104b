"""What a result was made of: the movie, for maps and events of one movie must not lie over another, and the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_tap_events.encoder.shipped import SHIPPED, encoder_folder
from napari_tap_events.errors import TapEventsError
from napari_tap_events.jobs.job_record import JobRecord
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


def other_movie_of(session: Session, record: JobRecord) -> str:
    """Return what the movie of a job is called where another one is open, the same opened in another way, or none; else ""."""
    given = [Path(word).resolve() for word in record.arguments if not word.startswith("-")]
    project, entry, movie = session.project, session.entry, session.movie
    if entry is not None and movie is not None and Path(movie.source).resolve() in given:
        opening = {name: getattr(entry.opening, name) for name in ("channel", "z")}
        return (
            ""
            if all(_flag(record, name) == (None if value is None else str(value)) for name, value in opening.items())
            else entry.name
        )
    if project is not None:
        for known in project.movies:
            if any(place.resolve() in given for place in known.places(project.path)):
                return known.name
    return next((Path(word).name for word in record.arguments if Path(word).is_absolute()), "")


def model_of(folder: Path) -> str:
    """Return in words which model has made a result; "" where nothing tells."""
    chosen = mapping((read_json(folder / STARTED) or {}).get("settings"))
    for kind in ("head", "encoder"):
        for path in map(Path, chosen.get(kind) or ()):
            shipped = path.parts[-2:] == encoder_folder(SHIPPED).parts[-2:]
            return "the shipped encoder" if shipped else f"the {kind} '{path.name}'"
    return ""


def _flag(record: JobRecord, name: str) -> str | None:
    """Return what a job was told by the flag of this name."""
    words = record.arguments
    return words[words.index(f"--{name}") + 1] if f"--{name}" in words else None
