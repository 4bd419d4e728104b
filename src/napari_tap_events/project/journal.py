"""The journal: one line for every thing that a person did, on disk before it counts.

A line is JSON: `n` counts from 1, `time` is UTC, `movie` is the movie's name in the project, `what` is "do", "undo" or "redo",
and a "do" carries its `correction`. What was undone stays in the journal, and so does the undoing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
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
    gate : callable, optional
        Is asked before each writing; returns the sentence why nothing may be written, or "".
    """

    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(self, path: Path | None = None, gate: Callable[[], str] = str) -> None:
        self.path = path
        self.trouble = ""
        self._gate = gate
        self._entries: list[Entry] | None = None
        self._waiting: list[bytes] = []
        self._end = 0
        self._size: int | None = None

    def entries(self) -> list[Entry]:
        """Return all entries in their order, those that could not be written yet included.

        A last line that was cut off, because the power or the process went, is dropped.

        Raises
        ------
        ProjectError
            When the file cannot be read, or is damaged in another place than its end.
        """
        return list(self._all())

    def append(self, what: str, movie: str, correction: Mapping[str, Any] | None = None) -> Entry:
        """Write an entry, and wait until it is on the disk.

        Where that fails the entry is kept in memory, `trouble` says why, and the next call tries again.
        """
        entries = self._all()
        entry: Entry = {"n": len(entries) + 1, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        entry |= {"movie": movie, "what": what} | ({} if correction is None else {"correction": correction})
        line = _line(entry)
        entries.append(entry)
        if self.path is not None:
            self._waiting.append(line)
        self.write_waiting()
        return entry

    def write_waiting(self) -> bool:
        """Write what could not be written before, and say whether all is on disk now."""
        if self.path is None:
            return True
        closed = self._gate()
        if not closed and self._waiting:
            try:
                self._write(self.path)
            except OSError as error:
                closed = unsaved_sentence(self.path.parent, error)
        self._set_trouble(closed)
        return not closed

    @property
    def waiting(self) -> int:
        """Number of entries that are not on disk."""
        return len(self._waiting)

    def copy_to(self, path: Path) -> None:
        """Write all entries, those in waiting too, to another file.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        _write_lines(path, 0, [_line(entry) for entry in self._all()])

    def go_on_in(self, path: Path) -> None:
        """Go on in another file, to which all entries have been copied."""
        self.path = path
        self._size = self._end = path.stat().st_size
        self._waiting.clear()
        self.write_waiting()

    def _all(self) -> list[Entry]:
        if self._entries is None:
            self._entries, self._end, self._size = ([], 0, 0) if self.path is None else _read(self.path)
        return self._entries

    def _write(self, path: Path) -> None:
        size = path.stat().st_size if path.exists() else 0
        if size < self._end or (self._size is not None and size != self._size):
            raise OSError(5, "its journal was changed by something else")
        self._size = None  # until it is known what a failed attempt has left behind our end
        self._end = self._size = _write_lines(path, self._end, self._waiting)
        self._waiting.clear()

    def _set_trouble(self, sentence: str) -> None:
        if sentence != self.trouble:
            self.trouble = sentence
            self.troubled.emit(sentence)


def unsaved_sentence(folder: Path, error: OSError) -> str:
    """Return what a person is told when a project cannot be written."""
    return (
        f"the marks cannot be saved in '{folder}': {error.strerror or error}; they are kept in memory only: "
        "make room, or save the project elsewhere before you close it."
    )


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _write_lines(path: Path, end: int, lines: list[bytes]) -> int:
    """Append lines behind `end`, wait for the disk, and return the new end; what lies behind `end` is cut off first."""
    raw = b"".join(lines)
    new = not path.exists()
    with path.open("x+b" if new else "r+b") as file:
        file.truncate(end)
        file.seek(end)
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    if new:
        wait_for_folder(path.parent)
    return end + len(raw)


def wait_for_folder(folder: Path) -> None:
    """Make sure that a new file is found again after a crash; Windows does that by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> tuple[list[Entry], int, int]:
    """Return the entries of a file, where the last whole line ends, and the size of the file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return [], 0, 0
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
    return entries, end, len(raw)


def _entry(line: bytes, number: int) -> Entry | None:
    """Return the entry in a line; None where it is damaged, or not the one that has to come here."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.get("n") == number else None
