"""What opinions are worth: the one that tells events counts, the one that does not is silenced, and a fold never weighs itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.events.detection import Candidate
from napari_tap_events.events.held_out import HeldOut
from napari_tap_events.events.stacking import PRIOR_MEAN, fit_weights, stack, weigh
from napari_tap_events.settings import ScoreSettings

SCORE = ScoreSettings(radius_px=5, frames=1)


def opinions(rng, events, guide: float, head: float) -> np.ndarray:
    """Opinions that lie so many standard deviations apart for events and the rest."""
    return np.stack([good * events + rng.normal(size=len(events)) - 3 for good in (guide, head)], axis=1)


@pytest.mark.parametrize(("guide", "head"), [(3.0, 0.0), (0.0, 3.0), (2.0, 2.0)])
def test_weight_goes_to_the_opinions_that_tell_events(guide, head):
    rng = np.random.default_rng(0)
    events = rng.random(3000) < 0.1
    weights = fit_weights(opinions(rng, events, guide, head), events)
    assert weights == pytest.approx((guide, head), abs=0.35)  # of two normal distributions the log odds are linear, by d'


def test_an_opinion_that_speaks_against_events_gets_no_weight():
    rng = np.random.default_rng(1)
    events = rng.random(500) < 0.2
    assert fit_weights(opinions(rng, events, 2.0, -2.0), events)[1] == 0


def test_few_events_leave_the_weight_with_the_guide():
    rng = np.random.default_rng(2)
    events = np.arange(40) < 2
    guide, head = fit_weights(opinions(rng, events, 0.0, 0.0), events)
    assert guide > 0.5 > head


@pytest.mark.parametrize("events", [[], [False] * 5, [True] * 5])
def test_where_nothing_can_be_learned_the_prior_stays(events):
    assert fit_weights(np.ones((len(events), 2)), events) == PRIOR_MEAN


def answers(unit: int, good: int) -> tuple[HeldOut, list[tuple[float, float, float]]]:
    """Candidates of one unit in frames of its own, of which opinion `good` knows the events."""
    rng, true, found = np.random.default_rng(unit), [], []
    for i in range(60):
        event, said = i % 3 == 0, rng.normal(-4, 0.5, 2)
        said[good] += 4 * event
        place = (float(20 * unit + i % 20), 40.0 * i, 10.0)
        true += [place] if event else []
        found.append(Candidate(int(place[0]), place[1], place[2], 0, float(said.sum()), tuple((one,) for one in said.tolist())))
    logits = rng.normal(size=(2, 20, 1)).astype(np.float32)
    t = np.arange(20 * unit, 20 * unit + 20)
    return HeldOut(0, t, np.zeros((20, 2), np.int64), logits.sum(0), np.zeros((20, 1), np.int8), tuple(found), logits), true


def test_a_fold_is_weighed_by_the_other_units_alone():
    parts, true = zip(*(answers(unit, good) for unit, good in ((0, 0), (1, 1), (2, 1))), strict=True)
    truth = pd.DataFrame([place for each in true for place in each], columns=["t", "y", "x"]).assign(kind="division")
    said = {(k, j): [parts[j]] for k in range(3) for j in range(3)}
    stacked = stack(said, [truth], SCORE)
    assert (
        stacked.weights[0][1] > stacked.weights[0][0]
    )  # units 1 and 2 say: heed the head, though in unit 0 the guide is right
    assert stacked.weights[1][0] > stacked.weights[0][0]
    assert set(stacked.answers) == set(said)
    for (k, j), (part,) in stacked.answers.items():
        expected = np.tensordot(np.array(stacked.weights[k], np.float32), parts[j].opinions, 1)
        np.testing.assert_allclose(part.logits, expected, rtol=1e-5)


def test_weighing_changes_logits_and_scores_together():
    part, _ = answers(0, 1)
    now = weigh(part, (2.0, 0.5))
    for before, after in zip(part.candidates, now.candidates, strict=True):
        assert after.score == pytest.approx(2.0 * before.opinions[0][0] + 0.5 * before.opinions[1][0], rel=1e-4)
        assert (after.t, after.y, after.x) == (before.t, before.y, before.x)
    np.testing.assert_allclose(now.logits, 2.0 * part.opinions[0] + 0.5 * part.opinions[1], rtol=1e-5)


def test_weighing_names_an_event_anew():
    part, _ = answers(0, 1)
    told = replace(part.candidates[0], opinions=((1.0, 3.0, 2.0), (0.0, -1.0, 1.0)))
    named = [weigh(replace(part, candidates=(told,)), weights).candidates[0] for weights in ((1.0, 0.0), (1.0, 1.0))]
    assert [(c.score, c.kind) for c in named] == [(1.0, 0), (1.0, 1)]


def test_a_single_opinion_is_left_as_it_is():
    part, _ = answers(0, 0)
    alone = HeldOut(0, part.t, part.corner, part.logits, part.labels, part.candidates)
    said = {(0, 0): [alone], (0, 1): [alone]}
    stacked = stack(said, [pd.DataFrame()], SCORE)
    assert stacked.answers == said
    assert stacked.final == ()
