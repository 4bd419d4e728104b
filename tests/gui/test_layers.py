"""Movies, masks and maps come as layers that lie in one world and look right from the first moment."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_tap_events.gui import colours
from napari_tap_events.gui.layers import arrow_layer, contrast_of, grad_cam_layer, masks_layer, movie_layers, world_of
from napari_tap_events.gui.world import World
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.ome_zarr import StoredMap


def units_of(layer):
    return tuple(str(unit) for unit in layer.units)


def test_a_movie_lies_in_micrometres_and_seconds(frames):
    (layer,) = movie_layers(movie_from_array(frames, "cells", 0.5, 300.0))
    assert layer.name == "cells"
    np.testing.assert_allclose(layer.scale, (300.0, 0.5, 0.5))
    assert units_of(layer) == ("second", "micrometer", "micrometer")
    assert layer.axis_labels == ("t", "y", "x")


def test_a_movie_of_unknown_scale_lies_in_frames_and_pixels(frames):
    (layer,) = movie_layers(movie_from_array(frames))
    np.testing.assert_allclose(layer.scale, (1, 1, 1))
    assert units_of(layer) == ("pixel", "pixel", "pixel")


def test_contrast_comes_from_the_first_frame_and_leaves_room_on_the_slider(frames):
    frames[3] = 60000
    (layer,) = movie_layers(movie_from_array(frames))
    low, high = layer.contrast_limits
    assert 800 < low < 950
    assert 1050 < high < 1250
    assert layer.contrast_limits_range[0] < low
    assert layer.contrast_limits_range[1] > high


def test_a_dark_first_frame_does_not_set_the_contrast(frames):
    frames[0] = 0
    (layer,) = movie_layers(movie_from_array(frames))
    assert layer.contrast_limits[0] > 800


def test_several_channels_are_several_layers_that_add_up(frames):
    layers = movie_layers(movie_from_array(np.stack([frames, frames], axis=1), "two"))
    assert [layer.name for layer in layers] == ["two channel 0", "two channel 1"]
    assert [layer.colormap.name for layer in layers] == ["green", "magenta"]
    assert layers[1].blending == "additive"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_scrubbing_shows_each_frame(frames, dtype):
    pixels = (frames // 10).astype(dtype)
    viewer = ViewerModel()
    for layer in movie_layers(movie_from_array(pixels, "cells", 0.5, 300.0)):
        viewer.add_layer(layer)
    for t in (0, 5, 2):
        viewer.dims.set_current_step(0, t)
        assert viewer.layers["cells"].get_value((t * 300.0, 2.0, 3.0), world=True) == pixels[t, 4, 6]


@pytest.mark.parametrize("make", [arrow_layer, grad_cam_layer])
@pytest.mark.parametrize("top", [0.0, 0.25, 40.0])
def test_the_contrast_of_evidence_comes_from_all_frames_for_the_first_may_be_empty(make, top):
    values = np.zeros((6, 4, 5), np.float16)
    values[3, 1, 2] = top
    layer = make(StoredMap(values, "evidence"), World())
    assert layer.contrast_limits == [0, top or 1]
    assert not layer.visible


@pytest.mark.parametrize("flat", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.full((4, 4), 7, np.uint8)])
def test_the_contrast_of_a_flat_frame_is_not_empty(flat):
    low, high = contrast_of(flat)
    assert low < high


def test_painting_touches_one_frame(frames):
    masks = np.zeros(frames.shape, np.uint8)
    layer = masks_layer(masks, World(0.5, 300.0))
    layer.selected_label = 1
    layer.brush_size = 5
    layer.paint((2, 20, 20), 1)
    assert masks[2].sum() > 0
    assert masks[[0, 1, 3, 4, 5]].sum() == 0


def test_masks_have_one_colour_per_kind_and_nothing_where_there_is_nothing(frames):
    layer = masks_layer(np.zeros(frames.shape, np.uint8), world_of(movie_from_array(frames)))
    drawn = [tuple(layer.colormap.map(np.uint8(value)).ravel()) for value in range(4)]
    assert drawn[0][3] == 0
    assert len(set(drawn)) == 4


def test_the_probability_is_invisible_at_zero_and_never_hides_the_cell():
    colormap = colours.probability_colormap()
    alpha = colormap.map(np.linspace(0, 1, 50))[:, 3]
    assert alpha[0] == 0
    assert (np.diff(alpha) >= -1e-6).all()
    assert alpha[-1] == pytest.approx(colours.MOST_OPAQUE, abs=1e-5)


def test_every_kind_has_a_symbol_and_a_colour_of_its_own():
    looks = colours.looks_of(["death", "division", "event", "uncertain", "extrusion", "entry"])
    assert len({look.colour for look in looks.values()}) == 6
    assert len({look.symbol for look in looks.values()}) == 6
    assert looks["division"] == colours.looks_of(["division"])["division"]
