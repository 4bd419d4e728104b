"""Registration of the open movie, in the first step: a movie in which the picture stays where it is takes its place."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.made_of import other_movie_of, reads_open_movie
from napari_tap_events.gui.movie_panel import movie_flags
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.jobs.output import RESULT, read_json
from napari_tap_events.project.session import Session
from napari_tap_events.settings import RegisterSettings

SENTENCE = (
    "Moves every frame by whole pixels, so that the picture stays where it is though the stage shook or drifted. A new movie is written "
    "and opened. Marks stay with the movie that they were made on: register before you mark."
)


class RegisterPanel(QWidget):
    """The recipe `register`.

    Attributes
    ----------
    registered : Signal(object)
        The path of the new movie; only where the movie that it was made of is still open.
    """

    registered = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.recipe = RecipePanel("Register", SENTENCE, "register", (RegisterSettings,), self._inputs)
        self.recipe.attend(partial(other_movie_of, session))
        self.recipe.finished.connect(self._tell)
        session.movie_changed.connect(self.recipe.follow_movie)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.recipe)

    def close(self) -> bool:
        """Let go of the session, and follow the job no longer."""
        self._session.movie_changed.disconnect(self.recipe.follow_movie)
        self.recipe.close()
        return bool(super().close())

    def _inputs(self) -> RecipeInputs:
        project, entry, movie = self._session.project, self._session.entry, self._session.movie
        if project is None or entry is None or movie is None:
            return RecipeInputs([], Path(), "Open a movie first.")
        return RecipeInputs([movie.source, *movie_flags(entry.opening)], project.new_folder("movies", "registered"))

    def _tell(self, folder: Path) -> None:
        result = read_json(folder / RESULT)
        if result is not None and reads_open_movie(self._session, folder):
            self.registered.emit(folder / result["files"]["movie"])
