"""Kinds look the same on the masks, on buttons and in lists, and no two alike."""

from __future__ import annotations

from napari.utils.colormaps.standardize_color import transform_color

from napari_tap_events.gui.colours import SIGNS, looks_of, looks_of_values, mark_colormap

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
