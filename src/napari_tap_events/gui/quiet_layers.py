"""Layers that come and go beside the one that is worked on, which stays the active one."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer, Shapes

from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.world import World


def add_quietly(viewer: ViewerModel, layer: Layer) -> None:
    """Add a layer on top; what was active stays active."""
    active = viewer.layers.selection.active
    viewer.add_layer(layer)
    if active is not None:
        viewer.layers.selection.active = active


def add_rectangles_quietly(viewer: ViewerModel, world: World, name: str, role: str, colour: str) -> Shapes:
    """Add an empty layer for rectangles that lie over every frame, of which only the line is seen."""
    layer = Shapes(
        ndim=2,
        name=name,
        face_color="transparent",
        edge_color=colour,
        edge_width=1.5,
        blending="translucent_no_depth",
        metadata={ROLE: role},
        **{key: value[1:] for key, value in world.layer_place().items()},
    )
    add_quietly(viewer, layer)
    return layer


def remove_quietly(viewer: ViewerModel, layer: Layer) -> None:
    """Remove a layer where it is still there; what was active stays active."""
    if layer not in viewer.layers:
        return
    active = viewer.layers.selection.active
    viewer.layers.remove(layer)
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active
