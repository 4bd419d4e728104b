"""What a mask would teach is told before anything is trained."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_tap_events.cli import app
from napari_tap_events.errors import MaskError
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.marks import decided_by_marks, describe_marks
from napari_tap_events.settings import HeadSettings, LabelSettings, MovieSettings, SplitSettings

SETTINGS = LabelSettings(crop_px=24)


def test_events_are_counted_by_kind_and_windows_by_criterion(marked):
    about = describe_marks(marked.labelled, MovieSettings(), SETTINGS)
    assert sum(about["events"].values()) > 0
    positives = about["positives"]
    assert 0 < positives["size-both"] <= positives["size-either"] <= positives["any-either"] < about["windows"]
    assert f"{positives['size-both']:,}" in about["text"]


def test_a_smaller_scope_leaves_fewer_windows(marked):
    whole = describe_marks(marked.labelled, MovieSettings(), SETTINGS)
    part = describe_marks(marked.labelled, MovieSettings(), LabelSettings(crop_px=24, scope_frames="0:6"))
    assert part["windows"] < whole["windows"]


def test_uncertain_events_count_neither_way(marked, tmp_path):
    (tmp_path / "uncertain.csv").write_text("event_id,t,y,x,kind\n1,2,20,20,uncertain\n")
    about = describe_marks(Labelled(marked.movie, marked.masks, tmp_path / "uncertain.csv"), MovieSettings(), SETTINGS)
    assert about["uncertain"] == 1
    assert "count neither way" in about["text"]


def test_a_mask_of_another_movie_is_refused(marked, tmp_path):
    tifffile.imwrite(tmp_path / "small.tif", np.zeros((6, 8, 8), np.uint8), metadata={"axes": "TYX"})
    with pytest.raises(MaskError):
        describe_marks(Labelled(marked.movie, tmp_path / "small.tif"), MovieSettings(), SETTINGS)


def test_the_command_prints_json(marked):
    flags = ["marks", "--movie", str(marked.movie), "--masks", str(marked.masks), "--crop-px", "24", "--json"]
    done = CliRunner().invoke(app, flags)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["positives"] == describe_marks(marked.labelled, MovieSettings(), SETTINGS)["positives"]


def test_sizes_that_fit_the_marks_are_told(marked):
    about = describe_marks(marked.labelled, MovieSettings(), SETTINGS)
    sizes = about["sizes"]
    assert sizes["reach_px"] > 3
    assert f"--crop-px {sizes['crop_px']} --radius-px {sizes['radius_px']:g} --area-px {sizes['area_px']} fit" in about["text"]


def test_how_the_head_will_be_judged_is_told_as_the_training_decides_it(marked):
    about = describe_marks(marked.labelled, MovieSettings(), SETTINGS)
    head = HeadSettings(crop_px=24)
    decided = decided_by_marks([marked.labelled], MovieSettings(), head)
    assert {"split": decided.split, "folds": decided.folds, "nested": decided.nested}.items() <= about["judged"].items()
    assert decided.folds
    assert f"every event is judged by a head that never saw it ({decided.folds} blocks of time)" in about["text"]


def test_with_many_marks_a_head_learns_longer_and_is_judged_by_the_last_frames(tmp_path):
    frames, side, events = 32, 96, 60
    y, x, t = np.meshgrid(np.arange(12, side, 24), np.arange(12, side, 24), np.arange(1, frames, 8), indexing="ij")
    labels = np.zeros((frames, side, side), np.uint8)
    for number, (at, row, column) in enumerate(list(zip(t.flat, y.flat, x.flat, strict=True))[:events], 1):
        labels[at, row - 3 : row + 4, column - 3 : column + 4] = number
    movie = np.random.default_rng(0).integers(0, 255, labels.shape, np.uint8)
    for name, stack in (("movie", movie), ("masks", labels)):
        tifffile.imwrite(tmp_path / f"{name}.tif", stack, metadata={"axes": "TYX"})
    many = Labelled(tmp_path / "movie.tif", tmp_path / "masks.tif")
    decided = decided_by_marks([many], MovieSettings(), HeadSettings(crop_px=24))
    assert (decided.steps, decided.folds) == (5 * events, 0)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (SplitSettings(folds=0), "the last fifth of the frames judges"),
        (SplitSettings(split="random"), "which leaks"),
        (SplitSettings(split="movies"), "movies are judged by heads that never saw them"),
        (SplitSettings(folds=50), "cannot be cut into 50 blocks"),
    ],
)
def test_a_split_that_was_chosen_is_told_of_as_well(marked, split, words):
    assert words in describe_marks(marked.labelled, MovieSettings(), SETTINGS, split)["judged"]["words"]


def test_marks_that_leave_nothing_to_judge_by_are_told_before_the_training(marked, tmp_path):
    labels = marked.labels.copy()
    labels[4:] = 0
    tifffile.imwrite(tmp_path / "early.tif", labels, metadata={"axes": "TYX"})
    about = describe_marks(Labelled(marked.movie, tmp_path / "early.tif"), MovieSettings(), SETTINGS)
    assert about["judged"]["folds"] == 0
    assert "there will be no score" in about["text"]


def test_the_command_takes_the_flags_of_the_split(marked):
    flags = ["marks", "--movie", str(marked.movie), "--masks", str(marked.masks), "--crop-px", "24", "--folds", "2", "--json"]
    done = CliRunner().invoke(app, flags)
    assert json.loads(done.stdout)["judged"]["folds"] == 2
