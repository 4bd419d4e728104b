"""Nominal 95 % intervals hold the truth in 93 to 97 of 100 reviews, for rare and for common events."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from napari_tap_events.review.intervals import Tally, draw, ends, precisions, recalls, totals

REVIEWS = 1000


def simulated(windows, looked, listed_true, listed_false, missed, judged=0.0, seed=0):
    """Make 1000 movies, and let each be reviewed.

    Parameters
    ----------
    windows, looked : (H,) windows of each stratum, and how many are looked at
    listed_true, listed_false, missed : (H,) events a window: found by the model, wrongly found, not found
    judged : share of the listed ones outside the audit that a person judged, those that are events more often than others
    """
    rng = np.random.default_rng(seed)
    inside, truth = {}, {}
    tallies = {f.name: np.zeros((REVIEWS, len(windows)), np.int64) for f in dataclasses.fields(Tally)}
    truth = {"events": np.zeros(REVIEWS), "listed_true": np.zeros(REVIEWS), "listed": np.zeros(REVIEWS)}
    for h, (n, k) in enumerate(zip(windows, looked, strict=True)):
        right, wrong, lost = (rng.poisson(rate[h], (REVIEWS, n)) for rate in (listed_true, listed_false, missed))
        inside = {"right": right[:, :k], "wrong": wrong[:, :k], "missed": lost[:, :k]}
        for name, values in inside.items():
            tallies[name][:, h] = values.sum(1)
        right_there, wrong_there = right[:, k:].sum(1), wrong[:, k:].sum(1)
        tallies["windows"][:, h], tallies["looked"][:, h] = n, k
        tallies["listed"][:, h] = right_there + wrong_there
        tallies["confirmed"][:, h] = rng.binomial(right_there, judged)
        tallies["rejected"][:, h] = rng.binomial(wrong_there, judged / 2)
        truth["events"] += (right + lost).sum(1)
        truth["listed_true"] += right.sum(1)
        truth["listed"] += (right + wrong).sum(1)
    return Tally(**tallies), truth


SCENES = {
    "a movie of some hundred events, a good head": (
        [900, 300, 100],
        [40, 40, 40],
        [0.05, 0.5, 2.0],
        [0.02, 0.1, 0.3],
        [0.02, 0.1, 0.2],
    ),
    "a poor head": ([900, 300, 100], [40, 40, 40], [0.03, 0.3, 1.0], [0.2, 0.5, 1.0], [0.05, 0.3, 0.6]),
    "half of the listed are judged": ([400, 200, 100], [30, 30, 30], [0.1, 0.5, 1.5], [0.1, 0.2, 0.4], [0.1, 0.2, 0.3], 0.5),
    "a large movie": ([9000, 3000, 1000], [100, 100, 100], [0.05, 0.5, 2.0], [0.02, 0.1, 0.3], [0.03, 0.1, 0.2]),
    "a small movie, half of it looked at": ([60, 30, 15], [30, 15, 8], [0.1, 0.3, 1.0], [0.05, 0.1, 0.3], [0.1, 0.15, 0.3]),
}


def covered(drawn, truth) -> float:
    low, high = ends(drawn)
    return float(((truth >= low) & (truth <= high)).mean())


@pytest.mark.parametrize("scene", SCENES)
def test_95_percent_intervals_cover_95_percent(scene):
    tally, truth = simulated(*SCENES[scene])
    drawn = draw(tally, draws=1000)
    assert 0.93 <= covered(totals(tally, drawn), truth["events"]) <= 0.97
    assert 0.93 <= covered(recalls(tally, drawn), truth["listed_true"] / truth["events"]) <= 0.97
    assert 0.93 <= covered(precisions(tally, drawn), truth["listed_true"] / truth["listed"]) <= 0.97
