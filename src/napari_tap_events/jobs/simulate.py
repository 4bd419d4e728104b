"""The learning curve of the review itself: a simulated person answers the cards, and every head is scored on time it never saw."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.calibration import fit_calibrator
from napari_tap_events.events.matching import match_events
from napari_tap_events.events.ranking import average_precision, promised_threshold
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.learned import listed
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.reports import Report
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.audit import Audit, audit_movie
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.transfer import refit_to
from napari_tap_events.review.verdicts import answer_window, decide
from napari_tap_events.settings import EventSettings, ReviewSettings, ScoreSettings


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


class Opinion(NamedTuple):
    """What a model says of the movie.

    Attributes
    ----------
    table : events table
        Candidates.
    threshold : float
        Probability from which they are listed.
    taught : bool
        Whether a head says it.
    """

    table: pd.DataFrame
    threshold: float
    taught: bool


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
    elsewhere : Opinion or None
        What a head says that was taught elsewhere: answers then put its probabilities right, and nothing is taught.
    """

    apprentice: Apprentice
    person: Annotator
    settings: ReviewSettings
    shape: tuple[int, int, int]
    held: range
    decisions: int
    elsewhere: Opinion | None = None

    @property
    def closed(self) -> range:
        """The held-out frames and those around them that an answer could speak of."""
        guard = self.settings.reach_frames + 1
        return range(max(0, self.held.start - guard), self.held.stop + guard)


def simulate(trial: Trial, score: ScoreSettings) -> Generator[Report, None, Curve]:
    """Let a simulated person answer cards from zero labels on, or beginning with a head that was taught elsewhere.

    Yields
    ------
    Report
        With f1 and ap at every point of the curve.

    Returns
    -------
    Curve
    """
    a, first, curve = Annotations(trial.shape), trial.apprentice.first, Curve()
    said = trial.elsewhere or Opinion(first.candidates(), first.threshold, taught=False)
    _take_point(curve, trial, score, a, said, 0.0)
    every = trial.settings.retrain_every or trial.decisions
    for number in range(1, trial.decisions + 1):
        if not answer_next(a, Proposals(said.table, said.taught), trial.person, trial.settings, trial.closed):
            break
        if number % every == 0 or number == trial.decisions:
            started = time.perf_counter()
            said = _put_right(said, a, trial.person.near) if trial.elsewhere else (yield from _learn(trial, a, said))
            took = time.perf_counter() - started
            point = _take_point(curve, trial, score, a, said, took)
            yield Report(
                "review", number, trial.decisions, values={"f1": point.f1, "ap": point.ap, "yes": point.yes, "s": took}
            )
    column = "held_out" if "held_out" in said.table.columns else "probability"
    curve.audit = audit_movie(a, listed(said.table, said.threshold, column), trial.person.near) if said.taught else None
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


def _learn(trial: Trial, a: Annotations, before: Opinion) -> Generator[Report, None, Opinion]:
    """Teach a head; where answers do not suffice yet, what was said before stays, calibrated by what was answered so far."""
    try:
        learned = yield from trial.apprentice.learn(answers_of(a))
    except ScopeError:
        return before if before.taught else _weighed(before, a, trial.person.near)
    return Opinion(learned.candidates, learned.threshold, taught=True)


def _put_right(said: Opinion, a: Annotations, near: EventSettings) -> Opinion:
    """Return what a head from elsewhere says, its probabilities put right by the answers where there are enough."""
    _, found = refit_to(said.table, answers_of(a).asked, near)
    if found is None:
        return said
    p = found.calibrator.probability(said.table["score"].to_numpy())
    return said._replace(table=said.table.assign(probability=p), threshold=found.threshold)


def _weighed(said: Opinion, a: Annotations, near: EventSettings) -> Opinion:
    """Return zero-label candidates, calibrated by what was answered so far."""
    places, truth = answers_of(a).judged
    if len(np.unique(truth)) < 2:
        return said  # nothing to choose a threshold by
    table = said.table
    match = match_events(table, pd.DataFrame(places, columns=["t", "y", "x"]), near.radius_px, near.radius_frames)
    scores = table["score"].to_numpy()
    p = fit_calibrator(scores[match.predicted], truth[match.truth], "platt").probability(scores)
    return Opinion(
        table.assign(probability=p), promised_threshold(p[match.predicted], int(truth[match.truth].sum())), taught=False
    )


def _take_point(curve: Curve, trial: Trial, score: ScoreSettings, a: Annotations, said: Opinion, seconds: float) -> Point:
    table, threshold = said.table, said.threshold
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
