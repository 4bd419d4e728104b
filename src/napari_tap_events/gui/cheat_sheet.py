"""The list of all keys of marking, in which a user can give deeds other keys."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.shortcuts import DEEDS, FIXED, clash_in, default_keys

WHERE = "Keys hold while the marks layer is active or this dock has the focus. Click on a key and press another to change it."


class CheatSheet(QDialog):
    """Shows and changes keys; accepted only where no key stands for two deeds."""

    def __init__(self, keys: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys for marking")
        self.edits = {deed.name: QKeySequenceEdit(QKeySequence(keys[deed.name])) for deed in DEEDS}
        self.ok_button, self.reset_button = QPushButton("OK"), QPushButton("Restore all")
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self._lay_out()
        for edit in self.edits.values():
            edit.keySequenceChanged.connect(self._check)
        self._check()

    def value(self) -> dict[str, str]:
        """Return the key of every deed, as Qt writes it."""
        return {name: _written(edit) for name, edit in self.edits.items()}

    def setValue(self, keys: Mapping[str, str]) -> None:
        """Show other keys."""
        for name, edit in self.edits.items():
            edit.setKeySequence(QKeySequence(keys[name]))

    def _lay_out(self) -> None:
        grid = QGridLayout()
        for row, deed in enumerate(DEEDS):
            edit = self.edits[deed.name]
            edit.setAccessibleName(deed.words)
            edit.setMaximumWidth(18 * edit.fontMetrics().averageCharWidth())
            grid.addWidget(edit, row, 0)
            grid.addWidget(QLabel(deed.words), row, 1)
        for row, (gesture, words) in enumerate(FIXED, start=len(DEEDS)):
            grid.addWidget(QLabel(f"<b>{gesture}</b>"), row, 0)
            grid.addWidget(QLabel(words), row, 1)
        grid.setColumnStretch(1, 1)
        inside, room, about = QWidget(), QScrollArea(), QLabel(WHERE)
        inside.setLayout(grid)
        room.setWidget(inside)
        room.setWidgetResizable(True)
        room.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        about.setWordWrap(True)
        column = QVBoxLayout(self)
        for widget in (about, room, self.trouble, self._buttons()):
            column.addWidget(widget)
        room.setMinimumWidth(inside.sizeHint().width() + 3 * self.fontMetrics().height())
        self.resize(self.sizeHint().width(), min(inside.sizeHint().height() + 140, 700))

    def _buttons(self) -> QDialogButtonBox:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for button, role in (
            (self.ok_button, QDialogButtonBox.ButtonRole.AcceptRole),
            (self.reset_button, QDialogButtonBox.ButtonRole.ResetRole),
        ):
            buttons.addButton(button, role)
        self.reset_button.clicked.connect(lambda: self.setValue(default_keys()))
        return buttons

    def _check(self) -> None:
        trouble = clash_in(self.value())
        self.trouble.setText(trouble[:1].upper() + trouble[1:])
        self.trouble.setVisible(bool(trouble))
        self.ok_button.setEnabled(not trouble)


def _written(edit: QKeySequenceEdit) -> str:
    """Return the first key of what was pressed: Qt would take up to four, one after the other."""
    return str(edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)).split(", ")[0]
