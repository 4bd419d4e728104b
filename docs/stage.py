"""Where the pictures are taken: napari with the Workbench beside a movie, and hands that click, wait and look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SIZE = (1280, 800)
DOCK_WIDTH = 400
LONGEST_S = 1800
SETTLE_S = 0.8
"""Time for the last layers, tooltips and plots to be drawn before a picture is taken."""


class Stage:
    """A napari window with the Workbench at its right.

    Parameters
    ----------
    folder : Path
        For the project, and for napari's own settings.
    pictures : Path
        Folder of the PNGs.
    theme : str
        "dark" or "light".
    sizes : sequence of (width, height)
        Of the window, in pixels; where there are several, each picture is taken in all of them, and says so in its name.
    """

    def __init__(self, folder: Path, pictures: Path, theme: str = "dark", sizes: Sequence[tuple[int, int]] = (SIZE,)) -> None:
        import napari

        from napari_tap_events.gui.workbench import Workbench
        from napari_tap_events.project.session import Session

        self.pictures = pictures
        self.viewer = napari.Viewer(title="napari", show=True)
        self.sizes = tuple(sizes)
        self.viewer.theme = theme
        self.viewer.window.resize(*self.sizes[0])
        self.session = Session(folder / "unsaved")
        self.workbench = Workbench(self.viewer, self.session)
        dock = self.viewer.window.add_dock_widget(self.workbench, name="Workbench (TAP Events)", area="right")
        self._window().resizeDocks([dock], [DOCK_WIDTH], _horizontal())
        self.settle()

    def settle(self, seconds: float = SETTLE_S) -> None:
        """Let the window draw what it still has to draw."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            _application().processEvents()
            time.sleep(0.02)

    def until(self, there: Callable[[], bool], what: str) -> None:
        """Wait until something is there; it fails by its name."""
        until = time.monotonic() + LONGEST_S
        while not there():
            if time.monotonic() > until:
                raise TimeoutError(f"waited {LONGEST_S} s for {what}")
            _application().processEvents()
            time.sleep(0.02)

    @contextmanager
    def job(self, recipe: Any, finished: Any) -> Iterator[None]:
        """Start a recipe by its button, look at it on the way, and wait for the signal that it has finished."""
        folders: list[Path] = []
        sentences: list[str] = []
        finished.connect(folders.append)
        recipe.failed.connect(sentences.append)
        self.press(recipe.start_button)
        yield
        self.until(lambda: bool(folders or sentences), recipe.accessibleName())
        if sentences:
            raise RuntimeError(sentences[0])
        print(recipe.view.status.text())

    def picture(self, name: str) -> None:
        """Save what the whole window shows, in every size; afterwards it has the first one again."""
        for size in self.sizes:
            if len(self.sizes) > 1:
                self.viewer.window.resize(*size)
            self.settle()
            path = self.pictures / (f"{name}.png" if len(self.sizes) == 1 else f"{name}-{size[0]}-{self.viewer.theme}.png")
            self.viewer.window.screenshot(str(path), canvas_only=False, flash=False)
            print(path)
        if len(self.sizes) > 1:
            self.viewer.window.resize(*self.sizes[0])
            self.settle(0.2)

    def open_step(self, name: str) -> None:
        """Open a step by a click on its line."""
        self.press(self.workbench.steps.headers[name])

    def press(self, button: Any) -> None:
        """Click on a button."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.settle(0.1)

    def click(self, t: int, y: float, x: float) -> None:
        """Go to a frame, and click on a pixel of the movie there."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self.go_to_frame(t)
        QTest.mouseClick(self._canvas(), Qt.MouseButton.LeftButton, pos=self._point(y, x))
        self.settle(0.2)

    def hover(self, y: float, x: float) -> None:
        """Point at a pixel of the movie."""
        from qtpy.QtTest import QTest

        QTest.mouseMove(self._canvas(), self._point(y, x))
        self.settle(0.2)

    def go_to_frame(self, t: int) -> None:
        """Move the time slider."""
        self.viewer.dims.set_current_step(0, t)
        self.settle(0.1)

    def look_at(self, y: float, x: float, zoom: float) -> None:
        """Show the surroundings of a pixel, `zoom` times as large as the whole movie would be shown."""
        self.viewer.fit_to_view()
        camera, scale = self.viewer.scene.camera, self._pixel_side()
        camera.zoom = camera.zoom * zoom
        camera.center = (0, y * scale, x * scale)
        self.settle(0.2)

    def scroll_to(self, widget: Any) -> None:
        """Scroll the open step so that a widget is in view, its top edge first."""
        from qtpy.QtCore import QPoint
        from qtpy.QtWidgets import QScrollArea

        self.settle(0.2)
        room = widget.parentWidget()
        while not isinstance(room, QScrollArea):
            room = room.parentWidget()
        room.verticalScrollBar().setValue(widget.mapTo(room.widget(), QPoint(0, 0)).y())

    def hide_docks_of_layers(self) -> None:
        """Leave their room to the movie, as a person does by View or by the eye on a dock."""
        for dock in (self.viewer.window._qt_viewer.dockLayerControls, self.viewer.window._qt_viewer.dockLayerList):
            dock.hide()
        self.settle(0.2)

    def close(self) -> None:
        """Close the window and the project."""
        self.workbench.close()
        self.session.close()
        self.viewer.close()

    def _canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas.native

    def _window(self) -> Any:
        return self.viewer.window._qt_window

    def _pixel_side(self) -> float:
        return self.session.movie.pixel_size_um or 1.0

    def _point(self, y: float, x: float) -> Any:
        from qtpy.QtCore import QPoint

        camera, canvas = self.viewer.scene.camera, self._canvas()
        dy, dx = (np.array([y, x]) * self._pixel_side() - np.array(camera.center[-2:])) * camera.zoom
        return QPoint(round(canvas.width() / 2 + dx), round(canvas.height() / 2 + dy))


def keep_napari_to(folder: Path) -> None:
    """Let napari keep its settings in a folder; to be said before napari is imported."""
    os.environ["NAPARI_CONFIG"] = str(folder / "settings.yaml")


def _application() -> Any:
    from qtpy.QtWidgets import QApplication

    return QApplication.instance()


def _horizontal() -> Any:
    from qtpy.QtCore import Qt

    return Qt.Orientation.Horizontal
