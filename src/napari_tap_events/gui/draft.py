"""What is about to be said of a card, and how an answer that was given becomes a card and a draft again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Correction, Say, Together
from napari_tap_events.project.verdicts import AuditAnswer, AuditDesign, SeenEvent, Verdict
from napari_tap_events.review.audit_design import window_card
from napari_tap_events.review.cards import WORDS, Card

Said = Verdict | AuditAnswer


@dataclass(frozen=True)
class Draft:
    """What is about to be said of a card.

    Attributes
    ----------
    kind : str
    nudge : int
        Frames later than the card says.
    place : (y, x) or None
        Where the person put the event, in pixels; None leaves it where the card has it.
    tags : tuple of str
    seen : tuple of SeenEvent
        In a window of the audit.
    """

    kind: str = ""
    nudge: int = 0
    place: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    seen: tuple[SeenEvent, ...] = ()


def first_draft(a: Annotations, card: Card | None) -> Draft:
    """Return a draft for a card that comes: in a window of the audit, events that are marked already are pointed at."""
    names = [kind.name for kind in a.kinds]
    kind = card.kind if card is not None and card.kind in names else next(iter(names), "")
    if card is None or card.box is None:
        return Draft(kind)
    marked = (region.event for region in a.events)
    inside = (e for e in marked if card.box.contains(e.t, round(e.y), round(e.x)))
    return Draft(kind, seen=tuple(SeenEvent(e.t, e.y, e.x, e.kind) for e in inside))


def asked_square(card: Card, draft: Draft) -> tuple[float, float, float, float]:
    """Return the edges y0, y1, x0, x1 in pixels of what a card asks about."""
    if card.box is not None:
        return card.box.y0 - 0.5, card.box.y1 - 0.5, card.box.x0 - 0.5, card.box.x1 - 0.5
    half = card.side_px / 2
    y, x = draft.place or (card.y, card.x)
    return y - half, y + half, x - half, x + half


def draft_of(said: Said) -> Draft:
    """Return an answer as the draft that it was."""
    if isinstance(said, Verdict):
        t, y, x = said.asked
        return Draft(said.kind, said.t - t, None if (y, x) == (said.y, said.x) else (said.y, said.x), said.tags)
    return Draft(said.seen[-1].kind if said.seen else "", seen=said.seen)


def card_of(a: Annotations, said: Said, side_px: float) -> Card:
    """Return the card that an answer was given to.

    Raises
    ------
    ProjectError
        When the windows of the audit are gone.
    """
    if not isinstance(said, Verdict):
        return window_card(a, said.window, side_px)
    words = WORDS.get(said.reason, "")  # type: ignore[call-overload]
    return Card(said.reason, *said.asked, said.kind, said.probability, said.side_px, words=words)  # type: ignore[arg-type]


def said_in(correction: Correction | None) -> Said | None:
    """Return the answer that a correction gives."""
    parts: Iterable[Correction] = correction.parts if isinstance(correction, Together) else (correction,) if correction else ()
    for part in parts:
        if isinstance(part, Say) and part.after is not None and not isinstance(part.after, AuditDesign):
            return part.after
    return None


def all_said(a: Annotations) -> list[Said]:
    """Return all answers, those of the audit first."""
    return [*a.audits, *a.verdicts]
