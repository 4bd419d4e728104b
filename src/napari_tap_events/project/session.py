"""What is open now: a project, a movie of it, and its marks; it holds them and announces what changes."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from psygnal import Signal

from napari_tap_events.errors import MovieError, ProjectError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.brought import Found
from napari_tap_events.project.card import NAME
from napari_tap_events.project.copying import ProjectCopy
from napari_tap_events.project.entry import MovieEntry
from napari_tap_events.project.folder import Project
from napari_tap_events.project.keeper import JOURNAL
from napari_tap_events.project.lock import is_held
from napari_tap_events.project.recent import recent_projects, tell_recent
from napari_tap_events.project.unsaved import (
    left_of_movie,
    left_unsaved,
    new_place,
    remove_saved,
    remove_unused,
    tell_saved,
    unsaved_folder,
)
from napari_tap_events.settings import MovieSettings

_AS_THE_FILE_SAYS = MovieSettings()


class Session:
    """What the window shows; the command line needs none.

    Parameters
    ----------
    unsaved : Path, optional
        Where projects lie until they are saved; by default in the user's data folder.

    Attributes
    ----------
    project : Project or None
    entry : MovieEntry or None
        The movie of the project that is shown.
    movie : Movie or None
        None also where the file is missing, or is another one; `problem` says so.
    annotations : Annotations or None
        Its marks; they are there without the file, too.
    problem : str
        Why the movie is not shown, as a sentence, or "".
    """

    project_changed = Signal()
    """Another project is open, the same in another place, or none."""
    movie_leaving = Signal()
    """The movie that is shown is about to go, or to be opened in another way: what shows it should go first."""
    movie_changed = Signal()
    """Another movie is shown, the same opened in another way, or none."""
    annotations_changed = Signal(frozenset)
    """The frames whose pixels have changed, a frozenset of int; empty where points, scope or kinds have."""
    cell_size_changed = Signal()
    """Somebody has said how large the cells of the movie are."""
    models_changed = Signal()
    """An encoder or a head came from elsewhere."""
    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(self, unsaved: Path | None = None) -> None:
        self._unsaved = unsaved or unsaved_folder()
        self.project: Project | None = None
        self.entry: MovieEntry | None = None
        self.movie: Movie | None = None
        self.annotations: Annotations | None = None
        self.problem = ""

    @property
    def trouble(self) -> str:
        """The sentence why nothing can be saved now, or ""."""
        return self.project.trouble if self.project else ""

    @property
    def is_unsaved(self) -> bool:
        """Whether a person has not yet said where the project is to lie."""
        return self.project is not None and self.project.path.parent == self._unsaved

    def left_unsaved(self) -> tuple[Path, ...]:
        """Return earlier projects with marks that were never saved, newest first."""
        return tuple(path for path in left_unsaved(self._unsaved) if self.project is None or path != self.project.path)

    def recent(self) -> tuple[Path, ...]:
        """Return the saved projects that were open and are still there, the last first, without the one that is open."""
        return tuple(path for path, _ in recent_projects(self._unsaved) if self.project is None or path != self.project.path)

    def left_to_go_on_with(self) -> Path | None:
        """Return the newest such project of the movie that is open, or of any; None once something is marked, or a project was saved."""
        if self.project is not None and not (
            self.is_unsaved and self.entry and self.annotations and not self.annotations.events
        ):
            return None
        return left_of_movie(self.left_unsaved(), self.entry.content_hash if self.entry else "")

    def last_worked_on(self) -> Path | None:
        """Return, where no project is open, the one that was worked on last and that no other window has; else None."""
        if self.project is not None:
            return None
        saved = [(at.timestamp(), path) for path, at in recent_projects(self._unsaved)]
        unsaved = [((path / JOURNAL).stat().st_mtime, path) for path in self.left_unsaved()]
        return next((path for _, path in sorted(saved + unsaved, reverse=True) if not is_held(path)), None)

    def open_project(self, path: str | Path) -> None:
        """Open a project, and the movie that came to it last; one that is open already stays so.

        Raises
        ------
        ProjectError
            When there is none, or it is damaged, or was written by a later version.
        """
        folder = Path(path).parent if Path(path).name == NAME else Path(path)
        if self.project is None or self.project.path.resolve() != folder.resolve():
            self._take(Project.open(folder))
            self._remember()

    def new_project(self, path: str | Path) -> None:
        """Make a new project without movies.

        Raises
        ------
        ProjectError
            When it cannot be made there.
        """
        self._take(Project.create(path))
        self._remember()

    def open_movie(self, path: str | Path, opening: MovieSettings = _AS_THE_FILE_SAYS) -> None:
        """Open a movie in the project that is open, or in a new one that is not saved yet.

        Raises
        ------
        MovieError, ProjectError
            When it cannot be opened, or not so; then everything stays as it is.
        """
        project = self.project or Project.create(new_place(self._unsaved), anyway=True)
        try:
            entry = project.add_movie(path, opening)
        except (MovieError, ProjectError):
            if project is not self.project:
                project.close()
                remove_unused(project.path)
            raise
        if project is not self.project:
            self._take(project)
        else:
            self.select(entry.name)

    def select(self, name: str) -> None:
        """Show a movie of the project, or where its file cannot be opened its marks alone.

        Raises
        ------
        ProjectError
            When there is none of this name, or the journal is damaged.
        """
        if self.project is None:
            raise ProjectError(f"there is no movie '{name}': no project is open; open one first.")
        entry, annotations = self.project.entry(name), self.project.annotations(name)
        self._leave()
        try:
            self.movie, self.problem = self.project.movie(name), ""
        except (MovieError, ProjectError) as error:
            self.movie, self.problem = None, str(error)
        self.entry = entry
        self._show(annotations)
        self.movie_changed.emit()

    def relink(self, path: str | Path, force: bool = False) -> None:
        """Say where the movie that is shown lies now; see `Project.relink`.

        Raises
        ------
        MovieError, ProjectError
            When it cannot be opened, or is another movie.
        """
        if self.project is None or self.entry is None:
            raise ProjectError("no movie is chosen; open a project first.")
        self.project.relink(self.entry.name, path, force)
        self.select(self.entry.name)

    def set_cell_size(self, cell_px: float | None) -> None:
        """Keep the diameter of a typical cell of the movie that is shown, in pixels; None where nobody knows it.

        Raises
        ------
        ProjectError
            When no movie is chosen, or the diameter is not above 0.
        """
        if self.project is None or self.entry is None:
            raise ProjectError("no movie is chosen; open a movie first.")
        if cell_px != self.entry.cell_px:
            self.entry = self.project.set_cell_size(self.entry.name, cell_px)
            self.cell_size_changed.emit()

    def bring(self, found: Found) -> Path:
        """Copy an encoder or a head from elsewhere into the project, and return its folder there.

        Raises
        ------
        ProjectError
            When no project is open, or it cannot be copied.
        """
        if self.project is None:
            raise ProjectError("no project is open that could take it; open a movie first.")
        folder = self.project.bring(found)
        self.models_changed.emit()
        return folder

    def save(self) -> bool:
        """Write what is waiting, and the masks; say whether all is on disk now."""
        return self.project is None or self.project.save()

    def save_as(self, path: str | Path, files: ProjectCopy | None = None) -> None:
        """Copy the project to another folder and go on there; see `Project.save_as`.

        Raises
        ------
        ProjectError
            When no project is open, or it cannot be written there.
        """
        if self.project is None:
            raise ProjectError("there is nothing to save: no project is open; open a movie first.")
        before, was_unsaved = self.project.path, self.is_unsaved
        self.project.save_as(path, files)
        if was_unsaved:
            tell_saved(before, self.project.path)
            Thread(target=remove_saved, args=(self._unsaved,), daemon=True).start()  # may take a while
        self._remember()
        if self.entry is not None:
            self.entry = self.project.entry(self.entry.name)
        self.project_changed.emit()
        if self.entry is not None and self.movie is not None and Path(self.movie.source).is_relative_to(before):
            self.select(self.entry.name)  # it went along

    def close(self) -> None:
        """Close the project."""
        self._remember()
        self._take(None)

    def _take(self, project: Project | None) -> None:
        self._leave()
        if self.project is not None:
            self.project.troubled.disconnect(self._tell_trouble)
            self.project.close()
        before, self.project = self.trouble, project
        self.entry, self.movie, self.problem = None, None, ""
        self._show(None)
        if project is not None:
            project.troubled.connect(self._tell_trouble)
        self.project_changed.emit()
        if self.trouble != before:
            self.troubled.emit(self.trouble)
        if project is not None and project.movies:
            self.select(project.movies[-1].name)
        else:
            self.movie_changed.emit()

    def _remember(self) -> None:
        """Let other windows know which saved project was open last."""
        if self.project is not None and not self.is_unsaved:
            tell_recent(self._unsaved, self.project.path)

    def _leave(self) -> None:
        if self.entry is not None:
            self.movie_leaving.emit()

    def _show(self, annotations: Annotations | None) -> None:
        if self.annotations is not None:
            self.annotations.changed.disconnect(self._tell_changes)
        self.annotations = annotations
        if annotations is not None:
            annotations.changed.connect(self._tell_changes)

    def _tell_changes(self, frames: frozenset[int]) -> None:
        self.annotations_changed.emit(frames)

    def _tell_trouble(self, sentence: str) -> None:
        self.troubled.emit(sentence)
