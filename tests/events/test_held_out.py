"""Held-out answers: calibrated on what was held out, and never across movies."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.errors import ModelError
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import Candidate
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import (
    APART_FRAMES,
    Calibration,
    HeldOut,
    calibrate,
    candidate_table,
    held_truth,
    judge,
)
from napari_tap_events.events.learning import Lesson
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.settings import EventSettings, ScoreSettings

SCORE = ScoreSettings(radius_px=5, frames=1)


def answers(movie: int = 0, seed: int = 0, n: int = 400, good: float = 3.0) -> tuple[HeldOut, pd.DataFrame]:
    """Windows and candidates of a head that is right more often than not."""
    rng = np.random.default_rng((movie, seed))
    labels = (rng.random((n, 1)) < 0.2).astype(np.int8)
    logits = (good * (labels - 0.5) + rng.normal(0, 1, (n, 1))).astype(np.float32)
    t = np.sort(rng.integers(0, 40, n))
    true = [(3 * i, 20.0 * i, 10.0) for i in range(12)]
    found = [Candidate(a, y + rng.normal(), x, 0, float(2 + rng.normal(0, 0.3))) for a, y, x in true]
    found += [Candidate(int(rng.integers(40)), 500 + 30.0 * i, 90.0, 0, float(-1 + rng.normal(0, 0.3))) for i in range(12)]
    truth = pd.DataFrame(true, columns=["t", "y", "x"]).assign(kind="division")
    return HeldOut(movie, t, np.zeros((n, 2), np.int64), logits, labels, tuple(found)), truth


def test_probabilities_after_calibration_mean_what_they_say():
    held, truth = answers(n=4000)
    made = calibrate([held], [truth], "platt", SCORE)
    p = made.windows[0].probability(held.logits[:, 0])
    assert p.mean() == pytest.approx(held.labels.mean(), abs=0.01)
    assert 0.5 < made.events.probability([2.0])[0] <= 1
    assert made.events.probability([-1.0])[0] < 0.5


def test_the_threshold_lies_between_true_and_false_candidates():
    held, truth = answers()
    made = calibrate([held], [truth], "platt", SCORE)
    true, false = (made.events.probability([c.score for c in part]) for part in (held.candidates[:12], held.candidates[12:]))
    assert false.max() < made.threshold <= true.min()


def test_where_no_candidate_is_an_event_there_is_nothing_to_choose_a_threshold_by():
    held, truth = answers()
    assert calibrate([held], [truth.iloc[:0]], "platt", SCORE).threshold == 0.5
    elsewhere = truth.assign(y=truth["y"] + 1000)
    assert calibrate([held], [elsewhere], "platt", SCORE).threshold == 0.5


def test_a_calibration_survives_json():
    held, truth = answers()
    made = calibrate([held], [truth], "temperature", SCORE)
    assert Calibration.from_dict(json.loads(json.dumps(made.to_dict()))) == made


@pytest.mark.parametrize(
    "values", [{}, {"windows": [{"heat": 1}], "events": {}, "threshold": 0.5}, {"windows": [], "events": {}}]
)
def test_a_damaged_calibration_is_refused(values):
    with pytest.raises(ModelError, match="no usable calibration"):
        Calibration.from_dict(values)


def test_levelled_to_other_odds_the_same_events_are_listed_in_the_same_order():
    held, truth = answers()
    made = calibrate([held], [truth], "platt", SCORE)
    assert made.prior == pytest.approx(np.log(12.5 / 12.5))
    other = made.levelled(made.prior - 2.0)
    scores = np.array([c.score for c in held.candidates])
    before, after = made.events.probability(scores), other.events.probability(scores)
    np.testing.assert_allclose(np.log(after / (1 - after)), np.log(before / (1 - before)) - 2.0, rtol=1e-6)
    assert ((before >= made.threshold) == (after >= other.threshold)).all()
    assert other.levelled(made.prior).events.bias == pytest.approx(made.events.bias)


def test_each_kind_has_its_own_calibration():
    made = Calibration((Calibrator(bias=1.0), Calibrator(temperature=2.0)), Calibrator(), 0.5)
    p = made.map(np.array([[[0.0]], [[4.0]]], np.float32))
    np.testing.assert_allclose(p.ravel(), 1 / (1 + np.exp([-1.0, -2.0])), rtol=1e-6)


def test_movies_lie_behind_each_other_in_time_so_that_none_matches_across():
    (one, truth), (other, _) = answers(0), answers(1)
    table = candidate_table([one, other], None, ())
    assert table["t"].max() >= APART_FRAMES
    assert (table["t"] // APART_FRAMES == table["movie"]).all()
    assert (table["kind"] == "event").all()
    both = held_truth([one, other], [truth, truth.head(0)])
    assert both["t"].max() < APART_FRAMES


def test_a_candidate_on_its_way_to_another_counts_less_in_calibration_and_in_the_table():
    held, _ = answers()
    before = (Candidate(10, 50, 50, 0, 1.0), Candidate(15, 50, 50, 0, 3.0))
    near = EventSettings(radius_px=10, radius_frames=2)
    plain, told = (candidate_table([replace(held, candidates=before, near=one)], None, ()) for one in (None, near))
    assert (plain["score"].tolist(), told["score"].tolist()) == ([1.0, 3.0], [-1.0, 3.0])


def test_only_true_events_within_the_held_out_frames_count():
    held, truth = answers()
    late = HeldOut(0, held.t[held.t >= 20], held.corner, held.logits, held.labels, held.candidates)
    assert held_truth([late], [truth])["t"].tolist() == [t for t in truth["t"] if t in set(late.t)]


def test_a_head_is_asked_about_the_known_windows_of_its_pairs_alone():
    torch.manual_seed(0)
    head = make_head("linear", HeadShape(2, 0, 0, 2, 6, 2, 2)).eval()
    frames = np.random.default_rng(0).normal(size=(6, 2, 20, 18)).astype(np.float16)
    tiles = MapTiles(FeatureMaps(frames, np.zeros((5, 0, 20, 18), np.float16), 2, 2), Inputs(), Compute(torch.device("cpu")))
    labels = np.zeros((5, 2, 8, 7), np.int8)
    labels[2, :, 3, 4], labels[3, :, 0] = 1, -1
    held = judge(head, tiles, Lesson(tiles, labels, [2, 3]), 1, EventSettings(radius_px=4, radius_frames=0))
    assert len(held.t) == 8 * 7 + 7 * 7
    assert held.labels.sum(0).tolist() == [1, 1]
    row = int(np.flatnonzero(held.labels[:, 0])[0])
    assert (held.t[row], *held.corner[row]) == (2, 3 * 4, 4 * 4)
    np.testing.assert_allclose(held.logits[row], DenseHead(head).window_logits(tiles, 2)[:, 3, 4])
    assert {c.t for c in held.candidates} <= {2, 3}
