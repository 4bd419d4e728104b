"""The recipe `demo`: the whole way in one go, and the same after a stop."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tifffile

from napari_tap_events.errors import JobStopped, MaskError, OutputError
from napari_tap_events.jobs.demo import demo
from napari_tap_events.jobs.marks import describe_marks
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.summary import summary_text
from napari_tap_events.settings import DemoSettings, LabelSettings, MovieSettings

SETTINGS = DemoSettings(start_from="nothing", preset="unet8", patch_px=16, pretrain_steps=2, crop_px=16, head_steps=3, folds=2)
ROLES = {"encoder", "head", "evaluation", "events", "candidates", "truth", "masks", "probability", "grad_cam", "insets",
         "pretrain_history", "head_history"}  # fmt: skip


def checked(out, roles) -> dict:
    result = json.loads((out / "result.json").read_text())
    assert result["command"] == "demo"
    assert roles <= set(result["files"])
    assert all((out / path).exists() for path in result["files"].values())
    assert (out / "report.html").read_text().lower().startswith("<!doctype html")
    assert result["inputs"]["movie"]["name"] == "movie.tif"
    assert "Next: open" in summary_text(out)
    return result


def test_the_whole_way_with_marked_events(marked, finish, tmp_path):
    out = finish(demo(marked.movie, marked.masks, None, SETTINGS, Run(tmp_path / "demo")))
    result = checked(out, ROLES)
    assert result["summary"]["leakage"] == 0
    assert {"val_accuracy_motion", "f1"} <= set(result["summary"])
    assert {"demo", "pretrain", "train", "explain"} <= set(result["settings"])


def test_pretraining_goes_on_from_the_shipped_encoder_by_both_games(marked, finish, tmp_path, monkeypatch):
    asked = []

    def pretrained(movies, settings, run):
        asked.append((movies, settings))
        raise JobStopped("enough is known")
        yield

    monkeypatch.setattr("napari_tap_events.jobs.demo.pretrain", pretrained)
    with pytest.raises(JobStopped, match="enough"):
        finish(demo(marked.movie, marked.masks, None, DemoSettings(patch_px=32, seed=3), Run(tmp_path / "demo")))
    (movies, settings) = asked[0]
    assert movies == [marked.movie]
    assert (settings.start_from, settings.pretext) == ("shipped", "time_arrow:1,simulated:1")
    assert (settings.patch_px, settings.steps, settings.seed) == (32, 150, 3)


def test_the_whole_way_without_a_label(marked, finish, tmp_path):
    out = finish(demo(marked.movie, None, None, SETTINGS, Run(tmp_path / "demo")))
    result = checked(out, {"encoder", "arrow", "events", "candidates", "grad_cam", "insets"})
    assert "not of an event" in result["warnings"][0]
    assert result["inputs"]["masks"] is None


@pytest.mark.parametrize("stage", ["pretrain", "heads", "detect", "explain"])
def test_a_stopped_demo_goes_on_to_the_same_end(marked, finish, tmp_path, stage, monkeypatch):
    run = Run(tmp_path / "demo")

    def stopping():
        for report in demo(marked.movie, marked.masks, None, SETTINGS, run):
            run.control.stopping = report.stage.endswith(stage)
            yield report

    with pytest.raises(JobStopped):
        finish(stopping())
    assert not (run.out / "result.json").exists()
    resumed = finish(demo(marked.movie, marked.masks, None, SETTINGS, Run(run.out, resume=True)))
    whole = finish(demo(marked.movie, marked.masks, None, SETTINGS, Run(tmp_path / "whole")))
    one, other = checked(resumed, ROLES), checked(whole, ROLES)
    assert one["summary"] == other["summary"]
    assert one["files"] == other["files"]


def test_a_mask_that_does_not_fit_is_refused_before_anything_is_written(marked, make_marked, finish, tmp_path):
    other = make_marked(tmp_path / "other", frames=12)
    with pytest.raises(MaskError, match="has shape"):
        finish(demo(marked.movie, other.masks, None, SETTINGS, Run(tmp_path / "demo")))
    assert not (tmp_path / "demo").exists()


def test_a_demo_does_not_go_on_with_other_marks(marked, finish, tmp_path):
    masks, run = tmp_path / "masks.tif", Run(tmp_path / "demo")
    shutil.copy(marked.masks, masks)
    next(demo(marked.movie, masks, None, SETTINGS, run))
    tifffile.imwrite(masks, np.where(marked.labels == 1, 1, 0).astype("uint8"), metadata={"axes": "TYX"})
    with pytest.raises(OutputError, match="the marks have changed"):
        finish(demo(marked.movie, masks, None, SETTINGS, Run(run.out, resume=True)))


def test_a_demo_is_not_overwritten_by_chance(marked, finish, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not made by this software"):
        finish(demo(marked.movie, None, None, SETTINGS, Run(tmp_path / "demo", overwrite=True)))


def test_sizes_of_the_head_fit_the_marks(marked, finish, tmp_path):
    settings = SETTINGS.model_copy(update={"crop_px": None})
    out = finish(demo(marked.movie, marked.masks, None, settings, Run(tmp_path / "demo")))
    used = json.loads((out / "result.json").read_text())["settings"]["train"]
    fitting = describe_marks(marked.labelled, MovieSettings(), LabelSettings(crop_px=16))["sizes"]
    assert {name: used[name] for name in ("crop_px", "radius_px", "area_px")} == {
        name: fitting[name] for name in ("crop_px", "radius_px", "area_px")
    }
