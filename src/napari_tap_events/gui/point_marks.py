"""Places where nothing happens, and places of which nobody can tell, as rings and crosses over the movie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Points

from napari_tap_events.gui.colours import KNOWN_LOOKS
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.marker import SAID
from napari_tap_events.gui.quiet_layers import add_quietly, remove_quietly
from napari_tap_events.gui.world import World
from napari_tap_events.project.corrections import PointMark

NAME = "no event / not sure"


class PointMarks:
    """The layer of such places; it is there as soon as there is one, or will be."""

    def __init__(self, viewer: ViewerModel, world: World) -> None:
        self._viewer = viewer
        self._world = world
        self._shown: tuple[PointMark, ...] = ()
        self.layer: Points | None = None

    def show(self, points: Sequence[PointMark]) -> None:
        """Show these points, each in its own frame, as large as it was set."""
        missing = self.layer is None or self.layer not in self._viewer.layers
        if (missing and not points) or (not missing and tuple(points) == self._shown):
            return
        self._shown = tuple(points)
        self.put_up()
        assert self.layer is not None  # noqa: S101  it was put up
        looks = [KNOWN_LOOKS[SAID[point.meaning]] for point in points]
        with self.layer.events.blocker_all():  # each of these would draw all points anew
            self.layer.data = np.array([[point.t, point.y, point.x] for point in points], dtype=float).reshape(-1, 3)
            if points:
                self.layer.size = [2 * point.radius_px for point in points]
                # napari draws a ring as two circles; a disc without a face is the one that is meant
                self.layer.symbol = ["disc" if look.symbol == "ring" else look.symbol for look in looks]
                self.layer.border_color = [look.colour for look in looks]
                self.layer.face_color = "transparent"
        self.layer.refresh(thumbnail=False, extent=False)

    def put_up(self) -> None:
        """Make the layer, where it is missing: to make it with the first point would hold that answer up."""
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = self._new_layer()
            add_quietly(self._viewer, self.layer)

    def close(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            remove_quietly(self._viewer, self.layer)
            self.layer = None

    def _new_layer(self) -> Points:
        layer: Points = Points(
            ndim=3,
            name=NAME,
            face_color="transparent",
            border_width=0.06,
            blending="translucent_no_depth",
            metadata={ROLE: "points"},
            **self._world.layer_place(),
        )
        layer.editable = False
        return layer
