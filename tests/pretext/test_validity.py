"""The probes: shortcuts that were planted are caught and called by their right name, and parts of the probes do what they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.synthetic import noise_movie
from napari_tap_events.pretext._quirks import burnt_in, drift, matched, quietest, temporal_median
from napari_tap_events.pretext._scalars import SCALARS, linear_accuracy, scalars
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.games import Playground, begin, probed
from napari_tap_events.pretext.validity import Validity

from .arena import CPU, lively, settings, trained

SIZE = 80
DIGITS = ("757", "262", "747", "717", "571", "747", "747", "711", "777", "757")
"""Not readable, but each another pattern: rows of 3 pixels as bits, twice each, which is all a network needs."""


def bodies(seed: int, size: int = SIZE, margin: int = 0) -> np.ndarray:
    """Blobs of all shades that stand still, (size + 2 margin)^2, 0..1."""
    rng = np.random.default_rng(seed)
    side = size + 2 * margin
    y, x = np.mgrid[:side, :side]
    image = np.zeros((side, side))
    for cy, cx in rng.uniform(0, side, (side * side // 160, 2)):
        image += rng.uniform(0.3, 1) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8)
    return image / image.max()


def movie_of(frames: list[np.ndarray], name: str) -> Movie:
    return movie_from_array(np.clip(np.stack(frames), 0, 255).astype(np.uint8), name)


def bleaching(seed: int, frames: int = 16) -> Movie:
    """Bodies that stand still and fade, under noise that stays."""
    rng, still = np.random.default_rng(seed), bodies(seed)
    return movie_of([20 + 200 * np.exp(-t / 6) * still + rng.normal(0, 3, still.shape) for t in range(frames)], "bleaching")


def drifting(seed: int, frames: int = 16) -> Movie:
    """Bodies that stand still on a stage that moves by a pixel and a half a frame."""
    rng, wide = np.random.default_rng(seed), bodies(seed, margin=32)
    shown = []
    for t in range(frames):
        y, x = 4 + round(1.5 * t), 4 + round(1.5 * t)
        shown.append(20 + 150 * wide[y : y + SIZE, x : x + SIZE] + rng.normal(0, 4, (SIZE, SIZE)))
    return movie_of(shown, "drifting")


def stamped(seed: int, frames: int = 30) -> Movie:
    """Bodies that stand still, and the number of the frame in a corner, white on black, with a bar that grows by a pixel a frame."""
    rng, still = np.random.default_rng(seed), bodies(seed)
    shown = []
    for t in range(frames):
        frame = 20 + 150 * still + rng.normal(0, 3, still.shape)
        frame[4:17, 4:36] = 0
        bits = np.array([[int(b) for b in f"{int(row):03b}"] for row in DIGITS[t % 10]])
        frame[5:11, 5:11] = 255 * np.kron(bits, np.ones((2, 2)))
        frame[12:16, 5:35] = 255 * (np.arange(30) <= t)
        shown.append(frame)
    return movie_of(shown, "stamped")


def found(name: str, train: Movie, val: Movie, steps: int = 60, **changes) -> Validity:
    chosen = settings(name, **{"augmentation": 0.0, "decorrelation": "none"} | changes)
    torch.manual_seed(0)
    model = ArrowEncoder(1, chosen, arrow=name == "time_arrow")
    sides = [[device_movie(movie, range(movie.n_frames), (1,), CPU.device)] for movie in (train, val)]
    ground = Playground(model, *sides, chosen, CPU, [1.0])
    learner = begin({name: 1.0}, ground)
    trained(learner, steps)
    return probed({name: 1.0}, learner, ground)[name]


def test_bleaching_is_caught_and_named():
    told = found("time_arrow", bleaching(0), bleaching(1))
    assert told.accuracy > 0.7
    text = " ".join(told.warnings)
    assert "bleaching" in text
    assert "drift" not in text
    assert "time stamp" not in text
    assert told.probes["noise or contrast"] > 0.6


def test_a_drifting_stage_is_caught_and_named():
    told = found("order", drifting(0), drifting(1), game_settings=("order.gaps=1",), patch_px=32, batch=8)
    assert told.accuracy > told.chance + 0.2
    assert told.probes["registered"] - told.chance < (told.accuracy - told.chance) / 2
    text = " ".join(told.warnings)
    assert "depends on the drift of the stage" in text
    assert "bleaching" not in text
    assert "time stamp" not in text


def test_a_time_stamp_is_caught_and_named():
    told = found("time_arrow", stamped(0), stamped(1), sampling="motion", uniform_share=0.0)
    text = " ".join(told.warnings)
    assert told.probes["burnt_in"] > 0.6
    assert "time stamp" in text
    assert len(told.warnings) == 1, "elsewhere there is nothing to be read"


def test_where_nothing_is_learned_nothing_is_warned_of():
    told = found("time_arrow", noise_movie(0, 16, SIZE, SIZE), noise_movie(1, 16, SIZE, SIZE), steps=20)
    assert abs(told.accuracy - 0.5) < 0.1
    assert told.warnings == ()


@pytest.mark.parametrize("name", ["masked", "slowness"])
def test_a_game_without_an_accuracy_is_not_probed(name):
    chosen = settings(name)
    sides = [[device_movie(lively(n), range(12), (1,), CPU.device)] for n in (0, 1)]
    ground = Playground(ArrowEncoder(1, chosen, arrow=False), *sides, chosen, CPU, [1.0])
    assert probed({name: 1.0}, begin({name: 1.0}, ground), ground) == {}


def test_drift_is_measured_in_pixels_since_the_first_frame():
    movie = device_movie(drifting(3), range(16), (1,), CPU.device)
    expected = [-(round(1.5 * t)) for t in range(16)]
    np.testing.assert_allclose(drift(movie).numpy(), np.stack([expected, expected], 1), atol=1.01)
    assert not drift(device_movie(movie_of([100 * bodies(0)] * 4, "still"), range(4), (1,), CPU.device)).any()


def test_writing_is_found_and_cells_are_not_taken_for_it():
    def where(movie):
        return burnt_in(device_movie(movie, range(movie.n_frames), (1,), CPU.device))

    top, left, bottom, right = where(stamped(0)).tolist()
    assert (top, left) == (5, 5)
    assert 15 <= bottom < 17
    assert 32 <= right < 36
    assert where(noise_movie(0, 16, 64, 64)) is None
    assert where(lively()) is None
    assert where(movie_of([200 * bodies(0)] * 8, "still")) is None


def test_matched_frames_have_the_histogram_of_the_first_and_keep_their_order():
    windows = torch.rand(2, 3, 1, 8, 8)
    same = matched(windows)
    for n in range(3):
        assert torch.equal(same[:, n].flatten(1).sort(1).values, windows[:, 0].flatten(1).sort(1).values)
        assert torch.equal(same[:, n].flatten(1).argsort(1), windows[:, n].flatten(1).argsort(1))


def test_the_quietest_windows_hold_no_cells():
    windows = 0.05 * torch.randn(16, 2, 1, 16, 16, generator=CPU.generator(0))
    windows[2:, :, :, 4:10, 4:10] += 0.8
    assert sorted(quietest(windows).tolist()) == [0, 1]


def test_the_temporal_median_is_what_stands_still():
    still = 100 * bodies(0)
    shown = [still.copy() for _ in range(7)]
    shown[3][20:30, 20:30] = 250
    median = temporal_median(device_movie(movie_of(shown, "m"), range(7), (1,), CPU.device))
    clean = temporal_median(device_movie(movie_of([still] * 7, "m"), range(7), (1,), CPU.device))
    torch.testing.assert_close(median, clean)


def test_the_six_numbers_by_hand():
    crop = torch.zeros(1, 2, 1, 16, 16)
    crop[0, 0, 0, 5:9, 5:9] = 1
    crop[0, 1, 0, 7:11, 6:10] = 1
    numbers = scalars(crop)[0]
    flat = crop[0, 0].flatten().numpy()
    assert numbers[0, :4].tolist() == pytest.approx([flat.mean(), flat.std(ddof=1), *np.quantile(flat, (0.01, 0.99))], abs=1e-6)
    assert numbers[0, 5:].tolist() == [0, 0]
    assert numbers[1, 5:].tolist() == [2, 1]
    assert sorted(column for columns in SCALARS.values() for column in columns) == list(range(7))


def test_the_linear_rule_wins_where_a_number_tells_and_not_where_none_does():
    generator = CPU.generator(0)
    numbers, target = torch.randn(300, 2, 7, generator=generator), torch.randint(2, (300,), generator=generator)
    told = numbers.clone()
    told[:, 1, 4] += 3 * target
    for given, low, high in ((told, 0.8, 1.0), (numbers, 0.35, 0.65)):
        halves = [(given[part], target[part]) for part in (slice(150), slice(150, 300))]
        assert low <= linear_accuracy(*halves, 2, SCALARS["focus"]) <= high


@pytest.mark.parametrize("name", ["propagate", "jigsaw", "weak"])
def test_games_that_ask_for_no_class_of_a_crop_are_probed_all_the_same(name):
    told = found(name, lively(0), lively(1), steps=1, patch_px=32, batch=4, val_pairs=8)
    assert told.probes
    assert not set(SCALARS) & set(told.probes)
