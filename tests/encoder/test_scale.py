"""An encoder of simulated movies sees cells as large as those; maps come back as large as the movie's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import encoded_frames
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.resampling import resized, scaled
from napari_tap_events.encoder.scale import scale_for
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.settings import EncoderSettings

CPU = Compute(torch.device("cpu"))


@pytest.mark.parametrize(
    ("radius_px", "scale"), [(14, 1), (10.6, 1), (18.6, 1), (10, 1.4), (28, 0.5), (1, 2.0), (0, 2.0), (500, 0.2)]
)
def test_cells_get_the_standard_size_unless_they_are_near_it(radius_px, scale):
    assert scale_for(radius_px) == pytest.approx(scale)


@pytest.mark.parametrize(
    ("arrow", "simulated", "scale"), [(False, True, 0.5), (True, True, 1), (True, False, 1), (False, False, 1)]
)
def test_only_an_encoder_of_simulated_movies_alone_sees_frames_at_another_scale(arrow, simulated, scale):
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=arrow, simulated=simulated)
    assert model.scale_for(28.0) == scale
    assert model.scale_for(None) == 1


@pytest.mark.parametrize(("side", "scale"), [((61, 83), 0.5), ((48, 52), 2.0), ((33, 90), 0.4), ((8, 9), 0.2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_maps_are_as_large_as_without(side, scale, stride):
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=True, simulated=True).eval()
    movie = movie_from_array(np.random.default_rng(0).integers(0, 99, (3, *side), np.uint16))
    shapes = []
    for s in (1.0, scale):
        source = EncoderFeatures(model.encoder, model.arrow, CPU, simulated=model.simulated, scale=s)
        passed = list(encoded_frames(movie, source, CPU, stride, range(3)))
        shapes.append([(one.frame.shape, None if one.pair is None else one.pair.shape) for one in passed])
    assert shapes[0] == shapes[1]


def test_a_larger_movie_seen_smaller_gives_the_maps_of_the_smaller_one():
    """Of a movie with twice the sides, at half the scale, the features are those of the movie, twice as large."""
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=False, simulated=True).eval()
    small = ndimage.gaussian_filter(np.random.default_rng(1).random((2, 64, 64)), (0, 3, 3)).astype(np.float32)
    large = np.stack([ndimage.zoom(frame, 2, order=1, grid_mode=True, mode="nearest") for frame in small])
    maps = []
    for film, scale in ((small, 1.0), (large, 0.5)):
        source = EncoderFeatures(model.encoder, None, CPU, simulated=model.simulated, scale=scale)
        last = list(encoded_frames(movie_from_array(film), source, CPU, 2, range(2)))[-1]
        maps.append(last.frame.astype(np.float32))
    back = np.stack([ndimage.zoom(one, 0.5, order=1, grid_mode=True, mode="nearest") for one in maps[1]])
    for one, other in zip(maps[0], back, strict=True):
        if one.std() > 0.01:
            assert np.corrcoef(one[4:-4, 4:-4].ravel(), other[4:-4, 4:-4].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_where_frames_are_seen_smaller_they_are_seen_as_they_are_too(scale):
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=True, simulated=True).eval()
    movie = movie_from_array(np.random.default_rng(2).random((2, 48, 64), np.float32))

    def pair_at(factor):
        source = EncoderFeatures(model.encoder, model.arrow, CPU, simulated=model.simulated, scale=factor)
        seen = [source.seen(torch.from_numpy(normalise(movie.frame(t))), 2) for t in (0, 1)]
        other = EncoderFeatures(model.encoder, model.arrow, CPU, simulated=model.simulated)
        alone = other.pair(*(other.seen(scaled(one.image, factor, 4), 2) for one in seen), 2)
        return source.pair(*seen, 2), resized(alone, 24, 32)

    found, alone = pair_at(scale)
    as_it_is, _ = pair_at(1.0)
    expected = (alone + as_it_is) / 2 if scale < 1 else alone
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_maps_of_another_scale_are_kept_apart():
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=False, simulated=True)
    prints = {
        EncoderFeatures(model.encoder, None, CPU, simulated=model.simulated, scale=s).fingerprint() for s in (1.0, 0.5, 0.7)
    }
    assert len(prints) == 3


def test_sides_are_multiples_and_nothing_is_no_channel():
    image = torch.rand(2, 61, 83)
    assert scaled(image, 0.5, 4).shape == (2, 32, 40)
    assert scaled(image, 0.01, 4).shape == (2, 4, 4)
    assert resized(image[:0], 5, 7).shape == (0, 5, 7)
    torch.testing.assert_close(resized(torch.full((1, 40, 40), 3.0), 13, 90), torch.full((1, 13, 90), 3.0))


def test_a_scale_that_somebody_wants_comes_before_all():
    model = ArrowEncoder(1, EncoderSettings(preset="unet8"), arrow=True, simulated=True)
    assert model.scale_for(28.0, 0.7) == 0.7
