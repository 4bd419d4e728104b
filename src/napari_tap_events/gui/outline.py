"""Outlines over the movie: of what a click would mark before it does, and of the mark that is picked."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray

from napari_tap_events.gui.colours import MaskColormap
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.quiet_layers import add_quietly, remove_quietly
from napari_tap_events.gui.world import World

NAME = "outlines"
COLOUR = "white"


class Outline:
    """Draws the outline of some pixels, in whatever frame is shown; only what changes is drawn anew, which takes little time.

    Parameters
    ----------
    sheet : OutlineSheet
        On which it is drawn.
    """

    def __init__(self, sheet: OutlineSheet) -> None:
        self._sheet = sheet
        self.pixels = np.empty(0, np.int64)

    def show(self, pixels: NDArray[np.int64]) -> None:
        """Draw the outline of pixels, flat indices into (Y, X), instead of the one before; none draws nothing."""
        edge = self._sheet.edge(pixels)
        if not np.array_equal(edge, self.pixels):
            self._sheet.put(self.pixels, 0)
            self._sheet.put(edge, 1)
            self.pixels = edge

    def hide(self) -> None:
        """Draw nothing."""
        self.show(np.empty(0, np.int64))


class OutlineSheet:
    """The layer on which outlines are drawn: one frame, shown over all.

    Parameters
    ----------
    viewer : ViewerModel
    world : World
    shape : (Y, X)
    """

    def __init__(self, viewer: ViewerModel, world: World, shape: tuple[int, int]) -> None:
        self._viewer = viewer
        self._shape = shape
        place = {key: value[1:] for key, value in world.layer_place().items()}
        self.layer = Labels(
            np.zeros(shape, np.uint8),
            name=NAME,
            colormap=MaskColormap(color_dict={None: COLOUR, 0: "transparent", 1: COLOUR}),
            opacity=0.9,
            blending="translucent_no_depth",
            metadata={ROLE: "outlines"},
            **place,
        )
        self.layer.editable = False

    def open(self) -> None:
        """Put the layer into the viewer, where it is not there."""
        if self.layer not in self._viewer.layers:
            add_quietly(self._viewer, self.layer)

    def close(self) -> None:
        """Take the layer away."""
        remove_quietly(self._viewer, self.layer)

    def put(self, pixels: NDArray[np.int64], value: int) -> None:
        """Give pixels a value and draw them."""
        if pixels.size:
            self.layer.data_setitem(np.unravel_index(pixels, self._shape), value)  # type: ignore[no-untyped-call]

    def edge(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those pixels that have a neighbour to the left, right, above or below which is not among them."""
        rows, columns = np.divmod(pixels, self._shape[1])
        if not pixels.size:
            return pixels
        box = np.zeros((np.ptp(rows) + 3, np.ptp(columns) + 3), bool)
        place = rows - rows.min() + 1, columns - columns.min() + 1
        box[place] = True
        within = box[:-2, 1:-1] & box[2:, 1:-1] & box[1:-1, :-2] & box[1:-1, 2:]
        edge: NDArray[np.int64] = pixels[~within[place[0] - 1, place[1] - 1]]
        return edge
