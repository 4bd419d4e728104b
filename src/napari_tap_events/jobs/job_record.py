"""What was started as a job, written down in its folder, so that another window finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

    Raises
    ------
    OutputError
        When there is none, or it is damaged.
    """
    try:
        return _record(read_json(folder / RECORD) or {})
    except (KeyError, TypeError):
        raise OutputError(f"'{folder}' holds no job: its {RECORD} is missing or damaged.") from None


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
