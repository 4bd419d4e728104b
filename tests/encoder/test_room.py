"""A limit of memory makes tiles smaller, never what they hold."""

from __future__ import annotations

import torch

from napari_tap_events.encoder.compute import Compute, compute_for, room_for_movies
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.room import TILES_PX, movie_bytes, tile_for
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.settings import ComputeSettings, EncoderSettings


def test_tiles_are_as_large_as_the_limit_allows():
    sides = [tile_for(limit) for limit in (None, 8, 1.5, 1, 0.7, 0.5)]
    assert sides[0] == sides[1] == 512
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] == 64
    assert all(side % 8 == 0 for side in TILES_PX)


def test_an_encoder_takes_the_tiles_of_the_computer_and_says_the_same():
    torch.manual_seed(0)
    encoder, image = Encoder(1, EncoderSettings(preset="unet8")).eval(), torch.randn(1, 160, 136)
    tight = compute_for(ComputeSettings(device="cpu", memory_limit=0.5))
    small, large = (EncoderFeatures(encoder, None, compute) for compute in (tight, Compute(torch.device("cpu"))))
    assert (small.tile_px, large.tile_px) == (64, 512)
    torch.testing.assert_close(small.frame(image), large.frame(image), rtol=0, atol=1e-4)


def test_movies_may_take_a_quarter_of_the_limit_else_half_of_what_is_free():
    cpu = Compute(torch.device("cpu"))
    assert movie_bytes(2) == 500_000_000
    assert room_for_movies(ComputeSettings(memory_limit=2), cpu) == 500_000_000
    assert room_for_movies(ComputeSettings(), cpu) > 0
