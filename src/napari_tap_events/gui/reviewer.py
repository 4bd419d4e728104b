"""The hand that reviews: which card lies on the table, what is about to be said of it, and what was said last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psygnal import Signal

from napari_tap_events.errors import ProjectError
from napari_tap_events.gui.draft import Draft, Said, all_said, card_of, draft_of, first_draft, said_in
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Correction
from napari_tap_events.project.verdicts import TAGS, Answer, SeenEvent, Verdict
from napari_tap_events.review.audit_design import DRAW, begin_audit
from napari_tap_events.review.cards import Card
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import EDITABLE, Reply, answer_window, change, decide
from napari_tap_events.settings import EventSettings, ReviewSettings

AHEAD = 5
"""So many cards are made ready before they are asked for."""
MARK_FIRST = "Click on every event in the picture first; where there is none, answer no (J)."
TAKE_AWAY = "Events are marked in this window: answer yes (F), or click on them to take them away."
NOT_AN_ANSWER = "The last change was no answer; take it back in the Mark step."


class Reviewer:
    """Cards of one movie under somebody's hand; every answer is one correction of the journal.

    Parameters
    ----------
    annotations : Annotations
    settings : ReviewSettings
    near : EventSettings
        When two places are one and the same.

    Attributes
    ----------
    card : Card or None
        On the table.
    coming : list of Card
        The next ones.
    draft : Draft
    editing : Verdict, AuditAnswer or None
        The earlier answer that the card on the table replaces.
    card_changed, draft_changed, answered : Signal
    said : Signal(str)
        A sentence for the person.
    """

    card_changed = Signal()
    draft_changed = Signal()
    answered = Signal()
    said = Signal(str)

    def __init__(self, annotations: Annotations, settings: ReviewSettings, near: EventSettings) -> None:
        self.annotations, self.settings, self.near = annotations, settings, near
        self.proposals: Proposals | None = None
        self.card: Card | None = None
        self.coming: list[Card] = []
        self.draft = Draft()
        self.editing: Said | None = None
        self._order = [said.key for said in all_said(annotations)]
        self._asked: dict[str, Card] = {}

    def set_proposals(self, proposals: Proposals) -> None:
        """Ask from now on about what this model proposes."""
        self.proposals = proposals
        self.refill()

    def set_settings(self, settings: ReviewSettings, near: EventSettings) -> None:
        """Ask from now on in this mix; the card on the table stays."""
        self.settings, self.near = settings, near
        self.refill()

    def refill(self) -> None:
        """Make the next cards ready, the audit drawn when it is time for it; the card on the table stays there."""
        if self.proposals is None:
            return
        begin = begin_audit(self.annotations, self.proposals.candidates, self.settings, self.near, self.proposals.taught)
        if begin is not None:
            self.annotations.do(begin)
        cards = next_cards(self.proposals, self.annotations, self.settings, self.near, 1 + AHEAD)
        if self.card is None and cards:
            self._lay(cards[0])
        here = self.card.key if self.card is not None else ""
        self.coming = [card for card in cards if card.key != here][:AHEAD]

    def answer(self, answer: Answer) -> bool:
        """Say it, and lay the next card on the table; return whether it could be said."""
        if self.card is None:
            return False
        try:
            correction = self._correction(self.card, answer)
        except ProjectError as error:
            self.said.emit(str(error))
            return False
        if correction is None:
            return False
        self.annotations.do(correction)
        said = said_in(correction)
        if said is not None:
            self._asked[said.key] = self.card
            self._order = [*(key for key in self._order if key != said.key), said.key]
        self.editing = None
        self._next()
        self.answered.emit()
        return True

    def nudge(self, frames: int) -> None:
        """Put the event later or earlier; in a window, the event that was pointed at last."""
        if self.card is None:
            return
        last = self.annotations.shape[0] - 2
        if self.card.box is None:
            t = min(max(self.card.t + self.draft.nudge + frames, 0), last)
            self._draw_up(nudge=t - self.card.t)
        elif self._pointed:
            event = self.draft.seen[-1]
            self._draw_up(seen=(*self.draft.seen[:-1], replace(event, t=min(max(event.t + frames, 0), last))))

    def set_kind(self, name: str) -> None:
        """Say of which kind it is; in a window, the event that was pointed at last."""
        seen = self.draft.seen
        self._draw_up(kind=name, seen=(*seen[:-1], replace(seen[-1], kind=name)) if self._pointed else seen)

    def set_tags(self, tags: Sequence[str]) -> None:
        """Say why."""
        self._draw_up(tags=tuple(tags))

    def next_tag(self) -> None:
        """Give the next reason of the list; after the last, none."""
        tags = self.draft.tags
        after = TAGS.index(tags[-1]) + 1 if tags and tags[-1] in TAGS else 0
        self._draw_up(tags=TAGS[after : after + 1])

    def point_at(self, t: int, y: float, x: float) -> None:
        """Put the event there; in a window, mark one there, or take away the one that is."""
        if self.card is None:
            return
        if self.card.box is None:
            self._draw_up(place=(y, x))
            return
        reach = self.settings.stamp_px
        hit = [e for e in self.draft.seen if abs(e.t - t) <= 1 and ((e.y - y) ** 2 + (e.x - x) ** 2) ** 0.5 <= reach]
        if hit:
            self._draw_up(seen=tuple(e for e in self.draft.seen if e not in hit))
        else:
            t = min(t, self.annotations.shape[0] - 2)
            self._draw_up(seen=(*self.draft.seen, SeenEvent(t, y, x, self.draft.kind)))

    def undo(self) -> None:
        """Take the last answer back, and lay its card on the table again."""
        if self.annotations.undo_words == DRAW:  # it follows from the answers, and is drawn again after them
            self.annotations.undo()
        words = self.annotations.undo_words
        if not words.startswith(("answer ", "audit:")):
            self.said.emit(NOT_AN_ANSWER if words else "There is nothing to take back.")
            return
        correction = self.annotations.undo()
        said = said_in(correction)
        if said is None:
            return
        self._order = [key for key in self._order if key != said.key]
        self.editing = None
        was_changed = any(other.key == said.key for other in all_said(self.annotations))
        if was_changed:  # the answer before is there again
            self._order.append(said.key)
            self.said.emit("The change of an earlier answer was taken back.")
        else:
            self._put_back()
            self._lay(self._card_of(said), draft_of(said))
        self.answered.emit()

    def edit(self, said: Said) -> None:
        """Lay the card of an earlier answer on the table; a new answer takes its place."""
        if self.editing is None:
            self._put_back()
        self.editing = said
        self._lay(self._card_of(said), draft_of(said))

    def leave(self) -> None:
        """Leave an earlier answer as it is, and go on."""
        if self.editing is not None:
            self.editing = None
            self._next()

    def recent(self) -> list[Said]:
        """Return the last answers, the newest first."""
        told = {said.key: said for said in all_said(self.annotations)}
        return [told[key] for key in reversed(self._order) if key in told][:EDITABLE]

    def place(self) -> tuple[int, float, float] | None:
        """Return where the event is by now: (t, y, x)."""
        if self.card is None:
            return None
        y, x = self.draft.place or (self.card.y, self.card.x)
        return self.card.t + self.draft.nudge, y, x

    @property
    def _pointed(self) -> bool:
        """Whether the person pointed at an event of a window that was not marked before."""
        seen = self.draft.seen
        return bool(seen) and seen[-1] not in first_draft(self.annotations, self.card).seen

    def _correction(self, card: Card, answer: Answer) -> Correction | None:
        if card.box is not None:
            sentence = {"yes": "" if self.draft.seen else MARK_FIRST, "no": TAKE_AWAY if self.draft.seen else ""}.get(
                answer, ""
            )
            self.said.emit(sentence)
            unsure = answer == "unsure"
            return None if sentence else answer_window(self.annotations, card, () if unsure else self.draft.seen, unsure)
        y, x = self.draft.place or (None, None)
        reply = Reply(answer, self.draft.kind, self.draft.nudge, y, x, self.draft.tags)
        self.said.emit("")
        if isinstance(self.editing, Verdict):
            return change(self.annotations, self.editing, reply, self.settings, self.near)
        return decide(self.annotations, card, reply, self.settings, self.near)

    def _next(self) -> None:
        if not self.coming:
            self.card = None
            self.refill()
            if self.card is None:
                self._lay(None)
            return
        self._lay(self.coming.pop(0))

    def _card_of(self, said: Said) -> Card:
        """Return the card that an answer was given to, as it was asked; of earlier sessions, as the answer tells it."""
        return self._asked.get(said.key) or card_of(self.annotations, said, self.settings.card_px)

    def _put_back(self) -> None:
        if self.card is not None and self.editing is None:
            self.coming.insert(0, self.card)

    def _lay(self, card: Card | None, draft: Draft | None = None) -> None:
        self.card = card
        self.draft = draft or first_draft(self.annotations, card)
        self.card_changed.emit()

    def _draw_up(self, **values: object) -> None:
        self.draft = replace(self.draft, **values)  # type: ignore[arg-type]
        self.draft_changed.emit()
