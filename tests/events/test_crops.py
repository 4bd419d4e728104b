"""Windows: where they lie, and what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.crops import WindowGrid

grids = st.builds(
    WindowGrid, height=st.integers(12, 40), width=st.integers(12, 40), crop_px=st.integers(1, 12), stride_px=st.integers(1, 9)
)


def corners(grid: WindowGrid) -> list[tuple[int, int]]:
    """Every window that starts at a multiple of the stride and fits, found by trying."""
    return [
        (y, x)
        for y in range(0, grid.height, grid.stride_px)
        for x in range(0, grid.width, grid.stride_px)
        if y + grid.crop_px <= grid.height and x + grid.crop_px <= grid.width
    ]


@given(grid=grids)
def test_the_grid_holds_every_complete_window(grid):
    assert grid.shape[0] * grid.shape[1] == len(corners(grid))


@given(grid=grids, seed=st.integers(0, 99), larger=st.integers(0, 3), dtype=st.sampled_from(["uint8", "bool", "int32"]))
def test_sums_equal_adding_up_window_by_window(grid, seed, larger, dtype):
    top = 2 if dtype == "bool" else 256
    values = np.random.default_rng(seed).integers(0, top, (grid.height + larger, grid.width + larger)).astype(dtype)
    c = grid.crop_px
    by_hand = [int(values[y : y + c, x : x + c].astype(np.int64).sum()) for y, x in corners(grid)]
    assert grid.sums(values).ravel().tolist() == by_hand


@given(grid=grids)
def test_the_centre_of_a_window_is_the_mean_of_its_pixels(grid):
    places = corners(grid)
    rows, columns = grid.shape
    for index in {0, len(places) // 2, len(places) - 1}:
        y, x = places[index]
        expected = (np.arange(y, y + grid.crop_px).mean(), np.arange(x, x + grid.crop_px).mean())
        assert grid.centre_px(*divmod(index, columns)) == pytest.approx(expected)
    assert rows >= 1


def test_crops_that_do_not_fit_are_refused_with_the_largest_that_do():
    with pytest.raises(ScopeError, match=r"crops of 48 px do not fit into frames of 33 x 60 px; choose --crop-px 32 or less"):
        WindowGrid(33, 60, 48, 8)
