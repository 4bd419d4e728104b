"""Layers that come and go beside the one that is worked on, which stays the active one."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer


def add_quietly(viewer: ViewerModel, layer: Layer) -> None:
    """Add a layer on top; what was active stays active."""
    active = viewer.layers.selection.active
    viewer.add_layer(layer)
    if active is not None:
        viewer.layers.selection.active = active


def remove_quietly(viewer: ViewerModel, layer: Layer) -> None:
    """Remove a layer where it is still there; what was active stays active."""
    if layer not in viewer.layers:
        return
    active = viewer.layers.selection.active
    viewer.layers.remove(layer)
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active
