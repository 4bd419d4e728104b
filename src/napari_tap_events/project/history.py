"""What a journal amounts to: for each movie what is done and what could be redone, and the kinds of event for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from psygnal import Signal

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.corrections import Correction
from napari_tap_events.project.journal import Entry, Journal
from napari_tap_events.project.kinds import Kind, kind_from_json


@dataclass
class History:
    """The corrections of one movie as they lie in the journal, unopened: a long history costs little memory.

    Attributes
    ----------
    done : list of dict
        What counts, oldest first; its last is undone next.
    undone : list of dict
        Its last is redone next.
    """

    done: list[dict[str, Any]] = field(default_factory=list)
    undone: list[dict[str, Any]] = field(default_factory=list)

    @property
    def marks_places(self) -> bool:
        """Whether anything was ever marked that has a place: pixels, points or the scope."""
        return any(part["type"] != "kinds" for correction in self.done + self.undone for part in _parts(correction))

    def follow(self, entry: Entry) -> dict[str, Any]:
        """Take in one more entry, and return the correction that it makes or takes back.

        Raises
        ------
        ProjectError
            When it undoes or redoes what is not there.
        """
        what = entry.get("what")
        if what == "do" and "correction" in entry:
            self.done.append(entry["correction"])
            self.undone.clear()
            return self.done[-1]
        if what == "undo" and self.done:
            self.undone.append(self.done.pop())
            return self.undone[-1]
        if what == "redo" and self.undone:
            self.done.append(self.undone.pop())
            return self.done[-1]
        raise ProjectError(
            f"entry {entry.get('n')} of the journal, '{what}', does not follow from those before it; put back a copy of it."
        )


class Chronicle:
    """The journal of a project together with what it amounts to.

    Parameters
    ----------
    journal : Journal
    kinds : sequence of Kind
        Those that the project began with.
    """

    kinds_changed = Signal(str)
    """The movie at which a person changed the kinds; they are the same for all."""

    def __init__(self, journal: Journal, kinds: Sequence[Kind]) -> None:
        self.journal = journal
        self._kinds = tuple(kinds)
        self._histories: dict[str, History] | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of event."""
        self._read()
        return self._kinds

    def history(self, movie: str) -> History:
        """Return the history of a movie; it grows as things are recorded."""
        return self._read().setdefault(movie, History())

    def record(self, what: str, movie: str, correction: Correction | None = None) -> None:
        """Journal that something was done, undone or redone."""
        self._read()
        entry = self.journal.append(what, movie, None if correction is None else correction.to_json())
        if self._follow(entry):
            self.kinds_changed.emit(movie)

    @property
    def now(self) -> tuple[int, str]:
        """Number and time of the newest entry; 0 and "" where there is none."""
        entries = self.journal.entries()
        return (entries[-1]["n"], entries[-1]["time"]) if entries else (0, "")

    def was(self, n: int, time: str) -> bool:
        """Say whether entry `n` was made at that time: whether something else that tells of it tells of this journal."""
        entries = self.journal.entries()
        return (n, time) == (0, "") or (0 < n <= len(entries) and entries[n - 1]["time"] == time)

    def frames_since(self, movie: str, n: int) -> set[int]:
        """Return the frames whose pixels entries of a movie after number `n` have changed."""
        history, frames = History(), set[int]()
        for entry in self.journal.entries():
            if entry.get("movie") == movie:
                correction = history.follow(entry)
                frames |= frames_of(correction) if entry["n"] > n else set()
        return frames

    def _read(self) -> dict[str, History]:
        if self._histories is None:
            self._histories = {}
            for entry in self.journal.entries():
                self._follow(entry)
        return self._histories

    def _follow(self, entry: Entry) -> bool:
        """Take in an entry, and say whether it changes the kinds."""
        correction = self.history(str(entry.get("movie", ""))).follow(entry)
        told = [
            part["before" if entry["what"] == "undo" else "after"] for part in _parts(correction) if part["type"] == "kinds"
        ]
        for kinds in told:
            self._kinds = tuple(kind_from_json(kind) for kind in kinds)
        return bool(told)


def _parts(correction: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if correction["type"] != "together":
        yield correction
    for part in correction.get("parts", ()):
        yield from _parts(part)


def frames_of(correction: dict[str, Any]) -> set[int]:
    """Return the frames whose pixels a correction, unopened, changes."""
    return {int(patch["t"]) for part in _parts(correction) for patch in part.get("patches", ())}
