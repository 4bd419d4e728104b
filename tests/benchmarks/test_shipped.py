"""How the shipped encoder is made of several: the mean of their weights, with norms of its own, and a card without anybody's folders."""

from __future__ import annotations

import argparse
import json

import pytest
import torch

from benchmarks import shipped
from napari_tap_events.encoder.weights import ArrowEncoder, Card, load_encoder, save_model
from napari_tap_events.movies.synthetic import SyntheticSettings
from napari_tap_events.pretext import _scenes, simulated
from napari_tap_events.settings import ComputeSettings, PretrainSettings


def small_scene(seed: int, number: int, look=None) -> SyntheticSettings:
    return SyntheticSettings(
        seed=1000 * seed + number % 997, frames=8, height=64, width=64, cell_px=12, cells=4, cycle_frames=8, hold_frames=2
    )


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Two encoders that went on from the same one, as `train` leaves them."""
    monkeypatch.setattr(_scenes, "training_scene", small_scene)
    monkeypatch.setattr(simulated, "VAL_SCENES", 2)
    monkeypatch.setattr(simulated, "VAL_CROPS", 8)
    monkeypatch.setattr(simulated, "SETTLED_BATCHES", 2)
    folders = []
    for seed in (1, 2):
        settings = PretrainSettings(
            preset="unet8", pretext="simulated", start_from=str(tmp_path / "begun"), seed=seed, steps=3,
            simulated_px=32, simulated_movies=2, simulated_batch=2,
        )  # fmt: skip
        torch.manual_seed(seed)
        model = ArrowEncoder(1, settings, arrow=False, simulated=True)
        card = Card(
            kind="encoder",
            name=f"run {seed}",
            channels=1,
            features=8,
            settings=settings.model_dump(mode="json"),
            details={"arrow": False, "simulated": True},
        )
        folder = tmp_path / f"run-{seed}"
        save_model(folder, model.state_dict(), card)
        (folder / "cost.json").write_text(json.dumps({"wall_minutes": 2.0, "cpu_minutes": 3.0, "machine": "here"}))
        folders.append(folder)
    return folders


def test_an_average_is_the_mean_of_all_weights_with_norms_of_its_own(trained, tmp_path):
    out = tmp_path / "mean"
    shipped.average(trained, out, ComputeSettings(device="cpu", threads=1))
    model, card = load_encoder(out)
    (one, _), (other, _) = (load_encoder(folder) for folder in trained)
    for mine, a, b in zip(model.parameters(), one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, (a + b) / 2)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert all(bool((norm.running_var != 1).any()) for norm in norms), "as they were begun"
    assert [run["name"] for run in card.details["average_of"]] == ["run 1", "run 2"]
    assert 0 <= card.metrics["val_ap_simulated"] <= 1
    assert json.loads((out / "cost.json").read_text())["cpu_minutes"] == 6.0


def test_practise_teaches_the_pair_head_alone_and_says_from_what(trained, tmp_path):
    out = tmp_path / "practised"
    given = argparse.Namespace(
        start_from=str(trained[0]), out=out, scenes=1, seed=3, learning_rate=1e-3, threads=1, device="cpu"
    )
    shipped.practise(given)
    (before, _), (model, card) = load_encoder(trained[0]), load_encoder(out)
    for name, value in model.encoder.state_dict().items():
        torch.testing.assert_close(value, before.encoder.state_dict()[name], rtol=0, atol=0)
    pairs = zip(model.simulated.parameters(), before.simulated.parameters(), strict=True)
    assert any(not torch.equal(value, old) for value, old in pairs)
    practised = card.details["practised"]
    assert (practised["from"], practised["scenes"]) == ("run 1", 1)
    assert json.loads((out / "cost.json").read_text())["cpu_minutes"] > 0


def test_the_card_of_an_average_tells_how_each_of_them_was_made(trained, tmp_path):
    compute = ComputeSettings(device="cpu", threads=1)
    shipped.average(trained, tmp_path / "mean", compute)
    shipped.average([tmp_path / "mean", trained[0]], tmp_path / "again", compute)
    mean, one = load_encoder(tmp_path / "again")[1].details["average_of"]
    assert [run["name"] for run in mean["average_of"]] == ["run 1", "run 2"]
    assert one["name"] == "run 1"
    assert "average_of" not in one


def test_what_is_installed_tells_its_recipe_and_nobodys_folders(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "encoder_folder", lambda name: tmp_path / "package" / name)
    (tmp_path / "package").mkdir()
    out = tmp_path / "mean"
    shipped.average(trained, out, ComputeSettings(device="cpu", threads=1))
    shipped.install(out, "a note")
    folder = tmp_path / "package" / "shipped"
    text = (folder / "card.json").read_text()
    assert str(tmp_path) not in text
    assert '"start_from": "begun"' in text
    card = load_encoder(folder)[1]
    assert (card.name, card.details["note"], card.details["licence"]) == ("shipped", "a note", shipped.LICENCE)
