"""The tools of marking as large buttons: one of them is in the hand."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget


class Tool(StrEnum):
    """What a click and a drag on the movie do."""

    stamp = "stamp"
    brush = "brush"
    fill = "fill"
    erase = "erase"
    pan = "pan"


TITLES = {tool: tool.value.capitalize() for tool in Tool} | {Tool.pan: "Move"}
WHAT_IT_DOES = {
    Tool.stamp: "Click on a cell in its last frame before it changes; the next frame is marked too. Drag to paint.",
    Tool.brush: "Click or drag to paint this frame only.",
    Tool.fill: "Point at a cell to see its outline; click to mark it in this frame, then do so in the next.",
    Tool.erase: "Click or drag to wipe marks off this frame.",
    Tool.pan: "Drag to move the picture. A click on an event picks it.",
}


class ToolChoice(QWidget):
    """Five buttons in a row, of which one is down.

    Attributes
    ----------
    valueChanged : Signal(Tool)
        When the user picks a tool.
    """

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {tool: _button(tool) for tool in Tool}
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for tool, button in self.buttons.items():
            self._group.addButton(button)
            row.addWidget(button)
            button.clicked.connect(lambda _checked=False, tool=tool: self.valueChanged.emit(tool))
        self.setValue(Tool.stamp)

    def value(self) -> Tool:
        """Return the tool that is in the hand."""
        return next(tool for tool, button in self.buttons.items() if button.isChecked())

    def setValue(self, tool: Tool) -> None:
        """Show another tool as being in the hand; says nothing to listeners."""
        self.buttons[tool].setChecked(True)

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Tell in the tooltips which key picks each tool."""
        for tool, button in self.buttons.items():
            key = keys.get(tool.value, "")
            button.setToolTip(WHAT_IT_DOES[tool] + (f"  Key: {key}" if key else ""))


def _button(tool: Tool) -> QPushButton:
    button = QPushButton(TITLES[tool])
    button.setCheckable(True)
    button.setToolTip(WHAT_IT_DOES[tool])
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance(button.text()) + 12)
    button.setMinimumHeight(round(2.2 * button.fontMetrics().height()))
    return button
