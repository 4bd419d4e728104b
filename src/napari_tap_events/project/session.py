"""What is open now: a project, a movie of it, and its marks; it holds them and announces what changes."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.settings import MovieSettings


class Session:
    """What the window shows."""

    project_changed = Signal()
    movie_changed = Signal()
    annotations_changed = Signal(frozenset)
    """The frames whose pixels have changed; empty where points, scope or kinds have."""

    def __init__(self) -> None:
        self.project = None
        self.movie: Movie | None = None
        self.entry = None
        self.annotations: Annotations | None = None

    def open_movie(self, path: str | Path, opening: MovieSettings = MovieSettings()) -> None:  # noqa: B008 (frozen)
        """Open a movie in the project that is open, or in a new one that is not saved yet."""
        movie = open_movie(path, opening)
        if self.annotations is not None:
            self.annotations.changed.disconnect(self.annotations_changed.emit)
        self.movie = movie
        self.annotations = Annotations((movie.n_frames, movie.height, movie.width))
        self.annotations.changed.connect(self.annotations_changed.emit)
        self.movie_changed.emit()
