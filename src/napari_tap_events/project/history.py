"""What a journal amounts to: for each movie what is done and what could be redone, newest last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.journal import Entry


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

    def follow(self, entry: Entry) -> None:
        """Take in one more entry.

        Raises
        ------
        ProjectError
            When it undoes or redoes what is not there.
        """
        what = entry.get("what")
        if what == "do" and "correction" in entry:
            self.done.append(entry["correction"])
            self.undone.clear()
        elif what == "undo" and self.done:
            self.undone.append(self.done.pop())
        elif what == "redo" and self.undone:
            self.done.append(self.undone.pop())
        else:
            raise ProjectError(
                f"entry {entry.get('n')} of the journal, '{what}', does not follow from those before it; "
                "put back a copy of the journal."
            )


def history_of(entries: Iterable[Entry], movie: str) -> History:
    """Return the history of one movie from the entries of all."""
    history = History()
    for entry in entries:
        if entry.get("movie") == movie:
            history.follow(entry)
    return history
