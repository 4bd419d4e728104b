"""The other end of the worker: starts it, gives it orders, takes its messages, and starts it again when it has gone. Knows no torch."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_tap_events.errors import OutputError
from napari_tap_events.jobs.process import leave_a_core
from napari_tap_events.jobs.runner import PROGRAM

LOG = "worker.log"
MOST_RESTARTS = 5
"""So often in a row, with nothing done in between, a worker is started again before it is given up."""
MOST_TRIES = 4
"""So often an order is given to a worker that ends at it, before it is given up."""
FINAL = ("done", "dropped", "error", "cards", "audit", "trust", "head")
"""Messages after which an order is no longer waited for."""
ACHIEVED = ("head", "frame")
"""Messages of work that was done: a worker that brings none of them, but answers questions, may fail at all that matters."""

Message = dict[str, Any]


class Link:
    """A line to a resident worker.

    Nothing is lost when the worker goes: what a person said is in the journal, which it reads again, and orders that it had not
    answered are given anew, a few times.

    Parameters
    ----------
    project : Path
        The project's folder.
    movie : str
        Name of the movie.
    arguments : sequence of str
        Further flags of the command `worker`, as `["--encoder", "DIR"]`.
    program : sequence of str
        What runs the command; by default our command line.

    Attributes
    ----------
    restarts : int
        How often the worker was started again.
    trouble : str
        Why it was given up, or "".
    memory_mb : int
        What the worker takes, as it said last.
    """

    def __init__(self, project: Path, movie: str, arguments: Sequence[str] = (), program: Sequence[str] = PROGRAM) -> None:
        self.command = [*program, "worker", str(project), "--movie", movie, *leave_a_core(arguments)]
        self._log = project / "review" / LOG
        self.restarts, self.trouble, self.memory_mb = 0, "", 0
        self._process: subprocess.Popen[str] | None = None
        self._came: deque[Message] = deque()
        self._pending: dict[int, Message] = {}
        self._tries: Counter[int] = Counter()
        self._number, self._silent, self._ready = 0, 0, False
        self._wanted = False

    @property
    def alive(self) -> bool:
        """Whether the worker runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the worker's process; 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start the worker.

        Raises
        ------
        OutputError
            When it cannot be started.
        """
        self._wanted, self._ready, self.trouble = True, False, ""
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    **_quiet(),
                )
        except OSError as error:
            raise OutputError(f"the worker cannot be started: {error.strerror or error}; see '{self._log}'.") from None
        threading.Thread(target=_listen, args=(self._process, self._came), daemon=True).start()

    def send(self, order: str, **values: Any) -> int:
        """Give an order, and return its number; where the worker is gone it is given when it is back."""
        self._number += 1
        message = {"id": self._number, "order": order, **values}
        if order in ("retrain", "predict", "back", "correct"):  # the new one makes the old one idle
            self._pending = {n: told for n, told in self._pending.items() if told["order"] != order}
        self._pending[self._number] = message
        self._write(message)
        return self._number

    def receive(self) -> list[Message]:
        """Return what the worker said since the last call; never waits. A worker that has gone is started again."""
        gone = self._wanted and not self.alive  # before reading: its last words must not be missed
        came = []
        while self._came:
            came.append(self._came.popleft())
        for message in came:
            self._note(message)
        return came or (self._again() if gone else [])

    def restart(self) -> None:
        """End the worker, and start it again."""
        self._again()

    def stop(self) -> None:
        """Let the worker end; it is not started again."""
        self._wanted = False
        self._pending.clear()
        if self.alive:
            self._write({"order": "stop"})
        if self._process is not None:
            self._close_input()
            try:
                self._process.wait(1.0)
            except subprocess.TimeoutExpired:
                self._end()

    def _again(self) -> list[Message]:
        """Start the worker again, and give it what it has not answered; return what is said of orders that are given up."""
        self._silent += 1
        if self._silent > MOST_RESTARTS:
            self._wanted = False
            self.trouble = f"the worker ended {MOST_RESTARTS} times before anything was done; the log '{self._log}' says more."
            return []
        began = self._ready
        self.restarts += 1
        self._end()
        self.start()
        given_up = []
        for number, message in list(self._pending.items()):
            self._tries[number] += began  # else it never came to this order
            if self._tries[number] < MOST_TRIES:
                self._write(message)
            else:
                del self._pending[number], self._tries[number]
                words = f"the worker ended {MOST_TRIES} times at this; the log '{self._log}' says more."
                given_up.append({"what": "error", "id": number, "order": message["order"], "message": words})
        return given_up

    def _end(self) -> None:
        if self._process is not None:
            self._close_input()
            self._process.kill()
            self._process.wait()

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _note(self, message: Message) -> None:
        self.memory_mb = int(message.get("memory_mb", self.memory_mb))
        self._ready = self._ready or message.get("what") == "ready"
        if message.get("what") in ACHIEVED:
            self._silent = 0
        if message.get("what") in FINAL:
            self._pending.pop(message.get("id") or 0, None)
            self._tries.pop(message.get("id") or 0, None)
        if message.get("what") == "error" and message.get("order") == "open":
            self._wanted, self.trouble = False, str(message["message"])

    def _write(self, message: Message) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):  # it has gone; `receive` sees to that
            return


def _listen(process: subprocess.Popen[str], came: deque[Message]) -> None:
    """Take in what a worker says until it ends; a line that was cut off says nothing."""
    if process.stdout is None:
        return
    with process.stdout as lines:
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                came.append(message)


def _quiet() -> dict[str, Any]:
    """Return what keeps Windows from opening a console."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {}
