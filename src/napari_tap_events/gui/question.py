"""A short question to the command line, answered in JSON while the window goes on: what is in this movie, what is this computer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from qtpy import compat
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
        self._open: list[QProcess] = []  # none, or the one; outlives this object, so that the process can be ended with it
        still_open = self._open
        self.destroyed.connect(lambda: _end(still_open))

    def ask(self, arguments: Sequence[str]) -> None:
        """Run `napari-tap-events ARGUMENTS`, which must print JSON."""
        self.drop()
        process = QProcess()
        process.finished.connect(lambda *_: self._take(process))
        process.errorOccurred.connect(lambda error: self._could_not_start(process, error))
        self._open.append(process)
        process.start(sys.executable, ["-m", MODULE, *arguments])

    def drop(self) -> None:
        """Forget the question that is not answered yet, and end its process."""
        _end(self._open)

    def waiting(self) -> bool:
        """Say whether an answer is on its way."""
        return bool(self._open)

    def _take(self, process: QProcess) -> None:
        if process not in self._open:
            return
        self._open.clear()
        said = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        try:
            answer = json.loads(said)
        except ValueError:
            self.failed.emit(wrong.splitlines()[-1] if wrong else "No answer came; start again.")
        else:
            self.answered.emit(answer)

    def _could_not_start(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if process in self._open and error == QProcess.ProcessError.FailedToStart:
            self._open.clear()
            self.failed.emit(f"'{sys.executable}' could not be started; install napari-tap-events anew.")


def _end(processes: list[QProcess]) -> None:
    """End a process that nobody waits for any more; its list is emptied first, so that nothing it says is heard."""
    ended = list(processes)
    processes.clear()
    for process in ended:
        if compat.isalive(process):  # type: ignore[no-untyped-call]
            process.kill()
            process.waitForFinished(1000)
