"""Shifts are measured though cells move, and a canvas holds the picture still."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.registration import canvas_for, held_places, levelled, shift_between, shift_near

SIDE = 160


def cells(seed, jitter_px=0.0, brightest=1.0):
    """Return (1, SIDE, SIDE): spots on a noisy background; jitter moves each of them by its own way."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(12, SIDE - 12, (30, 2)) + jitter_px * rng.normal(0, 1, (30, 2))
    frame = np.zeros((SIDE, SIDE))
    frame[tuple(at.astype(int).T)] = 3000
    frame[tuple(at[0].astype(int))] *= brightest
    return (ndimage.gaussian_filter(frame, 3) + 100)[None]


def moved(frame, y, x, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    return np.stack([ndimage.shift(channel, (y, x), order=1, mode="nearest") for channel in frame]) + rng.normal(
        0, noise, frame.shape
    )


def between(before, after, most_px=32):
    return shift_between(levelled(before), levelled(after), most_px)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (0.4, 0.7), (-11.5, 6), (20, 20)])
def test_a_shift_is_measured_to_a_part_of_a_pixel(shift):
    frame = cells(0)
    assert between(moved(frame, 0, 0, 1), moved(frame, *shift, 2)) == pytest.approx(shift, abs=0.15)


def test_cells_that_move_each_their_own_way_do_not_take_the_picture_along():
    before, after = cells(1), moved(cells(1, jitter_px=1.5), 4, -5)
    assert between(before, after) == pytest.approx((4, -5), abs=0.5)


def test_one_bright_cell_that_goes_its_way_is_not_followed():
    still = cells(2)
    y, x = np.mgrid[:SIDE, :SIDE]
    bright = [2000 * np.exp(-((y - 80) ** 2 + (x - at) ** 2) / 40)[None] for at in (70, 78)]
    assert between(still + bright[0], still + bright[1]) == pytest.approx((0, 0), abs=0.2)


def test_brightness_that_changes_is_no_shift():
    frame = cells(3)
    assert between(frame, 2.5 * moved(frame, 2, 1) + 700) == pytest.approx((2, 1), abs=0.2)


def test_a_ring_of_light_that_appears_is_no_shift():
    frame = cells(4)
    assert between(frame, cells(4, brightest=8)) == pytest.approx((0, 0), abs=0.2)


@pytest.mark.parametrize("grey", ["one grey", "noise"])
def test_where_no_shift_stands_out_there_is_none(grey):
    noise = np.random.default_rng(5).normal(100, 1, (2, 1, SIDE, SIDE)) if grey == "noise" else np.full((2, 1, SIDE, SIDE), 7.0)
    assert between(*noise) == (0, 0)
    assert between(cells(0), noise[0]) == (0, 0)


def test_channels_move_together():
    frame = np.concatenate([cells(6), cells(7)])
    assert between(frame, moved(frame, -3, 8)) == pytest.approx((-3, 8), abs=0.2)


@pytest.mark.parametrize("side", [20, 33, 60])
def test_small_frames_are_compared_as_far_as_they_go(side):
    frame = cells(8)[:, 40 : 40 + side, 40 : 40 + side]
    assert between(frame, np.roll(frame, (1, 2), axis=(1, 2))) == pytest.approx((1, 2), abs=0.5)


def test_a_part_is_looked_at_near_the_whole():
    part = cells(9)[:, :80, :80]
    assert shift_near(levelled(part), levelled(moved(part, 9, 6)), (7, 7)) == pytest.approx((9, 6), abs=0.2)
    assert shift_near(np.zeros((1, 80, 80), np.float32), levelled(part), (7, 7)) == (7, 7)


def test_less_than_a_pixel_moves_no_frame_but_adds_up():
    assert held_places([(0.3, 0)] * 10)[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert held_places([(0.4, -0.4), (-0.5, 0.5)] * 5).tolist() == [[0, 0]] * 11


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=30))
def test_what_is_held_is_never_further_off_than_a_pixel(shifts):
    truly = np.cumsum(shifts, axis=0)
    assert (np.abs(held_places(shifts)[1:] - truly) <= 1 + 1e-9).all()


@given(
    st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=1, max_size=8),
    st.sampled_from(["all", "common", "first"]),
)
def test_the_picture_stays_where_it_is_on_every_canvas(steps, keep):
    """Frames are windows into one large picture; on the canvas they show the same pixels at the same places."""
    places = np.vstack([[(0, 0)], np.cumsum(steps, axis=0)]).astype(np.int64)
    big = np.arange(200 * 200).reshape(1, 200, 200)
    height, width = 70, 80
    frames = [big[:, 60 - y : 60 - y + height, 60 - x : 60 - x + width] for y, x in places]
    try:
        canvas = canvas_for(places, height, width, keep)
    except MovieError:
        assert keep == "common"
        assert min(np.array((height, width)) - np.ptp(places, axis=0)) < 16
        return
    shown = []
    for t, frame in enumerate(frames):
        placed = canvas.placed(frame, t)
        assert placed.shape == (1, canvas.height, canvas.width)
        y, x = canvas.corners[t]
        own = np.zeros(placed.shape[1:], bool)
        own[max(0, y) : y + height, max(0, x) : x + width] = True
        shown.append(np.where(own, placed[0], -1))
    stack = np.stack(shown)
    assert ((stack == stack.max(axis=0)) | (stack == -1)).all(), "a place of the canvas shows one place of the picture"
    seen = (stack >= 0).all(axis=0)
    if keep == "common":
        assert seen.all()
    if keep == "all":
        assert all((one >= 0).sum() == height * width for one in shown), "nothing is lost"
    if keep == "first":
        np.testing.assert_array_equal(canvas.placed(frames[0], 0), frames[0])


def test_what_no_frame_shows_is_its_border_gone_on():
    canvas = canvas_for(np.array([(0, 0), (2, 0)]), 20, 20, "all")
    frame = np.arange(400).reshape(1, 20, 20)
    np.testing.assert_array_equal(canvas.placed(frame, 1)[0, -1], frame[0, -1])


@pytest.mark.parametrize(
    ("keep", "told"), [("all", "more than four times as large; choose --field first"), ("common", "hardly anything")]
)
def test_a_canvas_that_cannot_be_is_refused(keep, told):
    with pytest.raises(MovieError, match=told):
        canvas_for(np.array([(0, 0), (90, -90)]), 64, 64, keep)
