"""The recipe `adopt`: a stranger's network becomes an encoder like any other; what does not fit is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner

from napari_tap_events import cli
from napari_tap_events.encoder import named_code
from napari_tap_events.encoder.adopted import AdoptedEncoder
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.named_code import CODE
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import ModelError, SettingsError
from napari_tap_events.jobs.adopt import adopt, trust
from napari_tap_events.jobs.estimate import duration
from napari_tap_events.jobs.explain import explain
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.study import run_study
from napari_tap_events.jobs.train import train
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import AdoptSettings, DetectSettings, ExplainSettings, PretrainSettings, StudySettings

CPU = Compute(torch.device("cpu"))
CODE_TEXT = """
from torch import nn
from napari_tap_events import Adapter

def adapter():
    network = nn.Sequential(nn.Conv2d(3, 12, 4, stride=4), nn.BatchNorm2d(12), nn.Conv2d(12, 12, 3, padding=1))
    return Adapter(network, features=12, stride=4, mean=(0.5, 0.4, 0.3), sd=(0.2,), block_px=16, margin_px=8)
"""


def network() -> nn.Sequential:
    torch.manual_seed(1)
    made = nn.Sequential(nn.Conv2d(3, 12, 4, stride=4), nn.BatchNorm2d(12), nn.Conv2d(12, 12, 3, padding=1))
    made[1].running_mean.normal_()
    return made.eval()


@pytest.fixture(autouse=True)
def _nothing_named_before(tmp_path, monkeypatch):
    monkeypatch.setattr(named_code, "named_before", lambda: tmp_path / "settings" / "adapters.json")


@pytest.fixture
def weights(tmp_path) -> Path:
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


@pytest.fixture
def code(tmp_path) -> Path:
    (tmp_path / "mine.py").write_text(CODE_TEXT)
    return tmp_path / "mine.py"


@pytest.fixture
def adopted(weights, code, marked, finish, tmp_path) -> Path:
    return finish(adopt(weights, str(code), [marked.movie], AdoptSettings(keep=5), Run(tmp_path / "adopted")))


def test_features_are_those_of_the_network(weights, code, marked, finish, tmp_path):
    folder = finish(adopt(weights, str(code), [], AdoptSettings(), Run(tmp_path / "all")))
    model, card = load_encoder(folder, 1)
    image = torch.from_numpy(normalise(open_movie(marked.movie).frame(0)))[None]
    shown = nn.functional.pad(image, (8, 8, 8, 8), mode="replicate")[..., :32, :32].clamp(0, 1).repeat(1, 3, 1, 1)
    shown = (shown - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / 0.2
    with torch.no_grad():
        found = EncoderFeatures(model.encoder, None, CPU).frame(image[0])
        places = network()(shown)
    expected = nn.functional.interpolate(places, scale_factor=4, mode="bilinear", align_corners=False)[0, :, 8:24, 8:24]
    assert (card.features, found.shape) == (12, (12, *image.shape[-2:]))
    torch.testing.assert_close(found[:, :16, :16], expected, rtol=0, atol=1e-5)


def test_what_is_kept_has_variance_one_and_no_two_alike(adopted, marked):
    model, card = load_encoder(adopted, 1)
    assert (card.features, card.details["kept"], card.details["arrow"]) == (5, 5, False)
    movie, found = open_movie(marked.movie), []
    own = model.encoder.projection
    model.encoder.projection = nn.Sequential(own[0], nn.Identity())
    model.encoder.projection.register_forward_hook(lambda _, __, places: found.append(places[..., 2:6, 2:6]))
    for t in range(24):
        model.encoder(torch.from_numpy(normalise(movie.frame(t)))[None, :, :48])
    vectors = torch.cat(found).transpose(0, 1).flatten(1)
    assert (vectors.std(1) - 1).abs().max() < 0.15
    assert (torch.corrcoef(vectors) - torch.eye(5)).abs().max() < 0.15


def test_it_is_an_encoder_like_any_other(adopted, marked, quick, finish, tmp_path):
    settings = quick.model_copy(update={"encoder": str(adopted)})
    head = finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    assert (head / "encoder" / CODE).read_text() == CODE_TEXT
    study = StudySettings(
        encoder=str(adopted), rows="adopted, evidence", steps=2, batch=2, tile_px=24, crop_px=16, area_px=10, guard_frames=0,
        radius_px=6.0, radius_frames=1, folds=2, nested=False, seeds=1,
    )  # fmt: skip
    out = finish(run_study("features", [marked.labelled], study, Run(tmp_path / "study")))
    assert "adopted, evidence" in (out / "table.md").read_text()


def test_it_has_no_arrow_and_says_so_wherever_one_is_asked_for(adopted, marked, quick, finish, tmp_path):
    asked = quick.model_copy(update={"encoder": str(adopted), "arrow": True})
    with pytest.raises(SettingsError, match="arrow = True needs an encoder with an arrow head"):
        finish(train([marked.labelled], asked, Run(tmp_path / "head")))
    with pytest.raises(ModelError, match="has no arrow head"):
        finish(detect_without_labels(marked.movie, adopted, DetectSettings(), Run(tmp_path / "found")))
    with pytest.raises(ModelError, match="has no head to explain"):
        finish(explain(marked.movie, ExplainSettings(), Run(tmp_path / "why"), encoder=adopted))
    with pytest.raises(SettingsError, match="was adopted: its features are frozen"):
        finish(pretrain([marked.movie], PretrainSettings(start_from=str(adopted)), Run(tmp_path / "on")))


def test_code_that_nobody_named_here_is_not_run_until_it_is_trusted(adopted, monkeypatch, tmp_path):
    monkeypatch.setattr(named_code, "named_before", lambda: tmp_path / "elsewhere" / "adapters.json")
    ran = tmp_path / "ran"
    (adopted / CODE).write_text(f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n" + CODE_TEXT)
    with pytest.raises(ModelError, match=r"would run the Python file adapter\.py in it, which nobody has named"):
        load_encoder(adopted, 1)
    assert not ran.exists()
    assert trust(adopted) == str(adopted / CODE)
    load_encoder(adopted, 1)
    assert ran.exists()


def test_a_folder_that_was_not_adopted_needs_no_trust(encoder):
    with pytest.raises(ModelError, match="was not adopted: it runs no code"):
        trust(encoder)


def test_safetensors_and_a_named_function_do_as_well(weights, code, finish, tmp_path):
    save_file(torch.load(weights, weights_only=True), tmp_path / "weights.safetensors")
    code.write_text(CODE_TEXT.replace("def adapter", "def my_way"))
    folder = finish(adopt(tmp_path / "weights.safetensors", f"{code}:my_way", [], AdoptSettings(), Run(tmp_path / "out")))
    assert isinstance(load_encoder(folder, 1)[0].encoder, AdoptedEncoder)


def test_a_package_can_have_the_adapter(weights, code, finish, monkeypatch, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "my_adapter.py").write_text(CODE_TEXT)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    folder = finish(adopt(weights, "my_adapter:adapter", [], AdoptSettings(), Run(tmp_path / "out")))
    assert not (folder / CODE).exists()
    assert load_encoder(folder, 1)[1].details["adapter"] == "my_adapter:adapter"


def spoilt(weights: Path, change) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save(change(state), weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "2.bias"}, "lacks weights of the adapter's network: 2.bias"),
        (lambda s: s | {"head.weight": torch.zeros(1)}, "has no place for: head.weight; name their beginnings as unused"),
        (lambda s: {f"module.{k}": v for k, v in s.items()}, "lacks weights .* it holds module.0.weight.* say prefix"),
        (lambda s: s | {"2.bias": torch.zeros(7)}, r"'2.bias' in .* has the shape \(7,\), the network wants \(12,\)"),
        (lambda s: {"teacher": s}, "is no state dict; it holds teacher: say in the adapter under which key"),
    ],
)
def test_weights_that_do_not_fit_are_told_by_name(weights, code, finish, tmp_path, change, message):
    spoilt(weights, change)
    with pytest.raises(ModelError, match=message):
        finish(adopt(weights, str(code), [], AdoptSettings(), Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "stride=4, mean",
            "stride=8, mean",
            r"returns \(1, 12, 8, 8\) .* with stride 8 and 12 features it must be \(1, 12, 4, 4\)",
        ),
        ("features=12", "features=13", "13 features it must be"),
        ("margin_px=8", "margin_px=6", "margin_px = 6, which is no multiple of its stride 4"),
        ("mean=(0.5, 0.4, 0.3)", "mean=(0.5, 0.4)", "gives 2 values as mean; give 1 or 3"),
        ("sd=(0.2,)", "sd=(0.0,)", "each must be more than 0"),
        ("features=12, stride=4", "features=12, stride=0", "stride = 0; it must be 1 or more"),
        ("return Adapter(", "return dict(network=", "returns dict; it must return napari_tap_events.Adapter"),
        ("    network =", "    oops =", r"fails: NameError: .*\(adapter.py, line 7\)"),
        ("def adapter", "def other", "there is no function 'adapter' in the adapter"),
    ],
)
def test_an_adapter_that_is_wrong_is_told_where(weights, code, finish, tmp_path, before, after, message):
    text = CODE_TEXT.replace(before, after).replace("dict(network=network, ", "dict(network=network, ")
    code.write_text(text)
    with pytest.raises(ModelError, match=message):
        finish(adopt(weights, str(code), [], AdoptSettings(), Run(tmp_path / "out")))


def test_a_pickled_model_is_never_run(code, finish, tmp_path):
    torch.save(network(), tmp_path / "full.pt")
    with pytest.raises(ModelError, match=r"cannot be read as plain tensors .* give a state dict"):
        finish(adopt(tmp_path / "full.pt", str(code), [], AdoptSettings(), Run(tmp_path / "out")))


def test_a_damaged_folder_and_a_movie_of_other_channels_are_told(adopted):
    with pytest.raises(ModelError, match=r"reads 1 channel\(s\), the movie has 2"):
        load_encoder(adopted, 2)
    (adopted / CODE).unlink()
    with pytest.raises(ModelError, match=r"lacks its adapter\.py"):
        load_encoder(adopted, 1)


def test_the_card_says_what_a_pixel_costs(adopted):
    cost = json.loads((adopted / "card.json").read_text())["details"]["cost"]
    assert 0 < cost < 5
    assert duration(10 * cost)


def test_the_command_line_says_what_is_missing(weights):
    done = CliRunner().invoke(cli.app, ["adopt", str(weights)])
    assert "give CHECKPOINT, --adapter FILE.py and --out DIR" in str(done.exception)


def test_trust_that_cannot_be_written_down_is_told(adopted, tmp_path, monkeypatch):
    (tmp_path / "in the way").touch()
    monkeypatch.setattr(named_code, "named_before", lambda: tmp_path / "in the way" / "adapters.json")
    with pytest.raises(ModelError, match="that this code may run cannot be written into"):
        trust(adopted)
