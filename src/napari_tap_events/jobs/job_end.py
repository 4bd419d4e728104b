"""A job's own end of its folder: reports and a last word go in, orders to pause and to stop come out.

The other end is `runner.py`. No pipe joins the two, so a job outlives the window that started it and is found again by its folder.
Whatever else is printed goes to the log, which is where the other end points standard output and standard error.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_tap_events.errors import JobStopped, OutputError, TapEventsError
from napari_tap_events.jobs.output import read_json
from napari_tap_events.jobs.process import let_others_go_first
from napari_tap_events.reports import Control, Report

RECORD, REPORTS, ORDERS, LOG = "job.json", "reports.jsonl", "control.json", "log.txt"
STARTING, END = "starting", "end"
LOOK_S = 0.05
"""Time between two looks for orders: half of the tenth of a second in which an order should count."""
PATIENCE_S = 3.0
"""Time after an order to stop in which a job must have reached its next step; then it ends as it is, even if nobody watches."""
INTERRUPTED = 130


@contextmanager
def outer_door(folder: Path | None) -> Iterator[None]:
    """Let a command that is somebody's job end with a word: "done", "stopped" or "failed", and why.

    Parameters
    ----------
    folder : Path or None
        Folder of the job; None where the command is nobody's job: then nothing is done.

    Raises
    ------
    OutputError
        When the folder cannot be made.
    """
    if folder is None:
        yield
        return
    _make(folder)
    let_others_go_first()
    try:
        yield
    except JobStopped as stopped:
        say(folder, {"stage": END, "state": "stopped", "message": str(stopped)})
        raise
    except KeyboardInterrupt:
        say(folder, {"stage": END, "state": "stopped", "message": "stopped at once; what was finished before is kept."})
        raise
    except BaseException as error:
        say(folder, {"stage": END, "state": "failed", "kind": type(error).__name__, "message": sentence(error)})
        raise
    say(folder, {"stage": END, "state": "done", "message": ""})


def say(folder: Path, told: dict[str, Any]) -> None:
    """Add a line to the reports of a job, on a line of its own even where the last one was cut off.

    Where nothing can be written any more, nothing is: the other end sees that the process has gone.
    """
    with suppress(OSError), (folder / REPORTS).open("ab+") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        torn = size > 0 and file.read(1) != b"\n"
        file.write(b"\n" * torn + json.dumps(told).encode() + b"\n")


class JobEnd:
    """Writes reports into the folder of a job, and hands on the orders that lie there.

    Every line has a report's values and `seconds`, the time of work since the start: pauses do not count.

    Parameters
    ----------
    folder : Path
    control : Control
        Of the recipe; it is told to pause and to stop.
    """

    def __init__(self, folder: Path, control: Control) -> None:
        self._folder, self._control = folder, control
        self._began, self._paused_s = time.monotonic(), 0.0
        self._leave_by = float("inf")
        self._closed = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="orders", daemon=True)

    def start(self) -> JobEnd:
        """Begin to look for orders."""
        self._obey()
        self._watching.start()
        return self

    def take(self, report: Report) -> None:
        """Write a report."""
        seconds = round(time.monotonic() - self._began - self._paused_s, 3)
        line = json.dumps({"seconds": seconds, **json.loads(report.to_json())})
        with (self._folder / REPORTS).open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")

    def close(self) -> None:
        """Look for orders no longer."""
        self._closed.set()
        self._watching.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._closed.wait(LOOK_S):
            now = time.monotonic()
            if self._control.paused:
                self._paused_s += now - before
            before = now
            self._obey()
            if now > self._leave_by:
                self._leave()

    def _obey(self) -> None:
        """Do as the orders say; an order that is just being written is read at the next look."""
        orders = read_json(self._folder / ORDERS)
        if orders is not None:
            self._control.paused = bool(orders.get("paused"))
            if orders.get("stopping") and not self._control.stopping:
                self._control.stopping = True
                self._leave_by = time.monotonic() + PATIENCE_S

    def _leave(self) -> None:
        """End this process at once: whoever gave the order may have gone, and then nobody else ends it."""
        say(self._folder, {"stage": END, "state": "stopped", "message": ""})
        os._exit(INTERRUPTED)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to the job's folder '{folder}': {error.strerror or error}.") from None


def sentence(error: BaseException) -> str:
    """Say what went wrong, what it means and what to do next."""
    text = str(error).partition("\n")[0]
    if isinstance(error, TapEventsError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in text:
        return "there is not enough memory for this; choose a smaller batch or a smaller U-Net, or close other programs."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; make room on it, and go on."
    if isinstance(error, ImportError):
        return f"a part of the program cannot be loaded ({text}); 'napari-tap-events doctor' says more."
    return f"the program failed where it should not ({type(error).__name__}: {text}); please report it together with the log."
