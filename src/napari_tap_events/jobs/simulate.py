"""The learning curve of the review itself: a simulated person answers the cards, and every head is scored on time it never saw."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.calibration import fit_calibrator
from napari_tap_events.events.matching import match_events
from napari_tap_events.events.ranking import average_precision, promised_threshold
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.learned import Learned, listed
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.reports import Report
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.audit import Audit, audit_movie
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import answer_window, decide
from napari_tap_events.settings import ReviewSettings, ScoreSettings


@dataclass(frozen=True)
class Point:
    """A point of the learning curve.

    Attributes
    ----------
    decisions : int
        Cards answered, windows of the audit included.
    yes : int
        Events among them.
    f1, ap : float
        On the held-out frames: at the threshold that the answers chose, and at every threshold.
    tp, fp, fn : int
    seconds : float
        That the head took.
    """

    decisions: int
    yes: int
    f1: float
    ap: float
    tp: int
    fp: int
    fn: int
    seconds: float


@dataclass
class Curve:
    """What came of one simulated review.

    Attributes
    ----------
    points : list of Point
    found : list of events table
        At each point, the candidates in the held-out frames with `listed`: for pooling over held-out blocks.
    audit : Audit or None
        At the end.
    """

    points: list[Point] = field(default_factory=list)
    found: list[pd.DataFrame] = field(default_factory=list)
    audit: Audit | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Return the points as plain values."""
        return [{name: _plain(value) for name, value in vars(point).items()} for point in self.points]


@dataclass(frozen=True)
class Trial:
    """One simulated review.

    Attributes
    ----------
    apprentice : Apprentice
    person : Annotator
    settings : ReviewSettings
    shape : (T, Y, X)
    held : range
        Frames that are never asked about, on which heads are scored.
    decisions : int
    """

    apprentice: Apprentice
    person: Annotator
    settings: ReviewSettings
    shape: tuple[int, int, int]
    held: range
    decisions: int

    @property
    def closed(self) -> range:
        """The held-out frames and those around them that an answer could speak of."""
        guard = self.settings.reach_frames + 1
        return range(max(0, self.held.start - guard), self.held.stop + guard)


def simulate(trial: Trial, score: ScoreSettings) -> Generator[Report, None, Curve]:
    """Let a simulated person answer cards from zero labels on.

    Yields
    ------
    Report
        With f1 and ap at every point of the curve.

    Returns
    -------
    Curve
    """
    a, near = Annotations(trial.shape), trial.person.near
    first = trial.apprentice.first.candidates()
    proposals, learned, curve = Proposals(first), None, Curve()
    listed_from = trial.apprentice.first.threshold
    _take_point(curve, trial, score, a, _weighed(first, listed_from, a, near), 0.0)
    every = trial.settings.retrain_every or trial.decisions
    for number in range(1, trial.decisions + 1):
        if not answer_next(a, proposals, trial.person, trial.settings, trial.closed):
            break
        if number % every == 0 or number == trial.decisions:
            started = time.perf_counter()
            learned = yield from _learn(trial, a, learned)
            took = time.perf_counter() - started
            table = _weighed(first, listed_from, a, near) if learned is None else (learned.candidates, learned.threshold)
            proposals = Proposals(table[0], learned is not None)
            point = _take_point(curve, trial, score, a, table, took)
            yield Report(
                "review", number, trial.decisions, values={"f1": point.f1, "ap": point.ap, "yes": point.yes, "s": took}
            )
    curve.audit = None if learned is None else audit_movie(a, listed(learned.candidates, learned.threshold, "held_out"), near)
    return curve


def answer_next(
    a: Annotations, proposals: Proposals, person: Annotator, settings: ReviewSettings, closed: range | None = None
) -> bool:
    """Let a simulated person answer the next card, and say whether there was one.

    Parameters
    ----------
    a : Annotations
        Takes the answer.
    proposals : Proposals
    person : Annotator
    settings : ReviewSettings
    closed : range, optional
        Frames that are never asked about.
    """
    design = begin_audit(a, proposals.candidates, settings, person.near, proposals.taught)
    if design is not None:
        a.do(design)
    card = next(iter(next_cards(proposals, a, settings, person.near, 1, closed)), None)
    if card is None:
        return False
    number = len(a.verdicts) + len(a.audits) + 1
    if card.box is not None:
        a.do(answer_window(a, card, person.look_over(card, number)))
    else:
        marked = [(r.event.t, r.event.y, r.event.x) for r in a.events]
        a.do(decide(a, card, person.answer(card, number, marked), settings, person.near))
    return True


def _learn(trial: Trial, a: Annotations, before: Learned | None) -> Generator[Report, None, Learned | None]:
    try:
        return (yield from trial.apprentice.learn(answers_of(a)))
    except ScopeError:
        return before


def _weighed(first: pd.DataFrame, listed_from: float, a: Annotations, near: Any) -> tuple[pd.DataFrame, float]:
    """Return zero-label candidates, calibrated by what was answered so far."""
    places, truth = answers_of(a).judged
    if len(np.unique(truth)) < 2:
        return first, listed_from  # nothing to choose a threshold by
    judged = pd.DataFrame(places, columns=["t", "y", "x"])
    match = match_events(first, judged, near.radius_px, near.radius_frames)
    calibrator = fit_calibrator(first["score"].to_numpy()[match.predicted], truth[match.truth], "platt")
    table = first.assign(probability=calibrator.probability(first["score"].to_numpy()))
    return table, promised_threshold(table["probability"].to_numpy()[match.predicted], int(truth[match.truth].sum()))


def _take_point(
    curve: Curve, trial: Trial, score: ScoreSettings, a: Annotations, told: tuple[pd.DataFrame, float], seconds: float
) -> Point:
    table, threshold = told
    there = table[table["t"].isin(trial.held)].reset_index(drop=True)
    truth = trial.person.truth
    truth = truth[truth["t"].isin(trial.held)].reset_index(drop=True)
    match = match_events(listed(there, threshold), truth, score.radius_px, score.frames)
    both = 2 * match.tp + match.fp + match.fn
    point = Point(
        decisions=len(a.verdicts) + len(a.audits),
        yes=sum(verdict.answer == "yes" for verdict in a.verdicts),
        f1=2 * match.tp / both if both else float("nan"),
        ap=average_precision(there, truth, score),
        tp=match.tp,
        fp=match.fp,
        fn=match.fn,
        seconds=round(seconds, 2),
    )
    curve.points.append(point)
    curve.found.append(there.assign(listed=there["probability"] >= threshold))
    return point


def _plain(value: Any) -> Any:
    return (
        None if isinstance(value, float) and not np.isfinite(value) else round(value, 4) if isinstance(value, float) else value
    )
