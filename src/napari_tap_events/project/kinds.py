"""The kinds of event that a person marks: each with a name, a mask value and a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_tap_events.errors import ProjectError

HIGHEST_VALUE = 250
RESERVED = ("uncertain", "event", "nothing")
"""Names that mean something else in events tables."""


@dataclass(frozen=True)
class Kind:
    """A kind of event.

    Attributes
    ----------
    name : str
    value : int
        Of the mask, 1 to 250.
    key : str
        The number key that chooses it, "1" to "9", or "".
    """

    name: str
    value: int
    key: str = ""


DEFAULT_KINDS = (Kind("division", 1, "1"), Kind("death", 2, "2"))


def names_of(kinds: Sequence[Kind]) -> tuple[str, ...]:
    """Return the names of the mask values 1 to 255; a value without a kind is called "kind 3" and so on."""
    named = {kind.value: kind.name for kind in kinds}
    return tuple(named.get(value, f"kind {value}") for value in range(1, 256))


def with_kind(kinds: Sequence[Kind], name: str) -> tuple[Kind, ...]:
    """Return the kinds and one more, with the lowest free value and key.

    Raises
    ------
    ProjectError
        When the name is taken or reserved, or there are too many kinds.
    """
    value = min(set(range(1, HIGHEST_VALUE + 2)) - {kind.value for kind in kinds})
    free = [key for key in "123456789" if key not in {kind.key for kind in kinds}]
    return checked_kinds((*kinds, Kind(name.strip(), value, free[0] if free else "")))


def checked_kinds(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return the kinds, if they can be told apart.

    Raises
    ------
    ProjectError
        When there is none, or a name, value or key occurs twice or cannot be.
    """
    if not kinds:
        raise ProjectError("there is no kind of event left; keep one at least.")
    for what in ("name", "value", "key"):
        values = [getattr(kind, what) for kind in kinds if getattr(kind, what) != ""]
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise ProjectError(f"two kinds of event have the {what} '{twice[0]}'; give each its own.")
    for kind in kinds:
        if not kind.name.strip() or kind.name in RESERVED:
            raise ProjectError(f"a kind of event cannot be called '{kind.name}'; choose another name.")
        if not 1 <= kind.value <= HIGHEST_VALUE:
            raise ProjectError(f"the kind '{kind.name}' has the mask value {kind.value}; choose one from 1 to {HIGHEST_VALUE}.")
        if kind.key not in ("", *"123456789"):
            raise ProjectError(f"the kind '{kind.name}' has the key '{kind.key}'; choose one from 1 to 9, or none.")
    return tuple(kinds)


def kind_to_json(kind: Kind) -> dict[str, Any]:
    """Return a kind as JSON values."""
    return {"name": kind.name, "value": kind.value, "key": kind.key}


def kind_from_json(values: Mapping[str, Any]) -> Kind:
    """Return the kind that JSON values tell of."""
    return Kind(str(values["name"]), int(values["value"]), str(values.get("key", "")))
