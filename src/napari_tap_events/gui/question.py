"""A short question to the command line, answered in JSON while the window goes on: what is in this movie, what is this computer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from qtpy.QtCore import QObject, QProcess, Signal

MODULE = "napari_tap_events.cli"


class Question(QObject):
    """Runs one command at a time in a process of its own; a new question drops the one before.

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
        self._process: QProcess | None = None

    def ask(self, arguments: Sequence[str]) -> None:
        """Run `napari-tap-events ARGUMENTS`, which must print JSON."""
        self.drop()
        # as a child of this object the process ends with it
        self._process = QProcess(self)
        self._process.finished.connect(self._take)
        self._process.errorOccurred.connect(self._could_not_start)
        self._process.start(sys.executable, ["-m", MODULE, *arguments])

    def drop(self) -> None:
        """Forget the question that is not answered yet, and end its process."""
        process = self._forget()
        if process is not None:
            process.kill()
            process.waitForFinished(1000)

    def waiting(self) -> bool:
        """Say whether an answer is on its way."""
        return self._process is not None

    def _take(self) -> None:
        process = self._forget()
        if process is None:
            return
        said = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        try:
            answer = json.loads(said)
        except ValueError:
            self.failed.emit(wrong.splitlines()[-1] if wrong else "No answer came; start again.")
        else:
            self.answered.emit(answer)

    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._forget() is not None:
            self.failed.emit(f"'{sys.executable}' could not be started; install napari-tap-events anew.")

    def _forget(self) -> QProcess | None:
        """Return the process, if there is one, and let it go once Qt is done with it."""
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        return process
