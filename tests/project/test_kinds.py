"""Kinds of event can be told apart by name, value and key."""

from __future__ import annotations

import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.kinds import (
    DEFAULT_KINDS,
    Kind,
    checked_kinds,
    kind_from_json,
    kind_to_json,
    names_of,
    with_kind,
)


def test_a_new_kind_takes_the_lowest_free_value_and_key() -> None:
    assert with_kind(DEFAULT_KINDS, " fusion ")[-1] == Kind("fusion", 3, "3")
    assert with_kind((Kind("division", 1, "2"), Kind("b", 3, "1")), "c")[-1] == Kind("c", 2, "3")


def test_the_tenth_kind_has_no_key() -> None:
    kinds = DEFAULT_KINDS
    for i in range(8):
        kinds = with_kind(kinds, f"kind of {i}")
    assert [kind.key for kind in kinds[-2:]] == ["9", ""]


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ((), "no kind of event left"),
        ((Kind("a", 1), Kind("a", 2)), "have the name 'a'"),
        ((Kind("a", 1), Kind("b", 1)), "have the value '1'"),
        ((Kind("a", 1, "1"), Kind("b", 2, "1")), "have the key '1'"),
        ((Kind("  ", 1),), "cannot be called '  '"),
        ((Kind("uncertain", 1),), "cannot be called 'uncertain'"),
        ((Kind("a", 0),), "has the mask value 0"),
        ((Kind("a", 251),), "has the mask value 251"),
        ((Kind("a", 1, "0"),), "has the key '0'"),
    ],
)
def test_kinds_that_cannot_be_told_apart_are_refused(kinds: tuple[Kind, ...], sentence: str) -> None:
    with pytest.raises(ProjectError, match=sentence):
        checked_kinds(kinds)


def test_values_without_a_kind_have_a_name_all_the_same() -> None:
    names = names_of((Kind("division", 1), Kind("fusion", 4)))
    assert (len(names), names[0], names[1], names[3]) == (255, "division", "kind 2", "fusion")


def test_kinds_come_back_from_json() -> None:
    assert [kind_from_json(kind_to_json(kind)) for kind in DEFAULT_KINDS] == list(DEFAULT_KINDS)
