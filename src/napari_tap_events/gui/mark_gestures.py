"""What the mouse does on the marks: a click stamps or fills, a drag paints, the right button says what is not an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.layers import Labels
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_tap_events.gui.marker import Marker, Place
from napari_tap_events.gui.outline import Outline
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.project.corrections import Meaning
from napari_tap_events.project.regions import MarkedRegion

CLICK_PX = 4
"""A hand that moves no further than this on the screen between press and release has clicked, not dragged."""
LEFT, RIGHT = 1, 2
HOVER_MS = 25
"""To find a large cell takes as long as several moves of the mouse: only where it is after so long counts."""
LINE_STEP = 0.25
"""Distance of two dabs of a stroke, as a share of the brush's diameter."""


class Gestures:
    """Turns the mouse on one Labels layer into deeds of a marker.

    Attributes
    ----------
    menu_wanted : Signal(Marked)
        The right button was clicked on a mark.
    """

    menu_wanted = Signal(object)

    def __init__(self, marker: Marker, outline: Outline, tool: Callable[[], Tool | None]) -> None:
        self._marker = marker
        self._outline = outline
        self._tool = tool
        self._pointed: Place | None = None
        self._cell = np.empty(0, np.int64)
        self._seen: Place | None = None
        self._soon = QTimer()
        self._soon.setSingleShot(True)
        self._soon.setInterval(HOVER_MS)
        self._soon.timeout.connect(self._look)

    def stop(self) -> None:
        """Forget where the mouse was."""
        self._soon.stop()
        self._pointed = None
        self._outline.hide()

    def _look(self) -> None:
        if self._tool() is Tool.fill:
            self.point_at(self._seen)

    def drag(self, layer: Labels, event: Any) -> Iterator[None]:
        """Follow the mouse from press to release; one of a layer's `mouse_drag_callbacks`."""
        tool, start = self._tool(), _place(layer, event)
        if tool is None or start is None or not self._marker.inside(start):
            return
        if event.button == RIGHT:
            yield from self._note(event, start)
        elif event.button == LEFT and "Shift" in event.modifiers:
            yield from self._carry(layer, event, start)
        elif event.button == LEFT and not event.modifiers:
            yield from self._use(tool, layer, event, start)

    def hover(self, layer: Labels, event: Any) -> None:
        """Show what a click would fill; one of a layer's `mouse_move_callbacks`."""
        if self._tool() is Tool.fill:
            self._seen = _place(layer, event)
            if not self._soon.isActive():
                self._soon.start()

    def point_at(self, place: Place | None) -> None:
        """Outline the cell at a place; nothing where there is none."""
        if place is None or not self._marker.inside(place):
            self._pointed = None
            self._outline.hide()
            return
        here = Place(place.t, round(place.y), round(place.x))
        if here != self._pointed:
            self._pointed, self._cell = here, self._marker.cell_at(here)
            self._outline.show(self._cell)

    def _use(self, tool: Tool, layer: Labels, event: Any, start: Place) -> Iterator[None]:
        if tool in (Tool.brush, Tool.erase):
            yield from self._stroke(layer, event, start, self._marker.kind.value if tool is Tool.brush else 0)
            return
        yield from _still(event)
        if event.type == "mouse_release":
            self._click(tool, start)
        elif tool is Tool.stamp:
            yield from self._stroke(layer, event, start, self._marker.kind.value)

    def _click(self, tool: Tool, place: Place) -> None:
        if tool is Tool.stamp:
            self._marker.stamp(place)
        elif tool is Tool.pan:
            self._marker.pick(self._marker.at(place))
        elif tool is Tool.fill:
            self.point_at(place)
            self._marker.fill(place, self._cell)
            self._pointed = None
            self._outline.hide()

    def _stroke(self, layer: Labels, event: Any, start: Place, value: int) -> Iterator[None]:
        """Paint with the layer's own brush; the history that it keeps makes one stroke of it."""
        with layer.block_history():
            last = start
            _paint_line(layer, last, last, value)
            while True:
                here = _place(layer, event)
                if here is not None:
                    _paint_line(layer, last, here, value)
                    last = here
                if event.type == "mouse_release":
                    break
                yield

    def _carry(self, layer: Labels, event: Any, start: Place) -> Iterator[None]:
        """Move the mark under the mouse; its outline goes along."""
        marked = self._marker.at(start)
        yield
        if marked is None:
            return
        here: Place | None = start
        while event.type != "mouse_release":
            here = _place(layer, event)
            if here is not None and isinstance(marked, MarkedRegion):
                self._outline.show(self._shifted(marked, start, here))
            yield
        here = _place(layer, event) or here
        self._outline.hide()
        if here is not None and here != start:
            self._marker.move(marked, round(here.y - start.y), round(here.x - start.x))

    def _shifted(self, region: MarkedRegion, start: Place, here: Place) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the pixels of an event in the shown frame where they would come to lie, flat; those outside are left out."""
        _, height, width = self._marker.annotations.shape
        pixels = next((pixels for t, pixels in region.blobs if t == start.t), region.blobs[0][1])
        rows, columns = np.divmod(pixels, width)
        rows, columns = rows + round(here.y - start.y), columns + round(here.x - start.x)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        flat: np.ndarray[Any, np.dtype[np.int64]] = rows[inside] * width + columns[inside]
        return flat

    def _note(self, event: Any, start: Place) -> Iterator[None]:
        """On a mark, ask what shall become of it; elsewhere say that nothing happens there, or with Shift that nobody can tell."""
        meaning: Meaning = "uncertain" if "Shift" in event.modifiers else "nothing"
        yield from _still(event)
        if event.type != "mouse_release":
            return
        marked = self._marker.at(start)
        if marked is None:
            self._marker.note(start, meaning)
        else:
            self._marker.pick(marked)
            self.menu_wanted.emit(marked)


def _still(event: Any) -> Iterator[None]:
    """Wait until the mouse is released or has left the place where it was pressed."""
    pressed = np.array(event.pos)
    yield
    while event.type == "mouse_move" and np.linalg.norm(np.array(event.pos) - pressed) <= CLICK_PX:
        yield


def _place(layer: Labels, event: Any) -> Place | None:
    """Return where the mouse is on the movie; None where something else than its frames is shown."""
    if list(event.dims_displayed) != [len(event.position) - 2, len(event.position) - 1]:
        return None
    t, y, x = layer.world_to_data(event.position)
    return Place(round(t), float(y), float(x))


def _paint_line(layer: Labels, start: Place, end: Place, value: int) -> None:
    distance = np.hypot(end.y - start.y, end.x - start.x)
    dabs = max(1, round(distance / max(1.0, LINE_STEP * layer.brush_size)))
    for share in np.arange(1, dabs + 1) / dabs:
        y, x = start.y + share * (end.y - start.y), start.x + share * (end.x - start.x)
        layer.paint((end.t, y, x), value)
