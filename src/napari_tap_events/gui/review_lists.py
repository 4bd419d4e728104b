"""Two lists of the review: the last answers, which can be changed, and the heads that they have taught, to go back to any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.gui.draft import Said
from napari_tap_events.project.verdicts import Verdict
from napari_tap_events.review.gate import HeadHistory, HeadRecord

SIGNS = {"yes": "✓", "no": "✕", "unsure": "?"}
LINES = 5


class AnswerList(QListWidget):
    """The last answers, the newest first.

    Attributes
    ----------
    chosen : Signal(object)
        The answer that is to be changed.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip("A click lays the card on the table again; a new answer takes the place of the old one.")
        self.setAccessibleName("The last ten answers")
        self.itemClicked.connect(self._tell)
        self.itemActivated.connect(self._tell)
        self.setFixedHeight(2 * LINES * (self.fontMetrics().height() + 1))

    def setValue(self, answers: Sequence[Said]) -> None:
        """Show these answers."""
        self.clear()
        for said in answers:
            item = QListWidgetItem(answer_words(said))
            item.setData(Qt.ItemDataRole.UserRole, said)
            self.addItem(item)

    def _tell(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


def answer_words(said: Said) -> str:
    """Return an answer in one line."""
    if isinstance(said, Verdict):
        what = f"yes, {said.kind}" if said.answer == "yes" else said.answer
        tags = f" ({', '.join(said.tags)})" if said.tags else ""
        return f"{SIGNS[said.answer]} {what}, frame {said.t}, y {said.y:.0f}, x {said.x:.0f}{tags}"
    if said.unsure:
        return f"? window {said.window}: unsure"
    count = len(said.seen)
    return f"▣ window {said.window}: {count or 'no'} event{'' if count == 1 else 's'}"


class HeadList(QWidget):
    """The heads of a movie's review, the newest first, and a button that puts an earlier one in use again.

    Attributes
    ----------
    back_wanted : Signal(str)
        Folder of the head to go back to.
    """

    back_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list, self.words = QListWidget(), QLabel()
        self.button = QPushButton("Go back to this head")
        self.button.setToolTip("Use the chosen head again; the answers stay, the next head learns from all of them.")
        self.words.setWordWrap(True)
        self.list.setFixedHeight(LINES * (self.list.fontMetrics().height() + 6))
        self.list.setAccessibleName("Heads that the answers have taught")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.list, self.words, self.button):
            column.addWidget(widget)
        self.list.currentRowChanged.connect(self._explain)
        self.button.clicked.connect(self._go_back)
        self._in_use = ""
        self.setValue(HeadHistory())

    def setValue(self, history: HeadHistory) -> None:
        """Show a history."""
        self._in_use = history.in_use
        self.list.clear()
        for number, head in reversed(list(enumerate(history.heads, 1))):
            item = QListWidgetItem(_head_words(number, head, head.folder == history.in_use))
            item.setData(Qt.ItemDataRole.UserRole, head)
            self.list.addItem(item)
        self._explain()

    def _explain(self, _row: int = -1) -> None:
        head = self._chosen()
        self.words.setText(head.words if head is not None else "No head yet: some answers come first.")
        self.button.setEnabled(head is not None and head.folder != self._in_use)

    def _chosen(self) -> HeadRecord | None:
        item = self.list.currentItem() or self.list.item(0)
        head: HeadRecord | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return head

    def _go_back(self) -> None:
        head = self._chosen()
        if head is not None:
            self.back_wanted.emit(head.folder)


def _head_words(number: int, head: HeadRecord, in_use: bool) -> str:
    if head.elsewhere:
        what = f"put right by {head.answers} answers" if head.answers else f"{Path(head.folder).name}, from elsewhere"
        return f"{number}. {what}" + (", in use" if in_use else "")
    score = "not compared yet" if head.ap is None else f"AP {head.ap:.2f}"
    became = "in use" if in_use else "" if head.accepted else "worse, not taken"
    return ", ".join(part for part in (f"{number}. {head.answers} answers", score, became) if part)
