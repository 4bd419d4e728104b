"""An outline over the movie: of what a click would mark before it does, and of the mark that is picked."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.quiet_layers import add_quietly, remove_quietly
from napari_tap_events.gui.world import World

MARGIN_PX = 2
COLOUR = "white"


class Outline:
    """Draws the outline of some pixels over the movie, in whatever frame is shown; its layer is there only while it is used.

    Parameters
    ----------
    viewer : ViewerModel
    world : World
    width : int
        Columns of a frame, in pixels.
    name : str
        Of the layer.
    """

    def __init__(self, viewer: ViewerModel, world: World, width: int, name: str) -> None:
        self._viewer = viewer
        self._world = world
        self._width = width
        self._name = name
        self.layer: Labels | None = None

    def show(self, pixels: NDArray[np.int64]) -> None:
        """Draw the outline of pixels, flat indices into (Y, X); none hides it."""
        if not pixels.size:
            self.hide()
            return
        rows, columns = np.divmod(pixels, self._width)
        top, left = int(rows.min()) - MARGIN_PX, int(columns.min()) - MARGIN_PX
        box = np.zeros((int(rows.max()) - top + 1 + MARGIN_PX, int(columns.max()) - left + 1 + MARGIN_PX), np.uint8)
        box[rows - top, columns - left] = 1
        step = self._world.per_pixel
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = self._new_layer(box)
            self.layer.translate = (top * step, left * step)
            add_quietly(self._viewer, self.layer)
        else:
            self.layer.data = box
            self.layer.translate = (top * step, left * step)
        self.layer.visible = True

    def hide(self) -> None:
        """Draw nothing."""
        if self.layer is not None:
            self.layer.visible = False

    def close(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            remove_quietly(self._viewer, self.layer)
            self.layer = None

    def _new_layer(self, box: NDArray[np.uint8]) -> Labels:
        place = self._world.layer_place()
        layer = Labels(
            box,
            name=self._name,
            colormap=DirectLabelColormap(color_dict={None: COLOUR, 0: "transparent", 1: COLOUR}),
            opacity=0.9,
            blending="translucent_no_depth",
            metadata={ROLE: "outline"},
            **{key: value[1:] for key, value in place.items()},
        )
        layer.contour = 1
        return layer
