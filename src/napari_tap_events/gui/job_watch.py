"""Follows a job from the window: ten times a second it asks what is new, and never waits."""

from __future__ import annotations

from qtpy.QtCore import QObject, QTimer, Signal

from napari_tap_events.jobs.runner import ENDED, Job

LOOK_MS = 100


class JobWatch(QObject):
    """Tells what a job reports, and how it ends.

    Attributes
    ----------
    reported : Signal(list)
        New reports, in their order.
    ended : Signal(str, str)
        "done", "stopped" or "failed", and the sentence that says why.
    """

    reported = Signal(list)
    ended = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    def follow(self, job: Job) -> None:
        """Follow a job, from its first report on, and no other one any more."""
        self.job = job
        self._timer.start()

    def leave(self) -> None:
        """Follow no longer; the job lives on."""
        self._timer.stop()

    def running(self) -> bool:
        """Say whether there is a job that has not ended."""
        return self.job is not None and self.job.state not in ENDED

    def _look(self) -> None:
        job = self.job
        if job is None:
            return
        reports = job.poll()
        ended = job.state in ENDED
        if ended:  # before anything is told: who hears it may start the next job
            self._timer.stop()
        if reports:
            self.reported.emit(reports)
        if ended:
            self.ended.emit(job.state, job.message)
