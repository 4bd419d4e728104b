"""The list of marks: sorted by any column, filtered by kind; choosing a line goes there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QItemSelection, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.colours import SIGNS
from napari_tap_events.gui.mark_table import EVERYTHING, FRAME, KIND, PLACE, TIME, ListedMark, MarkTable

LINES_SHOWN = 4


class EventList(QWidget):
    """The marks of a movie with a filter, and buttons to go from one to the next.

    Attributes
    ----------
    valueChanged : Signal(object)
        The source of the line that the user chose.
    """

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = MarkTable(self)
        self.table = _table(self.model)
        self.filter = QComboBox()
        self.filter.setToolTip("Which marks to list")
        self.previous_button, self.next_button = QPushButton("Previous"), QPushButton("Next")
        self._chosen: ListedMark | None = None
        self._silent = False
        self._lay_out()
        self.filter.currentIndexChanged.connect(self._filter)
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))
        self.table.selectionModel().selectionChanged.connect(self._tell)  # type: ignore[union-attr]
        self.setMarks((), None)

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.addWidget(self.filter, stretch=1)
        above.addWidget(self.previous_button)
        above.addWidget(self.next_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(above)
        column.addWidget(self.table, stretch=1)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the chosen line in sight when the table gets more or less room."""
        super().resizeEvent(event)
        self._show_chosen()

    def value(self) -> Any:
        """Return the chosen mark, None where no line is chosen."""
        return self._chosen.source if self._chosen else None

    def setMarks(self, marks: Sequence[ListedMark], interval_s: float | None) -> None:
        """List other marks; the chosen one stays chosen where it is still there."""
        self.model.interval_s = interval_s
        self.table.setColumnHidden(TIME, not interval_s)
        self._keep_choice(lambda: self.model.set_marks(marks))
        self._show_filters(marks)

    def setValue(self, source: Any) -> None:
        """Choose the line of a mark without telling listeners; None chooses no line."""
        row = next((row for row, line in enumerate(self.model.lines) if line.source is source), -1)
        self._choose(row)

    def step(self, by: int, frame: int = 0) -> None:
        """Choose the line `by` further down; where none is chosen, the first at or after a frame, or the last before it."""
        rows = len(self.model.lines)
        if not rows:
            return
        now = self.model.row_of(self._chosen) if self._chosen else -1
        if now < 0:
            now = _row_before(self.model.lines, frame) + (by < 0)
        self.table.selectRow(min(max(now + by, 0), rows - 1))

    def _choose(self, row: int) -> None:
        self._silent = True
        if row < 0:
            self.table.clearSelection()
        else:
            self.table.selectRow(row)
        self._silent = False
        self._chosen = self.model.lines[row] if row >= 0 else None
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self.model.row_of(self._chosen) if self._chosen else -1
        if row >= 0:
            self.table.scrollTo(self.model.index(row, 0))

    def _keep_choice(self, change: Callable[[], None]) -> None:
        chosen = self._chosen
        change()
        self._choose(self.model.row_of(chosen) if chosen else -1)

    def _tell(self, selected: QItemSelection, _gone: QItemSelection) -> None:
        rows = selected.indexes()
        if rows and not self._silent:
            self._chosen = self.model.lines[rows[0].row()]
            self.valueChanged.emit(self._chosen.source)

    def _filter(self) -> None:
        self._keep_choice(lambda: self.model.show_only(self.filter.currentData()))

    def _show_filters(self, marks: Sequence[ListedMark]) -> None:
        """Offer every kind that is marked, with its number; what was chosen stays."""
        counts = Counter((mark.what, SIGNS[mark.look.symbol]) for mark in marks)
        offered = [(f"All marks ({len(marks)})", EVERYTHING)]
        offered += [(f"{sign} {what} ({n})", what) for (what, sign), n in sorted(counts.items())]
        chosen = self.filter.currentData()
        self.filter.blockSignals(True)
        self.filter.clear()
        for text, what in offered:
            self.filter.addItem(text, what)
        self.filter.setCurrentIndex(max(0, self.filter.findData(chosen)))
        self.filter.blockSignals(False)
        if self.filter.currentData() != (chosen or EVERYTHING):
            self._filter()


def _row_before(lines: Sequence[ListedMark], frame: int) -> int:
    """Return the last line before a frame, -1 where there is none."""
    return max((row for row, line in enumerate(lines) if line.t < frame), default=-1)


def _table(model: MarkTable) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setTabKeyNavigation(False)  # Tab leaves the list, arrows go through it
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setWordWrap(False)
    table.setSortingEnabled(True)
    table.sortByColumn(FRAME, Qt.SortOrder.AscendingOrder)
    line_px = round(1.5 * table.fontMetrics().height())
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None and down is not None:
        for column, widest in ((FRAME, "Frame    "), (TIME, "00:00:00"), (PLACE, "0000, 0000")):
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            across.resizeSection(column, table.fontMetrics().horizontalAdvance(widest) + 10)
        across.setSectionResizeMode(KIND, QHeaderView.ResizeMode.Stretch)
        across.setHighlightSections(False)
        down.hide()
        down.setDefaultSectionSize(line_px)
    table.setMinimumHeight(line_px * LINES_SHOWN)
    # a table asks for more room than it needs; a panel that scrolls would give it, and scroll without need
    table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    return table
