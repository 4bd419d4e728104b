"""The dock of results: open a result folder, see its events listed by probability, go from one to the next."""

from __future__ import annotations

import napari.viewer
import pandas as pd
from napari.layers import Points
from qtpy import compat
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.colours import looks_of
from napari_tap_events.gui.commands import ask_and_open_results
from napari_tap_events.gui.event_points import jump_to_event
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.world import World

LEAST_WIDTH_PX = 320
COLUMNS = ("Frame", "Kind", "Probability")
NOTHING_YET = "No events are open. Open the results of a command, or a movie from File > Open Sample > TAP Events."
EVENT_ROLES = ("events", "truth")
SIGNS = {"disc": "●", "diamond": "◆", "square": "■", "x": "✕", "triangle_up": "▲", "triangle_down": "▼", "star": "★"}


class ResultsPanel(QWidget):
    """A list of the events in the viewer; choosing one goes there."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._layer: Points | None = None
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self._build()
        self._viewer.layers.events.inserted.connect(self._list_layers)
        self._viewer.layers.events.removed.connect(self._list_layers)
        self._list_layers()

    def _build(self) -> None:
        self.open_button = QPushButton("Open results...")
        self.open_button.setToolTip("Choose a folder that a command has written: it holds a result.json.")
        self.layer_choice = QComboBox()
        self.layer_choice.setToolTip("Which events to list: found by a model, or known to be true.")
        self.hint = QLabel(NOTHING_YET)
        self.hint.setWordWrap(True)
        self.table = _event_table()
        self.previous_button, self.next_button = QPushButton("Previous"), QPushButton("Next")
        steps = QHBoxLayout()
        steps.addWidget(self.previous_button)
        steps.addWidget(self.next_button)
        column = QVBoxLayout(self)
        for widget in (self.open_button, self.hint, self.layer_choice):
            column.addWidget(widget)
        column.addWidget(self.table, stretch=1)
        column.addLayout(steps)
        column.addStretch()
        self.open_button.clicked.connect(self._open)
        self.layer_choice.currentIndexChanged.connect(self._list_events)
        self.table.itemSelectionChanged.connect(self._jump)
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))

    def step(self, by: int) -> None:
        """Choose the event `by` rows further down the list; at its ends, stay."""
        row = self.table.currentRow() + by
        if 0 <= row < self.table.rowCount():
            self.table.selectRow(row)

    def _open(self) -> None:
        ask_and_open_results(self._viewer, parent=self)

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
        self._list_events()

    def _list_events(self) -> None:
        if self._layer is not None:
            self._layer.selected_data.events.items_changed.disconnect(self._follow_selection)
        self._layer = self.layer_choice.currentData()
        something = self._layer is not None
        self.hint.setVisible(not something)
        for widget in (self.layer_choice, self.table, self.previous_button, self.next_button):
            widget.setVisible(something)
        self.table.clearSelection()
        self.table.setRowCount(0)
        if self._layer is not None:
            self._layer.selected_data.events.items_changed.connect(self._follow_selection)
            self._fill(pd.DataFrame(self._layer.features))
            self._follow_selection()

    def _fill(self, events: pd.DataFrame) -> None:
        listed = events.reindex(columns=["t", "kind", "probability"])
        ranked = listed.sort_values(["probability", "t"], ascending=[False, True], kind="stable")
        looks = looks_of(ranked["kind"].astype(str))
        self.table.setRowCount(len(ranked))
        rows = zip(ranked.index, ranked["t"], ranked["kind"].astype(str), ranked["probability"], strict=True)
        for line, (row, t, kind, probability) in enumerate(rows):
            look = looks[kind]
            texts = (f"{t:.0f}", f"{SIGNS[look.symbol]} {kind}", "" if pd.isna(probability) else f"{probability:.2f}")
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, int(row))
                if column == 1:
                    item.setForeground(QColor(look.colour))
                else:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(line, column, item)

    def _follow_selection(self) -> None:
        """Mark the line of the event that is selected in the viewer, without going anywhere."""
        if self._layer is None or not _is_alive(self) or len(self._layer.selected_data) != 1:
            return
        (row,) = self._layer.selected_data
        self.table.blockSignals(True)
        for line in range(self.table.rowCount()):
            item = self.table.item(line, 0)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == row:
                self.table.selectRow(line)
        self.table.blockSignals(False)

    def _jump(self) -> None:
        chosen = self.table.selectedItems()
        if not chosen or self._layer is None:
            return
        row = int(chosen[0].data(Qt.ItemDataRole.UserRole))
        self._viewer.layers.selection.active = self._layer
        jump_to_event(self._viewer, self._layer, row, _world_of_layer(self._layer))


def _is_alive(widget: QWidget) -> bool:
    """Say whether Qt still has the widget; napari may announce layers after the dock was deleted."""
    return bool(compat.isalive(widget))  # type: ignore[no-untyped-call]


def _world_of_layer(layer: Points) -> World:
    per_frame, per_pixel = float(layer.scale[0]), float(layer.scale[-1])
    return World(pixel_size_um=per_pixel, interval_s=per_frame)


def _event_table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(list(COLUMNS))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None and down is not None:
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        down.hide()
    return table
