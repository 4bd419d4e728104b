"""The Pretrain step: an encoder learns without any mark, from the arrow of time in the open movie, from simulated movies, or both."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.estimate_line import Material
from napari_tap_events.gui.fitted import Fitted
from napari_tap_events.gui.movie_panel import movie_flags
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.movies.event_sizes import patch_of_cell
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, PretrainSettings

SENTENCE = (
    "An encoder learns to tell which of two crops came first, or to find events in simulated movies, or both. It needs no marks, runs "
    "in the background, and afterwards can already rank places. Without it, steps 4 and 5 have the encoder that comes with the program."
)


class PretrainPanel(QWidget):
    """The recipe `pretrain` on the open movie.

    Attributes
    ----------
    pretrained : Signal(object)
        The folder of a new encoder.
    """

    pretrained = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.recipe = RecipePanel("Pretrain", SENTENCE, "pretrain", (PretrainSettings, ComputeSettings), self._inputs)
        self.recipe.estimate.ask(lambda: Material(session.movie) if session.movie else None)
        self.recipe.finished.connect(self.pretrained.emit)
        self._fitted = Fitted(self.recipe.form, ("patch_px",))
        for signal in (session.movie_changed, session.cell_size_changed):
            signal.connect(self._follow_movie)
        self._follow_movie()
        column = QVBoxLayout(self)
        column.addWidget(self.recipe)
        column.addStretch()

    def close(self) -> bool:
        """Close the recipe; a job lives on."""
        for signal in (self._session.movie_changed, self._session.cell_size_changed):
            signal.disconnect(self._follow_movie)
        self.recipe.close()
        return bool(super().close())

    def _follow_movie(self) -> None:
        entry = self._session.entry
        if entry is not None and entry.cell_px:
            self._fitted.fit({"patch_px": patch_of_cell(entry.cell_px)})
        self.recipe.estimate.refresh()

    def _inputs(self) -> RecipeInputs:
        project, entry, movie = self._session.project, self._session.entry, self._session.movie
        if project is None or entry is None or movie is None:
            return RecipeInputs([], Path(), "Open a movie in step 1 first.")
        return RecipeInputs([movie.source, *movie_flags(entry.opening)], project.new_folder("encoders", "encoder"))
