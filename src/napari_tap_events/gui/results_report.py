"""The report, written in a process of its own: it needs matplotlib, which the window never loads."""

from __future__ import annotations

import sys
from pathlib import Path

from qtpy import compat
from qtpy.QtCore import QObject, QProcess, Signal

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
        self._running: list[QProcess] = []  # none, or the one; outlives this object, so that the process can be ended with it
        still_running = self._running
        self.destroyed.connect(lambda: _end(still_running))

    def start(self, folder: Path) -> None:
        """Write the report of a result folder; one that is being written goes first."""
        if self._running:
            return
        process = QProcess()
        process.finished.connect(lambda *_: self._take(process, folder))
        process.errorOccurred.connect(lambda error: self._could_not_start(process, error))
        self._running.append(process)
        process.start(sys.executable, [*COMMAND, str(folder)])

    def is_running(self) -> bool:
        """Say whether a report is being written."""
        return bool(self._running)

    def close(self) -> None:
        """End what is running, and say nothing about it."""
        _end(self._running)

    def _take(self, process: QProcess, folder: Path) -> None:
        if process not in self._running:
            return
        self._running.clear()
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        if process.exitStatus() == QProcess.ExitStatus.NormalExit and process.exitCode() == 0:
            self.written.emit(folder / "report.html")
        else:
            self.failed.emit(
                wrong.splitlines()[-1] if wrong else "The report was not written, and nothing was said why; try again."
            )

    def _could_not_start(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if process in self._running and error == QProcess.ProcessError.FailedToStart:
            self._running.clear()
            self.failed.emit(f"'{sys.executable}' could not be started; install napari-tap-events anew.")


def _end(processes: list[QProcess]) -> None:
    """End a process that nobody waits for any more; its list is emptied first, so that nothing it says is heard."""
    ended = list(processes)
    processes.clear()
    for process in ended:
        if compat.isalive(process):  # type: ignore[no-untyped-call]
            process.kill()
            process.waitForFinished(1000)
