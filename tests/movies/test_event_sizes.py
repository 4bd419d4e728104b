"""Sizes of crops and distances follow the marks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.movies.event_sizes import fitting_sizes, sizes_for
from napari_tap_events.movies.masks import EventMasks, Scope
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise


def discs(*places, shape=(6, 120, 120)) -> EventMasks:
    """Return masks of divisions: discs (t, y, x, radius)."""
    labels = np.zeros(shape, np.uint8)
    y, x = np.ogrid[: shape[1], : shape[2]]
    for t, row, column, radius in places:
        labels[t][(y - row) ** 2 + (x - column) ** 2 <= radius**2] = 1
    return EventMasks(labels, ("division",), Scope.whole(shape))


def test_a_mother_and_her_daughters_reach_as_far_as_the_farther_daughter():
    sizes = fitting_sizes(discs((1, 60, 60, 8), (2, 60, 50, 5), (2, 60, 70, 5)))
    assert sizes.reach_px == pytest.approx(15, abs=0.5)
    assert sizes.crop_px == 32
    assert sizes.radius_px == 18


def test_a_stamp_reaches_as_far_as_its_radius():
    assert fitting_sizes(discs((1, 60, 60, 12), (2, 60, 60, 12))).reach_px == pytest.approx(12, abs=0.3)


def test_one_odd_event_of_many_does_not_set_the_sizes():
    small = [(t, y, x, 6) for t in (0, 3) for y in (20, 60, 100) for x in (20, 60, 100)]
    assert fitting_sizes(discs(*small, (5, 60, 60, 40))).reach_px == pytest.approx(6, abs=0.4)


def test_where_nothing_is_marked_no_size_fits():
    assert fitting_sizes(discs()) is None


def test_synthetic_cells_of_twice_the_size_get_crops_and_distances_twice_as_large():
    def of(cell_px):
        made = synthesise(SyntheticSettings(cell_px=cell_px, cells=10, cycle_frames=20, frames=30, height=256, width=256))
        return fitting_sizes(EventMasks(made.labels, ("division", "death"), Scope.whole(made.labels.shape)))

    small, large = of(14), of(28)
    assert large.reach_px == pytest.approx(2 * small.reach_px, rel=0.25)
    assert large.crop_px > small.crop_px
    assert large.area_px > 2.5 * small.area_px


@given(st.floats(0.5, 2000))
def test_sizes_are_such_as_train_takes(reach):
    sizes = sizes_for(reach)
    assert sizes.crop_px % 8 == 0
    assert 16 <= sizes.crop_px <= 512
    assert sizes.radius_px >= 2
    assert sizes.area_px >= 1


def test_sizes_that_are_far_off_are_remarked_on():
    sizes = sizes_for(24)
    assert sizes.misfit(sizes.crop_px, sizes.radius_px) == ""
    assert sizes.misfit(sizes.crop_px + 8, sizes.radius_px - 4) == ""
    assert f"crops of {sizes.crop_px} px" in sizes.misfit(24, sizes.radius_px)
    assert "not 48 and 8" in sizes.misfit(sizes.crop_px, 8)
