"""Which cards come next: a mix that a person can see and change, the same for the same answers and seed.

Cards come in rounds. Within a round each sort of card is spread evenly, so that the mix holds at every moment. Where one sort has
nothing left to ask, the next one stands in. A place is asked about once: what lies near an answer in space and time is passed over.
Where an event was denied, what stands there some frames before or after is most often the same debris: unless the model takes it for
an event, as a cell that was denied while it rounded up and now divides, it comes after everything else.
Inside of the scope a person has looked at everything; only what a model doubts there is asked about.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.matching import match_events
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.audit_design import looked_at, next_windows
from napari_tap_events.review.cards import HOW_FAR_DOWN, NO_LABELS_YET, STRONGEST, WORDS, Card, Reason
from napari_tap_events.review.places import events_of, in_boxes, near_any, nothing_of
from napari_tap_events.settings import EventSettings, QueueSettings

STANDS_IN: dict[Reason, tuple[Reason, ...]] = {
    "uncertain": ("confident", "error", "random", "audit"),
    "confident": ("uncertain", "error", "random", "audit"),
    "audit": ("uncertain", "confident", "error", "random"),
    "error": ("uncertain", "confident", "random", "audit"),
    "random": (),
}
THE_SAME_THING = 5
"""A no holds, at its place, for so many times the frames within which two events are one."""
EITHER_ANSWER = 3
"""Until so many yes and so many no are known the strongest candidates are asked about, whatever the sort of card; of a head whose strongest
were all confirmed, weaker and weaker ones, until it is known where its events end."""


@dataclass(frozen=True)
class Proposals:
    """What a model says of a movie.

    Attributes
    ----------
    candidates : events table
        With `probability`; the column `held_out` says what a head says that was not taught there, where there is one.
    taught : bool
        Whether probabilities come from a head that learned from answers; else they only rank.
    """

    candidates: pd.DataFrame
    taught: bool = False


def next_cards(
    proposals: Proposals,
    a: Annotations,
    queue: QueueSettings,
    near: EventSettings,
    count: int = 5,
    closed: range | None = None,
    passed: Collection[str] = (),
) -> list[Card]:
    """Return the next cards.

    Parameters
    ----------
    proposals : Proposals
    a : Annotations
        With the answers so far.
    queue : QueueSettings
    near : EventSettings
        When two places are one and the same.
    count : int
    closed : range, optional
        Frames that nothing is asked about.
    passed : collection of str
        Keys of cards that are not to come now: those on screen, those that a person put aside.
    """
    desk = _Desk(proposals, a, queue, near, closed or range(0), passed)
    answered = len(a.verdicts) + len(a.audits)
    cards: list[Card] = []
    for number in range(answered, answered + count):
        card = desk.take(reason_at(queue, number))
        if card is None:
            break
        cards.append(card)
    return cards


def reason_at(queue: QueueSettings, number: int) -> Reason:
    """Return of which sort card `number` is: the sort that is furthest behind its share."""
    if queue.order != "mix":
        return queue.order
    shares: dict[Reason, int] = {
        "uncertain": queue.uncertain, "confident": queue.confident, "audit": queue.audit, "error": queue.errors
    }  # fmt: skip
    total = sum(shares.values()) or 1
    came = dict.fromkeys(shares, 0)
    reason: Reason = "uncertain"
    for n in range(number % total + 1):
        reason = max(shares, key=lambda name: shares[name] * (n + 1) / total - came[name])
        came[reason] += 1
    return reason


class _Desk:
    """Candidates that are still to be asked about, taken one by one."""

    def __init__(
        self,
        proposals: Proposals,
        a: Annotations,
        queue: QueueSettings,
        near: EventSettings,
        closed: range,
        passed: Collection[str],
    ) -> None:
        self.a, self.queue, self.near, self.passed = a, queue, near, set(passed)
        table = proposals.candidates
        self.places = table[["t", "y", "x"]].to_numpy(dtype=np.float64).reshape(-1, 3)
        self.p = table["probability"].to_numpy(dtype=np.float64)
        self.held_out = (
            table["held_out"].to_numpy(dtype=np.float64) if "held_out" in table.columns else np.full(len(table), np.nan)
        )
        self.kinds = table["kind"].to_numpy(dtype=object)
        self.free = ~np.isin(self.places[:, 0], np.array(closed)) & ~in_boxes(self.places, looked_at(a))
        asked = [v.asked for v in a.verdicts]
        found = [(v.t, v.y, v.x) for v in a.verdicts if v.answer == "yes"]
        self.free &= ~near_any(self.places, asked + found, near)
        self.marked = near_any(self.places, events_of(a), near)
        self.looked_at = in_boxes(self.places, [] if a.scope is None else [a.scope])
        longer = near.model_copy(update={"radius_frames": THE_SAME_THING * near.radius_frames})
        self.again = near_any(self.places, nothing_of(a), longer) & (self.p < 0.5)
        answers = [v.answer for v in a.verdicts]
        yes, no = answers.count("yes"), answers.count("no")
        self.ranking_only = not proposals.taught or min(yes, no) < EITHER_ANSWER
        self.end = _End(table, a, near) if proposals.taught and no < EITHER_ANSWER <= yes else None
        self.taught = proposals.taught
        mixed = queue.order == "mix" and queue.audit > 0
        self.windows: Iterator[Card] = next_windows(a, closed, queue.card_px) if mixed else iter(())
        self.random = np.random.default_rng((queue.queue_seed, 1)).permutation(len(table))

    def take(self, wanted: Reason) -> Card | None:
        """Return the next card of a sort, or of one that stands in for it; None where nothing is left to ask."""
        for reason in (wanted, *STANDS_IN[wanted]):
            card = (
                next((card for card in self.windows if card.key not in self.passed), None)
                if reason == "audit"
                else self._place(reason)
            )
            if card is not None:
                return card
        return None

    def _place(self, reason: Reason) -> Card | None:
        for n in self._order(reason):
            card = self._card(int(n), reason)
            if self.end is not None and reason == "uncertain":
                self.end.ask(n)
            self.free &= ~near_any(self.places, self.places[n : n + 1], self.near)
            if card.key not in self.passed:
                return card
        return None

    def _order(self, reason: Reason) -> Sequence[int] | NDArray[np.int64]:
        """Return the candidates that a sort of card may ask about, the first first."""
        if reason == "error":
            return self._doubts()
        open_ = self.free & ~self.marked & ~self.looked_at
        if reason == "random":
            return self.random[open_[self.random]]
        doubt = -self.p if self.ranking_only else np.abs(self.p - 0.5)
        if reason == "uncertain" and self.end is not None:
            doubt = self.end.distance()
        if reason == "confident":
            doubt = -self.p
            open_ = open_ if self.ranking_only else open_ & (self.p >= 0.5)
        order = np.lexsort((doubt, self.again))
        return order[open_[order]]

    def _doubts(self) -> NDArray[np.int64]:
        """Return where the model, not taught there, is sure of the opposite of the marks: inside of the scope only."""
        against = np.where(self.marked, 1 - self.held_out, self.held_out)
        order = np.argsort(-against, kind="stable")
        sure = self.free & self.looked_at & (np.nan_to_num(against) >= self.queue.sure)
        return order[sure[order]]

    def _card(self, n: int, reason: Reason) -> Card:
        t, y, x = self.places[n]
        words = WORDS[reason]
        if self.ranking_only and reason in ("uncertain", "confident"):
            words = STRONGEST if self.taught else NO_LABELS_YET
            words = HOW_FAR_DOWN if self.end is not None and reason == "uncertain" else words
        kind = str(self.kinds[n])
        return Card(
            reason,
            int(t),
            float(y),
            float(x),
            kind,
            float(self.p[n]),
            self.queue.card_px,
            marked=bool(self.marked[n]),
            words=words,
        )


class _End:
    """Where in a ranking events end, looked for among candidates of which nearly all that were asked about are events.

    Parameters
    ----------
    table : events table
        All candidates, with `probability`.
    a : Annotations
    near : EventSettings
    """

    def __init__(self, table: pd.DataFrame, a: Annotations, near: EventSettings) -> None:
        self.rank = np.argsort(np.argsort(-table["probability"].to_numpy(np.float64), kind="stable"))
        asked = pd.DataFrame([v.asked for v in a.verdicts], columns=["t", "y", "x"])
        found = match_events(table, asked, near.radius_px, near.radius_frames)
        said = np.array([v.answer for v in a.verdicts], dtype=object)[found.truth]
        ranks = self.rank[found.predicted]
        self.weakest_yes = int(ranks[said == "yes"].max(initial=0))
        weaker = ranks[(said == "no") & (ranks > self.weakest_yes)]
        self.strongest_no = int(weaker.min()) if weaker.size else None

    def ask(self, n: int) -> None:
        """Take note that a candidate is asked about; cards that are fetched ahead go on from there, as if it were confirmed."""
        self.weakest_yes = max(self.weakest_yes, int(self.rank[n]))

    def distance(self) -> NDArray[np.float64]:
        """Return how far in the ranking every candidate is from where to ask.

        Twice as far down as all that was confirmed, until something is denied; then between that and what was confirmed.
        """
        place = 2.0 * (self.weakest_yes + 1)
        if self.strongest_no is not None:
            place = math.sqrt((self.weakest_yes + 1) * (self.strongest_no + 1))
        distance: NDArray[np.float64] = np.abs(self.rank + 1 - place)
        return distance
