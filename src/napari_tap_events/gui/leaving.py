"""A panel that lets go of what it listens to before it goes, whether it is closed or deleted by Qt."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget


class LeavingPanel(QWidget):
    """Base of panels that listen to the viewer and the session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gone = False

    def let_go(self) -> None:
        """Stop listening, once; the panel is about to go."""
        if not self._gone:
            self._gone = True
            self._leave()

    def _leave(self) -> None:
        raise NotImplementedError

    def close(self) -> bool:
        """Let go, and close."""
        self.let_go()
        return bool(super().close())

    def event(self, event: QEvent | None) -> bool:
        """Let go before Qt deletes the panel, whoever asked for it."""
        if event is not None and event.type() == QEvent.Type.DeferredDelete:
            self.let_go()
        return bool(super().event(event))
