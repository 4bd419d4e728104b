"""A model is a folder: what was saved is what is loaded, and whatever does not fit fails in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from napari_tap_events.encoder.weights import CARD, SCHEMA, WEIGHTS, ArrowEncoder, Card, load_card, load_encoder, save_model
from napari_tap_events.errors import ModelError
from napari_tap_events.settings import EncoderSettings


def made(channels: int = 1, arrow: bool = True) -> ArrowEncoder:
    torch.manual_seed(2)
    return ArrowEncoder(channels, EncoderSettings(preset="unet8"), arrow).eval()


def saved(folder: Path, channels: int = 1, arrow: bool = True) -> ArrowEncoder:
    model = made(channels, arrow)
    settings = EncoderSettings(preset="unet8").model_dump(mode="json")
    save_model(
        folder,
        model.state_dict(),
        Card(kind="encoder", name="e", channels=channels, features=8, settings=settings, details={"arrow": arrow}),
    )
    return model


def change_card(folder: Path, **values) -> None:
    card = json.loads((folder / CARD).read_text()) | values
    (folder / CARD).write_text(json.dumps({name: value for name, value in card.items() if value is not None}))


@pytest.mark.parametrize("arrow", [True, False])
def test_what_was_saved_is_what_is_loaded(tmp_path, arrow):
    model = saved(tmp_path, arrow=arrow)
    loaded, card = load_encoder(tmp_path, 1)
    assert card.kind == "encoder"
    assert not loaded.training
    assert (loaded.arrow is not None) == arrow
    assert set(loaded.state_dict()) == set(model.state_dict())
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())


def test_nothing_partial_stays_and_nothing_is_pickled(tmp_path):
    saved(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CARD, WEIGHTS]
    assert not (tmp_path / WEIGHTS).read_bytes().startswith((b"PK", b"\x80"))


def test_loading_leaves_the_random_numbers_alone(tmp_path):
    saved(tmp_path)
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    load_encoder(tmp_path)
    assert torch.equal(torch.rand(1), expected)


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"no model folder: it has no card\.json"):
        load_encoder(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema_version": SCHEMA + 1}, rf"schema {SCHEMA + 1}, this software knows up to {SCHEMA}: update it"),
        ({"kind": "head"}, r"holds a head, but an encoder is needed"),
        ({"normalisation": {"method": "none"}}, "another normalisation"),
        ({"channels": None}, "damaged at 'channels'"),
        ({"schema_version": None}, "cannot be read"),
        ({"surprise": 1}, "damaged at 'surprise'"),
        ({"settings": {"preset": "unet9"}}, "damaged at 'settings'.*preset"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, change, told):
    saved(tmp_path)
    change_card(tmp_path, **change)
    with pytest.raises(ModelError, match=told):
        load_encoder(tmp_path)


@pytest.mark.parametrize("content", ["", "no json", "[1, 2]", '{"schema_version": "x"}'])
def test_a_card_that_is_no_card_is_refused(tmp_path, content):
    saved(tmp_path)
    (tmp_path / CARD).write_text(content)
    with pytest.raises(ModelError, match="cannot be read; the model is damaged"):
        load_card(tmp_path, "encoder")


def test_an_encoder_for_other_channels_is_refused(tmp_path):
    saved(tmp_path, channels=2)
    with pytest.raises(ModelError, match=r"reads 2 channel\(s\), the movie has 1"):
        load_encoder(tmp_path, 1)


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "gone"])
def test_damaged_weights_are_refused(tmp_path, damage):
    saved(tmp_path)
    path = tmp_path / WEIGHTS
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": content[: len(content) // 2], "garbage": b"\xff" * 200, "empty": b""}[damage])
    with pytest.raises(ModelError, match="cannot be read"):
        load_encoder(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    saved(tmp_path)
    change_card(tmp_path, settings=EncoderSettings(preset="unet16").model_dump(mode="json"))
    with pytest.raises(ModelError, match="do not fit its card"):
        load_encoder(tmp_path)


def test_an_encoder_without_an_arrow_head_says_so():
    with pytest.raises(ModelError, match="no arrow head"):
        made(arrow=False)(torch.zeros(1, 2, 1, 16, 16))


def test_an_encoder_that_is_still_being_made_is_told_from_no_encoder(tmp_path):
    (tmp_path / "started.json").write_text("{}")
    with pytest.raises(ModelError, match="is not finished; give the command that makes it once more, with --resume"):
        load_encoder(tmp_path)
