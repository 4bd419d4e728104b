"""The report, written in a process of its own: it needs matplotlib, which the window never loads."""

from __future__ import annotations

import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, Signal

UNSAID = "The report was not written, and nothing was said why; try again."
COMMAND = ("-m", "napari_tap_events.cli", "report")


class ReportJob(QObject):
    """Runs `napari-tap-events report` on one folder at a time.

    Attributes
    ----------
    written : Signal(object)
        The path of the page.
    failed : Signal(str)
        The sentence that the command ended with.
    """

    written = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._folder = Path()

    def start(self, folder: Path) -> None:
        """Write the report of a result folder; one that is being written goes first."""
        if self._process is not None:
            return
        # as a child of this object the process ends with it
        self._process, self._folder = QProcess(self), folder
        self._process.finished.connect(self._take)
        self._process.errorOccurred.connect(self._could_not_start)
        self._process.start(sys.executable, [*COMMAND, str(folder)])

    def is_running(self) -> bool:
        """Say whether a report is being written."""
        return self._process is not None

    def close(self) -> None:
        """End what is running, and say nothing about it."""
        process = self._forget()
        if process is not None:
            process.kill()
            process.waitForFinished(1000)

    def _take(self) -> None:
        process = self._forget()
        if process is None:
            return
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        if process.exitStatus() == QProcess.ExitStatus.NormalExit and process.exitCode() == 0:
            self.written.emit(self._folder / "report.html")
        else:
            self.failed.emit(wrong.splitlines()[-1] if wrong else UNSAID)

    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._forget() is not None:
            self.failed.emit(f"'{sys.executable}' could not be started; install napari-tap-events anew.")

    def _forget(self) -> QProcess | None:
        """Return the process, if there is one, and let it go once Qt is done with it."""
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        return process
