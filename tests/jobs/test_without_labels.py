"""Detection without labels: by the head that is asked for, with the maps of every head there is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.weights import ArrowEncoder, Card, load_encoder, save_model
from napari_tap_events.errors import JobStopped, ModelError, SettingsError
from napari_tap_events.events.guided import FIRST_WEIGHTS
from napari_tap_events.events.without_labels import RANKINGS, event_map
from napari_tap_events.jobs.arrow import detect_arrow
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.train import train
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.pretext import _scenes, simulated
from napari_tap_events.settings import DetectSettings, EncoderSettings

SETTINGS = DetectSettings(radius_px=6.0, radius_frames=1, threshold=0.0)
GAMES = {"simulated_px": 32, "simulated_batch": 2, "simulated_movies": 1, "simulated_renew": 5}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(_scenes, "FRAMES", 4)
    monkeypatch.setattr(_scenes, "SIDE_PX", 64)
    monkeypatch.setattr(simulated, "VAL_SCENES", 1)
    monkeypatch.setattr(simulated, "VAL_CROPS", 4)


def made_encoder(folder: Path, arrow: bool = True, pair: bool = True) -> Path:
    torch.manual_seed(1)
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow, pair).eval()
    if model.simulated is not None:
        torch.nn.init.normal_(model.simulated.body[-1].weight)
    settings = EncoderSettings(preset="unet8").model_dump(mode="json")
    details = {"arrow": arrow, "simulated": pair}
    save_model(
        folder, model.state_dict(), Card(kind="encoder", name="e", channels=1, features=8, settings=settings, details=details)
    )
    return folder


def same(one: Path, other: Path) -> bool:
    a, b = (load_encoder(folder)[0].state_dict() for folder in (one, other))
    return set(a) == set(b) and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("by", "source"), [("auto", "simulated"), ("simulated", "simulated"), ("arrow", "arrow"), ("both", "both")]
)
def test_candidates_come_from_the_head_that_is_asked_for(marked, finish, tmp_path, by, source):
    both = made_encoder(tmp_path / "e")
    out = finish(detect_without_labels(marked.movie, both, SETTINGS.model_copy(update={"by": by}), Run(tmp_path / "out")))
    table = pd.read_csv(out / "candidates.csv")
    assert len(table) > 3
    assert set(table["source"]) == {source}
    assert table["probability"].between(0, 1).all()
    kinds = {"event"} if source == "arrow" else {"division", "death"}
    assert set(table["kind"]) <= kinds
    assert {"arrow.ome.zarr", "simulated.ome.zarr"} <= {path.name for path in out.iterdir()}
    result = json.loads((out / "result.json").read_text())
    assert result["inputs"]["by"] == source
    assert "not calibrated" in result["warnings"][0]


def test_auto_is_the_arrow_where_there_is_nothing_else(marked, finish, tmp_path):
    only = made_encoder(tmp_path / "e", pair=False)
    out = finish(detect_without_labels(marked.movie, only, SETTINGS, Run(tmp_path / "out")))
    assert set(pd.read_csv(out / "candidates.csv")["source"]) == {"arrow"}
    assert not (out / "simulated.ome.zarr").exists()


@pytest.mark.parametrize(
    ("heads", "by", "told"),
    [
        ({"pair": False}, "simulated", "was not taught by simulated movies; rank --by arrow, or use --encoder shipped"),
        ({"pair": False}, "both", "was not taught by simulated movies"),
        ({"arrow": False}, "arrow", "has no arrow head"),
        ({"arrow": False}, "both", "has no arrow head"),
        ({"arrow": False, "pair": False}, "auto", "has no arrow head"),
    ],
)
def test_a_head_that_is_not_there_is_refused_before_anything_is_written(marked, finish, tmp_path, heads, by, told):
    folder = made_encoder(tmp_path / "e", **heads)
    with pytest.raises(ModelError, match=told):
        finish(detect_without_labels(marked.movie, folder, SETTINGS.model_copy(update={"by": by}), Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_the_arrow_recipe_is_the_same_by_its_own_name(marked, encoder, finish, tmp_path):
    by_name = finish(detect_arrow(marked.movie, encoder, SETTINGS, Run(tmp_path / "a")))
    by_setting = finish(
        detect_without_labels(marked.movie, encoder, SETTINGS.model_copy(update={"by": "arrow"}), Run(tmp_path / "b"))
    )
    assert (by_name / "candidates.csv").read_text() == (by_setting / "candidates.csv").read_text()


def test_the_stored_map_is_what_the_head_says_pixel_by_pixel(marked, finish, tmp_path):
    folder = made_encoder(tmp_path / "e", arrow=False)
    out = finish(
        detect_without_labels(marked.movie, folder, SETTINGS.model_copy(update={"radius_px": 14.0}), Run(tmp_path / "out"))
    )
    from napari_tap_events.movies.normalise import normalise
    from napari_tap_events.movies.opening import open_movie

    model, _ = load_encoder(folder)
    movie = open_movie(marked.movie)
    pair = torch.from_numpy(np.stack([normalise(movie.frame(t)) for t in (5, 6)]))
    with torch.no_grad():
        logits = model.simulated.logits(model.encoder(pair)[None])[0]
    by_hand = 1 - torch.sigmoid(-logits).prod(0)
    stored = np.asarray(open_map(out / "simulated.ome.zarr").array)[5].astype(np.float32)
    np.testing.assert_allclose(stored, by_hand.numpy(), atol=2e-3)


def test_where_the_arrow_says_nothing_both_rank_as_simulated_alone():
    rng = np.random.default_rng(0)
    pairs = np.concatenate([np.zeros((1, 1, 20, 20)), rng.normal(-2, 2, (1, 2, 20, 20))], axis=1).astype(np.float16)
    maps = FeatureMaps(np.zeros((2, 0, 20, 20), np.float16), pairs, 0, 2, simulated=2)
    one, other = (RANKINGS[by].score(maps, 3.0).ravel() for by in ("simulated", "both"))
    assert (np.argsort(one) == np.argsort(other)).all()
    assert [RANKINGS["both"].probability(s) for s in other] == pytest.approx(
        [0.5 * RANKINGS["simulated"].probability(s) for s in one], rel=1e-3
    )
    assert event_map(maps).shape == (20, 20)


def test_a_stopped_ranking_says_how_to_begin_again(marked, finish, tmp_path):
    run = Run(tmp_path / "out")
    run.control.stopping = True
    with pytest.raises(JobStopped, match="stopped after 1 of 23 frame pairs; start again with --overwrite"):
        finish(detect_without_labels(marked.movie, made_encoder(tmp_path / "e"), SETTINGS, run))


@pytest.mark.parametrize("pretext", ["simulated", "time_arrow:1,simulated:0.5"])
@pytest.mark.parametrize("stop_at", [1, 6])
def test_a_stopped_and_resumed_run_of_the_game_makes_the_very_same_encoder(
    marked, tap, finish, tmp_path, monkeypatch, pretext, stop_at
):
    settings = tap.model_copy(update={"pretext": pretext, **GAMES})
    movies = [marked.movie] if "time_arrow" in pretext else []
    whole = finish(pretrain(movies, settings, Run(tmp_path / "whole")))
    run, plain = Run(tmp_path / "parts"), simulated.Simulated.loss

    def loss(self, step):
        run.control.stopping = step + 1 >= stop_at
        return plain(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(simulated.Simulated, "loss", loss)
        with pytest.raises(JobStopped, match=f"stopped after {stop_at} of 8 steps"):
            finish(pretrain(movies, settings, run))
    resumed = finish(pretrain(movies, settings, Run(run.out, resume=True)))
    assert same(whole, resumed)
    model, card = load_encoder(whole, 1)
    assert model.simulated is not None
    assert (model.arrow is not None) == bool(movies)
    assert card.details["pretext"] == pretext
    assert "val_ap_simulated" in pd.read_csv(whole / "history.csv").columns


def test_pretraining_goes_on_from_an_encoder(tap, finish, tmp_path):
    before = made_encoder(tmp_path / "e")
    settings = tap.model_copy(
        update={"pretext": "simulated", **GAMES, "start_from": str(before), "steps": 1, "learning_rate": 1e-7}
    )
    after = load_encoder(finish(pretrain([], settings, Run(tmp_path / "out"))))[0]
    old = load_encoder(before)[0]
    for one, other in ((after.encoder, old.encoder), (after.simulated, old.simulated)):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    assert after.arrow is None, "the arrow head was not taught on, so it no longer fits the encoder"


def test_going_on_with_another_network_is_refused(tap, finish, tmp_path):
    before = made_encoder(tmp_path / "e")
    settings = tap.model_copy(update={"pretext": "simulated", **GAMES, "start_from": str(before), "preset": "unet16"})
    with pytest.raises(SettingsError, match="was made with preset = unet8; choose the same to go on from it"):
        finish(pretrain([], settings, Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_games_and_movies_must_go_together(marked, tap, finish, tmp_path):
    with pytest.raises(SettingsError, match="the game 'time_arrow' is played on movies: give at least one MOVIE"):
        finish(pretrain([], tap, Run(tmp_path / "out")))
    with pytest.raises(SettingsError, match="there are: time_arrow, simulated"):
        finish(pretrain([marked.movie], tap.model_copy(update={"pretext": "chess"}), Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_movies_that_no_game_is_played_on_are_left_aside_and_that_is_told(marked, tap, tmp_path):
    settings = tap.model_copy(update={"pretext": "simulated", **GAMES, "steps": 1})
    reports = list(pretrain([marked.movie], settings, Run(tmp_path / "out")))
    assert any("they teach nothing here" in report.message for report in reports)
    assert load_encoder(tmp_path / "out")[1].movies == []


def test_a_head_is_weighed_against_what_simulated_movies_have_taught(marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": str(made_encoder(tmp_path / "e")), "folds": 3, "steps": 20})
    head = finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    card = json.loads((head / "card.json").read_text())
    assert card["details"]["inputs"] == {"features": False, "intensity": True, "pairs": True, "simulated": True}
    assert (card["details"]["shape"]["pair_channels"], card["details"]["shape"]["guides"]) == (3, 2)
    assert card["settings"]["simulated"] is True
    weights = load_file(head / "model.safetensors")["weights"]
    assert (weights >= 0).all()
    assert weights.tolist() != pytest.approx(list(FIRST_WEIGHTS))
    found = finish(detect(marked.movie, head, SETTINGS, Run(tmp_path / "found")))
    assert (found / "simulated.ome.zarr").exists()


def test_only_the_evidence_head_can_have_a_guide(marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": str(made_encoder(tmp_path / "e")), "head": "resnet", "simulated": True})
    with pytest.raises(SettingsError, match="simulated = True goes with head = 'evidence', not with 'resnet'"):
        finish(train([marked.labelled], settings, Run(tmp_path / "head")))


def test_a_head_cannot_read_what_the_encoder_was_not_taught(marked, encoder, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": str(encoder), "simulated": True})
    with pytest.raises(SettingsError, match="simulated = True needs an encoder that simulated movies have taught"):
        finish(train([marked.labelled], settings, Run(tmp_path / "head")))


def test_the_arrow_alone_of_an_encoder_with_both_heads_is_one_channel(marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": str(made_encoder(tmp_path / "e")), "simulated": False})
    head = finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    assert json.loads((head / "card.json").read_text())["details"]["shape"]["pair_channels"] == 1
