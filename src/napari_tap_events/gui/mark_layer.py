"""The Labels layer of one movie's marks: what is painted there is journalled, what is undone is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_tap_events.gui.colours import mark_colormap
from napari_tap_events.gui.layers import masks_layer
from napari_tap_events.gui.mark_gestures import Gestures
from napari_tap_events.gui.marker import Marker, Place
from napari_tap_events.gui.outline import Outline, OutlineSheet
from napari_tap_events.gui.places import go_to_frame
from napari_tap_events.gui.point_marks import PointMarks
from napari_tap_events.gui.strokes import painted
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.gui.world import World
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.regions import MarkedRegion

NAME = "event marks"
MODES = {Tool.stamp: "paint", Tool.brush: "paint", Tool.fill: "fill", Tool.erase: "erase", Tool.pan: "pan_zoom"}
"""The mode of napari's layer in which each tool works: napari's own buttons and cursors stay in step with ours."""
POINTS_AFTER_MS = 120
"""While another step is open, points wait so long to be drawn: napari takes its time for them."""


class MarkLayer:
    """Marks in the viewer, and the mouse on them.

    Attributes
    ----------
    layer : napari.layers.Labels
    marker : Marker
    tool : Tool
    help : str
        What napari's status bar says while the layer is active.
    tool_changed : Signal(Tool)
    """

    tool_changed = Signal(object)

    def __init__(self, viewer: ViewerModel, marker: Marker, world: World) -> None:
        self.marker = marker
        self.tool = Tool.stamp
        self.help = ""
        self._later = QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(POINTS_AFTER_MS)
        self._later.timeout.connect(self._show_points)
        self._resting = True
        self._viewer = viewer
        self._world = world
        self._last_brush = self._last_marking = Tool.stamp
        self._names: dict[int, str] = {}
        self.layer = masks_layer(marker.annotations.labels, world, NAME)
        self.points = PointMarks(viewer, world)
        self.outlines = OutlineSheet(viewer, world, marker.annotations.shape[1:])
        self.preview, self.picked = Outline(self.outlines), Outline(self.outlines)
        self.gestures = Gestures(marker, self.preview, self._tool_in_hand)

    def open(self) -> None:
        """Put the layer into the viewer and listen to it; the mouse marks nothing until a tool is picked up."""
        self.layer.mouse_drag_callbacks.append(self.gestures.drag)
        self.layer.mouse_move_callbacks.append(self.gestures.hover)
        events = self.layer.events
        for signal, slot in (
            (events.mode, self._follow_mode),
            (events.help, self._keep_help),
            (events.paint, self._adopt),
            (events.brush_size, self._read_brush),
            (events.selected_label, self._read_label),
            (events.n_edit_dimensions, self._one_frame_only),
        ):
            signal.connect(slot)
        # napari's own history knows one frame of one session; what is undone must be undone in the journal
        vars(self.layer).update(undo=self.undo, redo=self.redo)
        self.marker.annotations.changed.connect(self._show_changes)
        self.marker.kind_changed.connect(self._show_kind)
        self.marker.radius_changed.connect(self._show_radius)
        self.marker.picked_changed.connect(self.outline_picked)
        self._viewer.dims.events.current_step.connect(self.outline_picked)
        self.show()
        self.rest()

    def show(self) -> None:
        """Put the layer (back) on top of the viewer, visible and active."""
        if self.layer not in self._viewer.layers:
            self._viewer.add_layer(self.layer)
        self.outlines.open()
        self.layer.visible = True
        self._viewer.layers.selection.active = self.layer
        self._show_kinds()
        self._show_radius(self.marker.radius_px)
        self.points.show(self.marker.annotations.points)

    def close(self) -> None:
        """Take everything out of the viewer and stop listening."""
        annotations = self.marker.annotations
        annotations.changed.disconnect(self._show_changes, missing_ok=True)
        self._viewer.dims.events.current_step.disconnect(self.outline_picked)
        self.gestures.stop()
        self._later.stop()
        for beside in (self.outlines, self.points):
            beside.close()
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def pick_up(self, tool: Tool) -> None:
        """Take a tool into the hand."""
        self.tool = tool
        self._resting = False
        self._remember_tool()
        self.layer.mode = MODES[tool]
        self._keep_mouse()
        self.tool_changed.emit(tool)

    def go_on(self) -> None:
        """Bring the layer to the fore, and take the last tool that marks into the hand."""
        self.show()
        self.pick_up(self._last_marking)

    def rest(self) -> None:
        """Put the tool down: the mouse only moves the picture."""
        self.pick_up(Tool.pan)
        self._resting = True

    def undo(self) -> None:
        """Take the last deed back, and go where it was."""
        self._go_to(self.marker.undo())

    def redo(self) -> None:
        """Do again what was taken back, and go where it was."""
        self._go_to(self.marker.redo())

    def shown_frame(self) -> int:
        """Return the number of the frame that is on the screen."""
        t, *_ = self.layer.world_to_data(self._viewer.dims.point)
        return min(max(round(t), 0), self.marker.annotations.shape[0] - 1)

    def place_of_cursor(self) -> Place:
        """Return where the mouse is on the movie."""
        t, y, x = self.layer.world_to_data(self._viewer.cursor.position)
        return Place(round(t), float(y), float(x))

    def outline_picked(self) -> None:
        """Draw a line around the picked event in the frame that is shown."""
        picked, t = self.marker.picked, self.shown_frame()
        blobs = dict(picked.blobs) if isinstance(picked, MarkedRegion) else {}
        self.picked.show(blobs.get(t, np.empty(0, np.int64)))

    def _go_to(self, frames: tuple[int, ...] | None) -> None:
        if frames and self.shown_frame() not in frames:
            go_to_frame(self._viewer, frames[0], self._world)

    def _remember_tool(self) -> None:
        if self.tool in (Tool.stamp, Tool.brush):
            self._last_brush = self.tool
        if self.tool is not Tool.pan:
            self._last_marking = self.tool

    def _tool_in_hand(self) -> Tool | None:
        """Return the tool; None while it is put down, or the layer is in another of napari's modes, as its polygon."""
        return self.tool if self.layer.mode == MODES[self.tool] and not self._resting else None

    def _follow_mode(self) -> None:
        """Let our tool be the one that napari's buttons, keys or a held space bar have chosen."""
        mode = self.layer.mode
        if mode == "transform":
            self.layer.mode = "pan_zoom"  # marks that are shifted against their movie would mean other cells
            return
        self._keep_mouse()
        if mode == MODES[self.tool]:
            return
        tools = {"paint": self._last_brush, "erase": Tool.erase, "fill": Tool.fill, "pan_zoom": Tool.pan}
        if mode in tools:
            self.tool = tools[mode]
            self._resting = False
            self._remember_tool()
            self.tool_changed.emit(self.tool)

    def _keep_mouse(self) -> None:
        """Leave the mouse to our gestures: napari's would paint at every press, of the right button too."""
        self.gestures.stop()
        self._keep_help()
        for callback in tuple(self.layer.mouse_drag_callbacks):
            if callback.__module__.startswith("napari.layers.labels") and callback.__name__ == "draw":
                self.layer.mouse_drag_callbacks.remove(callback)
        stroke = getattr(self.layer, "_overlays", {}).get("brush_stroke")
        if stroke is not None:  # napari has no public way to free the right button from "encircle and fill"
            stroke.enabled = False

    def _keep_help(self) -> None:
        """Tell our keys, not napari's: on this layer 1 is a kind, not the eraser; napari writes its own at every change of mode."""
        self.layer.help = self.help

    def _adopt(self, event: Any) -> None:
        kind = self.marker.kind.name
        words = "erase" if self.tool is Tool.erase else f"paint {kind}"
        self.marker.adopt(painted(event.value, self.marker.annotations.shape, words))

    def _show_changes(self, frames: Iterable[int]) -> None:
        if self.shown_frame() in frozenset(frames):
            self.layer.refresh(thumbnail=False, highlight=False, extent=False)
        self._show_kinds()
        if self._resting:  # somebody works in another step, and must not wait for this
            self._later.start()
        else:
            self._show_points()

    def _show_points(self) -> None:
        self.points.show(self.marker.annotations.points)

    def _show_kinds(self) -> None:
        """Colour the masks by their kinds, and let the current kind be one that there is."""
        kinds = self.marker.annotations.kinds
        names = {kind.value: kind.name for kind in kinds}
        if names != self._names:
            self._names = names
            self.layer.colormap = mark_colormap(names)
        current = next((kind for kind in kinds if kind.value == self.marker.kind.value), kinds[0])
        self.marker.set_kind(current)
        self._show_kind(current)

    def _show_kind(self, kind: Kind) -> None:
        self.layer.selected_label = kind.value

    def _show_radius(self, radius_px: float) -> None:
        self.layer.brush_size = max(1, round(2 * radius_px))

    def _read_brush(self) -> None:
        if self.layer.brush_size != max(1, round(2 * self.marker.radius_px)):
            self.marker.set_radius(self.layer.brush_size / 2)

    def _read_label(self) -> None:
        """Follow napari's own label control to a kind; a value without a kind would be lost, so go back."""
        chosen = {kind.value: kind for kind in self.marker.annotations.kinds}.get(self.layer.selected_label)
        if chosen is None:
            self.layer.selected_label = self.marker.kind.value
        else:
            self.marker.set_kind(chosen)

    def _one_frame_only(self) -> None:
        if self.layer.n_edit_dimensions != 2:
            self.layer.n_edit_dimensions = 2  # a stroke through all frames would be no event
