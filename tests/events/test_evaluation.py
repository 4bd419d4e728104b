"""The honest score: every fold is calibrated by the others."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from napari_tap_events.events.detection import Candidate
from napari_tap_events.events.evaluation import Field, by_time, crop_level, evaluation, judge_folds
from napari_tap_events.events.held_out import HeldOut, calibrate, candidate_table
from napari_tap_events.events.ranking import average_precision
from napari_tap_events.settings import ScoreSettings

SCORE = ScoreSettings(radius_px=5, frames=1)


def _answers():
    spec = importlib.util.spec_from_file_location("held_out_answers", Path(__file__).with_name("test_held_out.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.answers


answers = _answers()


def folds(bias: float = 0.0):
    """Three movies, one a fold; the logits of the first are shifted, so that its own calibration would undo it."""
    made = [answers(movie) for movie in range(3)]
    made[0][0].logits[:] += bias
    parts, truths = [part for part, _ in made], [truth for _, truth in made]
    return {(k, j): [parts[j]] for k in range(3) for j in range(3)}, truths


def test_no_fold_is_calibrated_by_its_own_answers():
    plain, shifted = (judge_folds(*folds(bias), ("event",), "platt", SCORE) for bias in (0.0, 5.0))
    assert plain.calibrations[0] == shifted.calibrations[0]
    assert plain.calibrations[1] != shifted.calibrations[1]
    assert plain.final != shifted.final


def test_every_window_and_candidate_of_every_fold_is_pooled_once():
    given, truths = folds()
    judged = judge_folds(given, truths, ("event",), "platt", SCORE)
    assert len(judged.labels) == len(judged.probability) == 3 * 400
    assert len(judged.truth) == sum(len(truth) for truth in truths)
    assert judged.candidates["id"].is_unique
    assert len(judged.candidates) == 3 * 24


def test_a_head_that_finds_its_events_has_a_good_score_and_the_rate_is_per_judged_frame():
    judged = judge_folds(*folds(), ("event",), "platt", SCORE)
    all_judged, half = (evaluation(judged, Field(120, pairs, 100, 100, None), SCORE, False) for pairs in (120, 60))
    assert all_judged["score"]["f1"] == pytest.approx(1.0, abs=0.05)
    assert all_judged["reliability_after"]["ece"] < 0.1
    assert half["score"]["false_rate"] == pytest.approx(2 * all_judged["score"]["false_rate"])
    assert len(all_judged["fold_thresholds"]) == 3


def test_crop_scores_by_hand():
    probability = np.array([0.9, 0.8, 0.6, 0.4, 0.3, 0.1])
    values = crop_level(probability, np.array([1, 0, 1, 1, 0, 0], np.int8))
    assert values["confusion"] == [[2, 1], [1, 2]]
    assert values["precision"] == values["recall"] == values["precision_0"] == values["recall_0"] == pytest.approx(2 / 3)
    assert values["prevalence"] == 0.5
    assert values["auroc"] == pytest.approx(7 / 9)
    assert crop_level(np.array([0.1]), np.array([0], np.int8))["precision"] is None


def test_errors_by_time_add_up_to_the_confusion_matrix():
    judged = judge_folds(*folds(), ("event",), "platt", SCORE)
    counts = by_time(judged.t, judged.labels, judged.probability)
    first, second = crop_level(judged.probability, judged.labels)["confusion"]
    assert sum(counts["false_positive"]) == first[1]
    assert sum(counts["false_negative"]) == second[0]
    assert sum(counts["true"]) == sum(second)


def test_folds_that_hold_more_events_than_others_are_brought_to_the_same_odds():
    given, truths = folds()
    given[0, 0][0] = replace(given[0, 0][0], candidates=given[0, 0][0].candidates[:15])  # twelve events, three that are none
    judged = judge_folds(given, truths, ("event",), "platt", SCORE)
    assert {calibration.prior for calibration in judged.calibrations.values()} == {judged.final.prior}


def test_a_fixed_ranking_keeps_its_average_precision_though_folds_hold_different_numbers_of_events():
    rng, score = np.random.default_rng(5), ScoreSettings(radius_px=5, frames=1)
    parts, true = [], []
    for unit, events in enumerate((1, 2, 9)):  # the same scores for all: nothing differs but how many events a fold holds
        found = []
        for i in range(60):
            place, event = (float(40 * unit + i % 40), 40.0 * i, 10.0), i < events
            true += [place] if event else []
            found.append(Candidate(int(place[0]), place[1], place[2], 0, float(rng.normal(2.0 if event else -1.0, 1.0))))
        t = np.arange(40 * unit, 40 * unit + 40)
        parts.append(
            HeldOut(0, t, np.zeros((40, 2), np.int64), rng.normal(size=(40, 1)), np.zeros((40, 1), np.int8), tuple(found))
        )
    truth = pd.DataFrame(true, columns=["t", "y", "x"]).assign(kind="division")
    raw = candidate_table(parts, None, ()).pipe(lambda table: table.assign(probability=expit(table["score"])))
    judged = judge_folds({(k, j): [parts[j]] for k in range(3) for j in range(3)}, [truth], ("event",), "platt", score)
    separate = pd.concat(
        candidate_table([parts[k]], calibrate([parts[j] for j in range(3) if j != k], [truth], "platt", score), ())
        for k in range(3)
    )
    fixed, levelled, as_they_are = (average_precision(table, truth, score) for table in (raw, judged.candidates, separate))
    assert levelled > as_they_are + 0.02
    assert levelled == pytest.approx(fixed, abs=0.05)
