"""Gestures: a stamp is one event whatever lies around it, and what is moved keeps its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_tap_events.movies.masks import Scope
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind
from napari_tap_events.project.regions import MarkedRegion

SHAPE = (7, 60, 70)
DIVISION, DEATH = DEFAULT_KINDS

clicks = st.tuples(st.integers(0, 6), st.integers(-3, 63), st.integers(-3, 73), st.integers(0, 12))


def pixels_of(region: MarkedRegion) -> list[tuple[int, bytes]]:
    return [(t, pixels.tobytes()) for t, pixels in region.blobs]


def n_pixels(region: MarkedRegion) -> int:
    return sum(len(pixels) for _, pixels in region.blobs)


def stamped(*clicked: tuple[int, float, float, float], kind: Kind = DIVISION) -> Annotations:
    a = Annotations(SHAPE)
    for t, y, x, radius_px in clicked:
        a.do(marking.stamp(a, kind, t, y, x, radius_px))
    return a


def test_a_stamp_is_a_disc_in_two_frames() -> None:
    a = stamped((2, 20, 30, 5))
    rows, columns = np.ogrid[:60, :70]
    disc = (rows - 20) ** 2 + (columns - 30) ** 2 <= 25
    np.testing.assert_array_equal(a.labels[2], disc)
    np.testing.assert_array_equal(a.labels[3], disc)
    assert np.count_nonzero(a.labels) == 2 * disc.sum()
    assert a.undo_words == "stamp division"


def test_a_stamp_in_the_last_frame_begins_in_the_one_before() -> None:
    assert [region.event.t for region in stamped((6, 20, 30, 5)).events] == [5]


def test_a_stamp_at_the_border_is_cut() -> None:
    (region,) = stamped((0, 0, 0, 3)).events
    assert n_pixels(region) == 2 * 11


@pytest.mark.parametrize("place", [(-40, 10), (10, -40), (200, 10), (10, 200)])
def test_a_stamp_outside_of_the_movie_is_nothing(place: tuple[int, int]) -> None:
    assert marking.stamp(Annotations(SHAPE), DIVISION, 1, *place, 5).empty


@settings(deadline=None)
@given(st.lists(clicks, max_size=9))
def test_stamps_of_one_kind_stay_events_of_their_own(clicked: list[tuple[int, int, int, int]]) -> None:
    a = Annotations(SHAPE)
    expected: dict[bytes, int] = {}
    for t, y, x, radius_px in clicked:
        stamp = marking.stamp(a, DIVISION, t, y, x, radius_px)
        a.do(stamp)
        if not stamp.empty:
            one, other = stamp.patches
            np.testing.assert_array_equal(one.pixels, other.pixels)
            expected[b"%d " % one.t + one.pixels.tobytes()] = min(t, 5)
        found = {b"%d " % r.event.t + r.blobs[0][1].tobytes(): r.event.t for r in a.events}
        assert found == expected
        assert all(len(region.blobs) == 2 for region in a.events)


def test_a_stamp_of_another_kind_lies_over_what_was_there() -> None:
    a = stamped((2, 20, 30, 5))
    a.do(marking.stamp(a, DEATH, 2, 20, 30, 5))
    assert a.counts() == {"division": 0, "death": 1}


def test_an_event_is_erased_as_a_whole() -> None:
    a = stamped((2, 20, 30, 5), (2, 40, 30, 5))
    other = pixels_of(a.events[1])
    a.do(marking.erase_event(a, a.events[0]))
    assert [pixels_of(region) for region in a.events] == [other]
    assert a.undo_words == "delete division"


def test_a_changed_kind_keeps_its_pixels() -> None:
    a = stamped((2, 20, 30, 5))
    before = pixels_of(a.events[0])
    a.do(marking.change_kind(a, a.events[0], DEATH))
    (region,) = a.events
    assert (pixels_of(region), region.event.kind) == (before, "death")


def test_an_event_that_becomes_of_the_kind_of_its_neighbour_stays_its_own() -> None:
    a = stamped((2, 20, 30, 5))
    a.do(marking.stamp(a, DEATH, 2, 20, 38, 5))
    (division,) = [region for region in a.events if region.event.kind == "division"]
    death = pixels_of(next(region for region in a.events if region.event.kind == "death"))
    a.do(marking.change_kind(a, division, DEATH))
    assert a.counts() == {"division": 0, "death": 2}
    assert death in [pixels_of(region) for region in a.events]


inside = st.tuples(st.integers(0, 6), st.integers(0, 59), st.integers(0, 69), st.integers(1, 9))


@settings(deadline=None)
@given(inside, st.integers(-80, 80), st.integers(-80, 80))
def test_a_moved_event_keeps_its_pixels_but_those_beyond_the_border(click: tuple[int, int, int, int], dy: int, dx: int) -> None:
    a = stamped(click)
    (before,) = a.events
    kept = 0
    for _, pixels in before.blobs:
        y, x = np.divmod(pixels, 70)
        kept += int(((y + dy >= 0) & (y + dy < 60) & (x + dx >= 0) & (x + dx < 70)).sum())
    a.do(marking.move_event(a, before, dy, dx))
    (after,) = a.events
    assert n_pixels(after) == (kept or n_pixels(before))
    assert after.event.t == before.event.t
    if kept == n_pixels(before):
        assert (after.event.y, after.event.x) == pytest.approx((before.event.y + dy, before.event.x + dx))


@settings(deadline=None)
@given(inside, st.integers(-7, 7))
def test_a_nudged_event_keeps_its_pixels_or_stays(click: tuple[int, int, int, int], frames: int) -> None:
    a = stamped(click)
    (before,) = a.events
    a.do(marking.nudge_event(a, before, frames))
    (after,) = a.events
    assert [pixels.tobytes() for _, pixels in after.blobs] == [pixels.tobytes() for _, pixels in before.blobs]
    stays = not 0 <= before.event.t + frames <= 5
    assert after.event.t == before.event.t + (0 if stays else frames)


def test_moving_over_its_own_pixels_loses_none() -> None:
    a = stamped((2, 20, 30, 5))
    before = n_pixels(a.events[0])
    a.do(marking.move_event(a, a.events[0], 1, -2))
    assert n_pixels(a.events[0]) == before == np.count_nonzero(a.labels)


def test_paint_gives_and_takes() -> None:
    a = Annotations(SHAPE)
    a.do(marking.paint(a, 4, np.array([9, 3, 3, 4]), 2, "paint death"))
    assert (np.flatnonzero(a.labels[4]).tolist(), a.undo_words) == ([3, 4, 9], "paint death")
    a.do(marking.paint(a, 4, np.array([4, 100]), 0))
    assert np.flatnonzero(a.labels[4]).tolist() == [3, 9]


def test_a_filled_cell_leaves_other_events_alone_and_a_gap_to_those_of_its_kind() -> None:
    a = Annotations(SHAPE)
    a.do(marking.paint(a, 1, np.arange(10, 14), DIVISION.value))
    a.do(marking.paint(a, 1, np.arange(20, 24), DEATH.value))
    a.do(marking.fill(a, DIVISION, {1: np.arange(8, 30), 2: np.arange(8, 30)}))
    row = a.labels[1, 0]
    assert row[8:30].tolist() == [1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]
    assert (a.labels[2, 0, 8:30] == 1).all()


def test_points_have_numbers_of_their_own() -> None:
    a = Annotations(SHAPE)
    a.do(marking.mark_point(a, "nothing", 1, 2, 3, 4))
    a.do(marking.mark_point(a, "uncertain", 1, 5, 6, 7))
    one, other = a.points
    assert (one.id != other.id, one.meaning, other.meaning) == (True, "nothing", "uncertain")
    moved = type(other)(other.id, 2, 8, 9, 7, "nothing")
    a.do(marking.change_point(other, moved))
    a.do(marking.remove_point(one))
    assert a.points == (moved,)
    a.undo()
    a.undo()
    assert a.points == (one, other)


def test_the_scope_is_clipped_to_the_movie() -> None:
    a = Annotations(SHAPE)
    a.do(marking.set_scope(a, range(-2, 99), (5, 99, -1, 30)))
    assert a.scope == Scope(range(7), 5, 60, 0, 30)
    a.undo()
    assert a.scope is None
