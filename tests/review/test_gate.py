"""A worse head never comes in unseen, and one can go back to any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.review.gate import HeadHistory, HeadRecord, read_history, rule, write_history
from napari_tap_events.settings import ScoreSettings


def units(good: float, seed: int = 0, count: int = 40) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Return candidates and truth of windows with an event each; `good` is the share of events that rank above the rest."""
    rng, found, truth = np.random.default_rng(seed), [], []
    for _ in range(count):
        p = [0.9 if rng.random() < good else 0.1, *rng.uniform(0.2, 0.6, 3)]
        found.append(pd.DataFrame({"t": [3, 1, 7, 9], "y": [10.0, 60, 60, 90], "x": [10.0, 60, 10, 90], "probability": p}))
        truth.append(pd.DataFrame({"t": [3], "y": [11.0], "x": [10.0], "kind": ["division"]}))
    return found, truth


def test_a_better_head_is_taken_and_a_worse_one_is_not_and_both_is_told():
    good, truth = units(0.95)
    bad, _ = units(0.2, seed=1)
    taken = rule(good, bad, truth, ScoreSettings())
    assert taken.accepted
    assert "at least as good" in taken.words
    refused = rule(bad, good, truth, ScoreSettings())
    assert not refused.accepted
    assert "worse" in refused.words
    assert refused.ap < refused.ap_before - refused.standard_error


def test_the_same_head_is_taken():
    found, truth = units(0.6)
    ruling = rule(found, found, truth, ScoreSettings())
    assert ruling.accepted
    assert ruling.standard_error == 0


def test_the_first_head_and_one_that_cannot_be_judged_are_taken_and_that_is_told():
    found, truth = units(0.5)
    assert rule(found, None, truth, ScoreSettings()).words == "This is the first head."
    few = rule(found[:2], found[:2], truth[:2], ScoreSettings())
    assert few.accepted
    assert few.words.startswith("Two events to judge heads by so far")


def test_one_can_go_back_to_any_head_of_the_history(tmp_path: Path):
    history = HeadHistory().with_head(HeadRecord("heads/a", 10, True, 0.5, "first"))
    history = history.with_head(HeadRecord("heads/b", 20, False, 0.3, "worse"))
    assert history.in_use == "heads/a"
    back = history.going_back("heads/b")
    write_history(tmp_path / "review" / "heads.json", back)
    assert read_history(tmp_path / "review" / "heads.json") == back
    with pytest.raises(ProjectError, match="heads/c"):
        history.going_back("heads/c")


def test_a_damaged_history_is_an_empty_one(tmp_path: Path):
    (tmp_path / "heads.json").write_text("{")
    assert read_history(tmp_path / "heads.json") == HeadHistory()
