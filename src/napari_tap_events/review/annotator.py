"""A simulated person: knows the true events, answers cards by them, and errs now and then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.project.verdicts import SeenEvent
from napari_tap_events.review.cards import Card
from napari_tap_events.review.verdicts import Reply
from napari_tap_events.settings import EventSettings


@dataclass(frozen=True)
class Annotator:
    """Answers by a table of true events.

    Attributes
    ----------
    truth : events table
        Rows of kind "uncertain" are answered "unsure".
    near : EventSettings
        What on a card is taken for the event.
    error_rate : float
        Share of cards answered the wrong way round, 0..1; of the audit's windows, those in which nothing is seen.
    seed : int
    exact : bool
        Whether events are always pointed at, so that one that two cards show is marked once.
    """

    truth: pd.DataFrame
    near: EventSettings
    error_rate: float = 0.0
    seed: int = 0
    exact: bool = False

    def answer(self, card: Card, number: int, marked: Collection[tuple[int, float, float]] = ()) -> Reply:
        """Answer a card, the `number`-th.

        An event is put to its true frame. Where it is at the card's place, the mark stays there; where it is elsewhere in the square
        that the card asks about, the person points at it, unless it is among the places `marked` already.
        """
        found = self._nearest(card)
        if found is None or (not self._at_place(found, card) and self._is_marked(found, marked)):
            return Reply("yes" if self._errs(number) else "no")
        if found["kind"] == UNCERTAIN:
            return Reply("unsure")
        if self._errs(number):
            return Reply("no")
        t, y, x = int(found["t"]), float(found["y"]), float(found["x"])
        stays = self._at_place(found, card) and not self.exact
        return Reply("yes", nudge=t - card.t) if stays else Reply("yes", nudge=t - card.t, y=y, x=x)

    def look_over(self, card: Card, number: int) -> list[SeenEvent]:
        """Return the events in a window of the audit, and those just outside of it."""
        if card.box is None or self._errs(number):
            return []
        box, away, frames = card.box, self.near.radius_px, self.near.radius_frames
        sure = self.truth[self.truth["kind"] != UNCERTAIN]
        inside = sure[
            sure["t"].between(box.frames.start - frames, box.frames.stop - 1 + frames)
            & sure["y"].between(box.y0 - away, box.y1 - 1 + away)
            & sure["x"].between(box.x0 - away, box.x1 - 1 + away)
        ]
        return [
            SeenEvent(int(t), float(y), float(x), str(kind)) for t, y, x, kind in inside[["t", "y", "x", "kind"]].to_numpy()
        ]

    def _nearest(self, card: Card) -> pd.Series[Any] | None:
        """Return the event at the card's place, or else elsewhere in its square."""
        away = np.hypot(self.truth["y"] - card.y, self.truth["x"] - card.x)
        late = (self.truth["t"] - card.t).abs()
        half = card.side_px / 2
        square = ((self.truth["y"] - card.y).abs() <= half) & ((self.truth["x"] - card.x).abs() <= half)
        close = ((away <= self.near.radius_px) | square) & (late <= self.near.radius_frames)
        if not close.any():
            return None
        far = away / self.near.radius_px + late / max(1, self.near.radius_frames)
        nearest: pd.Series[Any] = self.truth.loc[far[close].idxmin()]
        return nearest

    def _at_place(self, event: pd.Series[Any], card: Card) -> bool:
        return bool(np.hypot(event["y"] - card.y, event["x"] - card.x) <= self.near.radius_px)

    def _is_marked(self, event: pd.Series[Any], marked: Collection[tuple[int, float, float]]) -> bool:
        return any(
            np.hypot(event["y"] - y, event["x"] - x) <= self.near.radius_px and abs(event["t"] - t) <= self.near.radius_frames
            for t, y, x in marked
        )

    def _errs(self, number: int) -> bool:
        return bool(np.random.default_rng((self.seed, 6, number)).random() < self.error_rate)
