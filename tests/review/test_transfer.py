"""A head on a foreign movie: the shift is seen, answers put its probabilities right, and it is told when not to trust it."""

from __future__ import annotations

import numpy as np

from napari_tap_events.review.transfer import (
    FeatureSummary,
    feature_shift,
    refit,
    summarise,
    summary_from_json,
    trust,
)


def maps(shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 1, (20, 6, 40, 40)) * scale + shift).astype(np.float16)


def test_a_movie_like_the_one_that_taught_has_no_shift_and_a_foreign_one_has():
    taught = summarise(maps())
    assert feature_shift(summarise(maps()), taught) == 0
    assert 0.9 < feature_shift(summarise(maps(shift=1)), taught) < 1.1
    assert feature_shift(summarise(maps(scale=3)), taught) > 1.5
    assert summary_from_json(taught.to_json()) == taught
    assert summary_from_json(None) is None


def test_a_channel_that_never_varied_does_not_blow_up():
    flat = FeatureSummary((0.0, 1.0), (0.0, 1.0))
    assert np.isfinite(feature_shift(FeatureSummary((0.1, 1.0), (0.0, 1.0)), flat))


def test_thirty_answers_bring_the_probabilities_back():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 3, 400)
    truth = rng.random(400) < 1 / (1 + np.exp(-(scores / 2 - 1)))
    found = refit(scores, truth)
    assert found is not None
    assert abs(found.calibrator.temperature - 2) < 0.6
    assert abs(found.calibrator.bias + 1) < 0.4
    assert 0.2 < found.threshold < 0.7
    assert found.ranks > 0.7
    assert refit(scores[:29], truth[:29]) is None
    assert refit(scores, np.ones(400, bool)) is None


def test_it_is_told_when_a_head_should_not_be_trusted():
    rng = np.random.default_rng(2)
    blind = refit(rng.normal(0, 1, 200), rng.random(200) < 0.5)
    assert "Do not trust" in trust(0.0, blind)
    assert "very different" in trust(2.0, None)
    assert "answer 30 cards" in trust(0.8, None)
    good = refit([*np.linspace(-3, 0, 30), *np.linspace(0.5, 3, 30)], [False] * 30 + [True] * 30)
    assert trust(0.8, good) == ""
    assert trust(0.1, None) == ""
