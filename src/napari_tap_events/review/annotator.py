"""A simulated person: knows the true events, answers cards by them, and errs now and then."""

from __future__ import annotations

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
    """

    truth: pd.DataFrame
    near: EventSettings
    error_rate: float = 0.0
    seed: int = 0

    def answer(self, card: Card, number: int) -> Reply:
        """Answer a card, the `number`-th; an event that is told is put to its true frame, and left at the card's place."""
        nearest = self._nearest(card)
        if nearest is not None and nearest["kind"] == UNCERTAIN:
            return Reply("unsure")
        is_event = nearest is not None
        if self._errs(number):
            return Reply("no" if is_event else "yes")
        if nearest is None:
            return Reply("no")
        return Reply("yes", nudge=int(nearest["t"]) - card.t)

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
        away = np.hypot(self.truth["y"] - card.y, self.truth["x"] - card.x)
        late = (self.truth["t"] - card.t).abs()
        close = (away <= self.near.radius_px) & (late <= self.near.radius_frames)
        if not close.any():
            return None
        far = away / self.near.radius_px + late / max(1, self.near.radius_frames)
        nearest: pd.Series[Any] = self.truth.loc[far[close].idxmin()]
        return nearest

    def _errs(self, number: int) -> bool:
        return bool(np.random.default_rng((self.seed, 6, number)).random() < self.error_rate)
