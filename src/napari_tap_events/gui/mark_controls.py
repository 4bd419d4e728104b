"""All that lies on the Mark panel, from top to bottom; who listens to it is another matter."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_tap_events.gui.event_list import EventList
from napari_tap_events.gui.kind_choice import KindChoice
from napari_tap_events.gui.radius_field import RadiusField
from napari_tap_events.gui.scope_tool import PURPOSE, ScopeTool
from napari_tap_events.gui.timeline import Timeline
from napari_tap_events.gui.tool_choice import WHAT_IT_DOES, Tool, ToolChoice

HINT_LINES = 3
"""Room for the longest hint at the least width: what lies below must not jump when the tool changes."""
SAID_MS = 5000
RIGHT_CLICK = 'Right click notes "nothing here".'


class MarkControls(QWidget):
    """Tools, kinds, undo, files, timeline, scope and list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools, self.hint, self.radius, self.kinds = ToolChoice(), _sentence(), RadiusField(), KindChoice()
        self.undo_button, self.redo_button = QPushButton("Undo"), QPushButton("Redo")
        self.keys_button, self.files_button = QPushButton("Keys"), QPushButton("Files")
        self.timeline, self.scope, self.list = Timeline(), ScopeTool(), EventList()
        self.files_menu = QMenu(self.files_button)
        self.scope_button = QToolButton()
        self._saying = QTimer(self)
        self._saying.setSingleShot(True)
        self._saying.setInterval(SAID_MS)
        self._saying.timeout.connect(self._explain_again)
        self.hint.setMinimumHeight(HINT_LINES * self.hint.fontMetrics().lineSpacing())
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._dress()
        self._lay_out()
        self.explain(Tool.stamp)

    def explain(self, tool: Tool) -> None:
        """Say what a click does now."""
        self._saying.stop()
        self._keep_room()
        self.hint.setText(f"{WHAT_IT_DOES[tool]} {RIGHT_CLICK}")

    def say(self, words: str) -> None:
        """Say what has just happened, or why not; after a while the hint comes back."""
        self._keep_room()
        self.hint.setText(f"<b>{escape(words)}</b>")
        self._saying.start()

    def fall_silent(self) -> None:
        """Wait for nothing any more; the controls are about to go."""
        self._saying.stop()

    def show_history(self, undo_words: str, redo_words: str) -> None:
        """Offer to undo and redo, and say what."""
        for button, verb, words in ((self.undo_button, "Undo", undo_words), (self.redo_button, "Do again", redo_words)):
            button.setEnabled(bool(words))
            button.setToolTip(f"{verb}: {words}" if words else f"{verb}: there is nothing")

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Tell in tooltips which keys do the same."""
        self.tools.show_keys(keys)
        self.radius.setToolTip(f"Keys: {keys['smaller']} and {keys['larger']}")
        self.list.previous_button.setToolTip(f"The mark before this one.  Key: {keys['previous']}")
        self.list.next_button.setToolTip(f"The mark after this one.  Key: {keys['next']}")
        self.keys_button.setToolTip(f"All keys for marking.  Key: {keys['help']}")

    def _keep_room(self) -> None:
        """Stay as high as the sentence that goes: napari's letters are higher than those that were measured at first."""
        if self.hint.isVisible():
            self.hint.setMinimumHeight(max(self.hint.minimumHeight(), self.hint.heightForWidth(self.hint.width())))

    def _explain_again(self) -> None:
        self.explain(self.tools.value())

    def _dress(self) -> None:
        self.files_button.setToolTip("Import and export masks and events")
        self.files_button.setMenu(self.files_menu)
        self.scope_button.setText("What I have looked at")
        self.scope_button.setToolTip(PURPOSE)
        self.scope_button.setCheckable(True)
        self.scope_button.setAutoRaise(True)
        self.scope_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.scope_button.toggled.connect(self._unfold)
        self._unfold(False)

    def _unfold(self, open_: bool) -> None:
        self.scope.setVisible(open_)
        self.scope_button.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.undo_button, self.redo_button, self.keys_button, self.files_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        above: tuple[QWidget, ...] = (self.tools, self.hint, self.radius, self.kinds)
        below: tuple[QWidget, ...] = (self.timeline, self.scope_button, self.scope)
        for widget in above:
            column.addWidget(widget)
        column.addLayout(buttons)
        for widget in below:
            column.addWidget(widget)
        column.addWidget(self.list, stretch=1)


def _sentence() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
