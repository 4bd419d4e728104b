"""What a study says in a sentence is what its numbers say."""

from __future__ import annotations

from typing import get_args

import pandas as pd

from napari_tap_events.settings import StudyName
from napari_tap_events.study.study_tables import main_tables, markdown
from napari_tap_events.study.study_words import QUESTIONS, READING, answer
from napari_tap_events.study.tables import Table


def summary(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([{"published": "", "seeds": 3, "failed": 0, **row} for row in rows])


def test_every_study_has_a_question_and_tells_how_to_read_it():
    assert set(QUESTIONS) == set(READING) == set(get_args(StudyName))


def test_a_difference_within_the_spread_is_said_to_be_one():
    near = summary(
        {"row": "a", "average_precision": 0.8, "average_precision_sd": 0.1},
        {"row": "b", "average_precision": 0.75, "average_precision_sd": 0.02},
    )
    assert "within the spread" in answer("features", near)
    far = near.assign(average_precision=[0.8, 0.5])
    assert answer("features", far).startswith("Highest average precision: a, 0.80")
    assert "beyond the spread" in answer("features", far)
    once = near.assign(average_precision=[0.8, 0.2], average_precision_sd=float("nan"))
    assert "one seed has no spread" in answer("features", once)


def test_the_inflation_is_told_with_its_leak():
    rows = summary(
        {"row": "tap, random crops (leaks)", "crop_auprc": 0.9, "crop_auprc_sd": 0.01, "leakage": 0.98},
        {"row": "tap, blocks of time, 60/20/20 %", "crop_auprc": 0.4, "crop_auprc_sd": 0.05, "leakage": 0.0},
    )
    told = answer("splits", rows)
    assert "+0.50" in told
    assert "98%" in told


def test_nothing_that_came_to_an_end_is_said_so():
    empty = summary({"row": "a"})
    for name in QUESTIONS:
        assert "end" in answer(name, empty)


def test_calibration_stands_beside_one_who_knows_the_prevalence_only():
    values = {f"{name}_{method}": 0.2 for name in ("ece", "brier", "nll") for method in ("none", "temperature", "platt")}
    (table,) = main_tables("calibration", summary({"row": "a", "crop_prevalence": 0.5, **values}))
    assert [row[1] for row in table.rows] == ["none", "temperature", "platt", "for comparison: always the prevalence"]
    assert table.rows[0][2] == "0.2000"
    assert table.rows[-1][2:5] == ("0.0000", "0.2500", "0.6931")


def test_markdown_has_a_line_for_every_row():
    text = markdown(Table("A | B", ("x", "y"), (("1|2", "3"), ("4", "5"))))
    assert text.splitlines() == ["**A | B**", "", "| x | y |", "|---|---|", "| 1\\|2 | 3 |", "| 4 | 5 |"]
