"""What a gesture means: a click, a stroke or a drag becomes a correction; nothing is changed here.

Two events of one kind that touch would be read as one. So what is stamped keeps one pixel away from other marks of its kind in
the same frame, and off their pixels in the frames before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.cell_under import cell_under
from napari_tap_events.project.corrections import MarkPoint, Meaning, PaintMask, PointMark, SetScope
from napari_tap_events.project.importing import import_events, import_masks
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.regions import MarkedRegion
from napari_tap_events.project.stamps import Pixels, Sheet, disc, frames_of_event

__all__ = [
    "cell_under",
    "change_kind",
    "change_point",
    "erase_event",
    "fill",
    "import_events",
    "import_masks",
    "mark_point",
    "move_event",
    "nudge_event",
    "paint",
    "remove_point",
    "set_scope",
    "stamp",
]


def stamp(a: Annotations, kind: Kind, t: int, y: float, x: float, radius_px: float) -> PaintMask:
    """Mark an event by a disc in two frames.

    Parameters
    ----------
    a : Annotations
    kind : Kind
    t : int
        First frame of the event; the last frame of the movie stands for the one before it.
    y, x, radius_px : float
        Pixels.

    Returns
    -------
    PaintMask
        The disc in t and t + 1, less what keeps it apart from other events of this kind; empty where nothing is left.
    """
    sheet = Sheet(a.labels)
    sheet.stamp(kind.value, frames_of_event(t, a.shape[0]), disc(a.shape, y, x, radius_px), (y, x))
    return PaintMask(sheet.patches(), f"stamp {kind.name}")


def fill(a: Annotations, kind: Kind, shapes: Mapping[int, NDArray[np.int64]]) -> PaintMask:
    """Mark an event by the shapes of its cells, as `cell_under` finds them.

    Parameters
    ----------
    a : Annotations
    kind : Kind
    shapes : mapping of frame to int64
        Pixels, y * width + x; marks of other events are left as they are, with a gap to those of the same kind.
    """
    sheet = Sheet(a.labels)
    for t, pixels in shapes.items():
        sheet.lay(t, sheet.apart(t, kind.value, pixels[sheet.values(t, pixels) == 0]), kind.value)
    return PaintMask(sheet.patches(), f"fill {kind.name}")


def paint(a: Annotations, t: int, pixels: NDArray[np.int64], value: int, words: str = "paint") -> PaintMask:
    """Give pixels (y * width + x, in any order) of frame `t` a value; 0 erases."""
    sheet = Sheet(a.labels)
    sheet.lay(t, pixels, value)
    return PaintMask(sheet.patches(), words)


def erase_event(a: Annotations, region: MarkedRegion) -> PaintMask:
    """Take an event away."""
    sheet = Sheet(a.labels)
    for t, pixels in region.blobs:
        sheet.lay(t, pixels, 0)
    return PaintMask(sheet.patches(), f"delete {region.event.kind}")


def change_kind(a: Annotations, region: MarkedRegion, kind: Kind) -> PaintMask:
    """Make an event one of another kind, with a gap to events of that kind that it touches."""
    sheet = Sheet(a.labels)
    for t, pixels in region.blobs:
        sheet.lay(t, pixels, 0)
        sheet.lay(t, sheet.apart(t, kind.value, pixels), kind.value)
    return PaintMask(sheet.patches(), f"make {region.event.kind} a {kind.name}")


def move_event(a: Annotations, region: MarkedRegion, dy: float, dx: float) -> PaintMask:
    """Move an event by whole pixels; what leaves the frame is cut off, but an event never leaves as a whole."""
    shift, (_, height, width) = (round(dy), round(dx)), a.shape
    moved = [(t, _shifted(pixels, shift, height, width)) for t, pixels in region.blobs]
    if not all(len(pixels) for _, pixels in moved):
        return PaintMask((), f"move {region.event.kind}")
    return _put_elsewhere(a, region, moved, f"move {region.event.kind}")


def nudge_event(a: Annotations, region: MarkedRegion, frames: int) -> PaintMask:
    """Move an event in time; one that would leave the movie stays where it is."""
    moved = [(t + frames, pixels) for t, pixels in region.blobs]
    words = f"nudge {region.event.kind} by {frames:+d}"
    if not all(0 <= t < a.shape[0] for t, _ in moved):
        return PaintMask((), words)
    return _put_elsewhere(a, region, moved, words)


def mark_point(a: Annotations, meaning: Meaning, t: int, y: float, x: float, radius_px: float) -> MarkPoint:
    """Say that nothing happens at a place, or that nobody can say."""
    words = "mark nothing here" if meaning == "nothing" else "mark uncertain"
    return MarkPoint(None, PointMark(a.free_point_id(), int(t), float(y), float(x), float(radius_px), meaning), words)


def change_point(before: PointMark, after: PointMark) -> MarkPoint:
    """Move a point, or change what it means."""
    return MarkPoint(before, after, "change point")


def remove_point(point: PointMark) -> MarkPoint:
    """Take a point away."""
    return MarkPoint(point, None, "delete point")


def set_scope(a: Annotations, frames: range, box: Sequence[int]) -> SetScope:
    """Say what is marked completely: frames, and (y0, y1, x0, x1) in pixels, clipped to the movie."""
    return SetScope(a.scope, Scope(frames, *box).clipped(a.shape))


def _shifted(pixels: Pixels, shift: tuple[int, int], height: int, width: int) -> Pixels:
    y, x = np.divmod(pixels, width)
    y, x = y + shift[0], x + shift[1]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return y[inside] * width + x[inside]


def _put_elsewhere(a: Annotations, region: MarkedRegion, moved: Iterable[tuple[int, Pixels]], words: str) -> PaintMask:
    sheet = Sheet(a.labels)
    for t, pixels in region.blobs:
        sheet.lay(t, pixels, 0)
    for t, pixels in moved:
        sheet.lay(t, pixels, region.value)
    return PaintMask(sheet.patches(), words)
