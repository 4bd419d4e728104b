"""Losses and accuracies while they are learned: curves that grow, in napari's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_tap_events.gui.colours import BLUE, GREEN, ORANGE, SKY_BLUE, VERMILION
from napari_tap_events.gui.plots import see_through
from napari_tap_events.settings.games import known_games

HEIGHT_PX = 130
MOST_POINTS = 400
"""Of a curve; beyond that its peaks and its valleys are drawn, so that drawing takes no longer and longer."""
DRAW_MS = 100
MISSING = "To see curves here, install pyqtgraph: pip install 'napari-tap-events[plots]'"
CHANCE = 0.5
ACCURACIES = (0.4, 1.05)
"""What the axis shows at least; its end leaves room for the label of 1."""
LEAST_STEPS = 10
"""Numbers of the training are means since the last validation; over fewer steps they only jump about."""


@dataclass(frozen=True)
class Look:
    """A curve's words, its colours on dark and on light, and its stroke, which tells it apart without colour."""

    words: str
    on_dark: str
    on_light: str
    stroke: Qt.PenStyle
    sign: str


TRAINING = Look("training", ORANGE, VERMILION, Qt.PenStyle.SolidLine, "━━")
MOVING = Look("held out, where cells move", SKY_BLUE, BLUE, Qt.PenStyle.DashLine, "╍╍")
ANYWHERE = Look("held out, anywhere", GREEN, GREEN, Qt.PenStyle.DotLine, "┅┅")
PLOTS: dict[str, dict[str, Look]] = {
    "Accuracy": {"accuracy": TRAINING, "val_accuracy_motion": MOVING, "val_accuracy_uniform": ANYWHERE},
    "Loss": {"loss": TRAINING, "val_cross_entropy_motion": MOVING, "val_cross_entropy_uniform": ANYWHERE},
}
"""Which numbers of a report are drawn, and where."""
OF_GAMES = {"accuracy": "Accuracy of {}", "against_copying": "Error of {} over that of copying", "loss": "Loss of {}"}
"""Which numbers of other games are drawn; of each, in the training and on held-out frames."""


def plots_of(games: Sequence[str]) -> dict[str, dict[str, Look]]:
    """Return the plots that there can be: those of the arrow of time and the whole loss, and those of other games."""
    plots = dict(PLOTS)
    for game in games:
        for number, title in OF_GAMES.items():
            own = f"{game}_{number}"
            plots[title.format(game)] = {own: TRAINING, f"val_{own}_motion": MOVING, f"val_{own}_uniform": ANYWHERE}
    return plots


@dataclass
class Curve:
    """The points of a curve so far."""

    at: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at: float, value: float) -> None:
        """Add a point."""
        self.at.append(at)
        self.values.append(value)

    def shape(self) -> tuple[Sequence[float], Sequence[float]]:
        """Return the points that are drawn: of many, of each group of neighbours the least and the greatest, and a gap."""
        if len(self.at) <= MOST_POINTS:
            return self.at, self.values
        size = math.ceil(2 * len(self.at) / MOST_POINTS)
        groups = np.pad(self.values, (0, -len(self.values) % size), constant_values=np.nan).reshape(-1, size)
        gaps, starts = np.isnan(groups), size * np.arange(len(groups))
        ends = [np.where(gaps, np.inf, groups).argmin(1), np.where(gaps, -np.inf, groups).argmax(1), gaps.argmax(1)]
        kept = np.unique(np.concatenate([starts + end for end in ends[:2]] + [(starts + ends[2])[gaps.any(1)]]))
        kept = kept[kept < len(self.at)]
        return np.asarray(self.at)[kept].tolist(), np.asarray(self.values)[kept].tolist()


class Curves(QWidget):
    """A plot for each sort of number, as soon as there is one; where pyqtgraph is not installed, a table of the last ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves: dict[str, Curve] = {}
        self._looks = plots_of(known_games())
        self._chances: dict[str, float] = {}
        self._validated, self._steps = -float("inf"), 0.0
        self._dark = True
        self._room = QVBoxLayout(self)
        self._room.setContentsMargins(0, 0, 0, 0)
        self._plots: dict[str, _Plot | _Table] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(DRAW_MS)
        self._later.timeout.connect(self.draw)

    def add(self, values: Mapping[str, float], at: float, steps: float = 0) -> None:
        """Add what was measured at a step, of `steps` in all (0: not known); numbers that no plot is for are passed over."""
        self._steps = steps
        self._chances |= {name.removesuffix("_chance"): value for name, value in values.items() if name.endswith("_chance")}
        held_out = any(name.startswith("val_") for name in values)
        for look, name in ((look, name) for looks in self._looks.values() for name, look in looks.items() if name in values):
            if look is not TRAINING or held_out or at - self._validated >= LEAST_STEPS:
                self.curves.setdefault(name, Curve()).add(at, values[name])
        if held_out:
            self._validated = at
        if self.curves and not self._later.isActive():
            self._later.start()

    def clear(self) -> None:
        """Take all curves away."""
        self.curves, self._validated = {}, -float("inf")
        self._later.stop()
        for plot in self._plots.values():
            plot.hide()

    def set_dark(self, dark: bool) -> None:
        """Follow the theme."""
        self._dark = dark
        for plot in self._plots.values():
            plot.set_dark(dark)

    def prepare(self) -> None:
        """Make the plots before there is anything to draw: that takes longer than a window may stand still while something runs."""
        for title in PLOTS:
            self._plot(title).hide()

    def draw(self) -> None:
        """Show what has been added."""
        alone = any(name.endswith("_loss") for name in self.curves)
        for title, looks in self._looks.items():
            curves = {name: self.curves[name] for name in looks if name in self.curves}
            if curves and not (alone and set(curves) == {"loss"}):  # the loss of a game says the same, and more
                plot = self._plot(title)
                plot.draw(curves, self._steps)
                plot.show()
                for game, chance in self._chances.items():
                    if title == OF_GAMES["accuracy"].format(game):
                        plot.set_chance(chance)

    def _plot(self, title: str) -> _Plot | _Table:
        if title not in self._plots:
            kind = _Plot if can_draw() else _Table
            plot: _Plot | _Table = kind(title, self._looks[title], len(self._plots) == 0, self)
            plot.set_dark(self._dark)
            self._plots[title] = plot
            self._room.addWidget(plot)
        return self._plots[title]


def can_draw() -> bool:
    """Say whether pyqtgraph is installed."""
    return find_spec("pyqtgraph") is not None


class _Plot(QWidget):
    """One plot, with its curves named above it."""

    def __init__(self, title: str, looks: Mapping[str, Look], _first: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.title, self._looks = title, looks
        self._lines: dict[str, Any] = {}
        self._chance: Any = None
        self._dark = True
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.view = self._make_view()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.legend)
        column.addWidget(self.view)

    def draw(self, curves: Mapping[str, Curve], steps: float) -> None:
        """Show the curves as they are now, and no others; an axis of known length need not be drawn anew each time."""
        for name in self._lines.keys() - curves.keys():
            self.view.removeItem(self._lines.pop(name))
        for name, curve in curves.items():
            if name not in self._lines:
                self._lines[name] = self.view.plot(connect="finite")
                self._colour(name)
            self._lines[name].setData(*curve.shape())
        if steps:
            self.view.setXRange(0, steps, padding=0.0)
        else:
            self.view.enableAutoRange(axis="x")
        if self.title.startswith("Accuracy"):
            low, high = ACCURACIES if self.title == "Accuracy" else (0.0, ACCURACIES[1])
            lowest = min((v for curve in curves.values() for v in curve.values if math.isfinite(v)), default=low)
            self.view.setYRange(min(low, lowest), high, padding=0.0)
        self._name(curves)

    def set_chance(self, chance: float) -> None:
        """Draw a line at what guessing would reach, and say it."""
        if self._chance is None:
            self._chance = self._grey_line(chance)
        self.legend.setText(f"{self.legend.text()} &nbsp; ┈┈&nbsp;chance&nbsp;{chance:.3f}")

    def set_dark(self, dark: bool) -> None:
        """Follow the theme."""
        self._dark = dark
        ink = "#D0D0D0" if dark else "#303030"
        for side in ("left", "bottom"):
            self.view.getAxis(side).setPen(ink)
            self.view.getAxis(side).setTextPen(ink)
        for name in self._lines:
            self._colour(name)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Leave the wheel to whatever the plot lies in: it scrolls there."""
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))

    def _make_view(self) -> Any:
        import pyqtgraph

        view: Any = see_through(pyqtgraph.PlotWidget(background=None))
        view.setFixedHeight(HEIGHT_PX)
        view.setMenuEnabled(False)
        view.hideButtons()
        view.setMouseEnabled(x=False, y=False)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.viewport().installEventFilter(self)
        for side in ("left", "bottom"):
            view.getAxis(side).enableAutoSIPrefix(False)
        view.getAxis("left").setWidth(view.fontMetrics().horizontalAdvance("0.000") + 8)
        self.view = view
        if self.title == "Accuracy":
            self._grey_line(CHANCE)
        elif self.title.startswith("Error"):
            self._grey_line(1.0)
        return view

    def _grey_line(self, level: float) -> Any:
        import pyqtgraph

        return self.view.addLine(y=level, pen=pyqtgraph.mkPen("#888888", style=Qt.PenStyle.DotLine))

    def _colour(self, name: str) -> None:
        import pyqtgraph

        look = self._looks[name]
        colour = look.on_dark if self._dark else look.on_light
        self._lines[name].setPen(pyqtgraph.mkPen(colour, width=2, style=look.stroke))

    def _name(self, curves: Mapping[str, Curve]) -> None:
        """Name the curves by stroke, colour and words, each with its last value."""
        named, plain = [], []
        for name, curve in curves.items():
            look = self._looks[name]
            colour = look.on_dark if self._dark else look.on_light
            said = f"{look.words} {_last(curve)}"
            named.append(f"<span style='color:{colour}'>{look.sign}</span>&nbsp;{said.replace(' ', '&nbsp;')}")
            plain.append(said)
        self.legend.setText(f"<b>{self.title}</b> by step &nbsp; " + " &nbsp; ".join(named))
        self.view.setAccessibleName(f"{self.title}: {', '.join(plain)}")


class _Table(QWidget):
    """The last numbers, where curves cannot be drawn; the first such table says what to do about it."""

    def __init__(self, title: str, looks: Mapping[str, Look], first: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._looks = looks
        self.table = QTableWidget(0, 2)
        self.table.setTabKeyNavigation(False)
        self.table.setHorizontalHeaderLabels([title, "last"])
        self.table.setMaximumHeight(HEIGHT_PX)
        across, down = self.table.horizontalHeader(), self.table.verticalHeader()
        if across is not None and down is not None:
            across.setStretchLastSection(True)
            down.hide()
        self.sentence = QLabel(MISSING)
        self.sentence.setWordWrap(True)
        self.sentence.setVisible(first)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        column.addWidget(self.sentence)

    def draw(self, curves: Mapping[str, Curve], _steps: float) -> None:
        """Show the last numbers."""
        self.table.setRowCount(len(curves))
        for row, (name, curve) in enumerate(curves.items()):
            for column, text in enumerate((self._looks[name].words, _last(curve))):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.table.resizeColumnToContents(0)

    def set_chance(self, chance: float) -> None:
        """Write a row with what guessing would reach."""
        row = self.table.rowCount()
        self.table.setRowCount(row + 1)
        for column, text in enumerate(("chance", f"{chance:.3f}")):
            self.table.setItem(row, column, QTableWidgetItem(text))

    def set_dark(self, _dark: bool) -> None:
        """Do nothing: napari colours tables itself."""


def _last(curve: Curve) -> str:
    return f"{curve.values[-1]:.3f}"
