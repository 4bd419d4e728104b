"""The frames of a card side by side, the pair that is asked about framed; a click holds the loop at a frame."""

from __future__ import annotations

from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_tap_events.gui.card_picture import Scene, thumbnails
from napari_tap_events.gui.colours import ORANGE

GAP, PAIR_WIDTH = 3, 3
LEAST_PX, MOST_PX = 24, 64


class FilmStrip(QWidget):
    """Pictures as wide as there is room, each with the number of its frame.

    Attributes
    ----------
    chosen : Signal(int)
        Number of the picture that was clicked.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Scene | None = None
        self._images: list[QImage] = []
        self._small: list[QImage] = []
        self.at = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("A click holds the loop at a frame; another one lets it run.")
        self.setAccessibleName("The frames of the card")

    def sizeHint(self) -> QSize:
        """As high as seven pictures beside each other are at the least width."""
        return QSize(7 * (MOST_PX + GAP), self._side() + self.fontMetrics().height() + 2 * PAIR_WIDTH)

    def setValue(self, scene: Scene | None, images: list[QImage]) -> None:
        """Show the frames of a scene."""
        if images is not self._images:
            side = self._side()
            self._images, self._small = images, []
            if self._side() != side:
                self.setFixedHeight(self.sizeHint().height())
        self._scene = scene
        self.update()

    def show_at(self, at: int) -> None:
        """Tell which frame the loop shows."""
        self.at = at
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Tell which picture was clicked."""
        number = int(event.position().x() // (self._side() + GAP)) if event is not None else -1
        if 0 <= number < len(self._images):
            self.chosen.emit(number)

    def resizeEvent(self, _event: object) -> None:
        """Make the pictures anew."""
        self._small = []
        self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the pictures, their numbers, and the frame around the pair."""
        if self._scene is None or not self._images:
            return
        side = self._side()
        if not self._small:
            self._small = thumbnails(self._images, side)
        painter = QPainter(self)
        for i, (t, image) in enumerate(zip(self._scene.frames, self._small, strict=True)):
            left = i * (side + GAP)
            painter.drawImage(left, PAIR_WIDTH, image)
            line = QRectF(left, side + 2 * PAIR_WIDTH, side, self.fontMetrics().height())
            painter.setPen(QColor(ORANGE) if self._scene.in_pair(t) else self.palette().windowText().color())
            font = painter.font()
            font.setBold(i == self.at)
            painter.setFont(font)
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, str(t))
        self._frame_pair(painter, self._scene, side)

    def _frame_pair(self, painter: QPainter, scene: Scene, side: int) -> None:
        inside = [i for i, t in enumerate(scene.frames) if scene.in_pair(t)]
        if not inside:
            return
        half = PAIR_WIDTH / 2
        left, right = inside[0] * (side + GAP), inside[-1] * (side + GAP) + side
        painter.setPen(QPen(QColor(ORANGE), PAIR_WIDTH))
        painter.drawRect(QRectF(left, half, right - left, side + PAIR_WIDTH).adjusted(half, 0, -half, 0))

    def _side(self) -> int:
        n = max(7, len(self._images))
        return max(LEAST_PX, min(MOST_PX, (self.width() - (n - 1) * GAP) // n))
