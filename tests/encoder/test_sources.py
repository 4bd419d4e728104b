"""Controls: each is what its name says, the same for the same seed."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest
import torch
from torch import nn

from napari_tap_events.encoder.compute import (
    M_MMAP_THRESHOLD,
    M_TRIM_THRESHOLD,
    Compute,
    compute_for,
    give_back_freed_memory,
    keep_freed_memory,
)
from napari_tap_events.encoder.features import DifferenceFeatures, EncoderFeatures, IntensityFeatures
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.encoder.weights import ArrowEncoder, Card, save_model
from napari_tap_events.errors import ModelError, SettingsError
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.settings import ComputeSettings, EncoderSettings

CPU = Compute(torch.device("cpu"))


@pytest.fixture
def movie() -> Movie:
    rng = np.random.default_rng(1)
    return movie_from_array(rng.poisson(40, (5, 40, 48)).astype(np.uint16), "poisson")


def random_encoder(name: str, movie: Movie, seed: int = 0) -> EncoderFeatures:
    source = feature_source(name, [movie], "unet8", seed, CPU)
    assert isinstance(source, EncoderFeatures)
    return source


@pytest.mark.parametrize("name", ["random", "random-paper"])
def test_the_same_seed_gives_the_same_control_and_another_seed_another(movie, name):
    image = torch.from_numpy(normalise(movie.frame(0)))
    first, same, other = (random_encoder(name, movie, seed).frame(image) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize("name", ["random", "random-paper"])
def test_making_a_control_leaves_the_random_numbers_alone(movie, name):
    torch.manual_seed(4)
    expected = torch.rand(1)
    torch.manual_seed(4)
    random_encoder(name, movie)
    assert torch.equal(torch.rand(1), expected)


def test_the_proper_control_has_statistics_of_its_movie(movie):
    source = random_encoder("random", movie)
    z = torch.stack([source.frame(torch.from_numpy(normalise(movie.frame(t)))) for t in range(5)])
    assert z.mean((0, 2, 3)).abs().max() < 0.2
    assert (z.std((0, 2, 3)) - 1).abs().max() < 0.3


def test_the_published_control_has_gains_drawn_from_a_normal_and_initial_statistics(movie):
    norms = [m for m in random_encoder("random-paper", movie).unfolded.modules() if isinstance(m, nn.BatchNorm2d)]
    gains = torch.cat([norm.weight.detach() for norm in norms])
    assert gains.mean().abs() < 0.25
    assert gains.std() == pytest.approx(1.0, abs=0.2)
    assert all(bool((norm.running_mean == 0).all() and (norm.running_var == 1).all()) for norm in norms)


def test_the_other_controls_are_what_their_names_say(movie):
    assert type(feature_source("intensity", [movie], "unet8", 0, CPU)) is IntensityFeatures
    assert type(feature_source("difference", [movie], "unet8", 0, CPU)) is DifferenceFeatures


def test_a_folder_gives_its_encoder_and_its_arrow(movie, tmp_path):
    torch.manual_seed(0)
    model = ArrowEncoder(1, EncoderSettings(preset="unet8")).eval()
    settings = EncoderSettings(preset="unet8").model_dump(mode="json")
    save_model(tmp_path, model.state_dict(), Card(kind="encoder", name="e", channels=1, features=8, settings=settings))
    source = feature_source(str(tmp_path), [movie], "unet8", 0, CPU)
    image = torch.from_numpy(normalise(movie.frame(0)))
    with torch.no_grad():
        torch.testing.assert_close(source.frame(image), model.encoder(image[None])[0], rtol=0, atol=1e-5)
    assert (source.features, source.pair_features) == (8, 1)


def test_a_name_that_is_no_folder_is_refused(movie):
    with pytest.raises(ModelError, match="there is no folder 'nonsense'"):
        feature_source("nonsense", [movie], "unet8", 0, CPU)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=f"device = '{device}' is not available here; usable: cpu"):
        compute_for(ComputeSettings(device=device))


def test_without_a_gpu_auto_is_the_cpu_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    compute = compute_for(ComputeSettings())
    assert (compute.device.type, compute.bfloat16, compute.name) == ("cpu", False, "CPU")


def test_freed_memory_is_kept_where_the_c_library_can_be_told_so(monkeypatch):
    told = []

    class Glibc:
        def mallopt(self, what: int, value: int) -> int:
            told.append((what, value))
            return 1

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Glibc())
    assert keep_freed_memory()
    assert told == [(M_MMAP_THRESHOLD, 2**30), (M_TRIM_THRESHOLD, 2**31 - 1)]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_another_c_library_is_left_as_it_is(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_freed_memory()
    assert not give_back_freed_memory()


def test_freed_memory_is_given_back_where_the_c_library_can_be_told_so(monkeypatch):
    told = []

    class Glibc:
        def malloc_trim(self, left: int) -> int:
            told.append(left)
            return 1

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Glibc())
    assert give_back_freed_memory()
    assert told == [0]


def test_the_same_seeds_give_the_same_numbers_and_others_give_others():
    first, same, other = (torch.rand(4, generator=CPU.generator(*seeds)) for seeds in ((1, 2), (1, 2), (1, 3)))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
