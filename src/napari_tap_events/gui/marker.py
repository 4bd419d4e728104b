"""The hand that marks: what kind it sets, how large, what it has picked; everything it does is one correction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Correction, MarkPoint, Meaning, PaintMask, PointMark
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.regions import MarkedRegion

CELL_TO_RADIUS = 3.0
"""A cell that is filled has at most so many times the radius of a mark: what is larger is no cell, but a clump or the ground."""
SAID: Mapping[Meaning, str] = {"nothing": "nothing here", "uncertain": "uncertain"}
"""What a point means, as lists and menus say it."""
Marked = MarkedRegion | PointMark
ReadFrame = Callable[[int], NDArray[Any]]


class Place(NamedTuple):
    """Where somebody points: a frame, and pixels from the centre of the first pixel."""

    t: int
    y: float
    x: float


class Marker:
    """The marks of one movie under somebody's hand.

    Attributes
    ----------
    annotations : Annotations
    kind : Kind
        What stamps and strokes mean.
    radius_px : float
    picked : MarkedRegion, PointMark or None
        What delete, nudge and change act upon.
    picked_changed, kind_changed, radius_changed : Signal
    said : Signal(str)
        A sentence for the status line.
    """

    picked_changed = Signal(object)
    kind_changed = Signal(object)
    radius_changed = Signal(float)
    said = Signal(str)

    def __init__(self, annotations: Annotations, read_frame: ReadFrame) -> None:
        self.annotations = annotations
        self.kind: Kind = annotations.kinds[0]
        self.radius_px = 10.0
        self.picked: Marked | None = None
        self._read_frame = read_frame
        self._new_at: Place | None = None  # to find a new event takes longer than to draw it, so it is picked a little later

    def set_kind(self, kind: Kind) -> None:
        """Let stamps and strokes mean another kind from now on."""
        if kind != self.kind:
            self.kind = kind
            self.kind_changed.emit(kind)

    def set_radius(self, radius_px: float) -> None:
        """Set the radius of stamps and of the brush, in pixels."""
        if radius_px != self.radius_px:
            self.radius_px = radius_px
            self.radius_changed.emit(radius_px)

    def pick(self, marked: Marked | None) -> None:
        """Choose what delete, nudge and change act upon."""
        self._new_at = None
        if marked is not self.picked:
            self.picked = marked
            self.picked_changed.emit(marked)

    def pick_again(self) -> None:
        """After marks have changed, let what was picked be the mark that is there now, or the newest one, or nothing."""
        if self._new_at is not None:
            self.pick(self.at(self._new_at))
            return
        old = self.picked
        if isinstance(old, MarkedRegion) and not any(region is old for region in self.annotations.events):
            self.pick(self.nearest(old.event.t, old.event.y, old.event.x))
        elif isinstance(old, PointMark):
            self.pick(next((point for point in self.annotations.points if point.id == old.id), None))

    def at(self, place: Place) -> Marked | None:
        """Return the mark under a place: an event with a pixel there, else a point within its radius."""
        region = self.annotations.event_at(*place)
        if region is not None:
            return region
        for point in self.annotations.points:
            if point.t == place.t and np.hypot(point.y - place.y, point.x - place.x) <= point.radius_px:
                return point
        return None

    def stamp(self, place: Place) -> None:
        """Mark an event of the current kind in this frame and the next; a click on one that is there picks it instead."""
        there = self.at(place)
        if isinstance(there, MarkedRegion):
            self.pick(there)
            return
        correction = marking.stamp(self.annotations, self.kind, place.t, place.y, place.x, self.radius_px)
        if correction.empty:
            self.said.emit(f"There is no room for a {self.kind.name}: another is too near, in this frame or beside it.")
        self._do(correction)
        self._new_at = place

    def cell_at(self, place: Place) -> NDArray[np.int64]:
        """Return the flat pixels of the cell under a place in its frame; none where there is no cell to see."""
        most_px = round(np.pi * (CELL_TO_RADIUS * self.radius_px) ** 2)
        pixels: NDArray[np.int64] = marking.cell_under(self._read_frame(place.t), place.y, place.x, most_px)
        return pixels

    def fill(self, place: Place, pixels: NDArray[np.int64]) -> None:
        """Mark the pixels of a cell in one frame."""
        if not pixels.size:
            self.said.emit("No cell stands out here: a click on one fills it, and the brush paints what a click cannot.")
            return
        self._do(marking.fill(self.annotations, self.kind, {place.t: pixels}))
        self._new_at = place

    def adopt(self, stroke: PaintMask) -> None:
        """Take in a stroke that is painted already."""
        if not stroke.empty:
            self.annotations.adopt(stroke)

    def note(self, place: Place, meaning: Meaning) -> None:
        """Say of a place that nothing happens there ("nothing"), or that nobody can tell ("uncertain")."""
        correction = marking.mark_point(self.annotations, meaning, *place, self.radius_px)
        self._do(correction)
        self.pick(correction.after)

    def delete(self, marked: Marked | None = None) -> None:
        """Remove a mark, by default the picked one."""
        marked = marked or self._wanted()
        if isinstance(marked, MarkedRegion):
            self._do(marking.erase_event(self.annotations, marked))
        elif marked is not None:
            self._do(marking.remove_point(marked))
        if marked is not None:
            self.pick(None)

    def change_kind(self, kind: Kind, region: MarkedRegion) -> None:
        """Let an event be of another kind."""
        self._do(marking.change_kind(self.annotations, region, kind))
        self.pick(self.nearest(region.event.t, region.event.y, region.event.x))

    def change_meaning(self, point: PointMark, meaning: Meaning) -> None:
        """Turn a "nothing here" into "uncertain", or back."""
        after = replace(point, meaning=meaning)
        self._do(marking.change_point(point, after))
        self.pick(after)

    def nudge(self, frames: int, marked: Marked | None = None) -> int | None:
        """Shift a mark in time, by default the picked one; return its frame then, None where it could not be shifted."""
        marked = marked or self._wanted()
        if marked is None:
            return None
        event = marked.event if isinstance(marked, MarkedRegion) else marked
        t = event.t + frames
        if not self._fits(marked, frames):
            self.said.emit(f"The mark cannot go to frame {t}: the movie has frames 0 to {self.annotations.shape[0] - 1}.")
            return None
        if isinstance(marked, MarkedRegion):
            self._do(marking.nudge_event(self.annotations, marked, frames))
            self.pick(self.nearest(t, event.y, event.x))
        else:
            self._put(marked, t, marked.y, marked.x)
        return t

    def move(self, marked: Marked, dy: float, dx: float) -> None:
        """Shift a mark in its frames, by pixels."""
        if isinstance(marked, PointMark):
            self._put(marked, marked.t, marked.y + dy, marked.x + dx)
            return
        self._do(marking.move_event(self.annotations, marked, dy, dx))
        self.pick(self.nearest(marked.event.t, marked.event.y + dy, marked.event.x + dx))

    def undo(self) -> tuple[int, ...] | None:
        """Take the last correction back; return its frames, None where there is nothing to take back."""
        return self._retrace("Undone", self.annotations.undo())

    def redo(self) -> tuple[int, ...] | None:
        """Do again what was taken back; return its frames, None where there is nothing to do again."""
        return self._retrace("Done again", self.annotations.redo())

    def nearest(self, t: int, y: float, x: float) -> MarkedRegion | None:
        """Return the event nearest to a place, at most a frame and a few radii away."""
        near = [region for region in self.annotations.events if abs(region.event.t - t) <= 1]
        far = [abs(r.event.t - t) * self.radius_px + np.hypot(r.event.y - y, r.event.x - x) for r in near]
        best = int(np.argmin(far)) if far else -1
        return near[best] if far and far[best] <= 4 * self.radius_px else None

    def inside(self, place: Place) -> bool:
        """Say whether a place lies in the movie."""
        frames, height, width = self.annotations.shape
        return 0 <= place.t < frames and -0.5 <= place.y < height - 0.5 and -0.5 <= place.x < width - 0.5

    def _do(self, correction: Correction) -> None:
        self.annotations.do(correction)

    def _retrace(self, verb: str, correction: Correction | None) -> tuple[int, ...] | None:
        if correction is None:
            self.said.emit("There is nothing to undo." if verb == "Undone" else "There is nothing to do again.")
            return None
        frames = frames_of(correction)
        where = f" (frame {frames[0]})" if frames else ""
        self.said.emit(f"{verb}: {correction.words}{where}")
        self.pick(None)
        return frames

    def _wanted(self) -> Marked | None:
        self.pick_again()
        if self.picked is None:
            self.said.emit("No mark is picked: click on one, or choose it in the list.")
        return self.picked

    def _fits(self, marked: Marked, frames: int) -> bool:
        times = [t for t, _ in marked.blobs] if isinstance(marked, MarkedRegion) else [marked.t]
        return min(times) + frames >= 0 and max(times) + frames < self.annotations.shape[0]

    def _put(self, point: PointMark, t: int, y: float, x: float) -> None:
        after = replace(point, t=t, y=y, x=x)
        if self.inside(Place(t, y, x)):
            self._do(marking.change_point(point, after))
            self.pick(after)


def frames_of(correction: Correction) -> tuple[int, ...]:
    """Return the frames that a correction touches, the first one first; none for scope and kinds."""
    if isinstance(correction, MarkPoint):
        return tuple(sorted({point.t for point in (correction.before, correction.after) if point is not None}))
    return tuple(sorted(correction.frames))
