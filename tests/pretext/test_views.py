"""Crop pairs: normalised as the movie is, aligned, without borders, drawn where they are said to be drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.pretext._views import Augmentation, DeviceMovie, PairSampler, device_movie

CPU = torch.device("cpu")


def on_device(array, deltas=(1,), frames: range | None = None) -> DeviceMovie:
    movie = movie_from_array(array, "m")
    return device_movie(movie, frames or range(movie.n_frames), deltas, CPU)


def noise(dtype=np.uint8, frames: int = 4, height: int = 40, width: int = 52, top: int = 255) -> np.ndarray:
    return np.random.default_rng(0).integers(0, top, (frames, height, width)).astype(dtype)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("dtype", "top"),
    [("uint8", 256), ("uint16", 65536), (">u2", 65536), ("int16", 30000), ("int32", 100000), ("uint32", 100000), ("float32", 9),
     ("float64", 9), (">f4", 9)],
)  # fmt: skip
def test_windows_are_the_normalised_movie_whatever_its_type(dtype, top):
    array = noise(np.dtype(dtype), top=top)
    made = on_device(array)
    windows = made.windows(torch.tensor([[1, 2], [0, 3]]), torch.tensor([[20, 20], [15, 30]]), 12)
    assert windows.shape == (2, 2, 1, 12, 12)
    for b, (pair, (y, x)) in enumerate([((1, 2), (20, 20)), ((0, 3), (15, 30))]):
        for s, t in enumerate(pair):
            expected = normalise(array[t][None])[:, y - 6 : y + 6, x - 6 : x + 6]
            np.testing.assert_allclose(windows[b, s].numpy(), expected, rtol=1e-5, atol=1e-5)


def test_counts_above_half_of_the_range_of_uint16_stay_what_they_are():
    array = np.full((3, 16, 16), 100, np.uint16)
    array[:, 4:12, 4:12] = 60000
    made = on_device(array)
    assert made.frames.element_size() == 2
    window = made.windows(torch.tensor([[0, 1]]), torch.tensor([[8, 8]]), 16)[0, 0, 0]
    assert window[8, 8] > 0.99
    assert window[0, 0].abs() < 1e-6


def test_several_channels_are_cut_together():
    array = np.random.default_rng(1).integers(0, 255, (3, 2, 20, 24)).astype(np.uint8)
    windows = on_device(array).windows(torch.tensor([[0, 1]]), torch.tensor([[10, 12]]), 8)
    np.testing.assert_allclose(windows[0, 1].numpy(), normalise(array[1])[:, 6:14, 8:16], rtol=1e-5, atol=1e-5)


@given(y=st.integers(0, 39), x=st.integers(0, 51), size=st.integers(2, 120))
def test_a_window_over_the_border_is_a_mirror_and_never_padding(y, x, size):
    array = noise() + 1
    window = on_device(array).windows(torch.tensor([[0, 1]]), torch.tensor([[y, x]]), size)[0, 0, 0].numpy()
    image = normalise(array[0][None])[0]
    reach = [max(0, size // 2 - y), max(0, size // 2 - x)]
    rest = [max(0, y - size // 2 + size - 40), max(0, x - size // 2 + size - 52)]
    mirrored = np.pad(image, list(zip(reach, rest, strict=True)), mode="reflect")
    top, left = y - size // 2 + reach[0], x - size // 2 + reach[1]
    np.testing.assert_allclose(window, mirrored[top : top + size, left : left + size], rtol=1e-5, atol=1e-5)


def test_pairs_lie_within_the_frames_for_every_delta():
    made = on_device(noise(frames=6), deltas=(1, 3), frames=range(1, 6))
    assert len(made.frames) == 5
    assert sorted(map(tuple, made.pairs.tolist())) == [(0, 1), (0, 3), (1, 2), (1, 4), (2, 3), (3, 4)]


def test_frames_without_a_pair_far_enough_apart_are_refused():
    with pytest.raises(MovieError, match="frames 0:3 hold no pair of frames 5 apart"):
        on_device(noise(), deltas=(5,), frames=range(3))


def test_uniform_centres_reach_every_part_of_frame_and_movie():
    sampler = PairSampler(on_device(noise()), 0.0, 2.0)
    pairs, centres = sampler.draw(6000, generator())
    counts = np.histogramdd(centres.numpy(), bins=(4, 4), range=((0, 40), (0, 52)))[0]
    assert np.abs(counts - 375).max() < 5 * math.sqrt(375)
    assert np.abs(np.bincount(pairs[:, 0].numpy(), minlength=3) - 2000).max() < 5 * math.sqrt(2000)
    assert (pairs[:, 1] - pairs[:, 0] == 1).all()


def moving_dot() -> np.ndarray:
    array = np.full((5, 64, 96), 50, np.uint8)
    array[:, ::7, ::5] = 60
    for t in range(5):
        array[t, 40:46, 20 + 3 * t : 26 + 3 * t] = 200
    return array


def test_motion_draws_centres_where_something_moves():
    sampler = PairSampler(on_device(moving_dot()), 1.0, 2.0)
    _, centres = sampler.draw(500, generator())
    near = (centres[:, 0] - 43).abs().lt(14) & (centres[:, 1] - 30).abs().lt(24)
    assert near.float().mean() > 0.98


def test_the_share_of_uniform_centres_is_kept():
    sampler = PairSampler(on_device(moving_dot()), 0.5, 2.0)
    _, centres = sampler.draw(4000, generator())
    far = ((centres[:, 0] - 43).abs().ge(14) | (centres[:, 1] - 30).abs().ge(24)).float().mean()
    area = 1 - 27 * 47 / (64 * 96)
    assert float(far) == pytest.approx(0.5 * area, abs=0.04)


def test_where_nothing_moves_motion_draws_everywhere():
    sampler = PairSampler(on_device(np.repeat(noise(frames=1), 4, axis=0)), 1.0, 2.0)
    _, centres = sampler.draw(400, generator())
    assert centres[:, 0].unique().numel() > 20
    assert centres[:, 1].unique().numel() > 20


def test_one_flash_does_not_draw_all_centres():
    array = np.repeat(moving_dot()[:1], 12, axis=0)
    for t in range(12):
        array[t, 40:46, 20 + 3 * t : 26 + 3 * t] = 200
    array[6, ::2, ::3] = 255
    pairs, _ = PairSampler(on_device(array), 1.0, 2.0).draw(2000, generator())
    assert float(((pairs[:, 0] == 5) | (pairs[:, 0] == 6)).float().mean()) < 0.75


def test_the_same_seed_draws_the_same_pairs_and_another_seed_others():
    sampler = PairSampler(on_device(moving_dot()), 0.5, 2.0)
    first, same, other = (sampler.draw(50, generator(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not torch.equal(first[1], other[1])


def test_augmentation_of_no_strength_changes_nothing():
    none = Augmentation(0.0)
    windows = torch.rand(3, 2, 1, 24, 24)
    assert none.window_px(24) == 24
    assert torch.equal(none(windows, 24, generator()), windows)


def smooth_windows(batch: int, size: int, frames: int = 2) -> torch.Tensor:
    """Windows that say where they were sampled: channel 0 is y and channel 1 is x, in pixels from the middle."""
    line = torch.arange(size, dtype=torch.float32) - size // 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([y, x]).expand(batch, frames, 2, size, size).contiguous()


class PlacesOnly(Augmentation):
    """The geometry alone: brightness and noise would hide where a pixel comes from."""

    def _intensity(self, crops, generator):
        return crops


@pytest.mark.parametrize("crop_px", [32, 33, 48])
def test_no_view_reaches_beyond_its_window(crop_px):
    augment = PlacesOnly(1.0)
    window_px = augment.window_px(crop_px)
    grid = augment._grid(400, 2, crop_px, window_px, generator())
    assert (grid.abs().amax((1, 2, 3, 4)) <= 1).float().mean() > 0.99
    assert grid.abs().max() < 1.05


@pytest.mark.parametrize("crop_px", [32, 33])
def test_both_frames_stay_aligned_within_the_stated_limits(crop_px):
    """Apart from each other they may be shifted by 3 % and scaled by 1.11, each; all else is joint."""
    augment = PlacesOnly(1.0)
    window_px = augment.window_px(crop_px)
    places = augment(smooth_windows(300, window_px), crop_px, generator(3))
    middle = places[..., crop_px // 2 - 1 : crop_px // 2 + 1, crop_px // 2 - 1 : crop_px // 2 + 1].mean((-1, -2))
    apart = (middle[:, 0] - middle[:, 1]).norm(dim=1)
    assert apart.max() <= 2 * 0.03 * crop_px * math.sqrt(2) + 0.25 * 7
    assert apart.median() < 0.1 * crop_px
    same = (places[:, 0] - places[:, 1]).abs().amax((1, 2, 3)) < 1e-3
    assert 0.4 < same.float().mean() < 0.6
    spread = places.std((-1, -2))
    ratio = spread[:, 0] / spread[:, 1]
    assert ratio.max() < 1.11**2 * 1.02
    assert ratio.min() > 1.11**-2 / 1.02


def test_a_view_lies_around_the_middle_of_its_window():
    augment = PlacesOnly(1.0)
    for crop_px in (32, 33):
        places = augment(smooth_windows(400, augment.window_px(crop_px)), crop_px, generator(5))
        assert places.mean((0, 1, 3, 4)).abs().max() < 0.3


def test_interpolation_blurs_both_frames_alike():
    """On one and the same noise in both frames, neither frame is smoother than the other, but for chance."""
    window_px = Augmentation(1.0).window_px(32)
    image = torch.randn(256, 1, 1, window_px, window_px, generator=generator(1)).expand(-1, 2, -1, -1, -1).contiguous()
    spread = PlacesOnly(1.0)(image, 32, generator(2)).std((-1, -2))[..., 0]
    difference = (spread[:, 0] - spread[:, 1]).double()
    assert difference.abs().max() < 0.2
    assert difference.mean().abs() < 4 * difference.std() / 16 + 1e-9


def test_views_are_turned_mirrored_and_scaled():
    augment = PlacesOnly(1.0)
    places = augment(smooth_windows(300, augment.window_px(33)), 33, generator(7))[:, 0]
    right = places[..., 16, 24] - places[..., 16, 8]
    down = places[..., 24, 16] - places[..., 8, 16]
    angles = torch.atan2(right[:, 0], right[:, 1])
    assert torch.histc(angles, 8, -math.pi - 0.4, math.pi - 0.4 + 1e-3).min() > 5
    mirrored = (down[:, 0] * right[:, 1] - down[:, 1] * right[:, 0]) < 0
    assert 0.4 < mirrored.float().mean() < 0.6
    assert right.norm(dim=1).std() > 1


def test_brightness_and_noise_stay_within_the_stated_limits():
    augment = Augmentation(1.0)
    level = torch.full((2000, 2, 1, 8, 8), 0.5)
    seen = augment._intensity(level, generator(4))
    means, noise = seen.mean((-1, -2))[..., 0], seen.std((-1, -2))[..., 0]
    assert means.max() <= 0.5 * 1.11 * 1.25 + 0.15 + 0.06
    assert means.min() >= 0.5 / 1.11 / 1.25 - 0.15 - 0.06
    assert 0.4 < (noise < 1e-6).float().mean() < 0.6
    assert noise.max() < 0.05 * 1.5
    assert (seen - means[..., None, None, None]).mean().abs() < 1e-3
    unlike = (means[:, 0] - means[:, 1]).abs()
    assert unlike.max() < 0.5 * 1.25 * (1.11 - 1 / 1.11) + 0.1 + 0.1
    assert unlike.mean() > 0.01


def test_neither_frame_is_brighter_or_larger_than_the_other_on_average():
    augment = Augmentation(1.0)
    seen = augment._intensity(torch.full((4000, 2, 1, 2, 2), 0.5), generator(8)).mean((2, 3, 4)).double()
    difference = seen[:, 0] - seen[:, 1]
    assert difference.mean().abs() < 4 * difference.std() / math.sqrt(4000)


def test_the_same_seed_gives_the_same_views():
    augment = Augmentation(1.0)
    windows = torch.rand(4, 2, 1, augment.window_px(16), augment.window_px(16))
    first, same, other = (augment(windows, 16, generator(seed)) for seed in (1, 1, 2))
    assert first.shape == (4, 2, 1, 16, 16)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_strength_scales_the_changes():
    windows = smooth_windows(200, Augmentation(1.0).window_px(33))
    weak, strong = (
        (places := PlacesOnly(strength)(windows, 33, generator(2)))[:, 0].sub(places[:, 1]).abs().mean()
        for strength in (0.25, 1.0)
    )
    assert weak < 0.5 * strong
