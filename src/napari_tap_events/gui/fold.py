"""Something that is shown or folded away behind its title."""

from __future__ import annotations

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

LOOK = "QPushButton { text-align: left; border: none; background: transparent; padding: 3px; } QPushButton:focus { font-weight: bold; }"
"""A line to click on, not a button that stays pressed; which one has the focus must be seen."""


class Fold(QWidget):
    """A title; below it, its content or nothing.

    Parameters
    ----------
    title : str
    content : QWidget
    unfolded : bool
        Whether it is unfolded at first.
    """

    def __init__(self, title: str, content: QWidget, unfolded: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content = content
        self._title = title
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setStyleSheet(LOOK)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.button)
        column.addWidget(content)
        self.button.toggled.connect(self._show)
        self.button.setChecked(unfolded)
        self._show(unfolded)

    def value(self) -> bool:
        """Return whether it is unfolded."""
        return bool(self.button.isChecked())

    def setValue(self, unfolded: bool) -> None:
        """Unfold it, or fold it away."""
        self.button.setChecked(unfolded)

    def _show(self, unfolded: bool) -> None:
        self.button.setText(f"{'▾' if unfolded else '▸'} {self._title}")
        self.content.setVisible(unfolded)
