"""The square that a card asks about, in the viewer: bold in the frames of the card, thin in the others."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes

from napari_tap_events.gui.colours import SKY_BLUE
from napari_tap_events.gui.quiet_layers import add_rectangles_quietly, remove_quietly
from napari_tap_events.gui.world import World

NAME = "asked in review"
LINE_PX, MOST = 3.0, 1 / 16
"""Width of the line on the screen, and at most in sides of the square: seen in a large movie, and hiding nothing in a small one."""
THIN, BOLD = 0.35, 1.0
"""Opacity in frames that the card does not ask about, and in those that it does."""


class CardPlace:
    """Shows one square, or none.

    Parameters
    ----------
    viewer : ViewerModel
    world : World
    """

    def __init__(self, viewer: ViewerModel, world: World) -> None:
        self._viewer, self._world = viewer, world
        self._frames = range(0)
        self.layer: Shapes | None = None

    @property
    def shown(self) -> bool:
        """Whether a square is to be seen."""
        return self.layer is not None and self.layer.visible and self.layer in self._viewer.layers

    def show(self, square: tuple[float, float, float, float], frames: range, t: int) -> None:
        """Show the square with the edges y0, y1, x0, x1 in pixels, asked about in some frames, as it is in frame `t`."""
        y0, y1, x0, x1 = square
        self._frames = frames
        layer = self._there()
        layer.data = []
        corners = np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
        layer.add_rectangles(corners, edge_width=self._line(layer, y1 - y0))  # type: ignore[no-untyped-call]
        layer.selected_data = set()
        layer.visible = True
        self.set_frame(t)

    def _line(self, layer: Shapes, side: float) -> float:
        """Return the width of the line in pixels of the movie, as the view is zoomed now."""
        return min(LINE_PX / (self._viewer.scene.camera.zoom * float(layer.scale[-1])), MOST * side)

    def set_frame(self, t: int) -> None:
        """Say by the line whether the card asks about frame `t`."""
        if self.layer is not None:
            self.layer.opacity = BOLD if t in self._frames else THIN

    def hide(self) -> None:
        """Show nothing; the layer stays, because taking it away takes longer than a card has."""
        if self.shown and self.layer is not None:
            self.layer.visible = False

    def close(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            remove_quietly(self._viewer, self.layer)
            self.layer = None

    def _there(self) -> Shapes:
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = add_rectangles_quietly(self._viewer, self._world, NAME, "asked", SKY_BLUE)
            self.layer.editable = False
        return self.layer
