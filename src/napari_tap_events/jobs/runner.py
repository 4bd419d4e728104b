"""A command that runs in a process of its own: started, followed, paused, stopped, and found again by its folder.

The process is our own command line, so that neither a crash nor a lack of memory takes the window with it. A job's folder holds
`job.json` (what was started), `reports.jsonl` (what it said), `control.json` (orders to it) and `log.txt` (all else it printed).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from napari_tap_events.errors import OutputError
from napari_tap_events.jobs.job_end import END, LOG, ORDERS, RECORD, REPORTS, STARTING, say
from napari_tap_events.jobs.job_record import JobRecord, read_record, write_record
from napari_tap_events.jobs.output import STARTED, read_json
from napari_tap_events.jobs.process import Process, end_now, exit_code, is_alive, leave_a_core, start_apart
from napari_tap_events.reports import Pace, Report

State = Literal["running", "paused", "stopping", "done", "stopped", "failed"]
ENDED: tuple[State, ...] = ("done", "stopped", "failed")
PROGRAM = (sys.executable, "-X", "faulthandler", "-m", "napari_tap_events.cli")
RESUMABLE = ("pretrain", "train", "demo")
"""Commands that know --resume; the others are quick to do again."""
ONE_CORE = ("register",)
"""Commands that know no --threads, and take one core whatever there is."""
GRACE_S = 0.7
"""Time that a job has to stop by itself, or to leave after its last word; then it is ended. Checkpoints are written whole or not."""
MOST_BYTES = 1 << 18
"""Read at one look: a window must not stand still over a long history."""
CRASH = re.compile(r"(?:Fatal Python error|Windows fatal exception): (.*)")


class Job:
    """A command that runs in a process of its own, or ran there.

    Made by `Job.start` and `Job.open`. Nothing is learned of it but by `poll`.

    Attributes
    ----------
    folder : Path
    record : JobRecord
    pace : Pace
        How fast it works.
    worked_s : float
        Seconds of work up to its last report, since it was started or resumed; pauses do not count.
    """

    def __init__(self, folder: Path, record: JobRecord) -> None:
        self.folder, self.record = folder, record
        self.pace, self.worked_s = Pace(), 0.0
        self._orders = {"stopping": False, "paused": False}
        self._alive, self._all_read = True, False
        self._end: Mapping[str, Any] | None = None
        self._read_to, self._torn = 0, b""
        self._leave_by = float("inf")

    @classmethod
    def start(
        cls, command: str, arguments: Sequence[str], out: Path, folder: Path, program: Sequence[str] | None = None
    ) -> Job:
        """Start a command; it gives way to the window, and leaves it a core unless the arguments say how many threads.

        Parameters
        ----------
        command : str
        arguments : sequence of str
            What follows on the command line, but for --out and --job.
        out : Path
            Folder for the results.
        folder : Path
            Folder for the job itself.
        program : sequence of str, optional
            What runs the command; by default our command line.

        Raises
        ------
        OutputError
            When the folder holds a job already, or cannot be written, or the process cannot be started.
        """
        folder = folder.resolve()
        if (folder / RECORD).exists():
            raise OutputError(f"'{folder}' already holds a job; choose another folder.")
        nobody = Process(0, 0.0, str(folder))
        words = tuple(arguments) if command in ONE_CORE else leave_a_core(arguments)
        record = JobRecord(command, words, out.resolve(), tuple(program or PROGRAM), Path.cwd(), "", nobody)
        return cls(folder, _launch(record, folder))

    @classmethod
    def open(cls, folder: Path) -> Job:
        """Find a job again, running or ended.

        Raises
        ------
        OutputError
            When the folder holds none.
        """
        folder = folder.resolve()
        job = cls(folder, read_record(folder))
        job._orders |= read_json(folder / ORDERS) or {}
        if job._orders["stopping"]:
            job._leave_by = time.monotonic() + GRACE_S
        return job

    @property
    def state(self) -> State:
        """How things stood at the last `poll`; an order counts at once."""
        if self._alive:
            return "stopping" if self._orders["stopping"] else "paused" if self._orders["paused"] else "running"
        if self._end is not None:
            return self._end["state"]  # type: ignore[no-any-return]
        return "stopped" if self._orders["stopping"] else "failed"

    @property
    def message(self) -> str:
        """Why it ended, as one sentence; empty while it runs, and when it is done."""
        if self._end is not None:
            return str(self._end["message"])
        return _why_gone(self) if self.state == "failed" else ""

    @property
    def resumable(self) -> bool:
        """Whether it has ended early, and can go on from where it stopped."""
        begun = self.record.command in RESUMABLE and (self.record.out / STARTED).exists()
        return begun and self.state in ("stopped", "failed")

    def poll(self) -> list[Report]:
        """Return the reports since the last call; never waits. A long history comes in several parts."""
        alive = is_alive(self.record.process)  # before reading: what it said last must not be missed
        if alive and time.monotonic() > self._leave_by:
            end_now(self.record.process)
        reports, all_read = self._read()
        if self._end is not None and self._leave_by == float("inf"):
            self._leave_by = time.monotonic() + GRACE_S
        self._all_read = all_read
        self._alive = alive or not all_read
        return reports

    def catch_up(self) -> None:
        """Read all that it has said so far: only then is it known whether it has ended."""
        self.poll()
        while not self._all_read:
            self.poll()

    def stop(self) -> None:
        """Ask the job to stop; where it has not after a short grace, the next `poll` ends it."""
        self._leave_by = min(self._leave_by, time.monotonic() + GRACE_S)
        self._order(stopping=True)

    def pause(self) -> None:
        """Let the job wait at its next step."""
        self._order(paused=True)

    def go_on(self) -> None:
        """Let a job that waits go on."""
        self._order(paused=False)

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of all that the job printed beside its reports."""
        try:
            with (self.folder / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200 * lines))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _order(self, **orders: bool) -> None:
        """Write the orders in place: a file that is being read cannot be replaced everywhere, and the job reads a torn one again."""
        self._orders |= orders
        _write_orders(self.folder, self._orders)

    def _read(self) -> tuple[list[Report], bool]:
        """Return new reports, and whether that was all."""
        try:
            with (self.folder / REPORTS).open("rb") as file:
                file.seek(self._read_to)
                new = file.read(MOST_BYTES)
                self._read_to = file.tell()
        except OSError:
            return [], True
        *lines, self._torn = (self._torn + new).split(b"\n")
        told = [values for values in map(_values, lines) if values is not None]
        return [report for values in told for report in self._take(values)], len(new) < MOST_BYTES

    def _take(self, told: dict[str, Any]) -> list[Report]:
        self._end = told if told["stage"] == END else None
        if self._end is not None:
            return []
        report = Report.from_values(told)
        self.worked_s = float(told.get("seconds", 0.0))
        self.pace.take(report, self.worked_s)
        return [report]


def resume(job: Job) -> Job:
    """Go on with a job that has ended early: the same command in the same folder with --resume, or from its start with --overwrite.

    Raises
    ------
    OutputError
        When the job still runs, or cannot be started.
    """
    job.catch_up()
    if job.state not in ENDED:
        raise OutputError(f"the job in '{job.folder}' still runs; stop it first.")
    again = "--resume" if job.record.command in RESUMABLE else "--overwrite"
    plain = [word for word in job.record.arguments if word not in ("--resume", "--overwrite")]
    return Job(job.folder, _launch(replace(job.record, arguments=(*plain, again)), job.folder))


def find_jobs(parent: Path) -> list[Job]:
    """Return the jobs whose folders lie in `parent`, the newest first; what is no job is passed over."""
    jobs = []
    for path in sorted(parent.glob(f"*/{RECORD}")):
        try:
            jobs.append(Job.open(path.parent))
        except OutputError:
            continue
    return sorted(jobs, key=lambda job: job.record.began, reverse=True)


def running_jobs(parent: Path) -> list[Job]:
    """Return the jobs whose folders lie in `parent` and that have not ended, the newest first; one that is paused is among them."""
    jobs = find_jobs(parent)
    for job in jobs:
        job.catch_up()
    return [job for job in jobs if job.state not in ENDED]


def unfinished_job(parent: Path, command: str) -> Job | None:
    """Return the newest job of a command whose folder lies in `parent`, where it still runs, or has ended early and can go on."""
    newest = next((job for job in find_jobs(parent) if job.record.command == command), None)
    if newest is None:
        return None
    newest.catch_up()
    there = newest.state in ("running", "paused", "stopping") or newest.resumable
    return Job.open(newest.folder) if there else None  # opened again, it tells its reports from the first on


def _launch(record: JobRecord, folder: Path) -> JobRecord:
    """Start the process, and write down what was started."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_orders(folder, {"stopping": False, "paused": False})
        say(folder, {"stage": STARTING})
        process = start_apart(record.command_line(folder), str(folder), folder / LOG, record.cwd)
        started = replace(record, process=process, began=datetime.now(UTC).isoformat(timespec="milliseconds"))
        write_record(folder, started)
    except OSError as error:
        raise OutputError(f"cannot start '{record.command}' in '{folder}': {error.strerror or error}.") from None
    return started


def _write_orders(folder: Path, orders: Mapping[str, bool]) -> None:
    (folder / ORDERS).write_text(json.dumps(orders), encoding="utf-8")


def _values(line: bytes) -> dict[str, Any] | None:
    """Read a line of reports; one that was cut off says nothing."""
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) and "stage" in values else None


def _why_gone(job: Job) -> str:
    """Say what is known of a process that has gone without a word."""
    code, crash = exit_code(job.record.process), CRASH.search(job.log_tail())
    if crash is not None:
        return f"the job crashed inside a library ({crash[1].strip()}); the log says where. Please report it."
    if code == -9:
        return "the job was ended from outside, most often because memory ran out; choose a smaller batch or a smaller U-Net."
    if code is None:
        return "the job ended without a word: the computer was switched off, memory ran out, or somebody ended it."
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return f"the job ended {how} without saying why; see the log."
