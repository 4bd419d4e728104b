"""The recipe `train`: every control, split and head, an honest score, and the same head after a stop."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from safetensors.torch import load_file

from napari_tap_events.encoder import features
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.errors import JobStopped, MaskError, ModelError, OutputError, ScopeError, SettingsError
from napari_tap_events.events.model import load_event_model
from napari_tap_events.events.table import EventRow, events_table, read_events, write_events
from napari_tap_events.jobs import teaching
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.output import Run, probability_maps
from napari_tap_events.jobs.train import train
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.settings import ComputeSettings, recipes

CPU = Compute(torch.device("cpu"))


def result(folder) -> dict:
    return json.loads((folder / "result.json").read_text())


def weights(folder) -> dict:
    return load_file(folder / "model.safetensors")


def same(one, other) -> bool:
    a, b = weights(one), weights(other)
    return set(a) == set(b) and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def taught(marked, quick, finish, tmp_path):
    def run(name: str = "out", labelled=None, resume: bool = False, features=None, **changes):
        settings = type(quick).checked(**{**quick.model_dump(), **changes})
        return finish(train(labelled or [marked.labelled], settings, Run(tmp_path / name, resume=resume), features))

    return run


@pytest.mark.parametrize("control", ["random", "random-paper", "scratch", "intensity", "difference"])
def test_every_control_is_taught_and_can_be_used_again(taught, marked, control):
    out = taught(encoder=control)
    values = result(out)
    assert values["summary"]["leakage"] == 0
    assert values["warnings"] == []
    assert np.isfinite(values["summary"]["ece_after"])
    assert not (out / "folds").exists()
    assert not (out / "features").exists()
    model = load_event_model(out, 1, CPU)
    assert (model.crop_px, model.kinds) == (16, ("death", "division"))
    assert (out / "encoder").exists() == (control in ("random", "random-paper", "scratch"))


def test_what_is_found_is_called_as_the_only_kind_that_was_marked(taught, marked, tmp_path):
    labels = np.where(marked.labels == 1, 1, 0).astype(np.uint8)
    tifffile.imwrite(tmp_path / "divisions.tif", labels, metadata={"axes": "TYX"})
    out = taught(labelled=[Labelled(marked.movie, tmp_path / "divisions.tif")], encoder="intensity")
    assert load_event_model(out, 1, CPU).kinds == ("division",)
    found = read_events(out / "candidates.csv")
    assert set(found["kind"]) == {"division"}


def test_for_how_long_is_decided_before_it_begins_and_written_down(taught, monkeypatch):
    monkeypatch.setattr(recipes, "FEW_STEPS", 2)
    monkeypatch.setattr(recipes, "STEPS_PER_EVENT", 1)
    told = result(taught(encoder="intensity", steps=None, folds=2))
    assert told["settings"]["train"]["steps"] == told["summary"]["n_true"] > 2


@pytest.mark.parametrize("kind", ["evidence", "resnet", "linear"])
def test_every_head_is_taught_on_an_encoder_and_its_arrow(taught, encoder, kind):
    out = taught(encoder=str(encoder), head=kind, arrow=True, intensity=True)
    model = load_event_model(out, 1, CPU)
    assert (model.head.shape.frame_channels, model.head.shape.pair_channels) == (9, 1)
    assert weights(out / "encoder").keys() == weights(encoder).keys()


@pytest.mark.parametrize("nested", [True, False])
def test_with_folds_every_frame_is_judged_by_a_head_that_never_saw_it(taught, nested):
    out = taught(encoder="intensity", folds=3, nested=nested)
    values = result(out)
    assert values["summary"]["leakage"] == 0
    assert values["summary"]["protocol"].startswith("3-fold over blocks of time")
    assert ("neither" in values["summary"]["protocol"]) == nested
    stored = open_map(out / "probability.ome.zarr")
    assert stored.array.shape == (23, 11, 13)
    assert (stored.stride_px, stored.offset_px, stored.frame_offset) == (4, 7.5, 0)
    assert all(np.asarray(stored.array[t]).min() > 0 and np.asarray(stored.array[t]).max() <= 1 for t in range(23))
    truth = pd.read_csv(out / "truth.csv")
    assert len(truth) == values["summary"]["n_true"] > 8
    found = pd.read_csv(out / "events.csv")
    assert len(found) == values["summary"]["n_predicted"]
    assert list(found.columns[:8]) == ["id", "t", "y", "x", "kind", "probability", "source", "status"]


def test_two_folds_do_not_claim_to_be_nested(taught):
    protocol = result(taught(encoder="intensity", folds=2))["summary"]["protocol"]
    assert protocol.startswith("2-fold")
    assert "neither" not in protocol


@pytest.mark.parametrize("folds", [0, 3])
def test_whole_movies_are_held_out(taught, make_marked, tmp_path, folds):
    labelled = [make_marked(tmp_path / f"m{seed}", seed, frames=12 + seed).labelled for seed in range(3)]
    out = taught(labelled=labelled, encoder="intensity", split="movies", folds=folds)
    values = result(out)
    assert values["summary"]["leakage"] == 0
    assert "movies" in values["summary"]["protocol"]
    if folds:
        assert (out / "probability_3.ome.zarr").is_dir()
        assert set(pd.read_csv(out / "truth.csv")["movie"]) == {"movie.tif"} or "movie" in pd.read_csv(out / "truth.csv")
        assert pd.read_csv(out / "truth.csv")["t"].max() < 20


def test_the_random_split_is_marked_as_leaking(taught):
    values = result(taught(encoder="intensity", split="random"))
    assert values["summary"]["leakage"] > 0.5
    assert "leaks" in values["summary"]["protocol"]
    assert "leaks" in values["warnings"][0]


def test_kinds_apart_have_a_probability_each(taught):
    out = taught(encoder="intensity", folds=2)
    model = load_event_model(out, 1, CPU)
    assert (model.kinds, model.head.shape.kinds) == (("death", "division"), 3)
    maps = [np.asarray(open_map(out / f"probability{end}.ome.zarr").array[3]) for end in ("", "_death", "_division")]
    assert not any(np.array_equal(*two) for two in itertools.combinations(maps, 2))
    assert set(pd.read_csv(out / "candidates.csv")["kind"]) <= {"division", "death"}
    assert {
        kind["kind"]: kind["fp"] is None for kind in json.loads((out / "evaluation.json").read_text())["score"]["kinds"]
    } == {"death": False, "division": False}


def test_merged_kinds_have_one_answer_and_one_name(taught):
    out = taught(encoder="intensity", kinds="merged", folds=2)
    model = load_event_model(out, 1, CPU)
    assert (model.kinds, model.head.shape.kinds) == (("event",), 1)
    assert not (out / "probability_death.ome.zarr").exists()
    assert set(pd.read_csv(out / "candidates.csv")["kind"]) <= {"event"}


def test_kinds_that_the_mask_does_not_name_are_not_told_apart(taught, marked, tmp_path):
    rows = [EventRow(2, 20, 20, "division", source="mask"), EventRow(9, 30, 40, "fusion", source="mask")]
    write_events(tmp_path / "truth.csv", events_table(rows))
    out = taught(encoder="intensity", labelled=[Labelled(marked.movie, marked.masks, tmp_path / "truth.csv")])
    assert load_event_model(out, 1, CPU).kinds == ("event",)


def test_every_name_of_a_kind_gives_a_map_a_name():
    assert probability_maps(["cell death", "a/b: c?"]) == ["probability", "probability_cell death", "probability_a_b_ c_"]
    assert probability_maps(["division"]) == ["probability"]


def test_a_head_that_told_kinds_apart_otherwise_is_refused(taught, tmp_path):
    old = shutil.copytree(taught(encoder="intensity", kinds="merged", folds=2), tmp_path / "old")
    card = json.loads((old / "card.json").read_text())
    card["details"]["kinds"] = ["division", "death"]
    (old / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"'old' tells kinds apart as an earlier version did: train it again"):
        load_event_model(old, 1, CPU)


def test_flashing_events_are_learned(taught):
    """The events of these movies are bright flashes: a head on the image alone finds most of them, and its threshold works."""
    values = result(taught(encoder="intensity", folds=3, steps=100, learning_rate=0.02))
    assert values["summary"]["average_precision"] > 0.6
    assert values["summary"]["f1"] > 0.6


def test_false_events_are_counted_per_judged_frame(taught):
    """A single split judges a fifth of the frames: the rate must not be thinned by those that taught."""
    out = taught(encoder="intensity")
    score = json.loads((out / "evaluation.json").read_text())["score"]
    judged = 5  # of 23 frame pairs, the last fifth
    area = 56 * 64 / 1e6
    assert score["false_rate"] == pytest.approx(score["fp"] / judged * 100 / area, rel=0.25)


@pytest.mark.parametrize(("control", "folds", "heads"), [("random", 3, 5), ("scratch", 2, 1), ("intensity", 0, 0)])
def test_a_stopped_and_resumed_training_ends_with_the_very_same_head(
    marked, quick, tmp_path, finish, taught, monkeypatch, control, folds, heads
):
    whole = taught("whole", encoder=control, folds=folds)
    settings = quick.model_copy(update={"encoder": control, "folds": folds})
    run = Run(tmp_path / "stopped")
    learn, begun = teaching.fit, itertools.count()

    def stopped_after_these(*given):
        run.control.stopping |= next(begun) == heads  # the next head may begin before anybody has seen the stop
        return learn(*given)

    monkeypatch.setattr(teaching, "fit", stopped_after_these)
    with pytest.raises(JobStopped, match="--resume goes on"):
        finish(train([marked.labelled], settings, run))
    monkeypatch.undo()
    assert len(list((run.out / teaching.FOLDS).glob("*/card.json"))) == heads
    assert not (run.out / "result.json").exists()
    resumed = taught("stopped", resume=True, encoder=control, folds=folds)
    assert same(whole, resumed)
    one, other = result(whole)["summary"], result(resumed)["summary"]
    assert one == other
    assert (whole / "candidates.csv").read_text() == (resumed / "candidates.csv").read_text()


def test_heads_that_are_taught_at_once_are_the_very_same_as_one_after_the_other(marked, quick, tmp_path, finish):
    settings, folders = quick.model_copy(update={"encoder": "intensity", "folds": 3}), []
    for threads in (1, 3):
        run = Run(tmp_path / str(threads), compute=ComputeSettings(device="cpu", threads=threads))
        folders.append(finish(train([marked.labelled], settings, run)))
    assert same(*folders)
    assert len({(folder / "candidates.csv").read_text() for folder in folders}) == 1
    assert len({(folder / "history.csv").read_text() for folder in folders}) == 1


def test_stopping_while_windows_are_counted_writes_nothing(marked, quick, tmp_path, finish):
    run = Run(tmp_path / "out")
    run.control.stopping = True
    with pytest.raises(JobStopped, match="stopped before anything was learned; the same command begins again"):
        finish(train([marked.labelled], quick, run))
    assert not run.out.exists()


def test_stopping_while_encoding_goes_on_where_it_was(marked, quick, tmp_path, finish, taught, monkeypatch):
    run = Run(tmp_path / "out")

    def stopping_at_frame_7():
        for report in train([marked.labelled], quick, run):
            run.control.stopping = report.stage == "features" and report.done >= 7
            yield report

    with pytest.raises(JobStopped, match=r"stopped after 7 of 24 frames"):
        finish(stopping_at_frame_7())
    counted = []
    plain = features.EncoderFeatures.frame
    monkeypatch.setattr(features.EncoderFeatures, "frame", lambda self, image: counted.append(1) or plain(self, image))
    taught("out", resume=True)
    assert len(counted) == 24 - 7 + 1


@pytest.mark.parametrize("changed", ["masks", "events", "known"])
def test_a_run_does_not_go_on_with_other_marks(marked, quick, tmp_path, finish, monkeypatch, changed):
    """Heads that were taught on other blocks, or by what is asked now, would make the score better than it is."""
    masks, events, known = (tmp_path / name for name in ("masks.tif", "events.csv", "known.csv"))
    shutil.copy(marked.masks, masks)
    events.write_text("event_id,kind,t,y,x,radius\n")
    known.write_text("what,t0,t1,y0,y1,x0,x1\n")
    labelled = [Labelled(marked.movie, masks, events, known)]
    settings = quick.model_copy(update={"encoder": "intensity", "steps": None, "folds": None})
    learn, begun = teaching.fit, itertools.count()
    run = Run(tmp_path / "out")

    def stopped_after_one(learner, plan, control):
        run.control.stopping |= next(begun) == 1
        return learn(learner, dataclasses.replace(plan, steps=1), control)

    monkeypatch.setattr(teaching, "fit", stopped_after_one)
    with pytest.raises(JobStopped):
        finish(train(labelled, settings, run))
    if changed == "masks":
        labels = marked.labels.copy()
        labels[labels.shape[0] // 2 :] = 0
        tifffile.imwrite(masks, labels, metadata={"axes": "TYX"})
    elif changed == "events":
        events.write_text("event_id,kind,t,y,x,radius\na,uncertain,5,20,20,6\n")
    else:
        known.write_text("what,t0,t1,y0,y1,x0,x1\nhidden,2,5,0,20,0,20\n")
    with pytest.raises(OutputError, match=r"the marks have changed since the run in .* began"):
        finish(train(labelled, settings, Run(run.out, resume=True)))


def test_resuming_a_finished_training_changes_nothing(taught):
    out = taught(encoder="intensity")
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert taught(encoder="intensity", resume=True) == out
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_kept_features_serve_the_next_head_and_encode_each_frame_once(taught, tmp_path, monkeypatch):
    counted = []
    plain = features.EncoderFeatures.frame
    monkeypatch.setattr(features.EncoderFeatures, "frame", lambda self, image: counted.append(1) or plain(self, image))
    taught("one", features=tmp_path / "maps")
    assert len(counted) == 24
    taught("two", features=tmp_path / "maps", head="linear")
    assert len(counted) == 24


def test_kept_features_of_another_encoder_are_never_used(taught, tmp_path):
    taught("other", features=tmp_path / "maps", seed=1)
    mixed = taught("mixed", features=tmp_path / "maps")
    clean = taught("clean")
    assert same(mixed, clean)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"crop_px": 17}, SettingsError, "crop_px = 17 is odd; choose 18"),
        ({"crop_px": 60}, ScopeError, "crops of 60 px do not fit into frames of 56 x 64 px; choose --crop-px 56 or less"),
        ({"encoder": "random", "arrow": True}, SettingsError, "arrow = True needs an encoder with an arrow head"),
        ({"encoder": "intensity", "arrow": True}, SettingsError, "has no further inputs"),
        ({"encoder": "difference", "head": "linear"}, SettingsError, "head = 'evidence' only"),
        ({"encoder": "scratch", "intensity": True}, SettingsError, "learns from the images alone"),
        ({"encoder": "no/such/folder"}, ModelError, "there is no folder 'no/such/folder'"),
        ({"split": "movies"}, ScopeError, "needs 3 labelled movies"),
        ({"area_px": 5000}, ScopeError, "0 windows with events"),
        ({"scope_frames": "0:5", "guard_frames": 2, "folds": 0}, ScopeError, "look through more frames and widen the scope"),
    ],
)
def test_what_cannot_be_taught_is_refused_before_anything_is_written(taught, tmp_path, changes, error, told):
    with pytest.raises(error, match=told):
        taught(**changes)
    assert not (tmp_path / "out").exists()


def test_a_mask_of_another_size_is_refused(taught, marked, tmp_path):
    tifffile.imwrite(tmp_path / "small.tif", marked.labels[:, :-1], metadata={"axes": "TYX"})
    with pytest.raises(MaskError, match=r"shape \(24, 55, 64\), but the movie 'movie.*' is \(24, 56, 64\)"):
        taught(labelled=[Labelled(marked.movie, tmp_path / "small.tif")])
    assert not (tmp_path / "out").exists()
