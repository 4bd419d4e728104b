"""Which answers a lesson was given, and which no head has learned from yet."""

from __future__ import annotations

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.gate import HeadHistory


class Lessons:
    """Knows answers apart that came before and after a lesson; one that was changed is a new one, one that was taken back is none.

    Parameters
    ----------
    annotations : Annotations
    history : HeadHistory
        Tells how many answers taught the newest head.
    """

    def __init__(self, annotations: Annotations, history: HeadHistory) -> None:
        self._annotations = annotations
        learned = next((head.answers for head in reversed(history.heads) if not head.elsewhere), 0)
        self._given = self._taught = frozenset(annotations.answers[:learned])

    def begin(self) -> None:
        """Give all answers to a lesson."""
        self._given = frozenset(self._annotations.answers)

    def end(self) -> None:
        """Take note that a head has learned from what the lesson was given."""
        self._taught = self._given

    def waiting(self) -> int:
        """Return how many answers came since the last lesson began."""
        return sum(said not in self._given for said in self._annotations.answers)

    def untaught(self, learning: bool) -> int:
        """Return how many answers no head has learned from, nor learns from where a lesson goes on; of those that can teach."""
        known = self._given if learning else self._taught
        able = (v for v in self._annotations.verdicts if v.answer != "unsure" and not v.locked)
        return sum(verdict not in known for verdict in able)
