"""The lines of the list of events: what each says, in which order, and which of them are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from napari_tap_events.gui.colours import KindLook, looks_of
from napari_tap_events.gui.mark_table import clock, sign_icon

COLUMNS = ("Frame", "Time", "Kind", "Probability")
FRAME, TIME, KIND, PROBABILITY = range(len(COLUMNS))
ABOUT = (
    "The first frame of the two between which it happens, counted from 0.",
    "Hours:minutes:seconds from the first frame.",
    "The kind of event.",
    "How probable it is that this is an event, 0 to 1.",
)
NO_INDEX = QModelIndex()
NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Wanted:
    """Which events to list.

    Attributes
    ----------
    kind : str
        One kind alone; empty for all.
    least : float
        Least probability, 0..1; events without one, which a person set, are always listed.
    """

    kind: str = ""
    least: float = 0.0


class EventTable(QAbstractTableModel):
    """Events as Qt wants them; sorts and filters by itself, in numpy: Qt's proxies ask Python about every pair of lines.

    Attributes
    ----------
    rows : (N,) int64
        Which rows of the events are listed, in the order of the lines.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.events = pd.DataFrame()
        self.interval_s: float | None = None
        self.rows: NDArray[np.int64] = np.arange(0)
        self._t = self._p = np.zeros(0)
        self._kinds: NDArray[Any] = np.zeros(0, dtype=str)
        self._looks: dict[str, KindLook] = {}
        self._counting: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._wanted = Wanted()
        self._by, self._falling = PROBABILITY, True

    def set_events(self, events: pd.DataFrame, counting: NDArray[np.bool_], interval_s: float | None) -> None:
        """List other events, in the order and choice of before.

        Parameters
        ----------
        events : DataFrame
            With t and kind, and usually probability, id, y, x, source, status.
        counting : (N,) bool
            Which of them count; others are not listed whatever is wanted.
        interval_s : float or None
        """
        told = events.reindex(columns=["t", "kind", "probability"])
        self.events, self.interval_s, self._counting = events, interval_s, counting
        self._t = told["t"].to_numpy(dtype=np.float64)
        self._p = told["probability"].to_numpy(dtype=np.float64)
        self._kinds = told["kind"].astype(str).to_numpy(dtype=str)
        self._looks = looks_of(set(self._kinds.tolist()))
        self._arrange()

    def show_only(self, wanted: Wanted) -> None:
        """List what is wanted."""
        self._wanted = wanted
        self._arrange()

    def kind_counts(self) -> dict[str, int]:
        """Return how many events of each kind count."""
        names, counts = np.unique(self._kinds[self._counting], return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))

    def look(self, kind: str) -> KindLook:
        """Return the look of a kind that is there."""
        return self._looks[kind]

    def has_probabilities(self) -> bool:
        """Say whether any event has a probability."""
        return bool(np.isfinite(self._p).any())

    def listed(self) -> pd.DataFrame:
        """Return the events that are listed, in the order in which they were given."""
        return self.events.iloc[np.sort(self.rows)]

    def line_of(self, row: int) -> int:
        """Return the line in which a row of the events is listed, -1 where it is not."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if found.size else -1

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; events that are alike there stay in the order of time."""
        self._by, self._falling = column, order == Qt.SortOrder.DescendingOrder
        self._arrange()

    def rowCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Return the number of lines."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what stands above a column."""
        if orientation == Qt.Orientation.Horizontal and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else f"{ABOUT[section]} Click to sort."
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks of a cell."""
        row, column = int(self.rows[index.row()]), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == KIND:
            return sign_icon(self._looks[self._kinds[row]])
        if role == Qt.ItemDataRole.TextAlignmentRole and column != KIND:
            return NUMBERS
        return self._all_of_it(row) if role == Qt.ItemDataRole.ToolTipRole else None

    def _text(self, row: int, column: int) -> str:
        if column == FRAME:
            return f"{self._t[row]:.0f}"
        if column == TIME:
            return clock(int(self._t[row]), self.interval_s)
        if column == KIND:
            return str(self._kinds[row])
        return "" if np.isnan(self._p[row]) else f"{self._p[row]:.2f}"

    def _all_of_it(self, row: int) -> str:
        """Return all that is known of an event, as a sentence."""
        event = self.events.iloc[row].to_dict()
        where = f" at row {event['y']:.1f}, column {event['x']:.1f}" if {"y", "x"} <= event.keys() else ""
        source = f", found by {event['source']}" if event.get("source") else ""
        status = f"; {event['status']}" if event.get("status") else ""
        return f"{event.get('kind', 'event')} {event.get('id', row)}{where}{source}{status}"

    def _arrange(self) -> None:
        self.beginResetModel()
        chosen = self._counting & ~(self._p < self._wanted.least)
        if self._wanted.kind:
            chosen &= self._kinds == self._wanted.kind
        rows = np.flatnonzero(chosen)
        key = {FRAME: self._t, TIME: self._t, KIND: _ranks(self._kinds), PROBABILITY: self._p}[self._by][rows]
        # what has no number stays at the end in either order
        key = np.nan_to_num(-key if self._falling else key, nan=np.inf)
        self.rows = rows[np.lexsort((self._t[rows], key))].astype(np.int64)
        self.endResetModel()


def _ranks(texts: NDArray[Any]) -> NDArray[np.float64]:
    """Return the place of each text in alphabetical order."""
    return np.unique(texts, return_inverse=True)[1].astype(np.float64)
