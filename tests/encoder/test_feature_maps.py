"""Whole movies through the encoder: tiles equal the whole, every frame once, and stopping changes nothing."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from napari_tap_events.encoder.arrow import ArrowHead
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps, encode_movie, passing_maps
from napari_tap_events.encoder.features import DifferenceFeatures, EncoderFeatures, IntensityFeatures, tiles
from napari_tap_events.encoder.resampling import pooled
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.errors import JobStopped, ModelError, MovieError
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.reports import Control
from napari_tap_events.settings import EncoderSettings

CPU = Compute(torch.device("cpu"))


def encoder_with(padding: str = "zeros") -> tuple[Encoder, ArrowHead]:
    torch.manual_seed(5)
    encoder, arrow = Encoder(1, EncoderSettings(preset="unet8", padding=padding)), ArrowHead(8)
    for module in [*encoder.modules(), *arrow.modules()]:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.running_mean.normal_(0, 0.2)
    return encoder.eval(), arrow.eval()


class Counting(EncoderFeatures):
    """Counts how often a frame, and a pair, goes through."""

    frames_seen = 0
    pairs_seen = 0

    def frame(self, image):
        self.frames_seen += 1
        return super().frame(image)

    def pair(self, first, second, stride_px):
        self.pairs_seen += 1
        return super().pair(first, second, stride_px)


def counting() -> Counting:
    return Counting(*encoder_with(), CPU)


@pytest.fixture
def movie() -> Movie:
    return movie_from_array(np.random.default_rng(0).integers(0, 255, (6, 37, 50)).astype(np.uint8), "noise")


def finished(reports) -> FeatureMaps:
    while True:
        try:
            next(reports)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("size", [(128, 192), (131, 150), (60, 203)])
@pytest.mark.parametrize("tile_px", [32, 64, 104])
def test_tiles_equal_the_whole(padding, size, tile_px):
    encoder, _ = encoder_with(padding)
    image = torch.randn(1, *size)
    with torch.no_grad():
        whole = encoder(image[None])[0]
    tiled = EncoderFeatures(encoder, None, CPU, tile_px).frame(image)
    assert tiled.shape == whole.shape
    assert whole.std() > 0.1
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5 * float(whole.abs().max()))


@pytest.mark.parametrize("tile_px", [32, 512])
def test_the_features_of_a_pixel_lie_beside_each_other_as_pooling_wants_them(tile_px, movie):
    source = EncoderFeatures(*encoder_with(), CPU, tile_px)
    z = source.frame(torch.from_numpy(normalise(movie.frame(0))))
    assert z.stride(0) == 1
    torch.testing.assert_close(pooled(z, 2), pooled(z.contiguous(), 2))


def test_tiles_cover_every_pixel_once_and_start_at_multiples_of_8():
    seen = np.zeros((136, 72), int)
    for inner, outer in tiles(136, 72, 40, 56):
        seen[inner] += 1
        assert all(part.start % 8 == 0 for part in (*inner, *outer))
        assert all(o.start <= i.start and i.stop <= o.stop for i, o in zip(inner, outer, strict=True))
    assert (seen == 1).all()


def test_every_frame_is_encoded_once_and_every_pair_once(movie, tmp_path):
    source = counting()
    maps = finished(encode_movie(movie, source, CPU, tmp_path, 2))
    assert (source.frames_seen, source.pairs_seen) == (6, 5)
    assert maps.frames.shape == (6, 9, 18, 25)
    assert maps.pairs.shape == (5, 1, 18, 25)
    assert maps.frames.dtype == maps.pairs.dtype == np.float16


def test_maps_are_features_then_image_and_the_arrow_of_each_pair(movie, tmp_path):
    encoder, arrow = encoder_with()
    maps = finished(encode_movie(movie, EncoderFeatures(encoder, arrow, CPU), CPU, tmp_path, 2))
    images = [torch.from_numpy(normalise(movie.frame(t))) for t in (3, 4)]
    with torch.no_grad():
        z = torch.stack([encoder(image[None])[0] for image in images])
        both = pooled(torch.cat([z[0], images[0]]), 2)
        order = pooled(arrow.arrow(z[None]), 2)
    np.testing.assert_allclose(maps.frames[3], both.numpy(), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(maps.pairs[3], order.numpy(), rtol=2e-3, atol=2e-3)


def test_maps_that_are_there_are_used_again(movie, tmp_path):
    first = finished(encode_movie(movie, counting(), CPU, tmp_path, 2))
    again = counting()
    second = finished(encode_movie(movie, again, CPU, tmp_path, 2))
    assert again.frames_seen == 0
    assert np.array_equal(first.frames, second.frames)


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_an_interrupted_encoding_goes_on_and_equals_an_uninterrupted_one(movie, tmp_path, stop_after):
    whole = finished(encode_movie(movie, counting(), CPU, tmp_path / "whole", 2))
    control = Control()
    reports = encode_movie(movie, counting(), CPU, tmp_path / "parts", 2, control)
    for _ in range(stop_after):
        next(reports)
    control.stopping = True
    with pytest.raises(JobStopped, match=f"stopped after {stop_after} of 6 frames.*--resume"):
        next(reports)
    source = counting()
    resumed = finished(encode_movie(movie, source, CPU, tmp_path / "parts", 2))
    assert source.frames_seen == 6 - stop_after + 1  # the frame before is needed for the pair across the gap
    assert np.array_equal(resumed.frames, whole.frames)
    assert np.array_equal(resumed.pairs, whole.pairs)


def test_passing_maps_equal_kept_maps_and_encode_each_frame_once(movie, tmp_path):
    kept = finished(encode_movie(movie, counting(), CPU, tmp_path, 2))
    source = counting()
    times = []
    for t, maps in passing_maps(movie, source, CPU, 2, range(1, 6)):
        times.append(t)
        assert np.array_equal(maps.frames, kept.frames[t : t + 2])
        assert np.array_equal(maps.pairs[0], kept.pairs[t])
    assert times == [1, 2, 3, 4]
    assert source.frames_seen == 5


def test_maps_of_another_encoder_in_the_same_place_are_refused_in_one_sentence(movie, tmp_path):
    finished(encode_movie(movie, counting(), CPU, tmp_path, 2))
    with pytest.raises(ModelError, match="delete the folder, it is only a cache"):
        finished(encode_movie(movie, IntensityFeatures(), CPU, tmp_path, 2))


def test_a_damaged_cache_is_refused_in_one_sentence(movie, tmp_path):
    finished(encode_movie(movie, counting(), CPU, tmp_path, 2))
    (tmp_path / "frames.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ModelError, match="delete the folder, it is only a cache"):
        finished(encode_movie(movie, counting(), CPU, tmp_path, 2))
    shutil.rmtree(tmp_path)
    finished(encode_movie(movie, counting(), CPU, tmp_path, 2))


def test_the_control_intensity_is_the_normalised_image_and_no_more(movie, tmp_path):
    maps = finished(encode_movie(movie, IntensityFeatures(), CPU, tmp_path, 1))
    assert (maps.features, maps.pairs.shape[1]) == (0, 0)
    np.testing.assert_allclose(maps.frames[2], normalise(movie.frame(2)), atol=1e-3)


def test_the_control_difference_is_the_absolute_difference_of_normalised_frames(movie, tmp_path):
    maps = finished(encode_movie(movie, DifferenceFeatures(), CPU, tmp_path, 1))
    change = np.abs(normalise(movie.frame(3)) - normalise(movie.frame(2)))
    np.testing.assert_allclose(maps.pairs[2], change, atol=2e-3)


def test_pooling_takes_means_and_leaves_an_incomplete_block_out():
    maps = torch.arange(35.0).view(1, 5, 7)
    small = pooled(maps, 2)
    assert small.shape == (1, 2, 3)
    assert float(small[0, 1, 2]) == np.mean([18, 19, 25, 26])
    assert pooled(maps[:0], 2).shape == (0, 2, 3)


def test_a_pixel_that_is_no_number_is_told_by_its_frame(tmp_path):
    frames = np.zeros((3, 16, 16), np.float32)
    frames[1, 4, 4] = np.nan
    with pytest.raises(MovieError, match="frame 1 of"):
        finished(encode_movie(movie_from_array(frames, "holes"), counting(), CPU, tmp_path, 2))
