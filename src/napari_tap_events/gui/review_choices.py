"""Small choices on a card: the kind of event, and reasons for an answer, each a button with its key."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_tap_events.gui.colours import SIGNS, KindLook
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.verdicts import TAGS


class KindChips(QWidget):
    """The kinds under each other, one is down.

    Attributes
    ----------
    valueChanged : Signal(str)
        The name of the kind that the person chose.
    """

    valueChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        self._column = _column(self)

    def offer(self, kinds: Sequence[Kind], looks: dict[int, KindLook]) -> None:
        """Offer these kinds."""
        for button in self.buttons.values():
            self._column.removeWidget(button)
            button.setParent(None)
            button.deleteLater()
        self.buttons = {}
        for kind in kinds:
            button = _chip(f"{SIGNS[looks[kind.value].symbol]} {kind.name}  {kind.key}".strip())
            button.setToolTip(f"It is a {kind.name}." + (f"  Key: {kind.key}" if kind.key else ""))
            button.clicked.connect(lambda _checked=False, name=kind.name: self.valueChanged.emit(name))
            self._column.addWidget(button)
            self.buttons[kind.name] = button

    def value(self) -> str:
        """Return the kind that is down, "" for none."""
        return next((name for name, button in self.buttons.items() if button.isChecked()), "")

    def setValue(self, name: str) -> None:
        """Put one kind down."""
        for other, button in self.buttons.items():
            button.setChecked(other == name)


class TagChips(QWidget):
    """Reasons under each other, any number is down.

    Attributes
    ----------
    valueChanged : Signal(object)
        The tuple of reasons that the person gave.
    """

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {tag: _chip(tag) for tag in TAGS}
        column = _column(self)
        for tag, button in self.buttons.items():
            button.setToolTip(f"Keep as a reason with the answer: {tag}.  Key: T, the next one each time")
            button.clicked.connect(lambda _checked=False: self.valueChanged.emit(self.value()))
            column.addWidget(button)

    def value(self) -> tuple[str, ...]:
        """Return the reasons that are down."""
        return tuple(tag for tag, button in self.buttons.items() if button.isChecked())

    def setValue(self, tags: Sequence[str]) -> None:
        """Put these reasons down."""
        for tag, button in self.buttons.items():
            button.setChecked(tag in tags)


def _chip(words: str) -> QPushButton:
    button = QPushButton(words)
    button.setCheckable(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setStyleSheet("QPushButton { padding: 2px 4px; text-align: left; }")
    return button


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(1)
    return column
