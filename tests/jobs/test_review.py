"""A simulated review from the command line: the curve is written, the project stays as it was, the held-out frames are never asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.errors import SettingsError
from napari_tap_events.events.criteria import label_movie, label_pairs
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.jobs.labelled import Labelled, open_labelled
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.review import simulate_review
from napari_tap_events.jobs.simulate import Trial
from napari_tap_events.jobs.train import train
from napari_tap_events.movies.known import NOWHERE, Known, write_known
from napari_tap_events.movies.masks import EventMasks, Scope
from napari_tap_events.project.folder import Project
from napari_tap_events.settings import (
    ComputeSettings,
    HeadSettings,
    LabelSettings,
    MovieSettings,
    ReviewSettings,
    SimulationSettings,
)

TRUTH = "event_id,kind,t,y,x\n"


@pytest.fixture
def project(tmp_path: Path, marked) -> Path:
    made = Project.create(tmp_path / "review.tap")
    made.add_movie(marked.movie)
    made.close()
    return made.path


@pytest.fixture
def truth(tmp_path: Path, marked) -> Path:
    from napari_tap_events.movies.masks import events_in_masks

    events = events_in_masks(EventMasks(marked.labels, ("division", "death"), Scope.whole(marked.labels.shape)))
    path = tmp_path / "truth.csv"
    path.write_text(TRUTH + "".join(f"{n},{e.kind},{e.t},{e.y},{e.x}\n" for n, e in enumerate(events)))
    return path


def test_the_curve_is_written_for_the_mix_and_for_any_order(project, truth, encoder, quick, finish, tmp_path):
    head = quick.model_copy(update={"encoder": str(encoder), "arrow": True, "steps": 3})
    review = ReviewSettings(retrain_every=10, card_px=32, audit_px=32)
    simulation = SimulationSettings(decisions=20, held_frames="16:24")
    before = (project / "project.json").read_bytes()
    out = finish(simulate_review(project, "", truth, (head, review, simulation), Run(tmp_path / "out")))
    values = json.loads((out / "curve.json").read_text())
    assert [(row["order"], row["decisions"]) for row in values["points"]] == [
        ("mix", 0), ("mix", 10), ("mix", 20), ("random", 0), ("random", 10), ("random", 20)
    ]  # fmt: skip
    assert set(values["reached"]) == {"mix", "random"}
    assert (out / "curve.csv").read_text().count("\n") == 7
    assert "<polyline" in (out / "report.html").read_text()
    assert (project / "project.json").read_bytes() == before
    assert not (project / "journal.jsonl").exists()


def test_a_simulated_review_can_begin_with_a_head_from_elsewhere(project, truth, marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": "intensity"})
    head = finish(train([Labelled(marked.movie, marked.masks)], settings, Run(tmp_path / "head")))
    card = json.loads((head / "card.json").read_text())
    card["movies"][0]["content_hash"] = "of another movie"
    (head / "card.json").write_text(json.dumps(card))
    review = ReviewSettings(retrain_every=40, card_px=32, audit_px=32, begin_with=str(head))
    simulation = SimulationSettings(decisions=40, held_frames="20:24", compare=False)
    out = finish(simulate_review(project, "", truth, (HeadSettings(), review, simulation), Run(tmp_path / "out")))
    begun, put_right = json.loads((out / "curve.json").read_text())["points"]
    assert (begun["decisions"], put_right["decisions"]) == (0, 40)
    assert begun["ap"] == put_right["ap"]  # nothing was taught: the order of candidates is that of the head
    assert json.loads((out / "result.json").read_text())["settings"]["train"]["crop_px"] == settings.crop_px
    assert not (project / "review").exists()


def test_frames_around_the_held_out_ones_are_closed_too():
    trial = Trial(None, None, ReviewSettings(reach_frames=2), (40, 8, 8), range(10, 20), 5)  # type: ignore[arg-type]
    assert trial.closed == range(7, 23)


def test_labels_of_boxes_alone_are_those_of_the_whole_movie(marked):
    known = Known((Scope(range(2, 9), 4, 44, 4, 50), Scope(range(12, 18), 10, 56, 10, 60)), (Scope(range(5, 7), 0, 56, 0, 30),))
    masks = EventMasks(marked.labels, ("division", "death"), NOWHERE, known=known)
    grid = WindowGrid(56, 64, 16, 4)
    settings = LabelSettings(crop_px=16, area_px=10)
    for kinds in ((), ("death", "division")):
        np.testing.assert_array_equal(label_pairs(masks, grid, settings, kinds), label_movie(masks, grid, settings, kinds))


def test_train_takes_known_boxes_and_learns_from_nothing_else(marked, quick, finish, tmp_path):
    write_known(tmp_path / "known.csv", Known((Scope(range(24), 0, 56, 0, 40),)))
    labelled = Labelled(marked.movie, marked.masks, known=tmp_path / "known.csv")
    settings = quick.model_copy(update={"encoder": "intensity"})
    _, masks = open_labelled(labelled, MovieSettings(), settings)
    assert masks.scope == NOWHERE
    assert masks.knows(3, 20, 20)
    assert not masks.knows(3, 20, 50)
    out = finish(train([labelled], settings, Run(tmp_path / "head")))
    score = json.loads((out / "evaluation.json").read_text())["score"]
    assert score["n_true"] <= 5
    assert compute_for(ComputeSettings(device="cpu")).device.type == "cpu"


def test_events_shown_backwards_are_none(quick, marked, finish, tmp_path):
    import torch

    from napari_tap_events.events.learning import with_time_flips

    frames, pairs = torch.arange(2.0).reshape(1, 2, 1, 1, 1), torch.ones(1, 1, 1, 1)
    both = with_time_flips(frames, pairs, torch.tensor([[[[1, 0, -1]]]], dtype=torch.int8), arrow=True)
    assert both[0][:, :, 0, 0, 0].tolist() == [[0, 1], [1, 0]]
    assert both[1].flatten().tolist() == [1, -1]
    assert both[2].tolist() == [[[[1, 0, -1]]], [[[0, -1, -1]]]]
    settings = HeadSettings(**{**quick.model_dump(), "encoder": "intensity", "time_flips": True})
    finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    blind = settings.model_copy(update={"pair": "mean"})
    with pytest.raises(SettingsError, match="time_flips"):
        finish(train([marked.labelled], blind, Run(tmp_path / "blind")))
