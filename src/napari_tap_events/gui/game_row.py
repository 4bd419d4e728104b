"""One game that is played: its name and weight, what it learns, when it misleads, and its settings."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.settings_form import SettingsForm
from napari_tap_events.settings.games import GAMES, GameFacts, other_games

LEAST, MOST = 0.01, 100.0


def words(name: str) -> str:
    """Return the name of a game as a person writes it."""
    return name.replace("_", " ")


class GameRow(QWidget):
    """A game that was chosen.

    Attributes
    ----------
    valueChanged, removed : Signal()
    """

    valueChanged = Signal()
    removed = Signal()

    def __init__(self, name: str, weight: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.facts: GameFacts | None = GAMES.get(name)
        self.title, self.weight, self.remove = QLabel(f"<b>{words(name)}</b>"), QDoubleSpinBox(), QToolButton()
        self.sentence, self.problem = QLabel(self._about()), QLabel()
        self.form = SettingsForm(self.facts.settings) if self.facts and self.facts.settings.declared() else None
        self._build()
        self.setValue(weight)
        self.weight.valueChanged.connect(lambda _: self.valueChanged.emit())
        self.remove.clicked.connect(self.removed.emit)
        if self.form is not None:
            self.form.valueChanged.connect(self.valueChanged.emit)

    def value(self) -> float:
        """Return its weight."""
        return float(self.weight.value())

    def setValue(self, weight: float) -> None:
        """Show another weight."""
        self.weight.setValue(weight)

    def settings(self) -> list[str]:
        """Return its settings that are not as they are by default, as `GAME.SETTING=VALUE`.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        if self.form is None:
            return []
        (chosen,) = self.form.value()
        values = {
            name: getattr(chosen, name) for name, field in chosen.declared().items() if getattr(chosen, name) != field.default
        }
        return [f"{self.name}.{name}={_written(value)}" for name, value in values.items()]

    def set_settings(self, values: Mapping[str, object]) -> None:
        """Show settings, by name."""
        if self.form is not None and self.facts is not None:
            self.form.setValue(self.facts.settings.checked(**values))

    def set_alone(self, alone: bool) -> None:
        """One game alone has no weight to speak of, and cannot be taken away."""
        self.weight.setVisible(not alone)
        self.remove.setVisible(not alone)

    def say(self, problem: str) -> None:
        """Say why it cannot be played on the open movie; nothing where it can."""
        self.problem.setText(f"⚠ {problem}")
        self.problem.setVisible(bool(problem))

    def _about(self) -> str:
        if self.facts is None:
            where = other_games()[self.name].value if self.name in other_games() else "a package that is not there"
            return f"A game of another package, {where}; its settings can be given on the command line."
        return f"{self.facts.learns} <i>{self.facts.misleads}</i>"

    def _build(self) -> None:
        self.weight.setRange(LEAST, MOST)
        self.weight.setSingleStep(0.1)
        self.weight.setPrefix("× ")
        self.weight.setToolTip("How much its loss weighs against those of the other games.")
        self.weight.setAccessibleName(f"Weight of {words(self.name)}")
        self.weight.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.remove.setText("✕")
        self.remove.setAutoRaise(True)
        self.remove.setToolTip(f"Do not play {words(self.name)}")
        self.remove.setAccessibleName(f"Do not play {words(self.name)}")
        for label in (self.sentence, self.problem):
            label.setWordWrap(True)
        self.problem.hide()
        row = QHBoxLayout()
        row.addWidget(self.title, stretch=1)
        row.addWidget(self.weight)
        row.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.sentence)
        column.addWidget(self.problem)
        if self.form is not None:
            column.addWidget(Fold(f"Settings of {words(self.name)}", self.form))


def _written(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)
