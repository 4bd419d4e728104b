"""A card: one place of a movie, or one window of the audit, that a person is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from napari_tap_events.movies.scope import Scope

Reason = Literal["uncertain", "confident", "random", "error", "audit"]

WORDS: dict[Reason, str] = {
    "uncertain": "The model is not sure here.",
    "confident": "The model takes this for an event; nobody has confirmed it.",
    "random": "Drawn by chance from all candidates.",
    "error": "The model disagrees with the marks here.",
    "audit": "Drawn by chance to measure what is missed; it does not teach. Mark every event in this window.",
}
NO_LABELS_YET = "The encoder alone points here: no answer has taught yet."
STRONGEST = "Nothing else that is left looks more like an event."
HOW_FAR_DOWN = "Nearly all was confirmed so far: is this an event, too?"


@dataclass(frozen=True)
class Card:
    """A question.

    Attributes
    ----------
    reason : str
        Why it is asked.
    t : int
        Frame pair (t, t + 1); of a window of the audit its first.
    y, x : float
        Place in pixels; of a window its middle.
    kind : str
        What is asked for; of a window "".
    probability : float or None
        What the model says, 0..1; None where it says nothing.
    side_px : float
        Side of the square that is asked about.
    box : Scope or None
        Of a window of the audit: its frame pairs and rectangle.
    window : int
        Its number in the design; -1 for other cards.
    marked : bool
        Whether an event is marked there already.
    words : str
        Why it is asked, for a person.
    """

    reason: Reason
    t: int
    y: float
    x: float
    kind: str
    probability: float | None
    side_px: float
    box: Scope | None = None
    window: int = -1
    marked: bool = False
    words: str = ""

    @property
    def key(self) -> str:
        """By what the same question is known again."""
        return f"window {self.window}" if self.box is not None else f"{self.t} {self.y:.1f} {self.x:.1f}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        box = self.box
        ends = None if box is None else [box.frames.start, box.frames.stop, box.y0, box.y1, box.x0, box.x1]
        return {**vars(self), "box": ends, "key": self.key}


def card_from_json(values: dict[str, Any]) -> Card:
    """Return the card that JSON values tell of."""
    told = {name: value for name, value in values.items() if name != "key"}
    ends = told["box"]
    return Card(**{**told, "box": None if ends is None else Scope(range(ends[0], ends[1]), *ends[2:])})
