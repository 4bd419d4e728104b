"""Seeds joined: means, spreads and intervals that come from the trials' own tables, and none where there is too little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.events.ranking import bootstrap_mean
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.jobs.study_summary import summarise
from napari_tap_events.settings import ScoreSettings

SCORE = ScoreSettings(radius_px=5, frames=1)


def study(folder: Path, events: int = 12) -> pd.DataFrame:
    """Two rows: one of three seeds, of which one failed; one of a single seed without tables."""
    rng = np.random.default_rng(0)
    truth = events_table([EventRow(5 * i, 20.0 * i, 0) for i in range(events)])
    rows = []
    for seed in range(2):
        head = folder / "trials" / f"a-{seed}" / "head"
        head.mkdir(parents=True)
        found = truth[rng.random(len(truth)) < 0.7].assign(probability=0.9)
        false = events_table([EventRow(int(rng.integers(60)), 500, 20.0 * i, probability=0.6) for i in range(4)])
        write_events(head / "truth.csv", truth)
        write_events(head / "events.csv", found)
        write_events(head / "candidates.csv", pd.concat([found, false], ignore_index=True).drop(columns="id"))
        rows.append({"row": "a", "seed": seed, "status": "done", "f1": 0.5 + 0.2 * seed, "folder": f"a-{seed}"})
    rows.append({"row": "a", "seed": 2, "status": "failed", "f1": None, "folder": "a-2"})
    rows.append({"row": "b", "seed": 0, "status": "done", "f1": 0.4, "folder": "b-0"})
    return pd.DataFrame(rows).assign(how="head", published="")


def test_means_and_spreads_are_over_the_seeds_that_came_to_an_end(tmp_path):
    told = summarise(study(tmp_path), tmp_path, SCORE, 60).set_index("row")
    assert told.loc["a", ["seeds", "failed"]].tolist() == [2, 1]
    assert told.loc["a", "f1"] == pytest.approx(0.6)
    assert told.loc["a", "f1_sd"] == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert told.loc["b", "f1"] == 0.4
    assert np.isnan(told.loc["b", "f1_sd"])


def test_intervals_are_those_of_the_mean_of_the_trials(tmp_path):
    told = summarise(study(tmp_path), tmp_path, SCORE, 60).set_index("row")
    parts = [tmp_path / "trials" / f"a-{seed}" / "head" for seed in range(2)]
    tables = [(pd.read_csv(part / "candidates.csv"), pd.read_csv(part / "events.csv")) for part in parts]
    expected = bootstrap_mean(tables, pd.read_csv(parts[0] / "truth.csv"), SCORE, n_frames=60)
    assert (told.loc["a", "f1_low"], told.loc["a", "f1_high"]) == pytest.approx(expected.f1)
    assert (told.loc["a", "average_precision_low"], told.loc["a", "average_precision_high"]) == pytest.approx(expected.ap)
    assert np.isnan(told.loc["b", "f1_low"])


def test_four_events_and_several_movies_give_no_interval(tmp_path):
    assert "f1_low" not in summarise(study(tmp_path / "few", events=4), tmp_path / "few", SCORE, 60)
    assert "f1_low" not in summarise(study(tmp_path / "movies"), tmp_path / "movies", SCORE, None)
