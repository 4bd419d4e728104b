"""One movie on the Mark panel: its controls, its layer and its marks, kept in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import napari.viewer
import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QCursor, QShortcut

from napari_tap_events.gui.layers import ROLE, world_of
from napari_tap_events.gui.mark_controls import MarkControls
from napari_tap_events.gui.mark_layer import MarkLayer
from napari_tap_events.gui.mark_lines import MarkLines, lanes
from napari_tap_events.gui.mark_menu import mark_menu
from napari_tap_events.gui.marker import Marked, Marker
from napari_tap_events.gui.places import go_to_frame, look_at
from napari_tap_events.gui.scope_outline import ScopeOutline
from napari_tap_events.gui.shortcuts import DIGITS, bind_to_layer, bind_to_widget, help_line
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.movies.masks import Scope
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import SetKinds, SetScope
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.regions import MarkedRegion

LIST_DELAY_MS = 20
"""The list waits so long for further changes: a mark is drawn first."""


class MarkDesk(MarkControls):
    """Controls at work on one movie.

    Attributes
    ----------
    help_wanted : Signal
        The user asks for the list of keys.
    """

    help_wanted = Signal()

    def __init__(self, viewer: napari.viewer.Viewer, movie: Movie, annotations: Annotations) -> None:
        super().__init__()
        self._viewer = viewer
        self._movie = movie
        self._annotations = annotations
        self._world = world_of(movie)
        self._shortcuts: list[QShortcut] = []
        self._keys: Mapping[str, str] = {}
        self._bound_kinds: tuple[Kind, ...] = ()
        self.marker = Marker(annotations, self._frame_shown)
        self.marks = MarkLayer(viewer, self.marker, self._world)
        self.outline = ScopeOutline(viewer, self._world, annotations.shape)
        self._lines = MarkLines()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LIST_DELAY_MS)
        self._later.timeout.connect(self.list_marks)
        self._listen_to_user()

    def open(self, radius_px: float, keys: Mapping[str, str]) -> None:
        """Show the marks in the viewer and on the panel."""
        self.marker.set_radius(radius_px)
        self.radius.set_pixel_size(self._movie.pixel_size_um)
        self.radius.setValue(radius_px)
        self.scope.set_movie(self._annotations.shape)
        self._listen_to_marks()
        self.bind_keys(keys)
        self.marks.open()
        self._show_rest()
        self.list_marks()
        self._follow_frame()

    def let_go(self) -> None:
        """Take the marks out of the viewer and stop listening; what was marked stays in the annotations."""
        self._later.stop()
        self.fall_silent()
        self._annotations.changed.disconnect(self._follow_changes, missing_ok=True)
        self._viewer.dims.events.current_step.disconnect(self._follow_frame)
        self.outline.close()
        self.marks.close()

    def bind_keys(self, keys: Mapping[str, str]) -> None:
        """Let keys hold on the layer and on the panel."""
        self._keys = keys
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        deeds = self.deeds()
        self._bound_kinds = self._annotations.kinds
        bind_to_layer(self.marks.layer, keys, deeds)
        self._shortcuts = bind_to_widget(self, keys, deeds)
        self.marks.help = help_line(keys)
        self.show_keys(keys)

    def deeds(self) -> dict[str, Callable[[], object]]:
        """Return what keys do, by name; digits choose kinds."""
        tools = {tool.value: lambda tool=tool: self.marks.pick_up(tool) for tool in Tool}
        kinds = {
            kind.key: lambda kind=kind: self.marker.set_kind(kind) for kind in self._annotations.kinds if kind.key in DIGITS
        }
        return {
            **tools,
            **{key: deed for key, deed in kinds.items() if key},
            "smaller": lambda: self.radius.step(-1),
            "larger": lambda: self.radius.step(1),
            "earlier": lambda: self._nudge(-1),
            "later": lambda: self._nudge(1),
            "delete": self.marker.delete,
            "next": lambda: self.list.step(1, self.marks.shown_frame()),
            "previous": lambda: self.list.step(-1, self.marks.shown_frame()),
            "nothing": lambda: self._note("nothing"),
            "uncertain": lambda: self._note("uncertain"),
            "undo": self.marks.undo,
            "redo": self.marks.redo,
            "help": self.help_wanted.emit,
        }

    def list_marks(self) -> None:
        """Bring list, counts and timeline up to date."""
        self.marker.pick_again()
        self.list.setMarks(self._lines.of(self._annotations), self._movie.interval_s)
        self.list.setValue(self.marker.picked)
        self.kinds.show_counts(self._annotations.counts())
        self.timeline.setLanes(lanes(self._annotations))

    def _listen_to_user(self) -> None:
        self.tools.valueChanged.connect(self._pick_up)
        self.radius.valueChanged.connect(self.marker.set_radius)
        self.kinds.valueChanged.connect(self._choose_kind)
        self.kinds.kinds_wanted.connect(self._set_kinds)
        self.undo_button.clicked.connect(self._undo)
        self.redo_button.clicked.connect(self._redo)
        self.keys_button.clicked.connect(self.help_wanted)
        self.timeline.valueChanged.connect(lambda t: go_to_frame(self._viewer, t, self._world))
        self.list.valueChanged.connect(self._jump)
        self.scope.valueChanged.connect(self._set_scope)
        self.scope.view_wanted.connect(lambda: self.scope.set_rectangle(self._rectangle_in_view()))
        self.scope.drawing_wanted.connect(self._draw_scope)

    def _listen_to_marks(self) -> None:
        self._annotations.changed.connect(self._follow_changes)
        self._viewer.dims.events.current_step.connect(self._follow_frame)
        self.marks.tool_changed.connect(self._show_tool)
        self.marks.gestures.menu_wanted.connect(self._offer_menu)
        self.marker.kind_changed.connect(self.kinds.setValue)
        self.marker.radius_changed.connect(self.radius.setValue)
        self.marker.picked_changed.connect(self.list.setValue)
        self.marker.said.connect(self._say)
        self.outline.drawn.connect(self.scope.set_rectangle)

    def _follow_changes(self, _frames: frozenset[int]) -> None:
        self._later.start()
        self._show_rest()

    def _show_rest(self) -> None:
        """Show kinds, scope and what can be undone."""
        annotations = self._annotations
        if annotations.kinds != self._bound_kinds:
            self.bind_keys(self._keys)
        self.kinds.set_kinds(annotations.kinds)
        self.kinds.setValue(self.marker.kind)
        self.scope.setValue(annotations.scope)
        self.outline.show(annotations.scope, self.marks.shown_frame())
        self.timeline.setMovie(annotations.shape[0], annotations.scope.frames if annotations.scope else None)
        self.show_history(annotations.undo_words, annotations.redo_words)

    def _follow_frame(self) -> None:
        t = self.marks.shown_frame()
        self.timeline.setValue(t)
        self.scope.set_frame(t)
        self.outline.set_frame(t)

    def _show_tool(self, tool: Tool) -> None:
        self.tools.setValue(tool)
        self.explain(tool)

    def _pick_up(self, tool: Tool) -> None:
        self.marks.show()
        self.marks.pick_up(tool)

    def _choose_kind(self, kind: Kind) -> None:
        self.marker.set_kind(kind)
        if self.marks.tool in (Tool.erase, Tool.pan):
            self._pick_up(Tool.stamp)

    def _set_kinds(self, kinds: tuple[Kind, ...]) -> None:
        self._annotations.do(SetKinds(self._annotations.kinds, kinds))

    def _set_scope(self, scope: Scope | None) -> None:
        self._annotations.do(SetScope(self._annotations.scope, scope))

    def _draw_scope(self, wanted: bool) -> None:
        if wanted:
            self.outline.draw()
            self._say("Drag a rectangle around what you have looked at.")
        else:
            self.outline.stop_drawing()
            self.outline.show(self._annotations.scope, self.marks.shown_frame())

    def _jump(self, marked: Marked) -> None:
        event = marked.event if isinstance(marked, MarkedRegion) else marked
        go_to_frame(self._viewer, event.t, self._world)
        look_at(self._viewer, (event.y * self._world.per_pixel, event.x * self._world.per_pixel))
        self.marker.pick(marked)

    def _nudge(self, frames: int) -> None:
        """Shift the picked mark in time, and go along with it."""
        t = self.marker.nudge(frames)
        if t is not None:
            go_to_frame(self._viewer, t, self._world)

    def _undo(self) -> None:
        self.marks.undo()

    def _redo(self) -> None:
        self.marks.redo()

    def _note(self, meaning: Any) -> None:
        place = self.marks.place_of_cursor()
        if self.marker.inside(place):
            self.marker.note(place, meaning)

    def _offer_menu(self, marked: Marked) -> None:
        """Show the menu once the mouse button is up: napari is still busy with it."""
        menu = mark_menu(self.marker, marked, self)
        menu.aboutToHide.connect(menu.deleteLater)
        QTimer.singleShot(0, lambda: menu.popup(QCursor.pos()))

    def _say(self, words: str) -> None:
        self._viewer.status = words
        self.say(words)

    def _rectangle_in_view(self) -> tuple[int, int, int, int]:
        """Return (y0, y1, x0, x1) in pixels of what the canvas shows; it may reach beyond the movie."""
        half = np.array(self._viewer.canvas.size) / self._viewer.scene.camera.zoom / 2
        centre = np.array(self._viewer.scene.camera.center[-2:])
        low, high = (edge / self._world.per_pixel for edge in (centre - half, centre + half))
        return int(np.ceil(low[0])), int(high[0]) + 1, int(np.ceil(low[1])), int(high[1]) + 1

    def _frame_shown(self, t: int) -> NDArray[Any]:
        """Return a frame as it is seen: of the topmost visible layer of the movie, else of its first channel."""
        for layer in reversed(self._viewer.layers):
            if layer.visible and layer.metadata.get(ROLE) == "movie" and layer.ndim == 3 and len(layer.data) > t:
                return np.asarray(layer.data[t])
        return np.asarray(self._movie.frame(t)[0])
