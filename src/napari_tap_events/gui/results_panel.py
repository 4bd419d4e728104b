"""The Results step: the events listed, counted over time, and taken elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari.viewer
import numpy as np
import pandas as pd
from napari.layers import Points
from numpy.typing import NDArray
from qtpy import compat
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.exports.facts import MovieFacts
from napari_tap_events.events.listed import probabilities
from napari_tap_events.events.over_time import BY_A_PERSON
from napari_tap_events.events.table import read_events
from napari_tap_events.gui.commands import ask_and_open_results
from napari_tap_events.gui.event_points import jump_to_event
from napari_tap_events.gui.events_over_time import EventsOverTime, TimeSource
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.places import go_to_frame
from napari_tap_events.gui.result_layers import RESULT
from napari_tap_events.gui.results_exports import Exportable, ResultExports
from napari_tap_events.gui.results_list import ResultList
from napari_tap_events.gui.themes import is_dark
from napari_tap_events.gui.threshold import THRESHOLD
from napari_tap_events.gui.world import World
from napari_tap_events.study.exporting import movie_facts
from napari_tap_events.study.result_folder import ResultFolder, read_result_folder

LEAST_WIDTH_PX = 320
NOTHING_YET = (
    "No events yet. Press Find events in step 5, with a head of step 4 or 6; or open the results of a command, or a sample from "
    "File > Open Sample > TAP Events."
)
EVENT_ROLES = ("events", "truth")


class ResultsPanel(QWidget):
    """The events of a layer: a list in which choosing one goes there, their numbers over time, and exports.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose layers of events are listed; those of `open_results`, and those that a search has just made.
    said : callable, optional
        Returns what a person has said of the movie of a result folder (`review.said`), None where nobody knows.
    """

    def __init__(
        self, napari_viewer: napari.viewer.Viewer, said: Callable[[Path], dict[str, Any] | None] = lambda _folder: None
    ) -> None:
        super().__init__()
        self._said = said
        self._viewer = napari_viewer
        self._layer: Points | None = None
        self._result: ResultFolder | None = None
        self._candidates: pd.DataFrame | None = None
        self._seen: tuple[int, bytes] = (0, b"")
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self._build()
        self._listen()
        self._follow_theme()
        self._list_layers()

    def close(self) -> bool:
        """Let go of the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._list_layers)
        self._viewer.layers.events.removed.disconnect(self._list_layers)
        self._viewer.events.theme.disconnect(self._follow_theme)
        self._viewer.dims.events.current_step.disconnect(self._follow_frame)
        self._leave_layer()
        self.exports.report.close()
        return bool(super().close())

    def step(self, by: int) -> None:
        """Go to the event `by` lines further down the list; at its ends, stay."""
        self.list.step(by)

    def _build(self) -> None:
        self.open_button = QPushButton("Open results...")
        self.open_button.setToolTip("Choose a folder that a command has written: it holds a result.json.")
        self.layer_choice = QComboBox()
        self.layer_choice.setToolTip("Which events to list: found by a model, or known to be true.")
        self.hint = QLabel(NOTHING_YET)
        self.hint.setWordWrap(True)
        self.list, self.over_time, self.exports = ResultList(), EventsOverTime(), ResultExports()
        column = QVBoxLayout(self)
        for widget in (self.open_button, self.hint, self.layer_choice):
            column.addWidget(widget)
        column.addWidget(self.list, stretch=1)
        column.addWidget(self.over_time)
        column.addWidget(self.exports)
        column.addStretch()

    def _listen(self) -> None:
        self.open_button.clicked.connect(lambda: ask_and_open_results(self._viewer, parent=self))
        self.layer_choice.currentIndexChanged.connect(self._choose_layer)
        self.list.valueChanged.connect(self._jump)
        self.list.filtered.connect(self._tell_choice)
        self.over_time.chosen.connect(self._go_to_frame)
        self._viewer.layers.events.inserted.connect(self._list_layers)
        self._viewer.layers.events.removed.connect(self._list_layers)
        self._viewer.events.theme.connect(self._follow_theme)
        self._viewer.dims.events.current_step.connect(self._follow_frame)

    def _list_layers(self) -> None:
        """Offer the event layers of the viewer, the newest found events first."""
        if not _is_alive(self):
            return
        found = [layer for layer in self._viewer.layers if layer.metadata.get(ROLE) in EVENT_ROLES]
        found.sort(key=lambda layer: EVENT_ROLES.index(layer.metadata[ROLE]))
        self.layer_choice.blockSignals(True)
        self.layer_choice.clear()
        for layer in found:
            self.layer_choice.addItem(layer.name, layer)
        self.layer_choice.blockSignals(False)
        self._choose_layer()

    def _choose_layer(self) -> None:
        self._leave_layer()
        self._layer = self.layer_choice.currentData()
        something = self._layer is not None
        self.hint.setVisible(not something)
        self.layer_choice.setVisible(self.layer_choice.count() > 1)
        for widget in (self.list, self.over_time, self.exports):
            widget.setVisible(something)
        self._read_folder()
        self.list.setValue(-1)
        if self._layer is not None:
            self._layer.selected_data.events.items_changed.connect(self._follow_selection)
            self._layer.events.features.connect(self._list_events)
            self._layer.events.set_data.connect(self._list_if_changed)
        self._list_events()
        self._follow_selection()

    def _leave_layer(self) -> None:
        if self._layer is not None:
            self._layer.selected_data.events.items_changed.disconnect(self._follow_selection)
            self._layer.events.features.disconnect(self._list_events)
            self._layer.events.set_data.disconnect(self._list_if_changed)
        self._layer = None

    def _read_folder(self) -> None:
        """Read what the result folder of the layer tells; without one, or without its files, less is known."""
        self._result, self._candidates = None, None
        folder = self._layer.metadata.get(RESULT) if self._layer is not None else None
        if self._layer is None or folder is None:
            return
        try:
            self._result = read_result_folder(folder)
            if "candidates" in self._result.files and self._layer.metadata[ROLE] == "events":
                self._candidates = self._result.of_movie(read_events(self._result.files["candidates"]))
        except TapEventsError:
            return

    def _list_if_changed(self) -> None:
        """List the events again when others are shown: a threshold has moved. The layer tells of every frame, too."""
        if _is_alive(self) and self._layer is not None and self._seen != _what_is_shown(self._layer):
            self._list_events()

    def _list_events(self) -> None:
        if not _is_alive(self):
            return
        if self._layer is None:
            self.list.setEvents(pd.DataFrame(), np.zeros(0, dtype=bool), None)
            self.over_time.set_source(None)
            self.exports.setValue(None)
            return
        self._seen = _what_is_shown(self._layer)
        self.list.setEvents(pd.DataFrame(self._layer.features), _shown(self._layer), _world_of_layer(self._layer).interval_s)
        self._tell_choice()

    def _tell_choice(self) -> None:
        """Count and export the events that are listed now."""
        if self._layer is None:
            return
        events, world = self.list.model.listed(), _world_of_layer(self._layer)
        kind = self.list.kinds.currentData()
        candidates = self._all_candidates()
        if candidates is not None and kind:
            candidates = candidates[candidates["kind"] == kind]
        searched = self._result.searched if self._result else None
        self.over_time.set_source(TimeSource(events, self._n_frames(), world.interval_s, candidates, searched))
        self._follow_frame()
        known = self._result is not None and self._result.shape is not None
        facts = movie_facts(self._result) if self._result and known else MovieFacts(None, 0, 0, 0, *_scale(world))
        folder = self._result.folder if self._result else None
        said = self._said(folder) if folder else None
        self.exports.setValue(Exportable(events, facts, folder, self._judged(), said))

    def _judged(self) -> pd.DataFrame | None:
        """Return what was found as a person has judged it, whatever the list shows of it; None where nobody has.

        Of what was rejected only what would be listed otherwise: a no speaks of all candidates around, however unlikely they are.
        """
        if self._layer is None or self._layer.metadata[ROLE] != "events" or "status" not in self._layer.features:
            return None
        events = pd.DataFrame(self._layer.features)
        by_a_person = events["status"].isin(BY_A_PERSON)
        rejected = (events["status"] == "rejected") & (probabilities(events) >= self._layer.metadata.get(THRESHOLD, 0.0))
        judged = (events["status"] != "proposed").any()
        return events[by_a_person | rejected | _shown(self._layer)] if judged else None

    def _all_candidates(self) -> pd.DataFrame | None:
        """Return the candidates below the threshold too: those in the layer that are hidden, else those of the folder."""
        if self._layer is None or _shown(self._layer).all():
            return self._candidates
        return pd.DataFrame(self._layer.features)

    def _n_frames(self) -> int:
        if self._result is not None and self._result.shape is not None:
            return self._result.shape[0]
        return int(self._viewer.dims.nsteps[self._viewer.dims.ndim - 3])

    def _follow_selection(self) -> None:
        """Mark the line of the event that is selected in the viewer, without going anywhere."""
        if self._layer is not None and _is_alive(self) and len(self._layer.selected_data) == 1:
            (row,) = self._layer.selected_data
            self.list.setValue(int(row))

    def _follow_frame(self) -> None:
        if _is_alive(self) and self._layer is not None:
            axis = self._viewer.dims.ndim - 3
            per_frame = _world_of_layer(self._layer).per_frame
            self.over_time.set_frame(round(self._viewer.dims.point[axis] / per_frame))

    def _follow_theme(self) -> None:
        if _is_alive(self):
            self.over_time.set_dark(is_dark(self._viewer))

    def _jump(self, row: int) -> None:
        if self._layer is not None:
            self._viewer.layers.selection.active = self._layer
            jump_to_event(self._viewer, self._layer, row, _world_of_layer(self._layer))

    def _go_to_frame(self, frame: int) -> None:
        if self._layer is not None:
            go_to_frame(self._viewer, frame, _world_of_layer(self._layer))


def _is_alive(widget: QWidget) -> bool:
    """Say whether Qt still has the widget; napari may announce layers after the dock was deleted."""
    return bool(compat.isalive(widget))  # type: ignore[no-untyped-call]


def _shown(layer: Points) -> NDArray[np.bool_]:
    return np.asarray(layer.shown, dtype=bool)


def _what_is_shown(layer: Points) -> tuple[int, bytes]:
    """Return what tells two choices of shown points apart, for little."""
    return len(layer.data), np.packbits(_shown(layer)).tobytes()


def _world_of_layer(layer: Points) -> World:
    """Return the world in which a layer of events lies; without units, the scale is 1 and nothing is known."""
    units = [str(unit) for unit in layer.units]
    interval_s = float(layer.scale[0]) if units[0] == "second" else None
    return World(float(layer.scale[-1]) if units[-1] == "micrometer" else None, interval_s)


def _scale(world: World) -> tuple[float | None, float | None]:
    return world.pixel_size_um, world.interval_s
