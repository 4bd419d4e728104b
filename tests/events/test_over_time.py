"""Events over time: nothing is lost, the interval holds the truth as often as it says, and what is not known stays open."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from napari_tap_events.events.over_time import (
    Smoothing,
    events_over_time,
    poisson_binomial,
    poisson_interval,
)
from napari_tap_events.events.table import EventRow, events_table

PLAIN = Smoothing(bin_frames=1, window_frames=1)

rows = st.builds(
    EventRow,
    t=st.integers(0, 48),
    y=st.just(0.0),
    x=st.just(0.0),
    kind=st.sampled_from(["division", "death", "uncertain"]),
    probability=st.floats(0, 1),
    source=st.just("head"),
    status=st.sampled_from(["proposed", "confirmed", "rejected", "added"]),
)


def table(*events: EventRow) -> pd.DataFrame:
    return events_table(events)


def proposed(t: int, p: float | None = None, source: str = "head", kind: str = "division") -> EventRow:
    return EventRow(t, 0, 0, kind, p, source)


@given(st.lists(rows, max_size=30), st.integers(0, 9))
def test_every_event_is_counted_once_and_the_mean_lies_within_its_interval(events: list[EventRow], length: int) -> None:
    told = events_over_time(table(*events), 50, Smoothing(bin_frames=length))
    counted = [event for event in events if event.kind != "uncertain" and event.status != "rejected"]
    assert sum(int(kind.counted.sum()) for kind in told.kinds) == len(counted)
    assert [kind.kind for kind in told.kinds] == sorted({event.kind for event in counted})
    for kind in told.kinds:
        assert not (kind.low < 0).any()
        assert not (kind.low > kind.high).any()
        # a whole number may lie beside the mean: a window with p = 0.02 most likely holds none
        pairs = np.convolve(np.histogram(np.arange(49), told.edges)[0], np.ones(told.window_bins))[told.window_bins // 2 :]
        slack = 0.03 * told.bin_frames / np.maximum(pairs[: kind.mean.size], 1)
        known = np.isfinite(kind.mean)
        assert (kind.low - slack <= kind.mean)[known].all()
        assert (kind.mean <= kind.high + slack)[known].all()


@given(st.lists(rows, max_size=20))
def test_without_smoothing_expected_numbers_add_up_to_the_sum_of_probabilities(events: list[EventRow]) -> None:
    told = events_over_time(table(*events), 50, PLAIN)
    if told.calibrated:
        sure = {"confirmed": 1.0, "added": 1.0, "rejected": 0.0}
        expected = sum(sure.get(e.status, round(e.probability or 0, 6)) for e in events if e.kind != "uncertain")
        # the last bin is the last frame, which begins no frame pair
        assert sum(float(kind.mean[:-1].sum()) for kind in told.kinds) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), max_size=7))
def test_the_distribution_of_a_sum_is_that_of_all_outcomes(probabilities: list[float]) -> None:
    exact = np.zeros(len(probabilities) + 1)
    for outcome in product((0, 1), repeat=len(probabilities)):
        exact[sum(outcome)] += np.prod([p if hit else 1 - p for p, hit in zip(probabilities, outcome, strict=True)])
    np.testing.assert_allclose(poisson_binomial(probabilities), exact, atol=1e-12)


def test_equal_probabilities_give_the_binomial_distribution() -> None:
    np.testing.assert_allclose(poisson_binomial([0.3] * 501), stats.binom.pmf(np.arange(502), 501, 0.3), atol=1e-13)


def test_the_poisson_interval_is_the_tabulated_one() -> None:
    low, high = poisson_interval(np.array([0.0, 1, 5, 20]))
    np.testing.assert_allclose(low, [0, 0.0253, 1.6235, 12.2165], atol=1e-4)
    np.testing.assert_allclose(high, [3.6889, 5.5716, 11.6683, 30.8884], atol=1e-4)


@pytest.mark.parametrize("rate", [0.3, 1.0, 3.0, 10.0, 40.0])
def test_the_poisson_interval_holds_the_rate_at_least_as_often_as_it_says(rate: float) -> None:
    counts = np.arange(200)
    low, high = poisson_interval(counts.astype(float))
    covered = stats.poisson.pmf(counts, rate)[(low <= rate) & (rate <= high)].sum()
    assert 0.95 <= covered <= 0.999


@pytest.mark.parametrize(("probability", "many"), [(0.05, 8), (0.5, 8), (0.9, 30), (0.2, 200)])
def test_calibrated_intervals_hold_the_true_number_at_least_as_often_as_they_say(probability: float, many: int) -> None:
    """Draw the candidates' truth a thousand times: of all windows, at least 95 % must hold it, and not all by being wide."""
    rng = np.random.default_rng(5)
    p = rng.beta(40 * probability, 40 * (1 - probability), many)
    t = rng.integers(0, 19, many)
    told = events_over_time(table(*(proposed(int(a), float(b)) for a, b in zip(t, p, strict=True))), 20, Smoothing(4, 12))
    (kind,) = told.kinds
    frames = np.minimum((np.arange(5) + 2) * 4, 19) - np.maximum((np.arange(5) - 1) * 4, 0)
    true = (rng.random((1000, many)) < p).astype(int)
    inside = (np.arange(5)[:, None] - 1 <= t // 4) & (t // 4 <= np.arange(5)[:, None] + 1)
    numbers = (true @ inside.T.astype(int)) * (4 / frames)
    covered = (kind.low - 1e-9 <= numbers) & (numbers <= kind.high + 1e-9)
    assert covered.mean() >= 0.945
    narrow = (kind.high - kind.low) / (4 / frames)
    assert (narrow <= 2 * 1.96 * np.sqrt(inside @ (p * (1 - p))) + 2).all()


def test_a_sure_number_has_no_interval() -> None:
    told = events_over_time(
        table(proposed(3, 1.0), proposed(3, 0.0), EventRow(3, 0, 0, "division", None, "", "added")), 10, PLAIN
    )
    (kind,) = told.kinds
    assert told.calibrated
    assert (kind.low[3], kind.mean[3], kind.high[3]) == (2, 2, 2)


@pytest.mark.parametrize(
    "seldom",
    [proposed(3, None), proposed(3, 0.9, "arrow"), proposed(3, 0.9, "simulated"), EventRow(3, 0, 0, status="confirmed")],
)
def test_without_calibrated_probabilities_events_are_counted(seldom: EventRow) -> None:
    told = events_over_time(table(seldom), 10, PLAIN)
    assert not told.calibrated
    assert told.kinds[0].mean[3] == 1
    assert told.kinds[0].high[3] == pytest.approx(5.5716, abs=1e-4)
    assert "events listed" in told.meaning()


def test_words_tell_of_bins_where_nothing_is_smoothed_beyond_them() -> None:
    steps = events_over_time(table(proposed(3, None)), 10, Smoothing(bin_frames=2, window_frames=3)).meaning()
    assert "in steps of 2 frames, no smoothing beyond" in steps
    assert "listed, no smoothing." in events_over_time(table(proposed(3, None)), 10, PLAIN).meaning()


def test_candidates_below_the_threshold_count_by_their_probability_and_verdicts_come_first() -> None:
    candidates = table(proposed(1, 0.9), proposed(2, 0.2), proposed(3, 0.4))
    found = candidates[:1].assign(status="rejected")
    told = events_over_time(found, 10, PLAIN, candidates)
    (kind,) = told.kinds
    assert "below the threshold" not in told.meaning()
    assert "below the threshold is not in it" in events_over_time(candidates, 10, PLAIN).meaning()
    np.testing.assert_allclose(kind.mean[:5], [0, 0, 0.2, 0.4, 0])
    assert kind.counted.sum() == 0


def test_a_sliding_window_averages_and_scales_at_the_ends() -> None:
    events = table(*(EventRow(t, 0, 0, "division", status="added") for t in (0, 0, 0, 5)))
    (kind,) = events_over_time(events, 10, Smoothing(1, 3)).kinds
    np.testing.assert_allclose(kind.mean, [1.5, 1, 0, 0, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0])


def test_what_was_not_searched_is_not_known() -> None:
    (kind,) = events_over_time(table(proposed(5, 0.5)), 12, Smoothing(2, 2), searched=range(4, 8)).kinds
    assert np.isnan(kind.mean).tolist() == [True, True, False, False, True, True]
    np.testing.assert_allclose(kind.mean[2:4], [0.5, 0])


@pytest.mark.parametrize("n_frames", [1, 2, 31, 32, 33, 1000])
def test_bins_cover_the_movie_and_are_few(n_frames: int) -> None:
    told = events_over_time(table(), n_frames)
    assert told.edges[0] == 0
    assert told.edges[-1] >= n_frames
    assert told.edges[-2] < n_frames
    assert 1 <= told.centres.size <= 32
    assert told.kinds == ()
    assert told.window_frames == 3 * told.bin_frames


def test_twenty_thousand_candidates_are_no_hindrance() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"id": np.arange(20_000), "t": rng.integers(0, 999, 20_000), "kind": "division", "status": "proposed",
                         "probability": rng.random(20_000), "source": "head"})  # fmt: skip
    (kind,) = events_over_time(many, 1000, Smoothing(9, 9)).kinds
    assert np.nansum(kind.mean) == pytest.approx(many["probability"].sum())
