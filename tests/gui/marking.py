"""A viewer with a movie of bright cells, the Mark panel beside it, and hands that use mouse and keys on the picture."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import tifffile
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_tap_events.gui.layers import movie_layers, world_of
from napari_tap_events.gui.mark_panel import MarkPanel
from napari_tap_events.gui.quiet_layers import add_quietly
from napari_tap_events.project.session import Session

SHAPE = (8, 96, 128)
CELLS = ((30, 40), (30, 90), (70, 64))
RADIUS_PX = 6
NO_KEY, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def cell_movie(path, pixel_size_um=0.5, interval_s=300.0, seed=0):
    """Write bright discs of radius 6 at `CELLS`, (8, 96, 128), with a little noise, as a TIFF; return its path."""
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    frame = np.zeros(SHAPE[1:], float)
    for y, x in CELLS:
        frame[(rows - y) ** 2 + (columns - x) ** 2 <= RADIUS_PX**2] = 1000
    noise = np.random.default_rng(seed).normal(500, 10, SHAPE)
    scale = {"axes": "TYX", "unit": "um", "finterval": interval_s}
    resolution = (1 / pixel_size_um, 1 / pixel_size_um)
    tifffile.imwrite(path, (frame + noise).astype(np.uint16), imagej=True, resolution=resolution, metadata=scale)
    return path


class Bench:
    """The window with everything in it; `session.annotations` tells what the hands have done."""

    def __init__(self, viewer, folder):
        self.viewer = viewer
        self.session = Session(folder / "unsaved")
        self.panel = MarkPanel(PublicOnlyProxy(viewer), self.session)  # as napari hands its viewer to a plugin
        viewer.window.resize(1200, 800)
        viewer.window.add_dock_widget(self.panel, name="Mark")
        viewer.window.activate()

    def open(self, path):
        self.session.open_movie(path)
        self.world = world_of(self.session.movie)
        for layer in movie_layers(self.session.movie):
            add_quietly(self.viewer, layer)
        self.viewer.dims.set_current_step(0, 0)
        QApplication.processEvents()
        self.viewer.fit_to_view()
        QApplication.processEvents()

    @property
    def desk(self):
        return self.panel.desk

    @property
    def annotations(self):
        return self.session.annotations

    @property
    def canvas(self):
        return self.viewer.window._qt_viewer.canvas.native

    def point(self, y, x):
        """Where a pixel of the movie is on the canvas."""
        scale = self.world.per_pixel
        camera = self.viewer.scene.camera
        dy, dx = (np.array([y, x]) * scale - np.array(camera.center[-2:])) * camera.zoom
        return QPoint(round(self.canvas.width() / 2 + dx), round(self.canvas.height() / 2 + dy))

    def click(self, y, x, button=LEFT, keys=NO_KEY):
        QTest.mouseMove(self.canvas, self.point(y, x))
        QTest.mouseClick(self.canvas, button, keys, self.point(y, x))

    def drag(self, places, button=LEFT, keys=NO_KEY):
        QTest.mousePress(self.canvas, button, keys, self.point(*places[0]))
        for place in places[1:]:
            _move(self.canvas, self.point(*place), button, keys)
            QTest.qWait(8)  # napari looks at the mouse every 5 ms
        QTest.mouseRelease(self.canvas, button, keys, self.point(*places[-1]))

    def hover(self, y, x):
        _move(self.canvas, self.point(y, x), Qt.MouseButton.NoButton, NO_KEY)
        QTest.qWait(8)

    def key(self, key, keys=NO_KEY):
        QTest.keyClick(self.canvas, key, keys)

    def frame(self, t):
        self.viewer.dims.set_current_step(0, t)

    def events(self):
        return [
            SimpleNamespace(t=r.event.t, y=round(r.event.y), x=round(r.event.x), kind=r.event.kind)
            for r in self.annotations.events
        ]

    def lines(self):
        model = self.desk.list.model
        return [[model.data(model.index(row, column)) for column in range(4)] for row in range(model.rowCount())]


def _move(widget, where, button, keys):
    """Move the mouse with a button down: QTest's own mouseMove lets go of buttons."""
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent

    local = QPointF(where)
    event = QMouseEvent(QEvent.Type.MouseMove, local, QPointF(widget.mapToGlobal(where)), Qt.MouseButton.NoButton, button, keys)
    QApplication.sendEvent(widget, event)
