"""Answers and marks of a movie as an apprentice takes them: a mask, what is known, and which places were judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.movies.known import NOWHERE
from napari_tap_events.movies.masks import EventMasks, UncertainZone
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.kinds import names_of
from napari_tap_events.project.looked_at import known_of
from napari_tap_events.review.transfer import answered
from napari_tap_events.settings import EventSettings

Place = tuple[float, float, float]
"""t, y, x."""


@dataclass(frozen=True)
class Answers:
    """What is known of a movie.

    Attributes
    ----------
    masks : EventMasks
    judged : (N, 3) float64 and (N,) bool
        Places t, y, x that were judged, and whether they are events; those of the audit and locked ones are not among them.
    asked : (N, 3) float64 and (N,) bool
        As `judged`, but only places that a card had asked about: a mark that somebody set says nothing of what was passed over.
    count : int
        Answers so far, those of the audit included.
    kinds : tuple of str
        Of the events that are known.
    """

    masks: EventMasks
    judged: tuple[NDArray[np.float64], NDArray[np.bool_]]
    asked: tuple[NDArray[np.float64], NDArray[np.bool_]]
    count: int
    kinds: tuple[str, ...] = ()


def answers_of(a: Annotations) -> Answers:
    """Return what the marks and the review of a movie tell.

    Without a scope only what was judged or marked is known; nothing else is taken to be empty.
    """
    kinds = tuple(kind.name for kind in a.kinds)
    top = max((kind.value for kind in a.kinds), default=len(kinds))
    zones = tuple(UncertainZone(p.t, p.y, p.x, p.radius_px) for p in a.points if p.meaning == "uncertain")
    masks = EventMasks(a.labels, names_of(a.kinds)[:top], a.scope or NOWHERE, zones, known_of(a))
    seen = [region.event for region in a.events if masks.knows(region.event.t, region.event.y, region.event.x)]
    events, named = [(e.t, e.y, e.x) for e in seen], tuple(sorted({e.kind for e in seen}))
    verdicts = [v for v in a.verdicts if not v.locked and masks.knows(v.t, v.y, v.x)]
    yes, no = ([(v.t, v.y, v.x) for v in verdicts if v.answer == answer] for answer in ("yes", "no"))
    return Answers(masks, _places(events, no), _places(yes, no), len(a.verdicts) + len(a.audits), named)


def counting(a: Annotations, candidates: pd.DataFrame, near: EventSettings) -> tuple[int, int]:
    """Return how many candidates were confirmed, and how many rejected: those that put a head from elsewhere right."""
    _, truth = answered(candidates, answers_of(a).asked, near)
    return int(truth.sum()), int((~truth).sum())


def _places(events: Sequence[Place], nothing: Sequence[Place]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return places in an array, and whether they are events."""
    places = np.array([*events, *nothing], dtype=np.float64).reshape(-1, 3)
    return places, np.arange(len(places)) < len(events)
