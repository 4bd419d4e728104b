"""Matching, ranking and scores agree with brute force on small sets, and keep their promises on any."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_tap_events.events.candidates import candidates
from napari_tap_events.events.matching import found_in_order, match_events
from napari_tap_events.events.ranking import average_precision, best_threshold, bootstrap, bootstrap_mean, outcomes, pr_curve
from napari_tap_events.events.scoring import EventScore, score_events, tolerance_curve
from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.settings import ScoreSettings

TOLERANCE = ScoreSettings(radius_px=5.0, frames=1)


@dataclass(frozen=True)
class Window:
    """An annotated scope."""

    start: int = 0
    stop: int = 5
    y0: int = 0
    y1: int = 8
    x0: int = 0
    x1: int = 8


def rows(kinds: list[str], most: int = 4, size: int = 12) -> st.SearchStrategy[pd.DataFrame]:
    """Small, crowded tables with many ties."""
    row = st.builds(
        EventRow,
        t=st.integers(0, 6),
        y=st.integers(0, size).map(float),
        x=st.integers(0, size).map(float),
        kind=st.sampled_from(kinds),
        probability=st.sampled_from([0.1, 0.3, 0.3, 0.6, 0.9]),
    )
    return st.lists(row, max_size=most).map(events_table)


PREDICTED = rows(["division", "death"])
TRUTH = rows(["division", "death"])
DOUBTFUL = rows(["division", "death", "uncertain"])


def near(a: Any, b: Any, tolerance: ScoreSettings) -> bool:
    return bool(np.hypot(a.y - b.y, a.x - b.x) <= tolerance.radius_px and abs(a.t - b.t) <= tolerance.frames)


def is_inside(row: Any, scope: Window | None) -> bool:
    return scope is None or (
        scope.start <= row.t < scope.stop and scope.y0 <= row.y < scope.y1 and scope.x0 <= row.x < scope.x1
    )


def all_matchings(n: int, m: int) -> Iterator[list[tuple[int, int]]]:
    for size in range(min(n, m) + 1):
        for left in itertools.combinations(range(n), size):
            for right in itertools.permutations(range(m), size):
                yield list(zip(left, right, strict=True))


def brute(
    predicted: pd.DataFrame, truth: pd.DataFrame, tolerance: ScoreSettings, kinds: str = "merged", scope: Window | None = None
) -> tuple[int, int, int]:
    """TP, FP, FN by trying every matching there is."""
    everything = list(truth.itertuples())
    certain = [row for row in everything if row.kind != "uncertain" and is_inside(row, scope)]
    doubtful = [row for row in everything if row.kind == "uncertain" or not is_inside(row, scope)]
    found = list(predicted.itertuples())
    excused = [not is_inside(p, scope) or any(near(p, d, tolerance) for d in doubtful) for p in found]
    best = (-1, 0)
    for pairs in all_matchings(len(found), len(certain)):
        if all(
            near(found[i], certain[j], tolerance) and (kinds == "merged" or found[i].kind == certain[j].kind) for i, j in pairs
        ):
            left_false = len(found) - sum(excused) - sum(not excused[i] for i, _ in pairs)
            best = max(best, (len(pairs), -left_false))
    return best[0], -best[1], len(certain) - best[0]


@settings(max_examples=150, deadline=None)
@given(PREDICTED, DOUBTFUL, st.sampled_from(["merged", "separate"]), st.sampled_from([None, Window()]))
def test_matching_agrees_with_trying_everything(
    predicted: pd.DataFrame, truth: pd.DataFrame, kinds: Any, scope: Window | None
) -> None:
    matching = match_events(predicted, truth, TOLERANCE.radius_px, TOLERANCE.frames, kinds, scope)
    assert (matching.tp, matching.fp, matching.fn) == brute(predicted, truth, TOLERANCE, kinds, scope)
    assert len(set(matching.predicted)) == len(set(matching.truth)) == matching.tp
    parts = np.concatenate([matching.predicted, matching.false, matching.ignored])
    assert sorted(parts) == list(range(len(predicted)))
    for i, j in zip(matching.predicted, matching.truth, strict=True):
        assert near(predicted.iloc[i], truth.iloc[j], TOLERANCE)


@settings(max_examples=100, deadline=None)
@given(PREDICTED, TRUTH)
def test_among_the_largest_matchings_the_nearest_is_taken(predicted: pd.DataFrame, truth: pd.DataFrame) -> None:
    def distance(i: int, j: int) -> float:
        p, q = predicted.iloc[i], truth.iloc[j]
        return float(np.hypot(np.hypot(p.y - q.y, p.x - q.x) / TOLERANCE.radius_px, abs(p.t - q.t) / TOLERANCE.frames))

    matching = match_events(predicted, truth, TOLERANCE.radius_px, TOLERANCE.frames)
    least = min(
        sum(distance(i, j) for i, j in pairs)
        for pairs in all_matchings(len(predicted), len(truth))
        if len(pairs) == matching.tp and all(near(predicted.iloc[i], truth.iloc[j], TOLERANCE) for i, j in pairs)
    )
    chosen = zip(matching.predicted.tolist(), matching.truth.tolist(), strict=True)
    assert sum(distance(i, j) for i, j in chosen) == pytest.approx(least)


@settings(max_examples=100, deadline=None)
@given(PREDICTED, DOUBTFUL, st.sampled_from(["merged", "separate"]), st.sampled_from([None, Window()]))
def test_the_curve_is_the_matching_at_every_threshold(
    predicted: pd.DataFrame, truth: pd.DataFrame, kinds: Any, scope: Window | None
) -> None:
    curve = pr_curve(predicted, truth, TOLERANCE, kinds, scope)
    assert (np.diff(curve.threshold) < 0).all()
    area, before = 0.0, 0.0
    for level in sorted(set(predicted["probability"]), reverse=True):
        tp, fp, fn = brute(predicted[predicted["probability"] >= level], truth, TOLERANCE, kinds, scope)
        if tp + fp and level in curve.threshold:
            k = curve.threshold.tolist().index(level)
            assert curve.precision[k] == pytest.approx(tp / (tp + fp))
            if curve.n_true:
                assert curve.recall[k] == pytest.approx(tp / (tp + fn))
                area += (curve.recall[k] - before) * curve.precision[k]
                before = float(curve.recall[k])
    if curve.n_true:
        assert average_precision(predicted, truth, TOLERANCE, kinds, scope) == pytest.approx(area)
    else:
        assert np.isnan(curve.average_precision)


@settings(max_examples=100, deadline=None)
@given(PREDICTED, DOUBTFUL)
def test_the_best_threshold_is_not_beaten(predicted: pd.DataFrame, truth: pd.DataFrame) -> None:
    def f1(threshold: float) -> float:
        tp, fp, fn = brute(predicted[predicted["probability"] >= threshold], truth, TOLERANCE)
        return 2 * tp / max(2 * tp + fp + fn, 1)

    chosen = f1(best_threshold(predicted, truth, TOLERANCE))
    assert all(chosen >= f1(level) for level in predicted["probability"])


@settings(max_examples=100, deadline=None)
@given(PREDICTED, TRUTH)
def test_swapping_predicted_and_truth_swaps_precision_and_recall(predicted: pd.DataFrame, truth: pd.DataFrame) -> None:
    one, other = scored(predicted, truth), scored(truth, predicted)
    assert one.precision == pytest.approx(other.recall, nan_ok=True)
    assert one.recall == pytest.approx(other.precision, nan_ok=True)
    assert one.f1 == pytest.approx(other.f1, nan_ok=True)
    assert one.timing_iqr_frames == pytest.approx(other.timing_iqr_frames, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(PREDICTED, TRUTH, st.integers(0, 3), st.floats(0, 10))
def test_a_wider_tolerance_never_finds_less(
    predicted: pd.DataFrame, truth: pd.DataFrame, frames: int, radius_px: float
) -> None:
    narrow = match_events(predicted, truth, radius_px, frames)
    assert narrow.tp <= match_events(predicted, truth, radius_px, frames + 1).tp
    assert narrow.tp <= match_events(predicted, truth, radius_px + 1.5, frames).tp


@settings(max_examples=100, deadline=None)
@given(PREDICTED, TRUTH, rows(["uncertain"]))
def test_uncertain_rows_never_add_errors(predicted: pd.DataFrame, truth: pd.DataFrame, doubtful: pd.DataFrame) -> None:
    plain = match_events(predicted, truth, 5, 1)
    excused = match_events(predicted, pd.concat([doubtful, truth], ignore_index=True), 5, 1)
    assert (excused.tp, excused.fn) == (plain.tp, plain.fn)
    assert excused.fp == plain.fp - excused.ignored.size


@settings(max_examples=60, deadline=None)
@given(PREDICTED, DOUBTFUL, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(predicted: pd.DataFrame, truth: pd.DataFrame, random: Any) -> None:
    def shuffled(table: pd.DataFrame) -> pd.DataFrame:
        order = list(range(len(table)))
        random.shuffle(order)
        return table.iloc[order]

    other = score_events(shuffled(predicted), shuffled(truth), TOLERANCE, n_frames=7, height=13, width=13)
    assert json.dumps(scored(predicted, truth).to_dict()) == json.dumps(other.to_dict())


@settings(max_examples=60, deadline=None)
@given(PREDICTED, TRUTH)
def test_claims_stand_once_made(predicted: pd.DataFrame, truth: pd.DataFrame) -> None:
    found = candidates(predicted, truth, 5, 1)
    newly, claimed = found_in_order(found, np.arange(len(predicted)))
    gained = newly[claimed]
    assert len(set(gained)) == gained.size == match_events(predicted, truth, 5, 1).tp


def scored(predicted: pd.DataFrame, truth: pd.DataFrame, **how: Any) -> EventScore:
    return score_events(predicted, truth, TOLERANCE, **{"n_frames": 7, "height": 13, "width": 13, **how})


def test_a_case_done_by_hand() -> None:
    truth = events_table([EventRow(10, 10, 10, "division"), EventRow(40, 50, 50, "death"), EventRow(80, 90, 90, "uncertain")])
    predicted = events_table(
        [
            EventRow(11, 12, 10, "division", 0.9),
            EventRow(39, 50, 52, "division", 0.8),
            EventRow(80, 91, 90, "division", 0.7),
            EventRow(60, 20, 70, "division", 0.6),
            EventRow(5, 90, 5, "division", 0.2),
            replace(EventRow(7, 7, 70, "division", 0.99), status="rejected"),
        ]
    )
    size = {"n_frames": 100, "height": 100, "width": 200}
    score = scored(predicted, truth, threshold=0.5, pixel_size_um=10.0, **size)
    assert (score.n_true, score.tp, score.fp, score.fn, score.ignored) == (2, 2, 1, 0, 1)
    assert (score.precision, score.recall, score.f1) == pytest.approx((2 / 3, 1, 0.8))
    assert score.average_precision == 1
    assert score.false_rate == pytest.approx(1 / 2)
    assert score.false_rate_unit == "per 100 frames per mm2"
    assert (score.timing_median_frames, score.timing_iqr_frames) == (0, 1)
    assert sum(bin_.error for bin_ in score.counts) == 1
    assert (score.counts[6].n_true, score.counts[6].n_predicted) == (0, 1)
    assert score.counts[8].error == 0
    assert [(kind.kind, kind.tp, kind.fp) for kind in score.kinds] == [("death", 1, None), ("division", 1, None)]
    assert scored(predicted, truth, **size).false_rate == pytest.approx(2 / 0.02)

    apart = scored(predicted, truth, threshold=0.5, kinds="separate", **size)
    assert [(kind.kind, kind.tp, kind.fp, kind.fn) for kind in apart.kinds] == [("death", 0, 0, 1), ("division", 1, 2, 0)]
    assert apart.false_rate_unit.endswith("megapixel")


def test_the_tolerance_curve_has_every_point() -> None:
    truth, predicted = events_table([EventRow(3, 0, 0)]), events_table([EventRow(5, 0, 7, probability=0.5)])
    points = tolerance_curve(predicted, truth, TOLERANCE)
    assert len(points) == 15
    assert {(point.frames, point.radius_px) for point in points if point.tp} == {(2, 10.0), (3, 10.0), (6, 10.0)}


def test_outside_the_scope_nothing_counts() -> None:
    truth = events_table([EventRow(1, 4, 4), EventRow(1, 30, 30)])
    predicted = events_table([EventRow(1, 4, 9, probability=0.9), EventRow(1, 50, 50, probability=0.8)])
    score = scored(predicted, truth, scope=Window())
    assert (score.n_true, score.tp, score.fp, score.fn, score.ignored) == (1, 1, 0, 0, 1)
    assert score.false_rate == 0


def test_where_the_truth_is_partial_only_recall_is_told() -> None:
    truth, predicted = events_table([EventRow(1, 4, 4)]), events_table([EventRow(1, 4, 9, probability=0.9)])
    score = scored(predicted, truth, recall_only=True)
    assert score.recall_only
    assert score.recall == 1
    assert np.isnan([score.precision, score.f1, score.average_precision, score.false_rate]).all()
    assert score.to_dict()["precision"] is None


def test_nothing_predicted_and_nothing_true_are_no_mistakes_of_ours() -> None:
    one, none = events_table([EventRow(1, 4, 4, probability=0.9)]), events_table([])
    missed = scored(none, one)
    assert np.isnan(missed.precision)
    assert (missed.recall, missed.f1, missed.average_precision, missed.fn) == (0, 0, 0, 1)
    false = scored(one, none)
    assert np.isnan(false.recall)
    assert np.isnan(false.average_precision)
    assert (false.precision, false.f1, false.fp) == (0, 0, 1)
    assert np.isnan(scored(none, none).f1)
    assert best_threshold(none, one, TOLERANCE) == best_threshold(one, none, TOLERANCE) == 0.5
    assert json.loads(json.dumps(missed.to_dict()))["precision"] is None


def apart(*probabilities: float) -> pd.DataFrame:
    """Predictions 100 px apart from each other."""
    return events_table([EventRow(0, 100.0 * i, 0, probability=p) for i, p in enumerate(probabilities)])


def test_the_best_threshold_lies_in_the_middle_of_its_plateau() -> None:
    predicted = apart(0.9, 0.8, 0.4, 0.2)
    assert best_threshold(predicted, predicted.iloc[:2], TOLERANCE) == pytest.approx(0.6)
    assert best_threshold(predicted, predicted, TOLERANCE) == pytest.approx(0.1)
    # F1 is 2/3 from .9 down to .8 and again from .2 down to 0: the wider plateau is taken
    assert best_threshold(predicted, predicted.iloc[[0, 3]], TOLERANCE) == pytest.approx(0.1)


def test_ties_come_in_together() -> None:
    truth = apart(0.5, 0.5, 0.5, 0.5).iloc[:2]
    curve = pr_curve(apart(0.5, 0.5, 0.5, 0.5), truth, TOLERANCE)
    assert curve.threshold.tolist() == [0.5]
    assert curve.average_precision == 0.5


def test_a_prediction_that_is_excused_anyway_leaves_the_true_event_to_another() -> None:
    truth = events_table([EventRow(0, 0, 0), EventRow(0, 0, -6, "uncertain")])
    predicted = events_table([EventRow(0, 0, -1, probability=0.9), EventRow(0, 0, 4, probability=0.8)])
    matching = match_events(predicted, truth, 5, 1)
    assert (matching.predicted.tolist(), matching.ignored.tolist(), matching.fp) == ([1], [0], 0)


def test_what_a_person_set_passes_every_threshold() -> None:
    added = events_table([replace(EventRow(0, 0, 0), status="added")])
    assert scored(added, added, threshold=1.0).tp == 1


def many(n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth of n events, found with odds that follow the probability, among as many false ones."""
    rng = np.random.default_rng(seed)
    truth = [EventRow(int(rng.integers(0, 200)), 100.0 * i, 0) for i in range(n)]
    seen = [replace(row, probability=float(rng.beta(4, 2))) for row in truth if rng.random() < 0.8]
    false = [EventRow(int(rng.integers(0, 200)), 100.0 * i, 900, probability=float(rng.beta(2, 4))) for i in range(n)]
    return events_table(seen + false), events_table(truth)


@pytest.mark.parametrize("by", ["blocks", "events"])
def test_the_interval_holds_the_score_and_shrinks_with_events(by: Any) -> None:
    widths = []
    for n in (15, 240):
        predicted, truth = many(n, seed=n)
        interval = bootstrap(predicted, truth, TOLERANCE, threshold=0.5, n_frames=200, by=by, repeats=400)
        score = score_events(predicted, truth, TOLERANCE, threshold=0.5, n_frames=200, height=9, width=9)
        assert interval.f1[0] < score.f1 < interval.f1[1]
        assert interval.ap[0] < score.average_precision < interval.ap[1]
        widths.append(interval.f1[1] - interval.f1[0])
        assert interval == bootstrap(predicted, truth, TOLERANCE, threshold=0.5, n_frames=200, by=by, repeats=400)
    assert widths[1] < widths[0] / 2
    assert interval.to_dict()["f1"] == list(interval.f1)


def test_the_interval_of_one_run_is_that_of_the_run() -> None:
    predicted, truth = many(40, seed=3)
    found = predicted[predicted["probability"] >= 0.5]
    alone = bootstrap(predicted, truth, TOLERANCE, threshold=0.5, n_frames=200, repeats=300)
    mean = bootstrap_mean([(predicted, found)] * 3, truth, TOLERANCE, n_frames=200, repeats=300)
    assert mean.f1 == pytest.approx(alone.f1)
    assert mean.ap == pytest.approx(alone.ap)


def test_the_interval_of_several_runs_lies_between_theirs() -> None:
    good, truth = many(60, seed=5)
    poor = good.assign(probability=1 - good["probability"])
    runs = [(table, table[table["probability"] >= 0.5]) for table in (good, poor)]
    ends = [bootstrap_mean(part, truth, TOLERANCE, n_frames=200).ap for part in ([runs[0]], runs, [runs[1]])]
    assert ends[0][0] > ends[1][0] > ends[2][0]
    assert ends[0][1] > ends[1][1] > ends[2][1]
    assert bootstrap_mean([], truth, TOLERANCE, n_frames=200).to_dict()["ap"] == [None, None]


def test_a_draw_of_every_event_once_is_the_score_itself() -> None:
    from napari_tap_events.events.ranking import _ap_of, _f1_of

    predicted, truth = many(40, seed=3)
    seen = outcomes(predicted, truth, TOLERANCE)
    once = np.ones((1, seen.found_at.size + seen.false_at.size))
    assert _ap_of(seen, once)[0] == pytest.approx(average_precision(predicted, truth, TOLERANCE))
    assert _f1_of(seen, once, 0.5)[0] == pytest.approx(scored(predicted, truth, threshold=0.5).f1)


def test_too_little_to_draw_from_gives_no_interval() -> None:
    none = events_table([])
    interval = bootstrap(none, none, TOLERANCE, threshold=0.5, n_frames=50)
    assert interval.to_dict()["ap"] == [None, None]


def test_thousands_of_events_are_matched_in_seconds() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 2000, (3000, 2))
    truth = events_table([EventRow(int(rng.integers(0, 500)), float(y), float(x)) for y, x in places])
    predicted = pd.concat([truth.assign(probability=0.9), truth.assign(probability=0.4, t=truth["t"] + 1)], ignore_index=True)
    score = score_events(predicted, truth, ScoreSettings(), n_frames=501, height=2000, width=2000)
    assert score.tp == 3000
    assert score.average_precision > 0.95
