"""The encoder that comes with the program: it is there, it is small, it says where it comes from, and it finds events at once."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from napari_tap_events.cli import app
from napari_tap_events.encoder.shipped import SHIPPED, encoder_folder
from napari_tap_events.encoder.weights import CARD, WEIGHTS, load_encoder
from napari_tap_events.events.ranking import average_precision
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.explain import explain
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.train import train
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic
from napari_tap_events.pretext import _scenes, simulated
from napari_tap_events.settings import DetectSettings, ExplainSettings, PretrainSettings, ScoreSettings


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A synthetic movie that no training has seen: its seed and its scene are of this test alone."""
    folder = tmp_path_factory.mktemp("made")
    settings = SyntheticSettings(frames=30, height=160, width=160, cells=16, cycle_frames=30, seed=987654, debris=3)
    synthetic = synthesise(settings)
    write_synthetic(folder, synthetic)
    return folder, synthetic


def test_it_is_small_and_says_what_it_is_made_of():
    folder = encoder_folder(SHIPPED)
    assert (folder / WEIGHTS).stat().st_size < 3_000_000
    model, card = load_encoder(folder, 1)
    assert model.simulated is not None
    assert {"recipe", "data", "licence", "pretext"} <= set(card.details)
    assert card.settings["preset"] == "unet16"
    assert "hela" not in (folder / CARD).read_text().lower()
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())


def test_a_path_stays_a_path(tmp_path):
    assert encoder_folder(tmp_path / SHIPPED) == tmp_path / SHIPPED
    assert encoder_folder(SHIPPED).name == SHIPPED
    assert encoder_folder(SHIPPED).is_absolute()


def test_without_any_label_it_ranks_events_far_above_chance(made, finish, tmp_path):
    folder, synthetic = made
    out = finish(detect_without_labels(folder / "movie.tif", SHIPPED, DetectSettings(radius_px=12), Run(tmp_path / "out")))
    truth, candidates = read_events(folder / "truth.csv"), read_events(out / "candidates.csv")
    assert synthetic.n_events >= 8
    score = ScoreSettings(radius_px=12)
    shuffled = candidates.assign(probability=candidates["probability"].sample(frac=1, random_state=0).to_numpy())
    assert average_precision(candidates, truth, score) > 0.6
    assert average_precision(shuffled, truth, score) < 0.3


def test_the_command_line_takes_it_by_its_name(made, tmp_path):
    from typer.testing import CliRunner

    folder, _ = made
    words = [
        "detect",
        folder / "movie.tif",
        "--encoder",
        SHIPPED,
        "--out",
        tmp_path / "out",
        "--frames",
        ":4",
        "--by",
        "simulated",
    ]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    assert set(pd.read_csv(tmp_path / "out" / "candidates.csv")["source"]) <= {"simulated"}


def test_a_head_can_be_trained_on_it_and_keeps_it(marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": SHIPPED, "simulated": True, "preset": "unet16"})
    head = finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    assert (head / "encoder" / WEIGHTS).read_bytes() == (encoder_folder(SHIPPED) / WEIGHTS).read_bytes()
    assert json.loads((head / "card.json").read_text())["features"] == 16


def test_pretraining_goes_on_from_it(finish, tmp_path, monkeypatch):
    monkeypatch.setattr(_scenes, "FRAMES", 4)
    monkeypatch.setattr(_scenes, "SIDE_PX", 64)
    monkeypatch.setattr(simulated, "VAL_SCENES", 1)
    monkeypatch.setattr(simulated, "VAL_CROPS", 4)
    settings = PretrainSettings(
        pretext="simulated", start_from=SHIPPED, steps=1, simulated_px=32, simulated_batch=2, simulated_movies=1
    )
    out = finish(pretrain([], settings, Run(tmp_path / "out")))
    one, other = (load_encoder(folder)[0].encoder.state_dict() for folder in (out, encoder_folder(SHIPPED)))
    near = torch.cat([(one[name] - other[name]).abs().flatten() for name in one if name.endswith("weight")])
    assert 0 < float(near.max()) < 0.05


def test_it_can_be_asked_where_it_looks(made, finish, tmp_path):
    folder, _ = made
    settings = ExplainSettings(frames=":4", insets=3)
    out = finish(explain(folder / "movie.tif", settings, Run(tmp_path / "out"), encoder=Path(SHIPPED)))
    assert len(pd.read_csv(out / "insets.csv")) == 3
