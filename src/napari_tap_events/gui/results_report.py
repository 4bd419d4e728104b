"""The report, written in a process of its own: it needs matplotlib, which the window never loads."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_tap_events.gui.one_command import OneCommand

UNSAID = "The report was not written, and nothing was said why; try again."


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
        self._command, self._folder = OneCommand(self), Path()
        self._command.ended.connect(self._take)

    def start(self, folder: Path) -> None:
        """Write the report of a result folder; one that is being written goes first."""
        if not self.is_running():
            self._folder = folder
            self._command.run(["report", str(folder)])

    def is_running(self) -> bool:
        """Say whether a report is being written."""
        return self._command.running()

    def close(self) -> None:
        """End what is running, and say nothing about it."""
        self._command.drop()

    def _take(self, well: bool, _said: str, wrong: str) -> None:
        if well:
            self.written.emit(self._folder / "report.html")
        else:
            self.failed.emit(wrong or UNSAID)
