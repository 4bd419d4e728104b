"""Follows a recipe to its end: progress with time left on the terminal, or JSON for another program; Ctrl-C stops it cleanly."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from napari_tap_events.jobs.job_end import JobEnd
from napari_tap_events.reports import Control, Pace, Report, clock


class Reports(StrEnum):
    """How progress is shown."""

    text = "text"
    json = "json"


def follow(reports: Generator[Report, None, Any], control: Control, how: Reports, job: Path | None = None) -> Any:
    """Run a recipe to its end and return its result.

    The first Ctrl-C (or a polite request to terminate) asks the recipe to stop at its next step; a second one interrupts at once.
    With the folder of a job, reports go there, and orders to pause and stop come from there.
    """
    show = JobEnd(job, control).start() if job else JsonLines() if how is Reports.json else TextLines()
    with _stopped_by_signals(control):
        try:
            while True:
                show.take(next(reports))
        except StopIteration as end:
            return end.value
        finally:
            show.close()


@contextmanager
def _stopped_by_signals(control: Control) -> Iterator[None]:
    def ask(_number: int, _frame: object) -> None:
        if control.stopping:
            raise KeyboardInterrupt
        control.stopping = True
        if sys.stderr.isatty():
            sys.stderr.write("\nStopping after this step ...\n")

    signals = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, ask) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class JsonLines:
    """Every report as one line of JSON on standard output."""

    def take(self, report: Report) -> None:
        """Write a report."""
        sys.stdout.write(report.to_json() + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Do nothing."""


class TextLines:
    """One line for each stage, rewritten in place on a terminal; in a log file a line now and then."""

    LOG_SECONDS = 15.0

    def __init__(self) -> None:
        self.pace, self.shown, self.open = Pace(), 0.0, False
        self.values: dict[str, float] = {}
        self.live = sys.stderr.isatty()

    def take(self, report: Report) -> None:
        """Show a report."""
        now = time.monotonic()
        if self.pace.take(report, now):
            self.close()
            self.shown, self.values = 0.0, {}
        self.values |= report.values
        if report.message:
            self._line(report.message[:1].upper() + report.message[1:])
        if report.total and (report.done == report.total or now - self.shown > (0.1 if self.live else self.LOG_SECONDS)):
            self.shown = now
            self._progress(report)

    def close(self) -> None:
        """End the line."""
        if self.open:
            sys.stderr.write("\n")
            self.open = False

    def _line(self, text: str) -> None:
        self.close()
        sys.stderr.write(text + "\n")

    def _progress(self, report: Report) -> None:
        text = f"{report.stage:<28} {report.done:>6} / {report.total}"
        if report.done == report.total:
            text += f"  {clock(self.pace.taken_s)}"
        elif self.pace.left_s is not None:
            text += f"  {clock(self.pace.left_s)} left"
        shown = [f"{name.replace('_', ' ')} {value:.3f}" for name, value in self.values.items() if name in _SHOWN]
        text = (text + "  " + "  ".join(shown)).rstrip()
        if self.live:
            sys.stderr.write("\r\x1b[2K" + text[:119])
            self.open = True
        else:
            self._line(text)
        sys.stderr.flush()


_SHOWN = ("loss", "accuracy", "val_accuracy_motion", "val_accuracy_uniform")
