"""Events over time in the window: a line and its 95 % band for each kind, and how far it is smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_tap_events.events.over_time import KindOverTime, OverTime, Smoothing, events_over_time
from napari_tap_events.gui.colours import BLUE, ORANGE, SKY_BLUE, VERMILION, YELLOW, looks_of
from napari_tap_events.gui.plots import see_through

HEIGHT_PX = 170
DRAW_MS = 120
BAND_OPACITY = 55
NOW = "#888888"
MISSING = "To see events over time here, install pyqtgraph: pip install 'napari-tap-events[plots]'. The report shows them too."
STROKES = (
    (Qt.PenStyle.SolidLine, "━━"),
    (Qt.PenStyle.DashLine, "╍╍"),
    (Qt.PenStyle.DotLine, "┅┅"),
    (Qt.PenStyle.DashDotLine, "━╍"),
)
ON_LIGHT = {ORANGE: VERMILION, SKY_BLUE: BLUE, YELLOW: "#8A7A00"}
"""Colours that are too pale on a light ground, and those that stand for them there."""


@dataclass(frozen=True)
class TimeSource:
    """What is to be told over time.

    Attributes
    ----------
    events : events table
    n_frames : int
    interval_s : float or None
    candidates : events table or None
        All of them, where they are known, those below the threshold too.
    searched : range or None
        Frames in which events were sought; None for all.
    """

    events: pd.DataFrame
    n_frames: int
    interval_s: float | None = None
    candidates: pd.DataFrame | None = None
    searched: range | None = None

    def told(self, window_frames: int) -> OverTime:
        """Count the events, smoothed over so many frames; 0 leaves that to the length of the movie."""
        smoothing = Smoothing(window_frames=window_frames)
        return events_over_time(self.events, self.n_frames, smoothing, self.candidates, self.searched)

    def unit(self) -> tuple[float, str]:
        """Return how much of the unit of time a frame is, and the unit's name."""
        if not self.interval_s:
            return 1.0, "frame"
        long = self.interval_s * self.n_frames > 7200
        return (self.interval_s / 3600, "hours") if long else (self.interval_s / 60, "minutes")


class EventsOverTime(QWidget):
    """A plot over the length of the movie; a click goes to a frame.

    Attributes
    ----------
    valueChanged : Signal(int)
        The new smoothing window in frames.
    chosen : Signal(int)
        The frame that was clicked on.
    """

    valueChanged = Signal(int)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: TimeSource | None = None
        self._dark, self._frame = True, 0
        self.told: OverTime | None = None
        self.legend, self.meaning, self.smoothing = QLabel(), QLabel(), QSpinBox()
        self.plot = _Plot() if find_spec("pyqtgraph") else None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(DRAW_MS)
        self._later.timeout.connect(self.draw)
        self._lay_out()
        self.smoothing.valueChanged.connect(self._smooth)

    def value(self) -> int:
        """Return the smoothing window in frames; 0 leaves it to the length of the movie."""
        return int(self.smoothing.value())

    def setValue(self, window_frames: int) -> None:
        """Set the smoothing window in frames; 0 leaves it to the length of the movie."""
        self.smoothing.setValue(window_frames)

    def set_source(self, source: TimeSource | None) -> None:
        """Tell other events; they are drawn a moment later, so that many changes at once cost one drawing."""
        self._source = source
        self.smoothing.setMaximum(source.n_frames if source else 0)
        self._later.start()

    def set_frame(self, frame: int) -> None:
        """Mark the frame that the viewer shows."""
        self._frame = frame
        if self.plot and self._source:
            self.plot.mark(frame * self._source.unit()[0])

    def set_dark(self, dark: bool) -> None:
        """Follow the theme."""
        self._dark = dark
        self._later.start()

    def draw(self) -> None:
        """Count and draw what was last set."""
        self.told = self._source.told(self.value()) if self._source else None
        self._say()
        if self.plot and self._source and self.told:
            self.plot.draw(self._source, self.told, self._dark)
            self.set_frame(self._frame)

    def _lay_out(self) -> None:
        self.smoothing.setSpecialValueText("automatic")
        self.smoothing.setSuffix(" frames")
        self.smoothing.setToolTip("Length of the sliding window over which events are averaged; 0 takes a tenth of the movie.")
        self.smoothing.setAccessibleName("Smoothing, in frames")
        row = QHBoxLayout()
        row.addWidget(QLabel("Smoothing"))
        row.addWidget(self.smoothing)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self.legend.setWordWrap(True)
        self.meaning.setWordWrap(True)
        column.addWidget(self.legend)
        column.addWidget(self.plot or _sentence(MISSING))
        column.addLayout(row)
        column.addWidget(self.meaning)
        if self.plot:
            self.plot.clicked.connect(self._choose)

    def _smooth(self, window_frames: int) -> None:
        self._later.start()
        self.valueChanged.emit(window_frames)

    def _choose(self, at: float) -> None:
        if self._source is not None:
            frame = round(at / self._source.unit()[0])
            self.chosen.emit(min(max(frame, 0), self._source.n_frames - 1))

    def _say(self) -> None:
        """Name the lines by stroke, colour and words, and say what they and the bands are."""
        told = self.told
        if told is None or not told.kinds:
            self.legend.setText("<b>Over time</b>: no events")
            self.meaning.setText("")
            return
        named = [
            f"<span style='color:{_colour(kind.kind, told, self._dark)}'>{STROKES[i % len(STROKES)][1]}</span>&nbsp;{kind.kind}"
            for i, kind in enumerate(told.kinds)
        ]
        per = "frame" if told.bin_frames == 1 else f"{told.bin_frames} frames"
        self.legend.setText(f"<b>Events per {per}</b> &nbsp; " + " &nbsp; ".join(named))
        self.meaning.setText(told.meaning())


class _Plot(QWidget):
    """Lines and bands over time, and a mark at the frame that is shown."""

    clicked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = self._make_view()
        self._now: Any = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)

    def draw(self, source: TimeSource, told: OverTime, dark: bool) -> None:
        """Draw all kinds anew."""
        import pyqtgraph

        per_frame, unit = source.unit()
        ink = "#D0D0D0" if dark else "#303030"
        self.view.clear()
        for i, kind in enumerate(told.kinds):
            self._draw_kind(kind, told.centres * per_frame, _colour(kind.kind, told, dark), STROKES[i % len(STROKES)][0])
        self._now = self.view.addLine(x=0, pen=pyqtgraph.mkPen(NOW, width=1, style=Qt.PenStyle.DashLine))
        for side in ("left", "bottom"):
            self.view.getAxis(side).setPen(ink)
            self.view.getAxis(side).setTextPen(ink)
        self.view.setLabel("bottom", unit, color=ink)
        self.view.setXRange(0, source.n_frames * per_frame, padding=0.01)
        top = max((float(np.nanmax(kind.high, initial=0.0)) for kind in told.kinds), default=0.0)
        self.view.setYRange(0, top if top > 0 else 1.0, padding=0.03)
        self.view.setAccessibleName("Events over time: " + ", ".join(kind.kind for kind in told.kinds))

    def mark(self, at: float) -> None:
        """Mark a time."""
        if self._now is not None:
            self._now.setValue(at)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Leave the wheel to whatever the plot lies in: it scrolls there."""
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))

    def _draw_kind(self, kind: KindOverTime, x: Any, colour: str, stroke: Qt.PenStyle) -> None:
        import pyqtgraph

        known = np.isfinite(kind.mean)
        low, high = (pyqtgraph.PlotCurveItem(x[known], ends[known], pen=None) for ends in (kind.low, kind.high))
        shade = QColor(colour)
        shade.setAlpha(BAND_OPACITY)
        for item in (low, high, pyqtgraph.FillBetweenItem(low, high, brush=shade)):
            self.view.addItem(item)
        self.view.plot(x, kind.mean, connect="finite", pen=pyqtgraph.mkPen(colour, width=2, style=stroke))

    def _make_view(self) -> Any:
        import pyqtgraph

        view: Any = see_through(pyqtgraph.PlotWidget(background=None))
        view.setFixedHeight(HEIGHT_PX)
        view.setMenuEnabled(False)
        view.hideButtons()
        view.setMouseEnabled(x=False, y=False)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setToolTip("Click to go to a time")
        view.viewport().installEventFilter(self)
        for side in ("left", "bottom"):
            view.getAxis(side).enableAutoSIPrefix(False)
        view.scene().sigMouseClicked.connect(self._click)
        return view

    def _click(self, event: Any) -> None:
        self.clicked.emit(float(self.view.plotItem.vb.mapSceneToView(event.scenePos()).x()))


def _colour(kind: str, told: OverTime, dark: bool) -> str:
    colour = looks_of([each.kind for each in told.kinds])[kind].colour
    return colour if dark else ON_LIGHT.get(colour, colour)


def _sentence(words: str) -> QLabel:
    label = QLabel(words)
    label.setWordWrap(True)
    return label
