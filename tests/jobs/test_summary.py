"""What a finished folder says of itself."""

from __future__ import annotations

import json

import pytest

from napari_tap_events.jobs.summary import NOTHING_TO_JUDGE, findings_text

SCORE = {"tp": 3, "fp": 1, "precision": 0.75, "recall": 0.6, "f1": 0.667, "average_precision": 0.7}
REST = {"ece_before": 0.1, "ece_after": 0.01, "protocol": "Judged in some way."}


def write_result(folder, **summary):
    result = {"command": "train", "summary": {**SCORE, **REST, **summary}, "warnings": []}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def test_a_score_is_told_with_its_counts(tmp_path):
    write_result(tmp_path, n_true=5)
    assert "3 of 5 found, 1 false: precision 0.75, recall 0.60, F1 0.67" in findings_text(tmp_path)


def test_without_events_to_judge_by_no_score_is_told_but_what_to_do(tmp_path):
    write_result(tmp_path, n_true=0)
    text = findings_text(tmp_path)
    assert NOTHING_TO_JUDGE in text
    assert "0 of 0" not in text


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        (
            0.45,
            "9 events above the threshold 0.45, of 490 candidates, the most probable first. "
            "The threshold is what suits simulated movies; --threshold moves it.",
        ),
        (
            0.5,
            "9 events above the threshold 0.50, of 490 candidates, the most probable first. "
            "The threshold is not learned from your movie; --threshold moves it.",
        ),
    ],
)
def test_without_labels_it_is_told_where_the_threshold_comes_from(tmp_path, threshold, told):
    summary = {"candidates": 490, "events": 9, "threshold": threshold}
    (tmp_path / "result.json").write_text(json.dumps({"command": "detect", "summary": summary, "warnings": []}))
    assert findings_text(tmp_path) == told
