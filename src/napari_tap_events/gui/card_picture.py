"""The picture of a card: a loop of frames, framed while the pair that is asked about is shown, with marks over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_tap_events.gui.colours import ORANGE, SKY_BLUE

FRAME_MS = 125
"""Eight frames a second."""
SIDE_PX = 216
FRAME_WIDTH, BAR = 4, 9
PAUSED_COLOUR = "#888888"


@dataclass(frozen=True)
class Ring:
    """A mark over the picture: an event at frame `t`, y and x pixels of the movie."""

    t: int
    y: float
    x: float
    radius_px: float
    colour: str


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Attributes
    ----------
    frames : range
    pictures : (N, side, side) or (N, side, side, 3) uint8
    y0, x0 : int
        Pixel of the movie in the first row and column.
    pair : int or None
        First frame of the pair that is asked about.
    box : (y0, y1, x0, x1)
        What is asked about, pixels of the movie.
    rings : tuple of Ring
    """

    frames: range
    pictures: NDArray[np.uint8]
    y0: int
    x0: int
    pair: int | None
    box: tuple[float, float, float, float]
    rings: tuple[Ring, ...] = ()

    def in_pair(self, t: int) -> bool:
        """Say whether a frame belongs to the pair."""
        return self.pair is not None and t in (self.pair, self.pair + 1)


def images_of(pictures: NDArray[np.uint8]) -> list[QImage]:
    """Return pictures as Qt's images, with pixels of their own."""
    kind = QImage.Format.Format_Grayscale8 if pictures.ndim == 3 else QImage.Format.Format_RGB888
    images = []
    for picture in pictures:
        data = np.ascontiguousarray(picture)
        images.append(QImage(data.tobytes(), data.shape[1], data.shape[0], data.strides[0], kind).copy())
    return images


class CardPicture(QWidget):
    """Shows a scene in a loop; a click tells where it fell.

    Attributes
    ----------
    clicked : Signal(int, float, float)
        Frame of the movie that was shown, y and x pixels of the movie.
    shown : Signal(int)
        Number of the picture that is shown now.
    """

    clicked = Signal(int, float, float)
    shown = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene: Scene | None = None
        self.images: list[QImage] = []
        self.at = 0
        self.setFixedSize(QSize(SIDE_PX + 2 * FRAME_WIDTH, SIDE_PX + 2 * FRAME_WIDTH + BAR))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Picture of the card, a loop of frames")
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._step)

    def setValue(self, scene: Scene | None) -> None:
        """Show another scene, from its first frame on; the same frames with other marks go on where they are."""
        same = self.scene is not None and scene is not None and scene.pictures is self.scene.pictures
        self.scene = scene
        if not same:
            self.images = images_of(scene.pictures) if scene is not None else []
            self.at = 0
        self.update()

    def play(self) -> None:
        """Let it run."""
        self._timer.start()
        self.update()

    def pause(self, at: int | None = None) -> None:
        """Hold it, at a picture."""
        self._timer.stop()
        if at is not None:
            self._show(at)
        self.update()

    @property
    def playing(self) -> bool:
        """Whether it runs."""
        return bool(self._timer.isActive())

    def _step(self) -> None:
        if self.images and self.isVisible():
            self._show((self.at + 1) % len(self.images))

    def _show(self, at: int) -> None:
        self.at = at
        self.shown.emit(at)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Tell where the click fell."""
        if event is None or self.scene is None or event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position()
        scale = self.scene.pictures.shape[1] / SIDE_PX
        y, x = (
            (at - FRAME_WIDTH) * scale + start - 0.5 for at, start in ((place.y(), self.scene.y0), (place.x(), self.scene.x0))
        )
        inside = 0 <= place.x() - FRAME_WIDTH < SIDE_PX and 0 <= place.y() - FRAME_WIDTH < SIDE_PX
        if inside:
            self.clicked.emit(self.scene.frames[self.at], float(y), float(x))

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the frame, its border, the marks and the bar below."""
        painter = QPainter(self)
        square = QRectF(FRAME_WIDTH, FRAME_WIDTH, SIDE_PX, SIDE_PX)
        painter.fillRect(square, QColor("black"))
        if self.scene is None or not self.images:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(square, self.images[self.at])
        t = self.scene.frames[self.at]
        if self.scene.in_pair(t):
            half = FRAME_WIDTH / 2
            painter.setPen(QPen(QColor(ORANGE), FRAME_WIDTH))
            painter.drawRect(square.adjusted(-half, -half, half, half))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(square)
        self._draw_marks(painter, self.scene, t)
        painter.setClipping(False)
        self._draw_bar(painter, self.scene)

    def _draw_marks(self, painter: QPainter, scene: Scene, t: int) -> None:
        """Draw the corners of what is asked about, the frame's number, and rings around events."""
        scale = SIDE_PX / scene.pictures.shape[1]

        def point(y: float, x: float) -> QPointF:
            return QPointF(FRAME_WIDTH + (x - scene.x0 + 0.5) * scale, FRAME_WIDTH + (y - scene.y0 + 0.5) * scale)

        y0, y1, x0, x1 = scene.box
        painter.setPen(QPen(QColor(SKY_BLUE), 1.5))
        _corners(painter, QRectF(point(y0, x0), point(y1, x1)))
        for ring in scene.rings:
            pen = QPen(QColor(ring.colour), 2, Qt.PenStyle.SolidLine if ring.t in (t, t - 1) else Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.drawEllipse(point(ring.y, ring.x), ring.radius_px * scale, ring.radius_px * scale)
        painter.setPen(QColor("white"))
        painter.drawText(QPointF(FRAME_WIDTH + 5, FRAME_WIDTH + 5 + painter.fontMetrics().ascent()), f"{t}")

    def _draw_bar(self, painter: QPainter, scene: Scene) -> None:
        """Draw one field for each frame: the pair in its colour, the one that is shown full."""
        n, top = len(self.images), self.height() - BAR + 3
        width = SIDE_PX / n
        for i, t in enumerate(scene.frames):
            field = QRectF(FRAME_WIDTH + i * width + 1, top, width - 2, BAR - 4)
            colour = QColor(ORANGE if scene.in_pair(t) else PAUSED_COLOUR)
            painter.setPen(QPen(colour, 1))
            painter.setBrush(colour if i == self.at else Qt.BrushStyle.NoBrush)
            painter.drawRect(field)


def _corners(painter: QPainter, box: QRectF) -> None:
    """Draw the corners of a rectangle: they say what is meant, and hide nothing."""
    leg = 0.15 * min(box.width(), box.height())
    for x, inward in ((box.left(), leg), (box.right(), -leg)):
        for y, down in ((box.top(), leg), (box.bottom(), -leg)):
            painter.drawLine(QPointF(x, y), QPointF(x + inward, y))
            painter.drawLine(QPointF(x, y), QPointF(x, y + down))


def thumbnails(images: Sequence[QImage], side: int) -> list[QImage]:
    """Return images made small."""
    smooth = Qt.TransformationMode.SmoothTransformation
    return [image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth) for image in images]
