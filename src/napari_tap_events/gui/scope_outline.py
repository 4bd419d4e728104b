"""The rectangle that was looked at, drawn over the movie: bold in the frames that count, thin in the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes
from psygnal import Signal

from napari_tap_events.gui.quiet_layers import add_rectangles_quietly, remove_quietly
from napari_tap_events.gui.world import World
from napari_tap_events.movies.masks import Scope

NAME = "looked at"
COLOUR = "#F0E442"
THIN, BOLD = 0.25, 0.9
"""Opacity in the frames that were not looked at, and in those that were."""

LEAST_PX = 3
"""A rectangle with a shorter side was a click, or a hand that trembled."""

Rectangle = tuple[int, int, int, int]


class ScopeOutline:
    """Shows a scope, and lets a person draw its rectangle.

    Attributes
    ----------
    drawn : Signal(tuple)
        (y0, y1, x0, x1) in pixels, first included, last not: a rectangle that was just drawn.
    """

    drawn = Signal(object)

    def __init__(self, viewer: ViewerModel, world: World, shape: tuple[int, int, int]) -> None:
        self._viewer = viewer
        self._world = world
        self._shape = shape
        self._scope: Scope | None = None
        self._before: Any = None
        self.layer: Shapes | None = None

    def show(self, scope: Scope | None, t: int) -> None:
        """Show a scope as it is in frame `t`; nothing where the whole frame was looked at, or nothing is said."""
        whole = Scope.whole(self._shape)
        if self._before is not None:
            return
        if scope is None or (scope.y0, scope.y1, scope.x0, scope.x1) == (whole.y0, whole.y1, whole.x0, whole.x1):
            self._scope = None
            self.close()
            return
        if scope != self._scope or self.layer is None or self.layer not in self._viewer.layers:
            self._scope = scope
            self._redraw(scope)
        self.set_frame(t)

    def set_frame(self, t: int) -> None:
        """Say by the line whether frame `t` was looked at."""
        if self.layer is not None and self._scope is not None and self._before is None:
            self.layer.opacity = BOLD if t in self._scope.frames else THIN

    def draw(self) -> None:
        """Let the person draw a rectangle with the mouse; `drawn` tells when it is there."""
        if self._before is not None:
            return
        self._before = self._viewer.layers.selection.active
        layer = self._there()
        layer.data = []
        layer.opacity = BOLD
        layer.editable = True
        self._viewer.layers.selection.active = layer
        layer.mode = "add_rectangle"
        layer.mouse_drag_callbacks.append(self._follow_drag)  # after napari's own, which begins and ends the rectangle

    @property
    def drawing(self) -> bool:
        """Whether the next drag draws a rectangle."""
        return self._before is not None

    def stop_drawing(self) -> None:
        """Go back to what was done before, whether or not something was drawn."""
        if self._before is None or self.layer is None:
            return
        self.layer.mouse_drag_callbacks.remove(self._follow_drag)
        self.layer.mode = "pan_zoom"
        before, self._before = self._before, None
        if before in self._viewer.layers:
            self._viewer.layers.selection.active = before
        self._scope = None

    def close(self) -> None:
        """Take the layer away."""
        self.stop_drawing()
        if self.layer is not None:
            remove_quietly(self._viewer, self.layer)
            self.layer = None

    def _follow_drag(self, layer: Shapes, event: Any) -> Iterator[None]:
        """Take the rectangle from where the button went down to where it came up; a click draws nothing.

        napari's own rectangle is for the eye only: where the window is slow it leaves out places of the mouse, the last ones too.
        """
        corners = [layer.world_to_data(event.position)[-2:]]
        yield
        while event.type == "mouse_move":
            yield
        corners.append(layer.world_to_data(event.position)[-2:])
        (y0, x0), (y1, x1) = np.round(np.min(corners, axis=0) + 0.5), np.round(np.max(corners, axis=0) + 0.5)
        if min(y1 - y0, x1 - x0) < LEAST_PX:
            layer.data = []
            return
        self.stop_drawing()
        self.drawn.emit((int(y0), int(y1), int(x0), int(x1)))

    def _redraw(self, scope: Scope) -> None:
        layer = self._there()
        low_y, high_y, low_x, high_x = (edge - 0.5 for edge in (scope.y0, scope.y1, scope.x0, scope.x1))
        layer.data = []
        layer.add_rectangles(  # type: ignore[no-untyped-call]
            np.array([[low_y, low_x], [low_y, high_x], [high_y, high_x], [high_y, low_x]])
        )
        layer.selected_data = set()

    def _there(self) -> Shapes:
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = add_rectangles_quietly(self._viewer, self._world, NAME, "scope", COLOUR)
        return self.layer
