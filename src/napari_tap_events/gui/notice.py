"""Sentences that are there only while there is something to say; one has a button that puts it right."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QWidget


class Notice(QWidget):
    """Is not there while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label, self.button = QLabel(), QPushButton()
        self.label.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, stretch=1)
        row.addWidget(self.button)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(lambda: bring_into_sight(self))
        self.say("")

    def say(self, words: str, button: str = "") -> None:
        """Show a sentence, and a button where there is a word for it."""
        self.label.setText(words)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self.setVisible(bool(words))
        if words:
            self._soon.start()  # it has no place yet


def bring_into_sight(widget: QWidget) -> None:
    """Scroll to a widget, where it stands in a panel that scrolls."""
    room = widget.parentWidget()
    while room is not None and not isinstance(room, QScrollArea):
        room = room.parentWidget()
    if room is not None:
        room.ensureWidgetVisible(widget)


class Words(QLabel):
    """A sentence that takes no room while it is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setText("")

    def setText(self, words: str | None) -> None:
        """Say something, or nothing."""
        super().setText(words)
        self.setVisible(bool(words))
