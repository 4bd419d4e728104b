"""A job as a person sees it: a bar, what it does, its curves, and where it went wrong, why."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.curves import Curves
from napari_tap_events.gui.job_words import end_words, fault_report, percent, progress_words
from napari_tap_events.jobs.job_end import STARTING
from napari_tap_events.jobs.runner import ENDED, Job
from napari_tap_events.reports import Report

DETAIL_LINES = 10


class JobView(QWidget):
    """Shows one job at a time; it neither follows nor steers it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._stage = ""
        self.bar, self.status, self.note, self.curves = QProgressBar(), QLabel(), QLabel(), Curves()
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.status, self.note):
            label.setWordWrap(True)
        self.note.hide()
        self.trouble = self._make_trouble()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.bar, self.status, self.note, self.trouble, self.curves):
            column.addWidget(widget)

    def setValue(self, job: Job) -> None:
        """Show a job from its start on."""
        self._job, self._stage = job, ""
        self.curves.clear()
        self.note.hide()

    def take(self, reports: Sequence[Report]) -> None:
        """Show what a job has reported; `say` tells how things stand then."""
        for report in reports:
            if report.stage != self._stage and report.stage != STARTING:
                self._open_stage(report.stage)
            if report.message:
                self.note.setText(report.message[:1].upper() + report.message[1:] + ".")
                self.note.show()
            self.curves.add(report.values, report.done, report.total)

    def say(self, movie: str = "") -> None:
        """Say how things stand; of a movie that is not open, with its name."""
        job = self._job
        if job is None:
            return
        ended = job.state in ENDED
        words = end_words(job) if ended else progress_words(job)
        self.status.setText(f"Movie '{movie}': {words}" if movie else words)
        self.bar.setRange(0, 100 if job.pace.total or ended else 0)
        self.bar.setValue(100 if job.state == "done" else percent(job))
        self.bar.setVisible(job.state != "failed")
        self.note.setVisible(bool(self.note.text()) and not ended)
        self.trouble.setVisible(job.state == "failed")
        self.details.setVisible(self.details_button.isChecked())

    def _open_stage(self, stage: str) -> None:
        """Curves count the steps of one stage; a resumed job goes on in the stage that it was in."""
        self._stage = stage
        self.curves.clear()

    def _make_trouble(self) -> QWidget:
        trouble = QWidget()
        self.details_button, self.copy_button = QPushButton("Details"), QPushButton("Copy report")
        self.details_button.setCheckable(True)
        self.details_button.setToolTip("Show the last lines of the log.")
        self.copy_button.setToolTip("Copy versions, command and log, to send along when you report this.")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFixedHeight(DETAIL_LINES * self.details.fontMetrics().lineSpacing())
        self.details.hide()
        row = QHBoxLayout()
        row.addWidget(self.details_button)
        row.addWidget(self.copy_button)
        row.addStretch()
        column = QVBoxLayout(trouble)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.details)
        self.details_button.toggled.connect(self._show_details)
        self.copy_button.clicked.connect(self._copy)
        return trouble

    def _show_details(self, shown: bool) -> None:
        if self._job is not None:
            self.details.setPlainText(self._job.log_tail() or "The log is empty.")
        self.details.setVisible(shown)
        bar = self.details.verticalScrollBar()
        if bar is not None:
            bar.setValue(bar.maximum())

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if self._job is not None and clipboard is not None:
            clipboard.setText(fault_report(self._job))
