"""The lines of the list of marks: what each says, in which order, and which of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from napari_tap_events.gui.colours import SIGNS, KindLook

COLUMNS = ("Frame", "Time", "Kind", "y, x")
FRAME, TIME, KIND, PLACE = range(len(COLUMNS))
ABOUT = (
    "The frame in which the event begins, counted from 0.",
    "Hours:minutes:seconds from the first frame.",
    "What was marked.",
    "Where, in pixels from the upper left corner.",
)
EVERYTHING = "all"
ONE_FRAME = "½"
ONE_FRAME_MEANS = "It is marked in one frame only: mark the cells in the frame before or after as well."
NO_INDEX = QModelIndex()


@dataclass(frozen=True, eq=False)
class ListedMark:
    """One line of the list.

    Attributes
    ----------
    t : int
        First frame.
    y, x : float
        Pixels.
    what : str
        Its kind, or what a point means.
    look : KindLook
    source : object
        The mark itself.
    note : str
        What is the matter with it; empty where it is complete.
    """

    t: int
    y: float
    x: float
    what: str
    look: KindLook
    source: Any
    note: str = ""

    def same_place(self, other: ListedMark) -> bool:
        """Say whether two lines tell of the same mark."""
        return (self.t, self.y, self.x, self.what) == (other.t, other.y, other.x, other.what)


def clock(t: int, interval_s: float | None) -> str:
    """Return the time of a frame as hours:minutes:seconds; empty where it is unknown."""
    if not interval_s:
        return ""
    seconds = round(t * interval_s)
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


@cache
def sign_icon(look: KindLook, size_px: int = 64) -> QIcon:
    """Return the sign of a kind in its colour."""
    picture = QPixmap(size_px, size_px)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    font = painter.font()
    font.setPixelSize(size_px)
    painter.setFont(font)
    painter.setPen(QColor(look.colour))
    painter.drawText(picture.rect(), Qt.AlignmentFlag.AlignCenter, SIGNS[look.symbol])
    painter.end()
    return QIcon(picture)


class MarkTable(QAbstractTableModel):
    """The lines as Qt wants them; sorts and filters by itself, which for thousands of lines is faster than Qt's proxies."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[ListedMark] = []
        self._marks: Sequence[ListedMark] = ()
        self._only = EVERYTHING
        self._by, self._falling = FRAME, False
        self.interval_s: float | None = None

    def set_marks(self, marks: Sequence[ListedMark]) -> None:
        """Show other marks, in the order and choice of before."""
        self._marks = marks
        self._arrange()

    def show_only(self, what: str) -> None:
        """Show one kind alone, or `EVERYTHING`."""
        self._only = what
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; marks that are alike there stay in the order of time."""
        self._by, self._falling = column, order == Qt.SortOrder.DescendingOrder
        self._arrange()

    def row_of(self, mark: ListedMark) -> int:
        """Return the line of a mark, -1 where it is not shown."""
        return next((row for row, line in enumerate(self.lines) if line.t == mark.t and line.same_place(mark)), -1)

    def _arrange(self) -> None:
        self.beginResetModel()
        chosen = [mark for mark in self._marks if self._only in (EVERYTHING, mark.what)]
        chosen.sort(key=lambda mark: (mark.t, mark.y, mark.x))
        if self._by == KIND:
            chosen.sort(key=lambda mark: mark.what, reverse=self._falling)
        elif self._by == PLACE:
            chosen.sort(key=lambda mark: (mark.y, mark.x), reverse=self._falling)
        elif self._falling:
            chosen.sort(key=lambda mark: mark.t, reverse=True)
        self.lines = chosen
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Return the number of lines."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the name of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{ABOUT[section]} Click to sort."
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what one cell shows."""
        line, column = self.lines[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(line, column)
        if role == Qt.ItemDataRole.DecorationRole and column == KIND:
            return sign_icon(line.look)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{line.what}. {line.note and ONE_FRAME_MEANS}".strip()
        if role == Qt.ItemDataRole.TextAlignmentRole and column != KIND:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, line: ListedMark, column: int) -> str:
        if column == KIND:
            return f"{line.what} {line.note}".strip()
        if column == PLACE:
            return f"{line.y:.0f}, {line.x:.0f}"
        return str(line.t) if column == FRAME else clock(line.t, self.interval_s)
