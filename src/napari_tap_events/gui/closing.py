"""What happens to running jobs when napari closes: the person is asked, and jobs that go on are found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from napari_tap_events.gui.recipe_panel import RecipePanel

KEEP, STOP, STAY = "Keep running", "Stop", "Cancel"
QUESTION = "{jobs} still running in the background. Keep running after napari has closed?"
HINT = "What keeps running is found again when its project is opened. What is stopped can be resumed."
GOING_ON = "{jobs} still running in the background, and found again when the project is opened."


def going_on(names: Sequence[str]) -> str:
    """Say of the jobs of these names that they go on, where nobody can be asked any more."""
    return GOING_ON.format(jobs=_they_are(names))


class ClosingGuard(QObject):
    """Watches the window that a widget lies in; when it is to close while jobs run, asks what to do with them.

    Parameters
    ----------
    inside : QWidget
        A widget of the window.
    recipes : callable
        Returns the panels whose jobs are asked about.

    Attributes
    ----------
    closing : Signal
        The window is about to close, for sure.
    """

    closing = Signal()

    def __init__(self, inside: QWidget, recipes: Callable[[], Sequence[RecipePanel]]) -> None:
        super().__init__(inside)
        self._inside, self._recipes = inside, recipes
        self._window: QWidget | None = None

    def watch(self) -> None:
        """Watch the window that the widget lies in now; a dock may have moved."""
        window = self._inside.window()
        if window is None or window is self._window or window is self._inside:
            return
        self.leave()
        self._window = window
        window.installEventFilter(self)

    def leave(self) -> None:
        """Watch no longer."""
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hold the window open where the person wants to stay."""
        if event is None or event.type() != QEvent.Type.Close or watched is not self._window:
            return False
        if not self._may_close():
            event.ignore()
            return True
        self.closing.emit()
        return False

    def _may_close(self) -> bool:
        running = [recipe for recipe in self._recipes() if recipe.running()]
        if not running:
            return True
        answer = self.ask([recipe.accessibleName() for recipe in running])
        if answer == STOP:
            for recipe in running:
                recipe.stop()
        return answer != STAY

    def ask(self, names: Sequence[str]) -> str:
        """Ask what to do with the jobs of these names; return `KEEP`, `STOP` or `STAY`."""
        box = QMessageBox(self._inside)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(QUESTION.format(jobs=_they_are(names)))
        box.setInformativeText(HINT)
        keep = box.addButton(KEEP, QMessageBox.ButtonRole.AcceptRole)
        stop = box.addButton(STOP, QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(STAY, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.exec()
        clicked = box.clickedButton()
        return KEEP if clicked is keep else STOP if clicked is stop else STAY


def _they_are(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
