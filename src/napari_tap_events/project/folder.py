"""A project: one folder that holds the marks on some movies, and what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os.path import normpath
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project import brought, recognise, results_inside
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.card import NAME, new_card
from napari_tap_events.project.copying import ProjectCopy, check_free
from napari_tap_events.project.entry import MovieEntry, free_name
from napari_tap_events.project.keeper import Keeper
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.results_inside import Shelf
from napari_tap_events.project.stored_masks import write_masks
from napari_tap_events.project.training_files import TrainingFiles, write_training_files
from napari_tap_events.settings import MovieSettings

_AS_THE_FILE_SAYS = MovieSettings()


class Project:
    """A project that is open; `Project.create` and `Project.open` make one.

    Parameters
    ----------
    keeper : Keeper
        Of its card and journal.
    """

    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._marks: dict[str, Annotations] = {}
        self._movies: dict[str, Movie] = {}
        keeper.troubled.connect(self._tell_trouble)

    @classmethod
    def create(cls, path: str | Path, anyway: bool = False) -> Project:
        """Make a new project.

        Parameters
        ----------
        path : path
            A folder that is empty or does not exist.
        anyway : bool
            Where it cannot be written, go on in memory; `trouble` says why.

        Raises
        ------
        ProjectError
            When the folder holds something already, or cannot be made.
        """
        folder = Path(path).absolute()
        check_free(folder)
        keeper = Keeper(folder, new_card())
        try:
            keeper.begin()
        except OSError as error:
            if not anyway:
                raise ProjectError(
                    f"no project can be made at '{folder}': {error.strerror or error}; choose another place."
                ) from None
        return cls(keeper)

    @classmethod
    def open(cls, path: str | Path) -> Project:
        """Open a project: its folder, or the `project.json` in it.

        One that is open in another window, or cannot be written, opens all the same; `trouble` says what that means.

        Raises
        ------
        ProjectError
            When there is none, or it is damaged, or was written by a later version.
        """
        folder = Path(path).absolute()
        keeper = Keeper(folder.parent if folder.name == NAME else folder, new_card())
        keeper.open()
        return cls(keeper)

    def save(self) -> bool:
        """Write what is waiting, and the masks of the movies that are open; say whether all is on disk now.

        Raises
        ------
        ProjectError
            When a mask cannot be written; the journal is safe then all the same.
        """
        written = self._keeper.write()
        if written:
            for name, marks in self._marks.items():
                write_masks(self._masks_of(name), marks, self._movies.get(name))
        return written

    def copy_to(self, path: str | Path) -> ProjectCopy:
        """Return the copy that `save_as` makes, for those who let its files be copied in a thread before."""
        return ProjectCopy(self.path, Path(path).absolute())

    def save_as(self, path: str | Path, files: ProjectCopy | None = None) -> None:
        """Copy the project to another folder and go on there; the old one stays. Caches stay, and what runs goes on, in the old one.

        Parameters
        ----------
        path : path
        files : ProjectCopy, optional
            Of `copy_to` this path, where its files are copied already.

        Raises
        ------
        ProjectError
            When something lies there, or it cannot be written; then the project stays where it was.
        """
        before = self.path
        self._keeper.save_as(Path(path).absolute(), files)
        self._movies = {name: movie for name, movie in self._movies.items() if not Path(movie.source).is_relative_to(before)}

    def close(self) -> None:
        """Let others write in the project."""
        self._keeper.close()

    @property
    def path(self) -> Path:
        """The folder."""
        return self._keeper.path

    @property
    def trouble(self) -> str:
        """The sentence why nothing can be saved now, or ""."""
        return self._keeper.trouble

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of event, the same for all movies."""
        return self._keeper.chronicle.kinds

    @property
    def movies(self) -> tuple[MovieEntry, ...]:
        """The movies, in the order in which they came."""
        return self._keeper.card.movies

    def entry(self, name: str) -> MovieEntry:
        """Return what is known of a movie.

        Raises
        ------
        ProjectError
            When there is none of this name.
        """
        return self._keeper.card.entry(name)

    def add_movie(self, path: str | Path, opening: MovieSettings = _AS_THE_FILE_SAYS) -> MovieEntry:
        """Take a movie into the project; one that is in it already is opened anew as `opening` says.

        Raises
        ------
        MovieError
            When it cannot be opened.
        ProjectError
            When it has marks that would not fit it, opened so.
        """
        sight = recognise.look(path, opening)
        known = self._known(sight)
        if known is None:
            known = MovieEntry(free_name(sight.movie.name, [entry.name for entry in self.movies]), "", "")
        elif self._keeper.chronicle.history(known.name).marks_places:
            recognise.check_reopening(known, sight)
        elif not recognise.same_size(known, sight.movie):
            self._marks.pop(known.name, None)
        return self._take(known, sight)

    def relink(self, name: str, path: str | Path, force: bool = False) -> MovieEntry:
        """Say where a movie lies now.

        Parameters
        ----------
        name : str
        path : path
        force : bool
            Take another movie of the same size, too: a corrected version, for example.

        Raises
        ------
        MovieError
            When it cannot be opened.
        ProjectError
            When it is another movie.
        """
        known = self.entry(name)
        sight = recognise.look(path, known.opening)
        if not (force and recognise.same_size(known, sight.movie)):
            sight = recognise.look_for(known, path)
        return self._take(known, sight)

    def set_cell_size(self, name: str, cell_px: float | None) -> MovieEntry:
        """Keep the diameter of a typical cell of a movie, in pixels; None where nobody knows it.

        Raises
        ------
        ProjectError
            When there is no movie of this name, or the diameter is not above 0.
        """
        if cell_px is not None and not cell_px > 0:
            raise ProjectError(f"a cell has a diameter above 0 pixels, not {cell_px:g}; measure one in the picture.")
        entry = replace(self.entry(name), cell_px=cell_px)
        self._keeper.keep(self._keeper.card.with_entry(entry))
        return entry

    def settings(self, command: str) -> dict[str, Any]:
        """Return the settings of a command that somebody has chosen in this project, by name, as JSON."""
        return dict(self._keeper.card.settings.get(command, {}))

    def keep_settings(self, command: str, chosen: Mapping[str, Any]) -> None:
        """Keep the settings of a command that somebody has chosen; those at their defaults need not be among them."""
        card = self._keeper.card
        if chosen != self.settings(command):
            others = {name: values for name, values in card.settings.items() if name != command}
            self._keeper.keep(replace(card, settings={**others, **({command: dict(chosen)} if chosen else {})}))

    def missing(self) -> tuple[MovieEntry, ...]:
        """Return the movies that do not lie where they were."""
        return tuple(entry for entry in self.movies if entry.place(self.path) is None)

    def movie(self, name: str) -> Movie:
        """Open a movie; while the project is open it is the same one.

        Raises
        ------
        MovieError
            When it cannot be opened.
        ProjectError
            When it is missing, or another one lies there.
        """
        if name not in self._movies:
            entry = self.entry(name)
            place = entry.place(self.path)
            if place is None:
                raise ProjectError(
                    f"the movie '{name}' is not at '{normpath(entry.places(self.path)[0])}' any more; relink it."
                )
            self._movies[name] = recognise.look_for(entry, place).movie
        return self._movies[name]

    def annotations(self, name: str) -> Annotations:
        """Return the marks of a movie, which need not be there; while the project is open they are the same ones.

        Raises
        ------
        ProjectError
            When the journal is damaged.
        """
        if name not in self._marks:
            t, _, y, x = self.entry(name).shape
            self._marks[name] = Annotations((t, y, x), chronicle=self._keeper.chronicle, movie=name).replay()
        return self._marks[name]

    def new_folder(self, shelf: Shelf, stem: str) -> Path:
        """Make an empty folder for a result, with a name that is free.

        Raises
        ------
        ProjectError
            When it cannot be made.
        """
        return results_inside.new_folder(self.path, shelf, stem)

    def bring(self, found: brought.Found) -> Path:
        """Copy an encoder or a head from elsewhere into the project, and return its folder there; see `brought.look`.

        Raises
        ------
        ProjectError
            When it cannot be copied.
        """
        return brought.bring(self.path, found)

    def brought(self, kind: brought.Kind) -> tuple[Path, ...]:
        """Return the encoders, or the heads, that came from elsewhere, by name."""
        return brought.brought(self.path, kind)

    def encoders(self) -> tuple[Path, ...]:
        """Return the finished results of `pretrain`, newest first."""
        return results_inside.results(self.path, "encoders")

    def heads(self) -> tuple[Path, ...]:
        """Return the finished results of `train`, newest first."""
        return results_inside.results(self.path, "heads")

    def maps(self) -> tuple[Path, ...]:
        """Return the finished results of `detect` and `explain`, newest first."""
        return results_inside.results(self.path, "maps")

    def export_for_training(self, name: str) -> TrainingFiles:
        """Write the marks of a movie as `train` takes them, into the folder `masks`.

        Raises
        ------
        ProjectError
            When no event is marked, or it cannot be written, or another window writes in the project.
        """
        closed = self._keeper.gate()
        if closed:
            raise ProjectError(f"the marks cannot be written for training: {closed}")
        return write_training_files(self._masks_of(name).parent, name, self.annotations(name), self._movies.get(name))

    def _known(self, sight: recognise.Sight) -> MovieEntry | None:
        """Return the entry of a movie that lies at this place, or else of one with the same pixels."""
        place = sight.place.resolve()
        there = [entry for entry in self.movies if any(known.resolve() == place for known in entry.places(self.path))]
        alike = [entry for entry in self.movies if entry.content_hash == sight.content_hash]
        return next(iter(there + alike), None)

    def _take(self, known: MovieEntry, sight: recognise.Sight) -> MovieEntry:
        entry = sight.entry(known, self.path)
        self._movies[entry.name] = sight.movie
        self._keeper.keep(self._keeper.card.with_entry(entry))
        return entry

    def _masks_of(self, name: str) -> Path:
        return self.path / "masks" / f"{name}.zarr"

    def _tell_trouble(self, sentence: str) -> None:
        self.troubled.emit(sentence)
