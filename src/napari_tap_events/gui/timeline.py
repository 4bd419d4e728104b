"""A thin picture of the whole movie in time: a tick for every event, what was looked at, and the frame that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

MOST_LANES = 5
TICK_PX = 2.0


@dataclass(frozen=True)
class Lane:
    """The events of one kind.

    Attributes
    ----------
    sign, name, colour : str
    frames : tuple of int
        One for each event.
    """

    sign: str
    name: str
    colour: str
    frames: tuple[int, ...]


class Timeline(QWidget):
    """Time runs from left to right over the whole width; every kind has a line of its own.

    Attributes
    ----------
    valueChanged : Signal(int)
        The frame on which the user clicked, or to which they dragged.
    """

    valueChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._n_frames = 1
        self._t = 0
        self._lanes: tuple[Lane, ...] = ()
        self._looked_at: range | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline of marked events")

    def value(self) -> int:
        """Return the frame that is marked as shown."""
        return self._t

    def setValue(self, t: int) -> None:
        """Mark another frame as shown; says nothing to listeners."""
        if t != self._t:
            self._t = t
            self.update()

    def setMovie(self, n_frames: int, looked_at: range | None) -> None:
        """Show a movie of so many frames, of which some were looked at."""
        if (n_frames, looked_at) != (self._n_frames, self._looked_at):
            self._n_frames, self._looked_at = max(1, n_frames), looked_at
            self.update()

    def setLanes(self, lanes: Sequence[Lane]) -> None:
        """Show these events."""
        self._lanes = tuple(lanes)[:MOST_LANES]
        told = ", ".join(f"{len(lane.frames)} {lane.name}" for lane in lanes if lane.frames) or "no events yet"
        self.setToolTip(f"Time from left to right; marked: {told}. Click to go to a frame.")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a line of text for each kind."""
        return QSize(200, round(self._lane_height * max(2, len(self._lanes))) + 4)

    def minimumSizeHint(self) -> QSize:
        """Never be flatter than the lanes."""
        return QSize(80, self.sizeHint().height())

    @property
    def _lane_height(self) -> float:
        return 0.95 * self.fontMetrics().height()

    @property
    def _left(self) -> float:
        """Where time begins: after the signs of the kinds."""
        signs = (self.fontMetrics().horizontalAdvance(lane.sign) for lane in self._lanes)
        return max(signs, default=0) + 6.0

    def x_of(self, t: float) -> float:
        """Return where the beginning of a frame lies, in pixels of the widget."""
        return self._left + (self.width() - self._left - 1) * t / self._n_frames

    def frame_at(self, x: float) -> int:
        """Return the frame that lies at so many pixels from the left."""
        share = (x - self._left) / max(1.0, self.width() - self._left - 1)
        return min(max(int(share * self._n_frames), 0), self._n_frames - 1)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw what was looked at, the ticks, and the frame that is shown."""
        painter = QPainter(self)
        palette = self.palette()
        ground, ink = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        painter.fillRect(QRectF(self._left, 0, self.width() - self._left, self.height()), _between(ground, ink, 0.1))
        if self._looked_at is not None:
            start, stop = self.x_of(self._looked_at.start), self.x_of(self._looked_at.stop)
            painter.fillRect(QRectF(start, 0, stop - start, self.height()), _between(ground, ink, 0.3))
        for row, lane in enumerate(self._lanes):
            self._draw_lane(painter, row, lane, ink)
        middle = self.x_of(self._t + 0.5)
        painter.setPen(QPen(ink, 1))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, self.height()))
        if self.hasFocus():
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()

    def _draw_lane(self, painter: QPainter, row: int, lane: Lane, ink: QColor) -> None:
        top, height = 2 + row * self._lane_height, self._lane_height
        colour = QColor(lane.colour)
        painter.setPen(ink)
        painter.drawText(QRectF(0, top, self._left - 2, height), Qt.AlignmentFlag.AlignCenter, lane.sign)
        width = max(TICK_PX, min(6.0, self.x_of(1) - self.x_of(0) - 1))
        for t in set(lane.frames):
            painter.fillRect(QRectF(self.x_of(t + 0.5) - width / 2, top + 2, width, height - 4), colour)

    def mousePressEvent(self, event: Any) -> None:
        """Go to the frame under the mouse."""
        self._go(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: Any) -> None:
        """Go along with the mouse while it is pressed."""
        self._go(self.frame_at(event.position().x()))

    def keyPressEvent(self, event: Any) -> None:
        """Go a frame back or on with the arrow keys."""
        steps: Mapping[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self._go(min(max(self._t + steps[event.key()], 0), self._n_frames - 1))
        else:
            super().keyPressEvent(event)

    def _go(self, t: int) -> None:
        if t != self._t:
            self.setValue(t)
            self.valueChanged.emit(t)


def _between(one: QColor, other: QColor, share: float) -> QColor:
    """Return a colour so far on the way from one to another."""
    parts = [(1 - share) * a + share * b for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)]
    return QColor(*(round(part) for part in parts))
