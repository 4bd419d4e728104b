"""Planted defects are found, and clean movies raise no alarm."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_tap_events.movies.frame_look import sampled_frames
from napari_tap_events.movies.movie import Movie, movie_from_array, single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.precheck import Finding, precheck

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
N, SIDE = 40, 160


def clean(seed: int = 0) -> NDArray[np.float64]:
    return _clean(seed).copy()


@cache
def _clean(seed: int) -> NDArray[np.float64]:
    """Return (N, SIDE, SIDE): spots that wander at random on a noisy background."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(10, SIDE - 10, (25, 2))
    frames = np.empty((N, SIDE, SIDE))
    for t in range(N):
        at = np.clip(at + rng.normal(0, 1, at.shape), 2, SIDE - 3)
        frames[t] = 0
        frames[t][tuple(at.astype(int).T)] = 30000
        frames[t] = ndimage.gaussian_filter(frames[t], 3) + rng.normal(100, 3, (SIDE, SIDE))
    return frames


def film(frames: NDArray[Any], dtype: str = "uint16") -> Movie:
    return movie_from_array(np.clip(np.rint(frames), 0, np.iinfo(dtype).max).astype(dtype))


def found(movie: Movie, **how: int) -> dict[str, Finding]:
    return {finding.code: finding for finding in precheck(movie, **how)}


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_movie_raises_no_alarm(seed: int) -> None:
    assert precheck(film(clean(seed))) == ()


def test_copies_are_found() -> None:
    frames = clean()
    frames[7] = frames[6]
    frames[30] = frames[2]
    (finding,) = precheck(film(frames))
    assert (finding.code, finding.severity, finding.frames) == ("duplicates", "warning", (7, 30))
    assert "7 is 6, 30 is 2" in finding.sentence


@pytest.mark.parametrize("value", [0, 100])
def test_empty_frames_are_found_and_are_no_copies(value: int) -> None:
    frames = clean()
    frames[[5, 17]] = value
    (finding,) = precheck(film(frames))
    assert (finding.code, finding.frames) == ("empty", (5, 17))


def test_a_movie_of_nothing_is_told_once() -> None:
    assert list(found(movie_from_array(np.zeros((6, 20, 20), "uint8")))) == ["empty"]


@pytest.mark.parametrize("shift", [(1.0, 0.0), (0.0, -2.0), (0.6, 0.6), (6.0, 3.0)])
def test_drift_is_found_and_measured(shift: tuple[float, float]) -> None:
    still = clean()[0]
    noise = np.random.default_rng(0).normal(0, 3, (N, SIDE, SIDE))
    moved = [ndimage.shift(still, (t * shift[0], t * shift[1]), order=1, mode="grid-wrap") for t in range(N)]
    findings = found(film(np.stack(moved) + noise))
    assert list(findings) == ["drift"]
    speed = float(np.hypot(*shift))
    told = re.search(r"time: ([0-9.]+) px per frame", findings["drift"].sentence)
    assert told
    assert float(told.group(1)) == pytest.approx(speed, rel=0.1)
    assert findings["drift"].severity == ("warning" if speed > 5 else "note")
    assert ("px down" in findings["drift"].sentence) == (shift[0] > 0)
    assert ("px to the left" in findings["drift"].sentence) == (shift[1] < 0)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared movies are not here")
@pytest.mark.parametrize("name", ["hela_h2b", "t98g_phase_left", "mda231_qpi_early"])
def test_real_cells_that_migrate_are_no_drift_and_a_stage_that_moves_them_is(name: str) -> None:
    movie = single_channel(open_movie(DATA / f"{name}.tif"))
    frames = np.stack([movie.frame(t)[0].astype(np.float32) for t in range(24)])
    assert "drift" not in found(film(frames, str(movie.dtype)))
    moved = [ndimage.shift(frame, (0.6 * t, t), order=1, mode="nearest") for t, frame in enumerate(frames)]
    drift = found(film(np.stack(moved), str(movie.dtype)))["drift"]
    assert "px down" in drift.sentence
    assert "px to the right" in drift.sentence


def test_a_bright_cell_that_goes_one_way_over_a_still_picture_is_no_drift() -> None:
    still = clean()[0]
    frames = np.stack([still] * N) + np.random.default_rng(0).normal(0, 3, (N, SIDE, SIDE))
    y, x = np.mgrid[:SIDE, :SIDE]
    for t in range(N):
        frames[t] += 20000 * np.exp(-((y - SIDE * 0.35) ** 2 + (x - (SIDE * 0.8 - 0.7 * t)) ** 2) / 60)
    assert "drift" not in found(film(frames))


def test_trembling_is_no_drift() -> None:
    rng = np.random.default_rng(3)
    frames = np.stack([np.roll(f, rng.integers(-2, 3, 2), axis=(0, 1)) for f in clean()])
    assert "drift" not in found(film(frames))


def test_bleaching_is_found() -> None:
    frames = 100 + (clean() - 100) * np.exp(-np.arange(N) / N)[:, None, None]
    findings = found(film(frames))
    assert list(findings) == ["bleaching"]
    assert "falls by 5" in findings["bleaching"].sentence


def test_a_frame_out_of_focus_is_found() -> None:
    frames = clean() * 10
    frames[12] = ndimage.gaussian_filter(frames[12], 3)
    findings = found(film(frames))
    assert list(findings) == ["focus"]
    assert findings["focus"].frames == (12,)


@pytest.mark.parametrize(("gain", "dtype"), [(1.5, "uint8"), (1.0, "uint16")])
def test_saturation_is_found(gain: float, dtype: str) -> None:
    top = 255 if dtype == "uint8" else 400  # a plateau below the limit of the type: a camera of fewer bits
    findings = found(film(np.minimum(clean() * gain, top), dtype))
    assert list(findings) == ["saturation"]
    assert f"saturated at {top}" in findings["saturation"].sentence


def test_channels_are_looked_at_apart() -> None:
    two = np.stack([clean(0), np.minimum(clean(1), 400)], axis=1)
    findings = found(film(two))
    assert list(findings) == ["saturation"]
    assert "in channel 1" in findings["saturation"].sentence


def test_long_movies_are_sampled() -> None:
    read: list[int] = []

    class Endless:
        shape = (100_000, 1, 32, 32)
        dtype = np.dtype("uint16")

        def frame(self, t: int) -> NDArray[Any]:
            read.append(t)
            return np.random.default_rng(t).integers(0, 99, (1, 32, 32)).astype("uint16")

    precheck(Movie("long", Endless()), sample_frames=50)
    assert 40 <= len(read) <= 50
    assert read == sorted(set(read))


@pytest.mark.parametrize(("n_frames", "most"), [(2, 200), (200, 200), (201, 200), (5000, 200), (10, 3)])
def test_samples_are_pairs_of_neighbours(n_frames: int, most: int) -> None:
    numbers = sampled_frames(n_frames, most)
    assert len(numbers) <= max(most, 2)
    assert all(t + 1 in numbers or t - 1 in numbers for t in numbers)
    assert set(numbers) <= set(range(n_frames))
    if n_frames <= most:
        assert numbers == list(range(n_frames))


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared movies are not here")
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("hela_h2b.tif", set()),
        ("mda231_qpi_early.tif", set()),
        ("odd/drosophila_rgb_frames", {"duplicates"}),
        ("odd/golgi_float32_imagej.tif", set()),
    ],
)
def test_real_movies(name: str, codes: set[str]) -> None:
    assert set(found(open_movie(DATA / name))) == codes


def shaken(frames: NDArray[Any], most: int) -> NDArray[Any]:
    rng = np.random.default_rng(3)
    return np.stack([np.roll(frame, rng.integers(-most, most + 1, 2), axis=(0, 1)) for frame in frames])


def test_a_picture_that_shakes_is_found_and_measured() -> None:
    finding = found(film(shaken(clean(), 4)))["shake"]
    assert finding.severity == "warning"
    typical, most = re.search(r"jumps by ([0-9.]+) px, and by up to ([0-9.]+) px", finding.sentence).groups()
    assert 2 < float(typical) < 5 < float(most) < 12


def test_a_single_jump_is_found_with_its_frame() -> None:
    frames = clean()
    frames[20:] = np.roll(frames[20:], (9, -5), axis=(1, 2))
    finding = found(film(frames))["shake"]
    assert finding.frames == (20,)
    assert "jumps, by up to 9.9 px (frame 20)" in finding.sentence


def test_every_jump_of_a_longer_movie_is_found_though_few_pairs_are_compared_evenly() -> None:
    frames = np.concatenate([clean()] * 3)[:110]
    jumps = (31, 32, 58, 87)
    for t in jumps:
        frames[t:] = np.roll(frames[t:], (9, -5), axis=(1, 2))
    finding = found(film(frames))["shake"]
    assert set(jumps) <= set(finding.frames)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared movies are not here")
@pytest.mark.parametrize("name", ["hela_h2b", "t98g_phase_left", "mda231_qpi_early"])
def test_real_cells_that_move_are_no_shake_at_any_size_and_a_stage_that_shakes_them_is(name: str) -> None:
    movie = single_channel(open_movie(DATA / f"{name}.tif"))
    frames = np.stack([movie.frame(t)[0, :200, :210].astype(np.float32) for t in range(16)])
    large = np.stack([ndimage.zoom(frame, 3, order=1) for frame in frames])
    for some in (frames, large):
        assert "shake" not in found(film(some, str(movie.dtype)))
    assert "shake" in found(film(shaken(frames, 4), str(movie.dtype)))
