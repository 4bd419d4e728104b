"""Event masks: where a person marked events, what they looked at, and where they were not sure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MaskError, MovieError
from napari_tap_events.movies.known import Known, boxes_at
from napari_tap_events.movies.marked_points import UNCERTAIN, MarkedPoint, gathered_events, read_marked_points
from napari_tap_events.movies.mask_events import MarkedEvent, linked_events
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.scope import Scope

__all__ = [
    "KINDS",
    "MARKS",
    "EventMasks",
    "Scope",
    "UncertainZone",
    "events_in_masks",
    "masks_from_events",
    "open_masks",
    "save_masks",
    "unknown_frame",
]

KINDS = ("division", "death")
"""Names of the mask values 1 and 2."""
MARKS = "napari_tap_events_marks"
"""Block in the attributes of a zarr mask under which its `kinds` are named, {"3": "fusion"}."""
MOST_PAINTED = 0.5
"""Share of the pixels; what is painted beyond it marks no events."""
_FRAMES_BEFORE, _FRAMES_AFTER = 2, 3
"""An uncertain mark at t leaves the frames t - 2 to t + 3 unknown: timing by eye is +-1, and an event is a pair of frames."""


@dataclass(frozen=True)
class UncertainZone:
    """A place where a person could not tell; it is neither an event nor none.

    Attributes
    ----------
    t : int
        Frame.
    y, x : float
        Pixels.
    radius_px : float
    """

    t: int
    y: float
    x: float
    radius_px: float


@dataclass(frozen=True)
class EventMasks:
    """The marked events of a movie.

    Attributes
    ----------
    labels : (T, Y, X) uint8 array-like
        0 is no event, value k is `kinds[k - 1]`.
    kinds : tuple of str
    scope : Scope
        What was looked at.
    uncertain : tuple of UncertainZone
    known : Known
        What was looked at beside the scope, and what must not be used.
    """

    labels: Any
    kinds: tuple[str, ...]
    scope: Scope
    uncertain: tuple[UncertainZone, ...] = ()
    known: Known = field(default_factory=Known)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, Y, X)."""
        t, y, x = self.labels.shape
        return int(t), int(y), int(x)

    def knows(self, t: float, y: float, x: float) -> bool:
        """Say whether it is known if something happens at a place, in frames and pixels."""
        if any(box.contains(t, y, x) for box in self.known.hidden):
            return False
        return any(box.contains(t, y, x) for box in (self.scope, *self.known.seen))

    def frame(self, t: int) -> NDArray[np.uint8]:
        """Return the mask of frame `t`, (Y, X) uint8."""
        return np.asarray(self.labels[t], dtype=np.uint8)


def open_masks(
    path: str | Path,
    movie: Movie,
    events_csv: str | Path | None = None,
    scope: Scope | None = None,
    kinds: tuple[str, ...] | None = None,
    known: Known | None = None,
) -> EventMasks:
    """Open the event masks of a movie, from a TIFF, an OME-Zarr or a zarr array.

    Parameters
    ----------
    path : path
        (T, Y, X), whole numbers 0 to 255, floats that hold whole numbers included.
    movie : Movie
        That they belong to.
    events_csv : path, optional
        Events table whose rows of kind "uncertain" become uncertain zones; its other rows are not used.
    scope : Scope, optional
        What was looked at; by default the whole movie.
    kinds : tuple of str, optional
        Names of the values 1, 2, ...; by default those that the file tells, else `KINDS`. A value beyond them is called
        "kind 3" and so on.
    known : Known, optional
        What was looked at beside the scope, and what must not be used.

    Raises
    ------
    MaskError
        When the mask does not fit the movie, has other values, marks nothing, or nearly everything.
    """
    path = Path(path)
    labels = _checked_labels(path, movie)
    top = int(labels.max())
    if top == 0:
        raise MaskError(f"the mask '{path.name}' marks no event: all of its pixels are 0; mark some events first.")
    painted = np.count_nonzero(labels) / labels.size
    if painted > MOST_PAINTED:
        raise MaskError(
            f"the mask '{path.name}' is painted on {painted:.0%} of its pixels, as a movie is; events are rare: give the movie "
            "and its mask the right way round."
        )
    kinds = _named_kinds(path) if kinds is None else kinds
    kinds += tuple(f"kind {k}" for k in range(len(kinds) + 1, top + 1))
    points = read_marked_points(events_csv) if events_csv is not None else ()
    scope = scope.clipped(movie.shape) if scope is not None else Scope.whole(movie.shape)
    return EventMasks(labels, kinds, scope, _zones(points, default_px=10.0), known or Known())


def _named_kinds(path: Path) -> tuple[str, ...]:
    """Return the names of the values 1, 2, ... that a zarr mask of a project tells; `KINDS` where it tells none."""
    try:
        import zarr

        told = dict(zarr.open_group(str(path), mode="r").attrs[MARKS]["kinds"]) if path.is_dir() else {}  # type: ignore[index, call-overload, arg-type]
    except (OSError, KeyError, TypeError, ValueError):
        told = {}
    named = {int(value): str(name) for value, name in told.items()}
    if not named:
        return KINDS
    return tuple(named.get(value, f"kind {value}") for value in range(1, max(named) + 1))


def _checked_labels(path: Path, movie: Movie) -> NDArray[np.uint8]:
    from napari_tap_events.movies.opening import open_stack

    try:
        stack = open_stack(path)
    except MovieError as error:
        raise MaskError(f"the mask cannot be opened: {error}") from None
    expected = (movie.n_frames, movie.height, movie.width)
    if "S" in stack.axes:
        raise MaskError(f"the mask '{path.name}' is a colour image {stack.shape}; save it as one number per pixel.")
    if tuple(n for n in stack.shape if n > 1) != tuple(n for n in expected if n > 1):
        raise MaskError(
            f"the mask '{path.name}' has shape {stack.shape}, but the movie '{movie.name}' is {expected} (T, Y, X); "
            "give the mask that was painted on this movie."
        )
    labels = np.empty(expected, dtype=np.uint8)
    for t in range(movie.n_frames):
        labels[t] = _whole_numbers(_mask_frame(stack, t, expected[1:]), t, path.name)
    return labels


def _mask_frame(stack: Any, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read frame `t` of a mask: the first dimension longer than 1 is time, whatever the file calls it."""
    time = next(i for i, n in enumerate(stack.shape) if n > 1)
    index = tuple(t if i == time else slice(None) for i in range(len(stack.shape)))
    try:
        return np.asarray(stack.array[index]).reshape(shape)
    except MovieError as error:
        raise MaskError(f"the mask cannot be read: {error}") from None


def _whole_numbers(frame: NDArray[Any], t: int, name: str) -> NDArray[np.uint8]:
    advice = "a mask holds 0 for no event, 1 for division, 2 for death, up to 255."
    if frame.dtype.kind not in "uifb":
        raise MaskError(f"the mask '{name}' has pixels of type {frame.dtype}; {advice}")
    if frame.dtype.kind == "f" and not np.array_equal(frame, np.rint(frame)):
        raise MaskError(f"the mask '{name}' has pixels in frame {t} that are no whole numbers; {advice}")
    low, high = frame.min(), frame.max()
    if low < 0 or high > 255:
        raise MaskError(f"the mask '{name}' has the value {low if low < 0 else high} in frame {t}; {advice}")
    return frame.astype(np.uint8)


def save_masks(path: str | Path, labels: Any) -> None:
    """Write masks (T, Y, X) uint8 as a compressed TIFF that tells its axes."""
    import tifffile

    tifffile.imwrite(
        path, np.asarray(labels, dtype=np.uint8), compression="zlib", photometric="minisblack", metadata={"axes": "TYX"}
    )


def _zones(points: Iterable[MarkedPoint], default_px: float) -> tuple[UncertainZone, ...]:
    return tuple(UncertainZone(p.t, p.y, p.x, p.radius_px or default_px) for p in points if p.kind == UNCERTAIN)


def masks_from_events(
    rows: Iterable[MarkedPoint],
    movie_shape: Sequence[int],
    radius_px: float,
    *,
    kinds: tuple[str, ...] = KINDS,
    scope: Scope | None = None,
) -> EventMasks:
    """Stamp a disc for every event into its two frames.

    An event lies at the smallest t and at the mean place of its rows; rows of kind "uncertain" become zones, not discs.

    Parameters
    ----------
    rows : iterable of MarkedPoint
    movie_shape : (T, ..., Y, X)
    radius_px : float
        Radius of the discs.
    kinds : tuple of str
        Names of the values 1, 2, ...; kinds of the rows that are not among them are added at the end.
    scope : Scope, optional
        What was looked at; by default the whole movie.

    Raises
    ------
    MaskError
        When an event lies outside of the movie.
    """
    shape = (movie_shape[0], movie_shape[-2], movie_shape[-1])
    points = tuple(rows)
    labels = np.zeros(shape, dtype=np.uint8)
    for event in gathered_events(points):
        if not Scope.whole(shape).contains(event.t, round(event.y), round(event.x)):
            raise MaskError(
                f"the {event.kind} at frame {event.t}, y {event.y:g}, x {event.x:g} is outside of the movie {shape}."
            )
        if event.kind not in kinds:
            kinds = (*kinds, event.kind)
        disc = _disc(shape[1:], event.y, event.x, radius_px)
        labels[event.t : event.t + 2, disc] = kinds.index(event.kind) + 1
    whole = Scope.whole(shape)
    return EventMasks(labels, kinds, scope.clipped(shape) if scope is not None else whole, _zones(points, radius_px))


def unknown_frame(masks: EventMasks, t: int, margin_px: float = 0.0) -> NDArray[np.bool_]:
    """Say where nothing is known in frame `t`: outside of what was looked at, in what is hidden, and around uncertain marks.

    Parameters
    ----------
    masks : EventMasks
    t : int
    margin_px : float
        Added to the radius of every uncertain mark.

    Returns
    -------
    (Y, X) bool
        True where nothing is known.
    """
    shape = masks.shape[1:]
    unknown = np.ones(shape, dtype=bool)
    scope = masks.scope
    if t in scope.frames:
        unknown[scope.y0 : scope.y1, scope.x0 : scope.x1] = False
    unknown &= ~boxes_at(masks.known.seen, t, shape)
    unknown |= boxes_at(masks.known.hidden, t, shape)
    for zone in masks.uncertain:
        if zone.t - _FRAMES_BEFORE <= t <= zone.t + _FRAMES_AFTER:
            unknown |= _disc(shape, zone.y, zone.x, zone.radius_px + margin_px)
    return unknown


def _disc(shape: tuple[int, ...], y: float, x: float, radius_px: float) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    disc: NDArray[np.bool_] = (rows - y) ** 2 + (columns - x) ** 2 <= radius_px**2
    return disc


def events_in_masks(masks: EventMasks) -> list[MarkedEvent]:
    """Return the events that a mask alone tells of, (t, y, x, kind) in the order of time; see `linked_events`."""
    return linked_events((masks.frame(t) for t in range(masks.shape[0])), masks.kinds)
