"""The kinds of event as buttons, each with its colour, sign, key and number of marks: the one that is down is being marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.errors import ProjectError
from napari_tap_events.gui.colours import SIGNS, KindLook, looks_of_values
from napari_tap_events.project.kinds import Kind, checked_kinds, with_kind


class KindButton(QPushButton):
    """One kind: key and sign on the left, the number of its marks on the right."""

    def __init__(self, kind: Kind, look: KindLook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.setCheckable(True)
        self.setToolTip(f"Mark {kind.name}" + (f"  Key: {kind.key}" if kind.key else ""))
        self.key, self.name, self.count = QLabel(kind.key), QLabel(), QLabel("0")
        self.name.setTextFormat(Qt.TextFormat.RichText)
        self.name.setText(f'<span style="color:{look.colour}">{SIGNS[look.symbol]}</span>&nbsp; {escape(kind.name)}')
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        for label, stretch in ((self.key, 0), (self.name, 1), (self.count, 0)):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row.addWidget(label, stretch)
        self.setMinimumHeight(row.sizeHint().height() + 4)
        self.show_count(0)

    def show_count(self, n: int) -> None:
        """Show how many events of this kind are marked."""
        self.count.setText(str(n))
        self.setAccessibleName(f"{self.kind.name}, {n} marked")


class KindChoice(QWidget):
    """The kinds under each other; more can be added, and the chosen one renamed or removed.

    Attributes
    ----------
    valueChanged : Signal(Kind)
        When the user chooses a kind.
    kinds_wanted : Signal(tuple)
        When the user wants other kinds: all of them, as they shall be.
    """

    valueChanged = Signal(object)
    kinds_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[int, KindButton] = {}
        self._kinds: tuple[Kind, ...] = ()
        self._group = QButtonGroup(self)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.add_button, self.edit_button = QPushButton("Add kind..."), QPushButton("Change")
        self.add_button.setToolTip("Mark something else as well: a new kind of event, with a colour and a key of its own")
        self.edit_button.setToolTip("Rename or remove the kind that is chosen")
        self.edit_button.setMenu(self._edit_menu())
        below = QHBoxLayout()
        for button in (self.add_button, self.edit_button):
            below.addWidget(button, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._rows)
        column.addLayout(below)
        self.add_button.clicked.connect(self._add)

    def value(self) -> Kind:
        """Return the kind that is being marked."""
        return next(button.kind for button in self.buttons.values() if button.isChecked())

    def setValue(self, kind: Kind) -> None:
        """Show another kind as being marked; says nothing to listeners."""
        if kind.value in self.buttons:
            self.buttons[kind.value].setChecked(True)

    def set_kinds(self, kinds: Sequence[Kind]) -> None:
        """Offer other kinds; the chosen one stays chosen where it is among them."""
        if tuple(kinds) == self._kinds:
            return
        chosen = next((value for value, button in self.buttons.items() if button.isChecked()), kinds[0].value)
        self._kinds = tuple(kinds)
        for button in self.buttons.values():
            self._group.removeButton(button)
            self._rows.removeWidget(button)
            button.deleteLater()
        looks = looks_of_values({kind.value: kind.name for kind in kinds})
        self.buttons = {kind.value: KindButton(kind, looks[kind.value]) for kind in kinds}
        for button in self.buttons.values():
            self._group.addButton(button)
            self._rows.addWidget(button)
            button.clicked.connect(lambda _checked=False, kind=button.kind: self.valueChanged.emit(kind))
        self.buttons.get(chosen, self.buttons[kinds[0].value]).setChecked(True)

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Show how many events of each kind are marked."""
        for button in self.buttons.values():
            button.show_count(counts.get(button.kind.name, 0))

    def _edit_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Rename...", self._rename)
        self.remove_action = QAction("Remove", menu)
        self.remove_action.triggered.connect(self._remove)
        menu.addAction(self.remove_action)
        menu.aboutToShow.connect(self._allow_removal)
        return menu

    def _allow_removal(self) -> None:
        """Let a kind be removed only while nothing is marked as one: its marks would have no name."""
        marked = self.buttons[self.value().value].count.text() != "0"
        self.remove_action.setEnabled(len(self._kinds) > 1 and not marked)
        self.remove_action.setText("Remove (delete its marks first)" if marked else "Remove")

    def _add(self) -> None:
        name = self._ask("What is the new kind of event called?")
        if name:
            self._want(lambda: with_kind(self._kinds, name))

    def _rename(self) -> None:
        chosen = self.value()
        name = self._ask(f"What shall '{chosen.name}' be called?", chosen.name)
        if name:
            renamed = [Kind(name, kind.value, kind.key) if kind == chosen else kind for kind in self._kinds]
            self._want(lambda: checked_kinds(renamed))

    def _remove(self) -> None:
        self.kinds_wanted.emit(tuple(kind for kind in self._kinds if kind != self.value()))

    def _ask(self, question: str, name: str = "") -> str:
        answer, agreed = QInputDialog.getText(self, "Kind of event", question, text=name)
        return answer.strip() if agreed else ""

    def _want(self, kinds: Callable[[], tuple[Kind, ...]]) -> None:
        try:
            self.kinds_wanted.emit(kinds())
        except ProjectError as error:
            show_error(str(error))
