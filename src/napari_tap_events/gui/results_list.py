"""The list of events: sorted by any column, filtered by kind and probability; choosing a line goes there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QItemSelection, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.colours import SIGNS
from napari_tap_events.gui.results_table import FRAME, KIND, PROBABILITY, TIME, EventTable, Wanted

LINES_SHOWN = 8


class ResultList(QWidget):
    """Events with their filters, and buttons to go from one to the next.

    Attributes
    ----------
    valueChanged : Signal(int)
        The row, in the table that was given, of the event that the user chose.
    filtered : Signal()
        Other events are listed now.
    """

    valueChanged = Signal(int)
    filtered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = EventTable(self)
        self.table = _table(self.model)
        self.kinds, self.least, self.count = QComboBox(), QDoubleSpinBox(), QLabel()
        self.previous_button, self.next_button = QPushButton("Previous"), QPushButton("Next")
        self._chosen = -1
        self._silent = False
        self._dress()
        self._lay_out()
        self.kinds.currentIndexChanged.connect(self._filter)
        self.least.valueChanged.connect(self._filter)
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))
        self.table.selectionModel().selectionChanged.connect(self._tell)  # type: ignore[union-attr]
        self.model.modelReset.connect(self._mark_chosen)

    def value(self) -> int:
        """Return the row of the chosen event in the table that was given, -1 where none is."""
        return self._chosen

    def setValue(self, row: int) -> None:
        """Choose an event without telling listeners; -1 chooses none."""
        self._chosen = row
        self._mark_chosen()

    def setEvents(self, events: pd.DataFrame, counting: NDArray[np.bool_], interval_s: float | None) -> None:
        """List other events; filters and the chosen one stay where they still apply.

        Parameters
        ----------
        events : DataFrame
        counting : (N,) bool
            Which of them count.
        interval_s : float or None
            Seconds between frames.
        """
        self.model.set_events(events, counting, interval_s)
        self.table.setColumnHidden(TIME, not interval_s)
        weighed = self.model.has_probabilities()
        self.table.setColumnHidden(PROBABILITY, not weighed)
        self.least.setEnabled(weighed)
        self._show_kinds()
        self._tell_count()

    def step(self, by: int) -> None:
        """Choose the event `by` lines further down; at the ends of the list, stay."""
        line = self.model.line_of(self._chosen) + by if self._chosen >= 0 else 0
        if 0 <= line < self.model.rowCount():
            self.table.selectRow(line)

    def _dress(self) -> None:
        self.kinds.setToolTip("Which kind of event to list")
        self.least.setRange(0, 1)
        self.least.setSingleStep(0.05)
        self.least.setPrefix("p ≥ ")
        self.least.setToolTip("List events of at least this probability; those that a person set have none and stay.")
        self.least.setAccessibleName("Least probability")
        self.previous_button.setToolTip("Go to the event above this one in the list")
        self.next_button.setToolTip("Go to the event below this one in the list")

    def _lay_out(self) -> None:
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.kinds, stretch=1)
        above.addWidget(self.least)
        below.addWidget(self.count, stretch=1)
        below.addWidget(self.previous_button)
        below.addWidget(self.next_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(above)
        column.addWidget(self.table, stretch=1)
        column.addLayout(below)

    def _filter(self) -> None:
        self.model.show_only(Wanted(self.kinds.currentData() or "", self.least.value()))
        self._tell_count()
        self.filtered.emit()

    def _tell_count(self) -> None:
        listed, all_ = self.model.rowCount(), sum(self.model.kind_counts().values())
        self.count.setText(f"{listed:,} of {all_:,}" if listed < all_ else f"{all_:,} event{'' if all_ == 1 else 's'}")

    def _show_kinds(self) -> None:
        """Offer every kind that there is, with its number; what was chosen stays."""
        counts = self.model.kind_counts()
        chosen = self.kinds.currentData()
        self.kinds.blockSignals(True)
        self.kinds.clear()
        self.kinds.addItem(f"All kinds ({sum(counts.values()):,})", "")
        for kind, many in counts.items():
            self.kinds.addItem(f"{SIGNS[self.model.look(kind).symbol]} {kind} ({many:,})", kind)
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(chosen)))
        self.kinds.blockSignals(False)
        if self.kinds.currentData() != (chosen or ""):
            self._filter()

    def _mark_chosen(self) -> None:
        line = self.model.line_of(self._chosen)
        self._quietly(self.table.clearSelection if line < 0 else lambda: self.table.selectRow(line))

    def _quietly(self, change: Callable[[], None]) -> None:
        self._silent = True
        change()
        self._silent = False

    def _tell(self, selected: QItemSelection, _gone: QItemSelection) -> None:
        chosen = selected.indexes()
        if chosen and not self._silent:
            self._chosen = int(self.model.rows[chosen[0].row()])
            self.valueChanged.emit(self._chosen)


def _table(model: EventTable) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setSortingEnabled(True)
    table.sortByColumn(PROBABILITY, Qt.SortOrder.DescendingOrder)
    line_px = round(1.5 * table.fontMetrics().height())
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None and down is not None:
        for column, widest in ((FRAME, "Frame  ▾"), (TIME, "000:00:00"), (PROBABILITY, "Probability  ▾")):
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            across.resizeSection(column, table.fontMetrics().horizontalAdvance(widest) + 12)
        across.setSectionResizeMode(KIND, QHeaderView.ResizeMode.Stretch)
        across.setHighlightSections(False)
        down.hide()
        down.setDefaultSectionSize(line_px)
    table.setMinimumHeight(line_px * LINES_SHOWN)
    return table
