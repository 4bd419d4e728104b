"""Patches of pixels: short on disk, the same when they come back, and joined as strokes are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.patches import FramePatch, joined_patches, patch_from_json
from napari_tap_events.project.stamps import disc

pixel_values = st.dictionaries(st.integers(0, 5000), st.tuples(st.integers(0, 255), st.integers(0, 255)))


def a_patch(values: dict[int, tuple[int, int]], t: int = 3) -> FramePatch:
    pixels = sorted(values)
    before, after = (np.array([values[p][i] for p in pixels], np.uint8) for i in (0, 1))
    return FramePatch(t, np.array(pixels, np.int64), before, after)


@settings(deadline=None)
@given(pixel_values)
def test_a_patch_comes_back_from_json(values: dict[int, tuple[int, int]]) -> None:
    patch = a_patch(values)
    assert patch_from_json(json.loads(json.dumps(patch.to_json()))) == patch


@settings(deadline=None)
@given(pixel_values)
def test_the_inverse_of_the_inverse_is_the_patch(values: dict[int, tuple[int, int]]) -> None:
    patch = a_patch(values)
    assert patch.inverse().inverse() == patch
    np.testing.assert_array_equal(patch.inverse().after, patch.before)


def test_a_disc_is_short_on_disk() -> None:
    pixels = disc((1, 2048, 2048), 1000, 1000, 15)
    patch = FramePatch(7, pixels, np.zeros(len(pixels), np.uint8), np.ones(len(pixels), np.uint8))
    assert len(pixels) > 700
    assert len(json.dumps(patch.to_json())) < 300


def test_damaged_values_are_not_taken() -> None:
    values = a_patch({1: (0, 1), 2: (3, 4)}).to_json()
    with pytest.raises(ValueError, match="2 values for 3 pixels"):
        patch_from_json(values | {"pixels": a_patch(dict.fromkeys((4, 5, 9), (0, 0))).to_json()["pixels"]})


@settings(deadline=None)
@given(st.lists(pixel_values, min_size=1, max_size=4))
def test_joined_patches_do_the_same_as_one_after_the_other(strokes: list[dict[int, tuple[int, int]]]) -> None:
    frame = np.zeros(5001, np.uint8)
    parts = []
    for stroke in strokes:
        pixels = np.array(sorted(stroke), np.int64)
        after = np.array([stroke[p][1] for p in sorted(stroke)], np.uint8)
        parts.append(FramePatch(0, pixels, frame[pixels], after))
        frame[pixels] = after
    joined = joined_patches(parts)
    again = np.zeros(5001, np.uint8)
    for patch in joined:
        np.testing.assert_array_equal(again[patch.pixels], patch.before)
        assert (patch.before != patch.after).all()
        again[patch.pixels] = patch.after
    np.testing.assert_array_equal(again, frame)
    assert len(joined) <= 1


def test_patches_of_several_frames_stay_apart() -> None:
    joined = joined_patches([a_patch({1: (0, 1)}, t=4), a_patch({1: (0, 2)}, t=2), a_patch({5: (0, 3)}, t=4)])
    assert [(patch.t, patch.pixels.tolist()) for patch in joined] == [(2, [1]), (4, [1, 5])]


@pytest.mark.parametrize(
    ("t", "pixels", "sentence"),
    [
        (6, [1], r"pixels of frame 6 lie outside of the movie \(6, 4, 5\)"),
        (0, [20], "pixels of frame 0 lie outside"),
        (0, [-1, 3], "pixels of frame 0 lie outside"),
        (0, [3, 2], "are not in order"),
        (0, [3, 3], "are not in order"),
    ],
)
def test_a_patch_that_does_not_fit_is_told(t: int, pixels: list[int], sentence: str) -> None:
    zeros = np.zeros(len(pixels), np.uint8)
    with pytest.raises(ProjectError, match=sentence):
        FramePatch(t, np.array(pixels), zeros, zeros).check((6, 4, 5))
