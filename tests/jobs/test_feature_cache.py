"""Maps are kept and found again, the oldest go first, and any of it may vanish."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.jobs.feature_cache import FeatureCache
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.settings import ComputeSettings

COMPUTE = compute_for(ComputeSettings(device="cpu"))


def movie(seed: int):
    return movie_from_array(np.random.default_rng(seed).integers(0, 255, (4, 16, 16), dtype=np.uint8))


def reports_and_maps(cache: FeatureCache, seed: int, name: str = "intensity"):
    source = feature_source(name, [movie(seed)], "unet8", 0, COMPUTE)
    steps, reports = cache.maps(movie(seed), source, COMPUTE, 2), 0
    while True:
        try:
            next(steps)
            reports += 1
        except StopIteration as end:
            return reports, end.value


def test_maps_are_computed_once_and_anew_for_another_movie_or_encoder(tmp_path: Path):
    cache = FeatureCache(tmp_path, 10**9)
    assert reports_and_maps(cache, 0)[0] == 4
    assert reports_and_maps(cache, 0)[0] == 0
    assert reports_and_maps(cache, 1)[0] == 4
    assert reports_and_maps(cache, 0, "difference")[0] == 4
    assert len(list(tmp_path.iterdir())) == 3


def test_above_the_cap_what_was_used_longest_ago_goes(tmp_path: Path):
    cache = FeatureCache(tmp_path, 10**9)
    for seed in range(3):
        reports_and_maps(cache, seed)
    folders = {
        seed: cache.place(movie(seed), feature_source("intensity", [movie(seed)], "unet8", 0, COMPUTE), 2) for seed in range(3)
    }
    for age, seed in enumerate((1, 0, 2)):  # 1 was used longest ago
        os.utime(folders[seed] / "used", (1000 + age, 1000 + age))
    size = sum(file.stat().st_size for file in folders[0].iterdir())
    assert FeatureCache(tmp_path, 2 * size).prune(folders[2]) == [folders[1]]
    assert FeatureCache(tmp_path, 0).prune(folders[2]) == [folders[0]]
    assert folders[2].exists()


def test_what_was_deleted_or_damaged_is_computed_again(tmp_path: Path):
    cache = FeatureCache(tmp_path, 10**9)
    _, before = reports_and_maps(cache, 0)
    kept = np.array(before.frames)
    folder = next(tmp_path.iterdir())
    (folder / "frames.npy").write_bytes(b"nothing")
    np.testing.assert_array_equal(reports_and_maps(cache, 0)[1].frames, kept)
    shutil.rmtree(folder)
    np.testing.assert_array_equal(reports_and_maps(cache, 0)[1].frames, kept)


def test_what_is_used_together_is_kept_together(tmp_path: Path):
    cache = FeatureCache(tmp_path, 10**9)
    for seed in range(3):
        reports_and_maps(cache, seed)
    folders = sorted(tmp_path.iterdir())
    FeatureCache(tmp_path, 0).make_room([folders[0], folders[2], tmp_path / "new"])
    assert sorted(tmp_path.iterdir()) == sorted([folders[0], folders[2], tmp_path / "new"])
