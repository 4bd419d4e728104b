"""One command of the command line, in a process of its own, while the window goes on."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from qtpy.QtCore import QObject, QProcess, Signal

COMMAND = ("-m", "napari_tap_events.cli")
LET_GO_MS = 1000
"""How long a command that is dropped may take to be gone."""


class OneCommand(QObject):
    """Runs one command at a time.

    Attributes
    ----------
    ended : Signal(bool, str, str)
        Whether all went well, what the command printed, and the last line that it said of errors.
    """

    ended = Signal(bool, str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    def run(self, arguments: Sequence[str]) -> None:
        """Run `napari-tap-events ARGUMENTS`; one that runs already is dropped."""
        self.drop()
        # as a child of this object the process ends with it
        self._process = QProcess(self)
        self._process.finished.connect(self._take)
        self._process.errorOccurred.connect(self._could_not_start)
        self._process.start(sys.executable, [*COMMAND, *arguments])

    def running(self) -> bool:
        """Say whether a command runs."""
        return self._process is not None

    def drop(self) -> None:
        """End the command that runs, and say nothing about it."""
        process = self._forget()
        if process is not None:
            process.kill()
            process.waitForFinished(LET_GO_MS)

    def _take(self) -> None:
        process = self._forget()
        if process is not None:
            well = process.exitStatus() == QProcess.ExitStatus.NormalExit and process.exitCode() == 0
            said = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
            wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
            self.ended.emit(well, said, wrong.splitlines()[-1] if wrong else "")

    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._forget() is not None:
            self.ended.emit(False, "", f"'{sys.executable}' could not be started; install napari-tap-events anew.")

    def _forget(self) -> QProcess | None:
        """Return the process, if there is one, and let it go once Qt is done with it."""
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        return process
