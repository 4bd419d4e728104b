"""What was started as a job, written down in its folder, so that another window finds it again, wherever that folder has gone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from napari_tap_events.errors import OutputError
from napari_tap_events.jobs.job_end import RECORD
from napari_tap_events.jobs.output import read_json, write_json
from napari_tap_events.jobs.process import Process


@dataclass(frozen=True)
class JobRecord:
    """What was started.

    Attributes
    ----------
    command : str
        "pretrain", "train", "detect", "explain" or "demo".
    arguments : tuple of str
        What follows it on the command line, but for --out and --job.
    out : Path
        Folder of the results.
    program : tuple of str
        What runs the command.
    cwd : Path
        Folder from which it was started: relative paths count from there.
    began : str
        Date and time, UTC.
    process : Process
    """

    command: str
    arguments: tuple[str, ...]
    out: Path
    program: tuple[str, ...]
    cwd: Path
    began: str
    process: Process

    def command_line(self, folder: Path) -> list[str]:
        """Return the whole command line of the job in `folder`."""
        return [*self.program, self.command, *self.arguments, "--out", str(self.out), "--job", str(folder)]


def write_record(folder: Path, record: JobRecord) -> None:
    """Write the record of the job in a folder."""
    write_json(folder / RECORD, {"schema": 1, **asdict(record)})


def read_record(folder: Path) -> JobRecord:
    """Read the record of the job in a folder.

    Of one that was moved or copied since, with all that lies around it, the paths are those of now, and no process belongs to it.

    Raises
    ------
    OutputError
        When there is none, or it is damaged.
    """
    try:
        record = _record(read_json(folder / RECORD) or {})
    except (KeyError, TypeError):
        raise OutputError(f"'{folder}' holds no job: its {RECORD} is missing or damaged.") from None
    before = Path(record.process.word)
    return record if _is_same(before, folder) else _moved(record, before, folder)


def _is_same(before: Path, folder: Path) -> bool:
    try:
        return before == folder or before.samefile(folder)
    except OSError:  # not there any more
        return False


def _moved(record: JobRecord, before: Path, folder: Path) -> JobRecord:
    """Return the record of a job whose folder was another one: the folder around both job and results has gone along, if it can be."""
    was, now = before, folder
    with suppress(ValueError):  # on two drives
        around = Path(os.path.commonpath([before, record.out]))
        steps = before.relative_to(around).parts
        if steps and folder.parts[-len(steps) :] == steps:
            was, now = around, folder.parents[len(steps) - 1]

    def seen(word: str) -> str:
        path = Path(word)
        if not path.is_absolute() or path.drive != was.drive:
            return word
        there = os.path.normpath(now / os.path.relpath(path, was))
        return there if path.is_relative_to(was) or (Path(there).exists() and not path.exists()) else word

    cwd = Path(seen(str(record.cwd)))
    return replace(
        record,
        arguments=tuple(map(seen, record.arguments)),
        out=Path(seen(str(record.out))),
        cwd=cwd if cwd.is_dir() else now,
        process=Process(0, 0.0, str(folder)),
    )


def _record(values: Mapping[str, Any]) -> JobRecord:
    return JobRecord(
        command=values["command"],
        arguments=tuple(values["arguments"]),
        out=Path(values["out"]),
        program=tuple(values["program"]),
        cwd=Path(values["cwd"]),
        began=values["began"],
        process=Process(**values["process"]),
    )
