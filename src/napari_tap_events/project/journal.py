"""The journal: one line for every thing that a person did, on disk before it counts.

A line is JSON: `n` counts from 1, `time` is UTC, `movie` is the movie's name in the project, `what` is "do", "undo" or "redo",
and a "do" carries its `correction`. What was undone stays in the journal, and so does the undoing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_tap_events.errors import ProjectError

Entry = dict[str, Any]


class Journal:
    """An append-only file of entries; where it cannot be written, work goes on in memory.

    Parameters
    ----------
    path : Path, optional
        None keeps everything in memory.
    closed : str
        Why nothing may be written to the file, as a sentence; "" where it may.
    """

    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(self, path: Path | None = None, closed: str = "") -> None:
        self.path = path
        self.trouble = closed
        self._closed = bool(closed)
        self._entries: list[Entry] | None = None if path else []
        self._kept = 0
        self._end = 0

    def entries(self) -> list[Entry]:
        """Return all entries in their order, those that could not be written yet included.

        A last line that was cut off, because the power or the process went, is dropped.

        Raises
        ------
        ProjectError
            When the file cannot be read, or is damaged in another place than its end.
        """
        if self._entries is None:
            self._entries, self._end = _read(self.path) if self.path else ([], 0)
            self._kept = len(self._entries)
        return list(self._entries)

    def append(self, what: str, movie: str, correction: Mapping[str, Any] | None = None) -> Entry:
        """Write an entry, and wait until it is on the disk.

        Where that fails the entry is kept in memory, `trouble` says why, and the next call tries again.
        """
        self.entries()
        entries = self._entries if self._entries is not None else []
        entry: Entry = {"n": len(entries) + 1, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        entry |= {"movie": movie, "what": what} | ({} if correction is None else {"correction": correction})
        entries.append(entry)
        self.write_waiting()
        return entry

    def write_waiting(self) -> bool:
        """Write what could not be written before, and say whether all is on disk now."""
        entries = self._entries or []
        if self._closed or self.path is None or self._kept == len(entries):
            return not self._closed
        try:
            self._end = _write(self.path, self._end, entries[self._kept :])
        except OSError as error:
            self._set_trouble(_sentence(self.path, error))
            return False
        self._kept = len(entries)
        self._set_trouble("")
        return True

    @property
    def waiting(self) -> int:
        """Number of entries that are not on disk."""
        return 0 if self.path is None else len(self._entries or []) - self._kept

    def copy_to(self, path: Path) -> None:
        """Write all entries, those in waiting too, to another file.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        entries = self.entries()
        path.unlink(missing_ok=True)
        if entries:
            _write(path, 0, entries)

    def _set_trouble(self, sentence: str) -> None:
        if sentence != self.trouble:
            self.trouble = sentence
            self.troubled.emit(sentence)


def _sentence(path: Path, error: OSError) -> str:
    return (
        f"the marks cannot be saved to '{path.parent}': {error.strerror or error}; they are kept in memory only: "
        "make room or save the project elsewhere before you close it."
    )


def _read(path: Path) -> tuple[list[Entry], int]:
    """Return the entries of a file, and where the last whole line ends."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise ProjectError(f"the journal '{path}' cannot be read: {error.strerror or error}.") from None
    lines = raw.split(b"\n")[:-1]
    entries: list[Entry] = []
    end = 0
    for number, line in enumerate(lines, start=1):
        entry = _entry(line, number)
        if entry is None and number == len(lines):
            break
        if entry is None:
            raise ProjectError(
                f"line {number} of the journal '{path}' is damaged; put back a copy of the file, "
                "or delete this line and all after it: what was marked before it is whole."
            )
        entries.append(entry)
        end += len(line) + 1
    return entries, end


def _entry(line: bytes, number: int) -> Entry | None:
    """Return the entry in a line; None where it is damaged, or not the one that has to come here."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.get("n") == number else None


def _write(path: Path, end: int, entries: list[Entry]) -> int:
    """Append entries behind `end`, wait for the disk, and return the new end; what lies behind `end` is cut off first."""
    raw = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries).encode()
    new = not path.exists()
    if new and end:
        raise FileNotFoundError(2, "the journal has gone", str(path))
    with path.open("r+b" if not new else "x+b") as file:
        if file.seek(0, os.SEEK_END) < end:
            raise OSError(5, "the journal has been made shorter by something else", str(path))
        file.truncate(end)
        file.seek(end)
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    if new:
        _wait_for_folder(path.parent)
    return end + len(raw)


def _wait_for_folder(folder: Path) -> None:
    """Make sure that a new file is found again after a crash; Windows does that by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
