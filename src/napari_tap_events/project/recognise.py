"""Is it the movie that was marked? Marks must never come to lie on another one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.project.entry import MovieEntry, content_hash, path_from
from napari_tap_events.settings import MovieSettings


def same_size(entry: MovieEntry, movie: Movie) -> bool:
    """Say whether frames and pixels are as many; channels may differ."""
    return (entry.shape[0], *entry.shape[2:]) == (movie.shape[0], *movie.shape[2:])


@dataclass(frozen=True)
class Sight:
    """A movie as it was opened at some place.

    Attributes
    ----------
    place : Path
        Absolute.
    movie : Movie
    opening : MovieSettings
    """

    place: Path
    movie: Movie
    opening: MovieSettings

    @cached_property
    def content_hash(self) -> str:
        """See `entry.content_hash`."""
        return content_hash(self.movie)

    def entry(self, known: MovieEntry, folder: Path) -> MovieEntry:
        """Return the entry of a known movie that was seen so; `folder` is the project's."""
        place = self.place.resolve()
        return replace(
            known,
            path=path_from(folder, place),
            seen_at=str(place),
            opening=self.opening,
            shape=self.movie.shape,
            content_hash=self.content_hash,
        )


def look(path: str | Path, opening: MovieSettings) -> Sight:
    """Open a movie.

    Raises
    ------
    MovieError
        When it cannot be opened.
    """
    place = Path(path).absolute()
    return Sight(place, open_movie(place, opening), opening)


def look_for(known: MovieEntry, path: str | Path) -> Sight:
    """Open a movie of a project where it should be.

    Raises
    ------
    MovieError
        When it cannot be opened.
    ProjectError
        When another movie lies there.
    """
    sight = look(path, known.opening)
    if sight.movie.shape != known.shape:
        raise ProjectError(
            f"'{sight.place.name}' is not the movie '{known.name}' that was marked: it has the shape {sight.movie.shape}, "
            f"that one {known.shape} (T, C, Y, X); relink the right file."
        )
    if sight.content_hash != known.content_hash:
        raise ProjectError(
            f"'{sight.place.name}' is not the movie '{known.name}' that was marked: its size is the same, its pixels differ; "
            "relink the right file."
        )
    return sight


def check_reopening(known: MovieEntry, sight: Sight) -> None:
    """Refuse to open a movie, which has marks, in a way that they do not fit.

    Raises
    ------
    ProjectError
        When the frames get another size, or another movie lies at the same place by now.
    """
    if not same_size(known, sight.movie):
        raise ProjectError(
            f"'{known.name}' has marks on {_size(known.shape)}, but opened so it has {_size(sight.movie.shape)}; "
            "open it as before, or in a new project."
        )
    if sight.content_hash != known.content_hash:
        look_for(known, sight.place)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} frames of {shape[-2]} x {shape[-1]} px"
