"""Kinds look the same on the masks, on buttons and in lists, and no two alike."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from napari_tap_events.gui.colours import SIGNS, looks_of, looks_of_values, mark_colormap, mask_colormap

NAMES = {1: "division", 2: "death", 3: "extrusion", 5: "entry"}


def test_every_kind_has_a_colour_and_a_sign_of_its_own():
    looks = looks_of_values(NAMES)
    assert len({look.colour for look in looks.values()}) == len(NAMES)
    assert len({SIGNS[look.symbol] for look in looks.values()}) == len(NAMES)


def test_known_kinds_look_as_they_do_in_results():
    assert looks_of_values(NAMES)[2] == looks_of(["death"])["death"]
    swapped = looks_of_values({1: "death", 2: "division"})
    assert swapped[1] == looks_of_values(NAMES)[2]


def test_masks_are_painted_in_the_colours_of_the_kinds():
    painted = mark_colormap(NAMES).color_dict
    for value, look in looks_of_values(NAMES).items():
        assert (painted[value] == transform_color(look.colour)[0]).all()
    assert painted[0][3] == 0, "nothing is transparent"


@pytest.mark.parametrize("ours", [mark_colormap(NAMES), mask_colormap()])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_the_table_has_the_colours_that_napari_would_have_compiled(ours, dtype):
    values = np.arange(np.iinfo(dtype).max + 1).astype(dtype)  # below nothing napari's answer depends on whether numba is there
    naparis = DirectLabelColormap(color_dict=ours.color_dict)
    np.testing.assert_array_equal(ours.map(values), naparis.map(values))


def test_values_of_masks_that_no_table_of_ours_names_have_the_colour_of_unknown_ones():
    ours = mark_colormap(NAMES)
    colours = ours.map(np.array([3, 4, 300, 65535], np.uint16))
    np.testing.assert_allclose(colours[0], ours.color_dict[3])
    np.testing.assert_allclose(colours[1:], [ours.color_dict[None]] * 3)


def test_no_compiler_runs_for_the_colours_of_masks(monkeypatch):
    monkeypatch.setattr(DirectLabelColormap, "_get_typed_dict_mapping", lambda *_: pytest.fail("compiled"))
    assert mark_colormap(NAMES).map(np.array([[0, 1]], np.uint8)).shape == (1, 2, 4)
