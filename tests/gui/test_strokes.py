"""What napari's brush has painted becomes a correction that says what was there before."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_tap_events.gui.strokes import painted

SHAPE = (3, 20, 30)


@pytest.fixture
def layer():
    layer = Labels(np.zeros(SHAPE, np.uint8))
    layer.n_edit_dimensions = 2
    layer.brush_size = 5
    return layer


def stroke_of(layer, paint):
    """Paint, and return what the layer tells of it as a correction."""
    heard = []
    layer.events.paint.connect(lambda event: heard.extend(event.value))
    with layer.block_history():
        paint()
    return painted(heard, layer.data.shape, "paint division")


def test_taking_a_stroke_back_gives_the_mask_of_before(layer):
    layer.data[1, 8:12, 8:12] = 2
    before = layer.data.copy()

    def paint():
        for x in range(5, 20):
            layer.paint((1, 10, x), 1)

    stroke = stroke_of(layer, paint)
    (patch,) = stroke.patches
    assert patch.t == 1
    assert set(patch.before) == {0, 2}
    assert (np.diff(patch.pixels) > 0).all()
    layer.data[1].reshape(-1)[patch.pixels] = patch.before
    np.testing.assert_array_equal(layer.data, before)


def test_pixels_that_were_painted_twice_count_once(layer):
    def paint():
        layer.paint((0, 10, 10), 1)
        layer.paint((0, 10, 10), 2)

    (patch,) = stroke_of(layer, paint).patches
    assert set(patch.before) == {0}
    assert set(patch.after) == {2}
    assert len(patch.pixels) == np.count_nonzero(layer.data)


def test_a_stroke_that_ends_as_it_began_is_empty(layer):
    def paint():
        layer.paint((0, 10, 10), 1)
        layer.paint((0, 10, 10), 0)

    assert stroke_of(layer, paint).empty


def test_single_pixels_set_by_their_indices_are_understood(layer):
    places = (np.array([0, 2]), np.array([3, 4]), np.array([5, 6]))
    stroke = stroke_of(layer, lambda: layer.data_setitem(places, [1, 2]))
    assert [(p.t, p.pixels.tolist(), p.after.tolist()) for p in stroke.patches] == [(0, [95], [1]), (2, [126], [2])]
