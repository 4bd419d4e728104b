"""Sample data: every sample of the menu is a movie with its masks and its true events, all in one world."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_tap_events.gui.samples import dividing_cells_in_phase_contrast, dividing_nuclei


@pytest.mark.parametrize("sample", [dividing_nuclei, dividing_cells_in_phase_contrast])
def test_a_sample_is_a_movie_with_masks_and_true_events_in_one_world(sample):
    viewer = ViewerModel()
    for layer_tuple in sample():
        viewer.add_layer(Layer.create(*layer_tuple))
    movie, masks, truth = viewer.layers
    assert masks.data.shape == movie.data.shape
    for layer in (masks, truth):
        np.testing.assert_allclose(layer.scale, movie.scale)
        assert layer.units == movie.units
        assert layer.axis_labels == ("t", "y", "x")
    assert len(truth.data) >= 5
    assert set(truth.features["kind"]) == {"division", "death"}


def test_true_events_lie_where_the_masks_are_painted():
    _, (masks, _, _), (places, options, _) = dividing_nuclei()
    painted = 0
    for (t, y, x), kind in zip(places.astype(int), options["features"]["kind"], strict=True):
        around = masks[t, max(0, y - 12) : y + 13, max(0, x - 12) : x + 13]
        painted += bool((around == {"division": 1, "death": 2}[kind]).any())
    assert painted == len(places)
