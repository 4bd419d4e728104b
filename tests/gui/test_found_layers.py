"""What a model finds, as layers: a map that grows while the job runs, then the whole result in its place."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_tap_events.gui.found_layers import FoundLayers
from napari_tap_events.gui.layers import masks_layer, movie_layers, probability_layer, world_of
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.ome_zarr import create_map, open_map

MOVIE = movie_from_array(np.zeros((8, 16, 16), np.uint8))


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    for layer in movie_layers(MOVIE):
        viewer.add_layer(layer)
    return viewer


@pytest.fixture
def found(viewer):
    return FoundLayers(viewer)


def begin(folder, name="probability", offset=0):
    return create_map(folder / f"{name}.ome.zarr", (7 - offset, 8, 8), name=name, stride_px=2, frame_offset=offset)


def seen(viewer, name="probability"):
    layer = viewer.layers[name]
    return float(np.asarray(layer._slice.image.raw).max())


@pytest.mark.parametrize("offset", [0, 2])
def test_the_visible_frame_is_there_at_once_and_others_when_they_are_done(tmp_path, viewer, found, offset):
    array = begin(tmp_path, offset=offset)
    viewer.dims.set_current_step(0, 5)
    array[5 - offset] = 0.9
    assert found.grow(tmp_path, MOVIE, 0) == "probability"
    assert viewer.layers["probability"].visible
    assert seen(viewer) == pytest.approx(0.9, abs=1e-3)
    viewer.dims.set_current_step(0, 3)
    assert seen(viewer) == 0
    array[3 - offset] = 0.5
    assert found.grow(tmp_path, MOVIE, 3 - offset) == ""
    assert seen(viewer) == 0, "frame 3 is not done yet: nothing is read again"
    found.grow(tmp_path, MOVIE, 4 - offset)
    assert seen(viewer) == pytest.approx(0.5, abs=1e-3)


def test_without_a_map_nothing_grows(tmp_path, viewer, found):
    assert found.grow(tmp_path, MOVIE, 0) == ""
    (tmp_path / "probability.ome.zarr").mkdir()
    assert found.grow(tmp_path, MOVIE, 0) == "", "it is only just being made"
    assert len(viewer.layers) == 1


def test_the_arrow_grows_where_there_is_no_probability(tmp_path, viewer, found):
    begin(tmp_path, "arrow")
    assert found.grow(tmp_path, MOVIE, 1) == "arrow"


def test_the_result_takes_the_place_of_what_grew(tmp_path, viewer, found):
    begin(tmp_path)
    begin(tmp_path, "arrow")
    found.grow(tmp_path, MOVIE, 1)
    found.show(tmp_path, MOVIE, 5.0)
    assert [layer.name for layer in viewer.layers][1:] == ["probability", "arrow"]
    (tmp_path / "next").mkdir()
    begin(tmp_path / "next")
    assert found.grow(tmp_path / "next", MOVIE, 0) == "probability"
    assert [layer.name for layer in viewer.layers][1:] == ["probability"]


def test_a_map_hides_no_marks(tmp_path, viewer, found):
    viewer.add_layer(masks_layer(np.zeros((8, 16, 16), np.uint8), world_of(MOVIE), name="event marks"))
    begin(tmp_path)
    begin(tmp_path, "arrow")
    found.show(tmp_path, MOVIE, 5.0)
    assert [layer.name for layer in viewer.layers] == ["array", "probability", "arrow", "event marks"]


def test_one_map_is_shown_at_a_time_that_of_a_review_among_them(tmp_path, viewer, found):
    begin(tmp_path)
    begin(tmp_path, "arrow")
    of_review = probability_layer(open_map(tmp_path / "probability.ome.zarr"), world_of(MOVIE))
    of_review.name = "probability by review"
    viewer.add_layer(of_review)
    found.show(tmp_path, MOVIE, 5.0)
    found.show_only("arrow")
    assert [layer.name for layer in viewer.layers if layer.visible] == ["array", "arrow"]
    found.show_only("")
    assert [layer.name for layer in viewer.layers if layer.visible] == ["array"]


@pytest.mark.parametrize(("role", "name"), [("grad_cam", "Grad-CAM"), ("evidence", "evidence"), ("simulated", "simulated")])
def test_what_explains_is_shown_and_hidden_by_its_name(tmp_path, viewer, found, role, name):
    begin(tmp_path)
    begin(tmp_path, role)
    found.show(tmp_path, MOVIE, 5.0)
    found.show_only(role)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["array", name]
    found.show_only("probability")
    assert [layer.name for layer in viewer.layers if layer.visible] == ["array", "probability"]


def test_maps_of_single_kinds_can_be_chosen_and_go_with_their_result(tmp_path, viewer, found):
    for name in ("probability", "probability_division", "probability_death", "arrow"):
        begin(tmp_path / "first", name)
    found.show(tmp_path / "first", MOVIE, 4.0)
    assert found.roles() == ("probability", "probability_death", "probability_division", "arrow")
    found.show_only("probability_death")
    maps = ("probability", "probability of death", "probability of division", "arrow")
    assert [viewer.layers[name].visible for name in maps] == [False, True, False, False]
    found.show_only("probability")
    assert [viewer.layers[name].visible for name in maps] == [True, False, False, False]
    begin(tmp_path / "second")
    found.show(tmp_path / "second", MOVIE, 4.0)
    assert not any("death" in layer.name or "division" in layer.name for layer in viewer.layers)
