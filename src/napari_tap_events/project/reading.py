"""A project as another process reads it: nothing is written, and no claim is made, while its window works on."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project import recognise
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.card import ProjectCard, read_card
from napari_tap_events.project.entry import MovieEntry
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.keeper import JOURNAL


@dataclass(frozen=True)
class ProjectReader:
    """A project folder that somebody else may be writing.

    Attributes
    ----------
    path : Path
    card : ProjectCard
        As it was when the reader was made.
    """

    path: Path
    card: ProjectCard

    @classmethod
    def open(cls, path: Path) -> ProjectReader:
        """Read what the project holds.

        Raises
        ------
        ProjectError
            When there is none, or it is damaged, or was written by a later version.
        """
        return cls(path, read_card(path)[0])

    def entry(self, name: str = "") -> MovieEntry:
        """Return what is known of a movie; without a name of the only one.

        Raises
        ------
        ProjectError
            When there is none of this name, or no name was given and there are several.
        """
        if name:
            return self.card.entry(name)
        if len(self.card.movies) != 1:
            known = ", ".join(entry.name for entry in self.card.movies) or "none"
            raise ProjectError(f"the project '{self.path.name}' has {len(self.card.movies)} movies; say --movie: {known}.")
        return self.card.movies[0]

    def movie(self, name: str) -> Movie:
        """Open a movie.

        Raises
        ------
        MovieError, ProjectError
            When it cannot be opened, is missing, or another one lies there.
        """
        entry = self.card.entry(name)
        place = entry.place(self.path)
        if place is None:
            raise ProjectError(f"the movie '{name}' is not at '{normpath(entry.places(self.path)[0])}' any more; relink it.")
        return recognise.look_for(entry, place).movie

    def annotations(self, name: str) -> Annotations:
        """Return the marks of a movie as the journal tells them now; a line that is being written is not counted yet.

        Raises
        ------
        ProjectError
            When the journal is damaged.
        """
        t, _, y, x = self.card.entry(name).shape
        chronicle = Chronicle(Journal(self.path / JOURNAL), self.card.kinds)
        return Annotations((t, y, x), chronicle=chronicle, movie=name).replay()
