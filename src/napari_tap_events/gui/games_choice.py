"""Which games an encoder learns by: those that were chosen, with their weights, and a menu of all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.game_row import GameRow, words
from napari_tap_events.settings.games import GAMES, known_games, settings_of_game

MovieSize = tuple[int, int]
"""Frames and channels of a movie."""


class GamesChoice(QWidget):
    """The games that are played, one row each; at least one.

    Parameters
    ----------
    movie : callable
        Returns the frames and channels of the open movie, or None; games that it does not fit cannot be chosen.

    Attributes
    ----------
    valueChanged : Signal()
    """

    valueChanged = Signal()

    def __init__(self, movie: Callable[[], MovieSize | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._movie = movie
        self.rows: dict[str, GameRow] = {}
        self.add_button = QPushButton("Add a game")
        self.add_button.setToolTip("Play another game as well: what it learns, and when it misleads, stands in the menu.")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self.add_button.setMenu(self.menu)
        self._column = QVBoxLayout()
        self._column.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._column)
        column.addWidget(self.add_button)
        self.setValue({"time_arrow": 1.0})

    def value(self) -> dict[str, float]:
        """Return the games with their weights; one alone weighs 1."""
        if len(self.rows) == 1:
            return dict.fromkeys(self.rows, 1.0)
        return {name: row.value() for name, row in self.rows.items()}

    def setValue(self, games: Mapping[str, float], settings: Sequence[str] = ()) -> None:
        """Show games with their weights, and their settings as `GAME.SETTING=VALUE`; says nothing to listeners."""
        self.blockSignals(True)
        for name in list(self.rows):
            self._take_away(name)
        for name, weight in games.items():
            row = self._put(name, weight)
            if name in GAMES and settings:
                row.set_settings(settings_of_game(name, GAMES[name].settings, settings).model_dump())
        self.blockSignals(False)
        self.refresh()

    def settings(self) -> tuple[str, ...]:
        """Return the settings of all games, as `GAME.SETTING=VALUE`.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        return tuple(text for row in self.rows.values() for text in row.settings())

    def problem(self) -> str:
        """Return why the games cannot be played, on the open movie or with their settings; empty where they can."""
        try:
            self.settings()
        except SettingsError as error:
            return str(error)
        return next((f"{words(name)}: {told}" for name in self.rows if (told := self._unfit(name))), "")

    def refresh(self) -> None:
        """Look again which games fit the open movie."""
        for name, row in self.rows.items():
            row.set_alone(len(self.rows) == 1)
            row.say(self._unfit(name))

    def add(self, name: str) -> None:
        """Play one more game."""
        self._put(name, 1.0)
        self._tell()

    def remove(self, name: str) -> None:
        """Play one game less."""
        self._take_away(name)
        self._tell()

    def _unfit(self, name: str) -> str:
        movie, facts = self._movie(), GAMES.get(name)
        return "" if movie is None or facts is None else facts.unfit(*movie)

    def _fill(self) -> None:
        """Offer the games that are not played; those that do not fit the movie say why."""
        self.menu.clear()
        for name in known_games():
            if name in self.rows:
                continue
            facts, why = GAMES.get(name), self._unfit(name)
            about = facts.learns if facts else "A game of another package."
            action = self.menu.addAction(f"{words(name)}: {why or about}")
            if action is not None:
                action.setEnabled(not why)
                action.setToolTip(f"{facts.misleads} From: {facts.reference}." if facts else about)
                action.triggered.connect(lambda _checked=False, name=name: self.add(name))

    def _put(self, name: str, weight: float) -> GameRow:
        row = GameRow(name, weight)
        row.valueChanged.connect(self.valueChanged.emit)
        row.removed.connect(lambda: self.remove(name))
        self.rows[name] = row
        self._column.addWidget(row)
        return row

    def _take_away(self, name: str) -> None:
        row = self.rows.pop(name)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _tell(self) -> None:
        self.refresh()
        self.valueChanged.emit()
