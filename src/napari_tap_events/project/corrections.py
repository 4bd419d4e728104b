"""What a person does to the marks of a movie: values with an inverse, that say in words what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.kinds import Kind, checked_kinds, kind_from_json, kind_to_json
from napari_tap_events.project.patches import FramePatch, joined_patches, patch_from_json
from napari_tap_events.project.verdicts import Said, check_said, said_from_json

__all__ = [
    "Correction",
    "FramePatch",
    "MarkPoint",
    "Meaning",
    "PaintMask",
    "PointMark",
    "Say",
    "SetKinds",
    "SetScope",
    "Together",
    "check_correction",
    "correction_from_json",
    "joined_patches",
]

Meaning = Literal["nothing", "uncertain"]


@dataclass(frozen=True)
class PointMark:
    """A place of which a person said that nothing happens there, or that nobody can say.

    Attributes
    ----------
    id : int
        Unique among the points of a movie.
    t : int
        Frame.
    y, x, radius_px : float
        Pixels.
    meaning : "nothing" or "uncertain"
    """

    id: int
    t: int
    y: float
    x: float
    radius_px: float
    meaning: Meaning

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        place = {name: float(getattr(self, name)) for name in ("y", "x", "radius_px")}
        return {"id": int(self.id), "t": int(self.t), **place, "meaning": str(self.meaning)}


@dataclass(frozen=True)
class PaintMask:
    """Pixels of the mask change, in one frame or several.

    Attributes
    ----------
    patches : tuple of FramePatch
        One for each frame, at most.
    words : str
        What was done, as a person would say it: "stamp division".
    """

    patches: tuple[FramePatch, ...]
    words: str = "paint"

    @property
    def frames(self) -> frozenset[int]:
        """The frames whose pixels change."""
        return frozenset(patch.t for patch in self.patches)

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not any(len(patch.pixels) for patch in self.patches)

    def inverse(self) -> PaintMask:
        """Return what takes this back."""
        return PaintMask(tuple(patch.inverse() for patch in self.patches), self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"type": "paint", "words": self.words, "patches": [patch.to_json() for patch in self.patches]}


@dataclass(frozen=True)
class MarkPoint:
    """A point is set (`before` is None), changed, or taken away (`after` is None)."""

    before: PointMark | None
    after: PointMark | None
    words: str = "mark point"

    @property
    def frames(self) -> frozenset[int]:
        """No pixels change."""
        return frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after

    def inverse(self) -> MarkPoint:
        """Return what takes this back."""
        return MarkPoint(self.after, self.before, self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        before, after = (None if point is None else point.to_json() for point in (self.before, self.after))
        return {"type": "point", "words": self.words, "before": before, "after": after}


@dataclass(frozen=True)
class SetScope:
    """Another part of the movie is said to be marked completely; None where nothing is said yet."""

    before: Scope | None
    after: Scope | None
    words: str = "set scope"

    @property
    def frames(self) -> frozenset[int]:
        """No pixels change."""
        return frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after

    def inverse(self) -> SetScope:
        """Return what takes this back."""
        return SetScope(self.after, self.before, self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "type": "scope",
            "words": self.words,
            "before": _scope_to_json(self.before),
            "after": _scope_to_json(self.after),
        }


@dataclass(frozen=True)
class SetKinds:
    """The kinds of event change; the pixels of the mask stay as they are."""

    before: tuple[Kind, ...]
    after: tuple[Kind, ...]
    words: str = "change kinds"

    @property
    def frames(self) -> frozenset[int]:
        """No pixels change."""
        return frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after

    def inverse(self) -> SetKinds:
        """Return what takes this back."""
        return SetKinds(self.after, self.before, self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        before, after = ([kind_to_json(kind) for kind in kinds] for kinds in (self.before, self.after))
        return {"type": "kinds", "words": self.words, "before": before, "after": after}


@dataclass(frozen=True)
class Say:
    """Something is said in a review (`before` is None), changed, or taken back (`after` is None)."""

    before: Said | None
    after: Said | None
    words: str = "answer"

    @property
    def frames(self) -> frozenset[int]:
        """No pixels change."""
        return frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after

    def inverse(self) -> Say:
        """Return what takes this back."""
        return Say(self.after, self.before, self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        before, after = (None if said is None else said.to_json() for said in (self.before, self.after))
        return {"type": "say", "words": self.words, "before": before, "after": after}


@dataclass(frozen=True)
class Together:
    """Several corrections that are done, and taken back, as one; no two of them change the same pixel."""

    parts: tuple[Correction, ...]
    words: str = "several changes"

    @property
    def frames(self) -> frozenset[int]:
        """The frames whose pixels change."""
        return frozenset().union(*(part.frames for part in self.parts))

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return all(part.empty for part in self.parts)

    def inverse(self) -> Together:
        """Return what takes this back."""
        return Together(tuple(part.inverse() for part in reversed(self.parts)), self.words)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"type": "together", "words": self.words, "parts": [part.to_json() for part in self.parts]}


Correction = PaintMask | MarkPoint | SetScope | SetKinds | Say | Together


def check_correction(correction: Correction, shape: tuple[int, int, int]) -> None:
    """Refuse what cannot be made on a movie (T, Y, X): it would spoil the journal.

    Raises
    ------
    ProjectError
        Saying what does not fit.
    """
    if isinstance(correction, PaintMask):
        for patch in correction.patches:
            patch.check(shape)
    elif isinstance(correction, MarkPoint):
        _check_point(correction)
    elif isinstance(correction, SetKinds):
        checked_kinds(correction.after)
    elif isinstance(correction, Say):
        check_said(correction.after, shape)
    elif isinstance(correction, Together):
        for part in correction.parts:
            check_correction(part, shape)


def _check_point(correction: MarkPoint) -> None:
    before, after = correction.before, correction.after
    if before is not None and after is not None and before.id != after.id:
        raise ProjectError(f"the point {before.id} cannot become the point {after.id}; delete it and mark another.")


def correction_from_json(values: Mapping[str, Any]) -> Correction:
    """Return the correction that JSON values tell of.

    Raises
    ------
    ValueError, KeyError, TypeError, zlib.error
        When they are damaged.
    """
    return _READERS[values["type"]](values, str(values["words"]))


def _paint(values: Mapping[str, Any], words: str) -> PaintMask:
    return PaintMask(tuple(patch_from_json(patch) for patch in values["patches"]), words)


def _point(values: Mapping[str, Any], words: str) -> MarkPoint:
    before, after = (None if values[k] is None else PointMark(**values[k]) for k in ("before", "after"))
    return MarkPoint(before, after, words)


def _scope(values: Mapping[str, Any], words: str) -> SetScope:
    return SetScope(_scope_from_json(values["before"]), _scope_from_json(values["after"]), words)


def _kinds(values: Mapping[str, Any], words: str) -> SetKinds:
    before, after = (tuple(kind_from_json(kind) for kind in values[k]) for k in ("before", "after"))
    return SetKinds(before, after, words)


def _say(values: Mapping[str, Any], words: str) -> Say:
    before, after = (None if values[k] is None else said_from_json(values[k]) for k in ("before", "after"))
    return Say(before, after, words)


def _together(values: Mapping[str, Any], words: str) -> Together:
    return Together(tuple(correction_from_json(part) for part in values["parts"]), words)


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Correction]] = {
    "paint": _paint,
    "point": _point,
    "scope": _scope,
    "kinds": _kinds,
    "say": _say,
    "together": _together,
}


def _scope_to_json(scope: Scope | None) -> list[int] | None:
    if scope is None:
        return None
    return [int(n) for n in (scope.frames.start, scope.frames.stop, scope.y0, scope.y1, scope.x0, scope.x1)]


def _scope_from_json(values: Sequence[int] | None) -> Scope | None:
    return None if values is None else Scope(range(int(values[0]), int(values[1])), *(int(value) for value in values[2:]))
