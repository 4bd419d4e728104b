"""The threshold that calibrated probabilities promise to be the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.events.calibration import fit_calibrator
from napari_tap_events.events.ranking import promised_threshold

PROBABILITIES = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=30).map(np.array)


def promise(p: np.ndarray, listed: np.ndarray, n_true: float) -> float:
    return 2 * p[listed].sum() / (listed.sum() + n_true) if listed.any() else 0.0


@given(PROBABILITIES, st.integers(0, 5))
def test_no_other_threshold_promises_more(p, unseen):
    n_true = p.sum() + unseen
    best = promise(p, p >= promised_threshold(p, n_true) - 1e-12, n_true)
    assert best == pytest.approx(max(promise(p, p >= cut, n_true) for cut in p))


@given(PROBABILITIES)
def test_it_is_half_of_what_is_promised_and_never_above_one_half(p):
    found = promised_threshold(p)
    assert 0 < found <= 0.5
    assert found == pytest.approx(0.5 * max(promise(p, p >= cut, p.sum()) for cut in p))


def test_events_without_a_candidate_lower_it():
    p = np.array([0.9, 0.8, 0.3, 0.1])
    assert promised_threshold(p) == pytest.approx(0.5 * 2 * 1.7 / (2 + 2.1))
    assert promised_threshold(p, 4) == pytest.approx(0.5 * 2 * 2.0 / (3 + 4))


def test_probabilities_that_keep_their_word_are_cut_where_f1_is_best():
    rng = np.random.default_rng(3)
    p = rng.beta(0.3, 2, 4000)
    event = rng.random(4000) < p

    def f1(cut: float) -> float:
        return 2 * event[p >= cut].sum() / ((p >= cut).sum() + event.sum())

    assert f1(promised_threshold(p)) > max(f1(cut) for cut in np.linspace(0.02, 0.98, 49)) - 0.01


def test_chosen_on_few_events_it_serves_others_better_than_the_best_f1_of_those_few():
    """Scores of events and of other candidates overlap; each time eleven events choose, and F1 is expected over all."""
    rng = np.random.default_rng(0)
    cuts = np.linspace(-4, 6, 400)

    def f1(cut: float) -> float:
        tp, fp = (1000 * np.mean(all_events >= cut), 20000 * np.mean(all_others >= cut))
        return 2 * tp / (tp + fp + 1000)

    all_events, all_others = rng.normal(2.5, 1.2, 20000), rng.normal(-1, 1.2, 20000)
    promised, counted = [], []
    for _ in range(150):
        events, others = rng.normal(2.5, 1.2, 11), rng.normal(-1, 1.2, 220)
        scores, truth = np.concatenate([events, others]), np.arange(231) < 11
        calibrator = fit_calibrator(scores, truth)
        cut = promised_threshold(calibrator.probability(scores), 11)
        promised.append(f1((np.log(cut / (1 - cut)) - calibrator.bias) * calibrator.temperature))
        tp, fp = (events[:, None] >= cuts).sum(0), (others[:, None] >= cuts).sum(0)
        own = 2 * tp / (tp + fp + 11)
        counted.append(f1(float(np.median(cuts[own == own.max()]))))
    assert np.mean(promised) > np.mean(counted) + 0.005
