"""The recipe `study`: every question gets a page, failures are rows, a stop loses nothing, and a leak is shown for what it is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_tap_events.encoder import features
from napari_tap_events.errors import JobStopped, OutputError, SettingsError
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.study import run_study
from napari_tap_events.jobs.trial import Marked
from napari_tap_events.jobs.trials import trials
from napari_tap_events.movies.synthetic import wallpaper
from napari_tap_events.settings import PAPER_STUDIES, StudyName, StudySettings
from napari_tap_events.study.report import write_report

NAMES = tuple(name for name in get_args(StudyName) if name != "pretexts")
QUICK = StudySettings(
    preset="unet8", steps=2, pretrain_steps=2, batch=2, tile_px=24, crop_px=16, patch_px=16, area_px=10, guard_frames=0,
    radius_px=6.0, radius_frames=1, folds=2, nested=False, seeds=1, budgets=(1, 5), paper_pairs=20, paper_epochs=1,
)  # fmt: skip
FEW = {
    "features": "tap, linear;random, evidence;difference;no label",
    "criteria": "linear",
    "content-view": "16 px",
    "errors": "tap, evidence;image",
    "calibration": "tap, evidence",
    "labels": "image",
    "splits": "image",
    "seeds": "",
}


@pytest.fixture
def studied(marked, finish, tmp_path):
    def run(name: str, out: str = "out", labelled=None, resume: bool = False, **changes) -> Path:
        settings = StudySettings.checked(**{**QUICK.model_dump(), **changes})
        return finish(run_study(name, labelled or [marked.labelled], settings, Run(tmp_path / out, resume=resume)))

    return run


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "rows.csv")


@pytest.mark.parametrize("name", NAMES)
def test_every_study_ends_with_a_page_a_table_and_all_rows(studied, name):
    out = studied(name, rows=FEW[name])
    rows = rows_of(out)
    assert set(rows["status"]) == {"done"}
    assert len(rows) == len(trials(name, QUICK.model_copy(update={"rows": FEW[name]}), Marked(12, 1)))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert "<svg" in page
    assert all(f">{row}<" in page.replace("&#39;", "'") for row in rows["row"])
    table = (out / "table.md").read_text(encoding="utf-8")
    assert table.count("| row |") >= 1
    assert all(f"| {row} |" in table for row in rows["row"])
    told = json.loads((out / "result.json").read_text())
    assert told["command"] == f"study {name}"
    assert told["summary"]["failed"] == 0
    assert not (out / "features").exists()


def test_rows_that_are_compared_read_what_their_names_say():
    inputs = {
        trial.row: {name for name in ("features", "arrow", "intensity", "simulated") if trial.changes.get(name)}
        for trial in trials("features", QUICK, Marked(12, 1))
    }
    assert {row: inputs[row] for row in inputs if row.startswith(("tap", "shipped")) and not row.endswith("label")} == {
        "tap, linear": {"features"},
        "tap, resnet": {"features"},
        "tap, evidence": {"features"},
        "tap + arrow map, evidence": {"features", "arrow"},
        "tap + arrow map + image, evidence": {"features", "arrow", "intensity"},
        "shipped encoder, its event map weighed against the image": {"intensity", "simulated"},
    }


def test_few_labels_teach_the_shipped_head_too(studied):
    out = studied("labels", rows="shipped encoder, 5", crop_px=24)
    card = json.loads((out / "trials" / "shipped-encoder-5-labelled-0" / "head" / "result.json").read_text())
    asked = card["settings"]["train"]
    assert (asked["simulated"], asked["teaching_events"], asked["encoder"]) == (True, 5, "shipped")
    assert list(rows_of(out)["status"]) == ["done"]


@pytest.mark.parametrize("name", NAMES)
def test_no_two_trials_share_a_folder(name):
    settings = QUICK.model_copy(update={"seeds": 3, "paper": name in PAPER_STUDIES, "budgets": (1, 5, 10)})
    names = [trial.folder for trial in trials(name, settings, Marked(40, 3))]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w-]+", folder) for folder in names)


def test_a_trial_that_fails_is_a_row_that_says_why_and_the_rest_goes_on(studied):
    out = studied("criteria", rows="any-both, linear;size-both, linear", area_px=5000)
    rows = rows_of(out).set_index("row")
    assert rows.loc["any-both, linear", "status"] == "done"
    assert rows.loc["size-both, linear", "status"] == "failed"
    assert "0 windows with events" in rows.loc["size-both, linear", "why"]
    page = (out / "report.html").read_text()
    assert "What failed" in page
    assert "0 windows with events" in page
    assert "1 of 2 trials failed" in json.loads((out / "result.json").read_text())["warnings"][0]


def test_a_study_without_any_result_is_none(studied):
    with pytest.raises(OutputError, match=r"every trial failed; the first: .*0 windows with events"):
        studied("criteria", rows="size-both, linear", area_px=5000)


@pytest.mark.parametrize("how", ["asked to stop", "killed"])
def test_a_study_that_ends_early_goes_on_and_ends_as_one_that_did_not(studied, marked, tmp_path, how):
    whole = studied("labels", "whole", rows="image, 1", seeds=2)
    settings = QUICK.model_copy(update={"rows": "image, 1", "seeds": 2})
    run = Run(tmp_path / "early")
    reports = run_study("labels", [marked.labelled], settings, run)
    for report in reports:
        if "trial 2/2" in report.stage and "heads" in report.stage:
            break
    if how == "asked to stop":
        run.control.stopping = True
        with pytest.raises(JobStopped, match=r"trial 2/2: stopped after .*--resume goes on"):
            list(reports)
    reports.close()
    assert not (run.out / "result.json").exists()
    first = run.out / "trials" / "image-1-labelled-0" / "row.json"
    before = first.stat().st_mtime_ns
    resumed = studied("labels", "early", resume=True, rows="image, 1", seeds=2)
    assert first.stat().st_mtime_ns == before
    same = [rows_of(folder).drop(columns="cpu_s") for folder in (whole, resumed)]
    pd.testing.assert_frame_equal(*same)


def test_the_papers_protocol_goes_on_from_its_checkpoint(studied, marked, tmp_path):
    changes = {"paper": True, "rows": "random, linear, paper", "paper_epochs": 4}
    whole = studied("features", "whole", **changes)
    run = Run(tmp_path / "early")
    reports = run_study("features", [marked.labelled], QUICK.model_copy(update=changes), run)
    for report in reports:
        if report.stage.endswith("head") and report.done >= report.total // 2:
            break
    reports.close()
    assert list(run.out.glob("trials/*/head/checkpoint.pt"))
    resumed = studied("features", "early", resume=True, **changes)
    pd.testing.assert_frame_equal(*[rows_of(folder).drop(columns="cpu_s") for folder in (whole, resumed)])


def test_a_finished_study_takes_more_seeds_and_keeps_those_it_has(studied):
    out = studied("splits", rows="image, random", encoder="random")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/row.json")}
    studied("splits", resume=True, rows="image, random", encoder="random", seeds=2)
    assert rows_of(out)["seed"].tolist() == [0, 1]
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_another_study_or_other_settings_do_not_go_on_in_the_same_folder(studied):
    studied("splits", rows="image, random")
    with pytest.raises(OutputError, match="add --overwrite to replace"):
        studied("splits", rows="image, random")
    with pytest.raises(OutputError, match="was made by 'study splits', not by 'study errors'"):
        studied("errors", resume=True)
    with pytest.raises(OutputError, match="cannot resume with steps = 3"):
        studied("splits", resume=True, rows="image, random", steps=3)


def test_a_study_does_not_go_on_with_other_marks(studied, marked, tmp_path):
    masks = tmp_path / "masks.tif"
    shutil.copy(marked.masks, masks)
    labelled = [Labelled(marked.movie, masks)]
    studied("splits", labelled=labelled, rows="image, random")
    tifffile.imwrite(masks, np.where(marked.labels == 1, 1, 0).astype("uint8"), metadata={"axes": "TYX"})
    with pytest.raises(OutputError, match="the marks have changed"):
        studied("splits", labelled=labelled, resume=True, rows="image, random", seeds=2)


def test_features_are_computed_once_for_all_trials_of_an_encoder(studied, encoder, monkeypatch):
    counted = []
    plain = features.EncoderFeatures.frame
    monkeypatch.setattr(features.EncoderFeatures, "frame", lambda self, image: counted.append(1) or plain(self, image))
    studied("criteria", rows="evidence", encoder=str(encoder))
    assert len(counted) == 24


def test_an_encoder_for_each_seed_can_be_given(studied, encoder, tmp_path):
    for seed in (0, 1):
        (tmp_path / f"mine-{seed}").symlink_to(encoder)
    out = studied("splits", rows="mine, random", encoder=str(tmp_path / "mine-{seed}"), seeds=2)
    assert rows_of(out)["row"].unique().tolist() == ["mine, random crops (leaks)"]
    assert not (out / "encoders").exists()


def test_a_random_split_promises_what_blocks_of_time_do_not_keep(studied, tmp_path):
    """In this movie labels are a coin's: nothing can be learned, so all that the random split promises is the leak."""
    movie, labels = wallpaper(0, frames=60, size=48)
    for name, array in (("movie", movie.as_array()[:, 0]), ("masks", labels)):
        tifffile.imwrite(tmp_path / f"{name}.tif", array, metadata={"axes": "TYX"})
    wall = [Labelled(tmp_path / "movie.tif", tmp_path / "masks.tif")]
    changes = {
        "crop_px": 32,
        "guard_frames": 4,
        "head": "linear",
        "steps": 200,
        "batch": 4,
        "tile_px": 64,
        "learning_rate": 0.01,
    }
    out = studied("splits", labelled=wall, encoder="random", rows="random, random;random, blocks of time, 60", **changes)
    rows = rows_of(out).set_index("row")
    leaky, honest = rows.loc["random, random crops (leaks)"], rows.loc["random, blocks of time, 60/20/20 %"]
    assert leaky["crop_auroc"] > 0.7
    assert 0.3 < honest["crop_auroc"] < 0.65
    assert (leaky["leakage"], honest["leakage"]) == (1, 0)
    assert "a random split promises" in (out / "report.html").read_text()


def test_the_papers_protocol_stands_beside_ours_and_is_marked(studied):
    out = studied("features", paper=True, rows="random, linear")
    rows = rows_of(out).set_index("row")
    paper = rows.loc["random, linear, paper's protocol (leaks)"]
    assert paper["leakage"] > 0.9
    assert paper["crop_pairs_all"] == 23 * 20
    assert rows.loc["random, linear", "leakage"] == 0
    assert pd.isna(paper["f1"])
    read = json.loads((out / "trials" / paper["folder"] / "head" / "evaluation.json").read_text())
    assert "this split leaks" in read["protocol"]


def test_the_paper_has_no_protocol_for_some_studies(studied):
    with pytest.raises(SettingsError, match=r"paper = True goes with the studies features, criteria, errors, calibration"):
        studied("labels", paper=True)


def test_a_study_that_there_is_none_of_is_refused_with_those_that_are(studied):
    with pytest.raises(SettingsError, match="there is no study 'luck'; there are: features, criteria"):
        studied("luck")


def test_rows_that_are_not_there_are_refused_with_those_that_are(studied, tmp_path):
    with pytest.raises(SettingsError, match=r"rows = .nonsense. names none of: .*random crops"):
        studied("splits", rows="nonsense")
    assert not (tmp_path / "out").exists()


def test_whole_movies_are_held_out_where_there_are_two(studied, make_marked, tmp_path):
    labelled = [make_marked(tmp_path / f"m{seed}", seed, frames=16).labelled for seed in range(2)]
    out = studied("splits", labelled=labelled, rows="image, whole movies")
    assert rows_of(out)["leakage"].tolist() == [0]
    assert rows_of(out)["n_true"].iloc[0] == json.loads((out / "result.json").read_text())["summary"]["n_true"] > 12


def test_the_page_is_written_anew_from_the_folder(studied):
    out = studied("splits", rows="image, random")
    before = (out / "report.html").read_text()
    (out / "report.html").unlink()
    assert write_report(out).read_text() == before
    (out / "rows.csv").unlink()
    with pytest.raises(OutputError, match="run it again with --resume"):
        write_report(out)
