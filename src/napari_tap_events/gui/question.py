"""A short question to the command line, answered in JSON while the window goes on: what is in this movie, what is this computer."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qtpy.QtCore import QObject, Signal

from napari_tap_events.gui.one_command import OneCommand


class Question(QObject):
    """Asks one question at a time; a new one drops the one before.

    Attributes
    ----------
    answered : Signal(dict)
        What the command printed, read as JSON.
    failed : Signal(str)
        The sentence that it ended with.
    """

    answered = Signal(dict)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = OneCommand(self)
        self._command.ended.connect(self._take)

    def ask(self, arguments: Sequence[str]) -> None:
        """Run `napari-tap-events ARGUMENTS`, which must print JSON."""
        self._command.run(arguments)

    def drop(self) -> None:
        """Forget the question that is not answered yet, and end its process."""
        self._command.drop()

    def waiting(self) -> bool:
        """Say whether an answer is on its way."""
        return self._command.running()

    def _take(self, _well: bool, said: str, wrong: str) -> None:
        try:
            answer = json.loads(said)
        except ValueError:
            self.failed.emit(wrong or "No answer came; start again.")
        else:
            self.answered.emit(answer)
