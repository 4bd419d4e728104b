"""The keys of a review: they hold on its panel and on the picture, while the step is open, and never where text is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QAbstractButton, QApplication, QMainWindow, QOpenGLWidget, QWidget

ONCE = ("F", "J", "Space", "Z", "G", "T")
"""Held down, these act once: a key that sticks must not answer ten cards."""


class ReviewKeys(QObject):
    """Shortcuts on a panel, and on the canvas of the window that it lies in.

    Parameters
    ----------
    panel : QWidget
    card : QWidget
        Inside of the panel; on a button elsewhere in the panel, Space presses it as everywhere.
    deeds : mapping of str to callable
        What keys do, as Qt writes them.
    """

    def __init__(self, panel: QWidget, card: QWidget, deeds: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(panel)
        self._panel, self._card, self._deeds = panel, card, deeds
        self._on_canvas: list[QShortcut] = []
        self._on_panel = self._bind(panel, Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def hold(self) -> None:
        """Let the keys hold on the canvas, too."""
        self.rest()
        window = self._panel.window()
        if isinstance(window, QMainWindow):
            for canvas in window.findChildren(QOpenGLWidget):
                self._on_canvas += self._bind(canvas, Qt.ShortcutContext.WidgetShortcut)

    def close(self) -> None:
        """Let no key hold any more."""
        self.rest()
        _remove(self._on_panel)
        self._on_panel = []

    def rest(self) -> None:
        """Leave the canvas to napari's own keys."""
        _remove(self._on_canvas)
        self._on_canvas = []

    def _bind(self, widget: QWidget, context: Qt.ShortcutContext) -> list[QShortcut]:
        shortcuts = []
        for key, deed in self._deeds.items():
            shortcut = QShortcut(QKeySequence(key), widget)
            shortcut.setContext(context)
            shortcut.setAutoRepeat(key not in ONCE)
            shortcut.activated.connect(self._pressing(deed) if key == "Space" else deed)
            shortcuts.append(shortcut)
        return shortcuts

    def _pressing(self, deed: Callable[[], object]) -> Callable[[], object]:
        def pressed() -> None:
            focus = QApplication.focusWidget()
            if isinstance(focus, QAbstractButton) and not self._card.isAncestorOf(focus):
                focus.click()
            else:
                deed()

        return pressed


def _remove(shortcuts: list[QShortcut]) -> None:
    for shortcut in shortcuts:
        shortcut.setEnabled(False)
        shortcut.setParent(None)
        shortcut.deleteLater()
