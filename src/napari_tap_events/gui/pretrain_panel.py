"""The Pretrain step: an encoder learns without any mark, by the games that are chosen, from the open movie, simulated ones, or both."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.estimate_line import Material
from napari_tap_events.gui.games_choice import GamesChoice
from napari_tap_events.gui.made_of import other_movie_of
from napari_tap_events.gui.movie_panel import movie_flags
from napari_tap_events.gui.readiness import missing
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.movies.event_sizes import patch_of_cell
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, PretrainSettings
from napari_tap_events.settings.games import games_text, parse_games

SENTENCE = (
    "An encoder learns by games: to tell which of two crops came first, to find events in simulated movies, and others. It needs no marks "
    "and runs in the background. Without it, steps 4 and 5 have the encoder that comes with the program."
)
CHOSEN_ABOVE = ("pretext", "game_settings")
"""Settings that the choice of games stands for."""


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
        forms = (PretrainSettings, ComputeSettings)
        self.recipe = RecipePanel(
            "Pretrain", SENTENCE, "pretrain", forms, self._inputs, hidden=CHOSEN_ABOVE, following=("patch_px",)
        )
        self.games = GamesChoice(self._movie_size)
        self.recipe.set_above(self.games)
        self.recipe.estimate.ask(lambda: Material(session.movie) if session.movie else None)
        self.recipe.attend(partial(other_movie_of, session))
        self.recipe.finished.connect(self.pretrained.emit)
        self.recipe.valueSet.connect(self._follow)
        self.games.valueChanged.connect(self._choose)
        for signal in (session.movie_changed, session.cell_size_changed):
            signal.connect(self._follow_movie)
        session.movie_changed.connect(self.recipe.follow_movie)
        self._follow_movie()
        column = QVBoxLayout(self)
        column.addWidget(self.recipe)
        column.addStretch()

    def close(self) -> bool:
        """Close the recipe; a job lives on."""
        for signal in (self._session.movie_changed, self._session.cell_size_changed):
            signal.disconnect(self._follow_movie)
        self._session.movie_changed.disconnect(self.recipe.follow_movie)
        self.recipe.close()
        return bool(super().close())

    def _follow_movie(self) -> None:
        entry = self._session.entry
        if entry is not None and entry.cell_px:
            self.recipe.fitted.fit({"patch_px": patch_of_cell(entry.cell_px)})
        self.recipe.estimate.refresh()
        self.games.refresh()

    def _inputs(self) -> RecipeInputs:
        project, entry, movie = self._session.project, self._session.entry, self._session.movie
        if project is None or entry is None or movie is None or missing(self._session):
            return RecipeInputs([], Path(), missing(self._session))
        if self.games.problem():
            return RecipeInputs([], Path(), self.games.problem())
        return RecipeInputs([movie.source, *movie_flags(entry.opening)], project.new_folder("encoders", "encoder"))

    def _movie_size(self) -> tuple[int, int] | None:
        """Return frames and channels of the open movie; where one of its channels was chosen, there are at least two."""
        movie, entry = self._session.movie, self._session.entry
        if movie is None or entry is None:
            return None
        return movie.n_frames, max(movie.n_channels, 1 if entry.opening.channel is None else 2)

    def _choose(self) -> None:
        """Let the form know which games are chosen; settings that will not do are told in their own place, and stay as they were."""
        try:
            values = {"pretext": games_text(self.games.value()), "game_settings": self.games.settings()}
        except SettingsError:
            return
        self.recipe.form.set_hidden(values)

    def _follow(self) -> None:
        """Show the games of settings that were set from outside."""
        pretext, told = (self.recipe.form.hidden_value(name) for name in CHOSEN_ABOVE)
        self.games.setValue(parse_games(pretext), told)
