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
        process = QProcess(self)
        process.finished.connect(lambda *_: self._take(process))
        process.errorOccurred.connect(lambda _: self._could_not_start(process))
        self._process = process
        process.start(sys.executable, ["-m", MODULE, *arguments])

    def drop(self) -> None:
        """Forget the question that is not answered yet, and end its process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(1000)
            process.deleteLater()

    def waiting(self) -> bool:
        """Say whether an answer is on its way."""
        return self._process is not None

    def _take(self, process: QProcess) -> None:
        if process is not self._process:
            return
        self._process = None
        said = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        process.deleteLater()
        try:
            answer = json.loads(said)
        except ValueError:
            self.failed.emit(wrong.splitlines()[-1] if wrong else "No answer came; start again.")
        else:
            self.answered.emit(answer)

    def _could_not_start(self, process: QProcess) -> None:
        if process is self._process and process.error() == QProcess.ProcessError.FailedToStart:
            self._process = None
            self.failed.emit(f"'{sys.executable}' could not be started; install napari-tap-events anew.")
