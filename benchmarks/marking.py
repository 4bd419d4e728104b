"""Time the Mark step in a real window: click to stamp drawn, click to list, painting on a large movie.

Run it where windows can be drawn: scripts/with-display.sh .venv/bin/python -m benchmarks.marking
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import napari
import numpy as np
import tifffile
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_tap_events.gui.layers import masks_layer, movie_layers, world_of
from napari_tap_events.gui.mark_panel import MarkPanel
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.project.corrections import PaintMask
from napari_tap_events.project.session import Session
from napari_tap_events.project.stamps import Sheet, disc, frames_of_event

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def main() -> None:
    for shape, n_events in (((96, 512, 512), 2000), ((96, 2048, 2048), 2000)):
        with tempfile.TemporaryDirectory() as folder, window(Path(folder), shape) as (viewer, panel):
            mark_many(panel.desk.marker.annotations, n_events)
            QTest.qWait(500)
            print(f"\n{shape[0]} x {shape[1]} x {shape[2]}, {len(panel.desk.marker.annotations.events)} events marked")
            report("click: press -> stamp in the masks and on the canvas", clicks(viewer, panel, until_drawn))
            report(
                "click: release -> stamp in the masks and on the canvas", clicks(viewer, panel, until_drawn, from_release=True)
            )
            report("click: press -> line in the list", clicks(viewer, panel, until_listed))
            report("undo -> drawn", undos(viewer, panel))
            report("stroke of 20 moves, ours: each move drawn", strokes(viewer, panel))
            plain = plain_layer(viewer, panel, shape)
            report("stroke of 20 moves, napari's own on a plain array", _strokes(viewer))
            report("click with napari's own brush on a plain array: press -> drawn", naparis_clicks(viewer))
            viewer.layers.remove(plain)


@contextmanager
def window(folder: Path, shape: tuple[int, int, int]) -> Iterator[tuple[napari.Viewer, MarkPanel]]:
    path = folder / "movie.tif"
    noise = np.random.default_rng(0).integers(0, 4000, (4, *shape[1:]), dtype=np.uint16)
    pages = (noise[t % 4] for t in range(shape[0]))
    tifffile.imwrite(path, pages, shape=shape, dtype=np.uint16, metadata={"axes": "TYX"}, photometric="minisblack")
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    session = Session(folder / "unsaved")
    panel = MarkPanel(viewer, session)
    viewer.window.add_dock_widget(panel, name="Mark")
    session.open_movie(path)
    for layer in movie_layers(session.movie):
        viewer.add_layer(layer)
    panel.go_on()
    QTest.qWait(500)
    viewer.fit_to_view()
    QTest.qWait(500)
    try:
        yield viewer, panel
    finally:
        session.close()
        viewer.close()


def mark_many(annotations, n_events: int) -> None:
    """Stamp events on a grid, two kinds, all frames, as one correction."""
    frames, height, width = annotations.shape
    sheet = Sheet(annotations.labels)
    per_frame = -(-n_events // ((frames - 1) // 2))
    side = int(np.ceil(np.sqrt(per_frame)))
    for i in range(n_events):
        t, place = 2 * (i // per_frame), i % per_frame
        y, x = (place // side + 0.5) * height / side, (place % side + 0.5) * width / side
        sheet.stamp(1 + i % 2, frames_of_event(t, frames), disc(annotations.shape, y, x, 4), (y, x))
    annotations.do(PaintMask(sheet.patches(), "many"))


class Stopwatch:
    """Takes the time that has passed, and the share of it that this thread has worked: others may use the machine."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), time.thread_time()

    def read(self) -> tuple[float, float]:
        """Return both in seconds."""
        return time.perf_counter() - self._start[0], time.thread_time() - self._start[1]


def clicks(viewer, panel, until: Callable, from_release: bool = False) -> Iterator[tuple[float, float]]:
    """Time clicks from the press of the button, or from its release, by which alone a click is told from a stroke."""
    rng = np.random.default_rng(len(panel.desk.marker.annotations.events))  # else it would click on the stamps of last time
    n = 0
    while n < 25:
        viewer.dims.set_current_step(0, int(rng.integers(0, 90)))
        QTest.qWait(150)
        canvas = canvas_of(viewer)
        place = QPoint(*(int(canvas.width() / 2 + d) for d in rng.integers(-200, 200, 2)))
        before = len(panel.desk.marker.annotations.events)
        if not from_release:
            watch = Stopwatch()
        QTest.mousePress(canvas, LEFT, NO_KEY, place)
        if from_release:
            watch = Stopwatch()
        QTest.mouseRelease(canvas, LEFT, NO_KEY, place)
        until(viewer, panel, before)
        if len(panel.desk.marker.annotations.events) > before:
            n += 1
            yield watch.read()


def until_drawn(viewer, _panel, _before: int) -> None:
    canvas_of(viewer).repaint()


def until_listed(_viewer, panel, before: int) -> None:
    end = time.perf_counter() + 2
    while panel.desk.list.model.rowCount() <= before and time.perf_counter() < end:
        QApplication.processEvents()


def undos(viewer, panel) -> Iterator[tuple[float, float]]:
    for _ in range(20):
        watch = Stopwatch()
        panel.desk.marks.undo()
        draw(viewer)
        yield watch.read()
        QTest.qWait(100)


def strokes(viewer, panel) -> Iterator[tuple[float, float]]:
    panel.desk.marks.pick_up(Tool.brush)
    yield from _strokes(viewer)


def plain_layer(viewer, panel, shape) -> napari.layers.Labels:
    layer = masks_layer(np.zeros(shape, np.uint8), world_of(panel._session.movie), "plain")
    viewer.add_layer(layer)
    layer.mode, layer.brush_size, layer.selected_label = "paint", 20, 1
    return layer


def naparis_clicks(viewer) -> Iterator[tuple[float, float]]:
    for i in range(25):
        viewer.dims.set_current_step(0, 3 * i)
        QTest.qWait(150)
        watch = Stopwatch()
        QTest.mouseClick(canvas_of(viewer), LEFT, NO_KEY, QPoint(200 + 10 * i, 300))
        canvas_of(viewer).repaint()
        yield watch.read()


def _strokes(viewer) -> Iterator[tuple[float, float]]:
    canvas = canvas_of(viewer)
    for i in range(5):
        viewer.dims.set_current_step(0, 1 + 2 * i)
        QTest.qWait(200)
        y = canvas.height() // 2 + 40 * (i - 2)
        QTest.mousePress(canvas, LEFT, NO_KEY, QPoint(canvas.width() // 2 - 100, y))
        for j in range(20):
            watch = Stopwatch()
            where = QPoint(canvas.width() // 2 - 100 + 10 * j, y)
            local = QPointF(where)
            event = QMouseEvent(QEvent.Type.MouseMove, local, QPointF(canvas.mapToGlobal(where)), LEFT, LEFT, NO_KEY)
            QApplication.sendEvent(canvas, event)
            draw(viewer)
            yield watch.read()
            QTest.qWait(6)
        QTest.mouseRelease(canvas, LEFT, NO_KEY, where)


def canvas_of(viewer):
    return viewer.window._qt_viewer.canvas.native


def draw(viewer) -> None:
    """Let the canvas be drawn now, and wait until it is."""
    canvas_of(viewer).repaint()
    QApplication.processEvents()


def report(what: str, times: Iterator[tuple[float, float]]) -> None:
    passed, worked = 1000 * np.array(list(times)).T
    spread = f"median {np.median(passed):.0f} ms, p95 {np.percentile(passed, 95):.0f} ms"
    print(f"{what}: {spread}; of which this thread worked {np.median(worked):.0f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
