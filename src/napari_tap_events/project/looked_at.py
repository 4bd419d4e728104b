"""What is known of a movie by a review: the squares that were judged, and what must stay out of teaching."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from napari_tap_events.movies.known import Known
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import AuditAnswer, SeenEvent

REACH_FRAMES = 2
SIDE_PX = 56.0
SAME_PX = 15.0
"""What a person points at so near to a mark is the same event."""


def known_of(a: Annotations) -> Known:
    """Return the boxes that a review says something of.

    Seen are the squares of every yes and no, and of events that were marked by hand. Of what was answered "unsure" nothing is
    known. Hidden are answers in frames that are locked, and the windows of the audit, but for the squares in them that were judged
    before: these taught already, and go on teaching, unless the window showed an event in them that nobody had marked.
    """
    verdicts, design = a.verdicts, a.audit_design
    if not verdicts and not a.audits:
        return Known()
    judged = [v.box(a.shape) for v in verdicts if v.answer != "unsure" and not v.locked]
    side = max((v.side_px for v in verdicts), default=SIDE_PX)
    marked = [_around(a, region.event.t, region.event.y, region.event.x, side) for region in a.events]
    hidden = [v.box(a.shape) for v in verdicts if v.locked]
    for audit in a.audits:
        if design is None:
            continue
        news = _news(audit)
        holes = [_around(a, *place, side) for place in audit.judged]
        holes = [hole for hole in holes if not any(hole.contains(e.t, e.y, e.x) for e in news)]
        hidden += without(_with_next_frame(design.box(audit.window), a.shape), holes)
    return Known(tuple(dict.fromkeys(judged + marked)), tuple(hidden))


def without(box: Scope, holes: Iterable[Scope]) -> list[Scope]:
    """Return boxes that together are a box without some others."""
    left = [box]
    for hole in holes:
        left = [part for whole in left for part in _cut(whole, hole)]
    return left


def _cut(box: Scope, hole: Scope) -> list[Scope]:
    """Return up to six boxes: before and after the hole, above and below, left and right of it."""
    t0, t1 = max(box.frames.start, hole.frames.start), min(box.frames.stop, hole.frames.stop)
    y0, y1, x0, x1 = max(box.y0, hole.y0), min(box.y1, hole.y1), max(box.x0, hole.x0), min(box.x1, hole.x1)
    if t0 >= t1 or y0 >= y1 or x0 >= x1:
        return [box]
    there = range(t0, t1)
    parts = [
        replace(box, frames=range(box.frames.start, t0)),
        replace(box, frames=range(t1, box.frames.stop)),
        replace(box, frames=there, y1=y0),
        replace(box, frames=there, y0=y1),
        Scope(there, y0, y1, box.x0, x0),
        Scope(there, y0, y1, x1, box.x1),
    ]
    return [part for part in parts if len(part.frames) and part.y0 < part.y1 and part.x0 < part.x1]


def _news(audit: AuditAnswer) -> list[SeenEvent]:
    """Return what a window showed that had not been judged before."""
    judged = np.array(audit.judged, dtype=np.float64).reshape(-1, 3)
    return [
        e
        for e in audit.seen
        if not ((abs(judged[:, 0] - e.t) <= REACH_FRAMES) & (np.hypot(judged[:, 1] - e.y, judged[:, 2] - e.x) <= SAME_PX)).any()
    ]


def _around(a: Annotations, t: int, y: float, x: float, side_px: float) -> Scope:
    half = side_px / 2
    frames = range(t - REACH_FRAMES, t + REACH_FRAMES + 2)
    rows, columns = ((round(place - half), round(place + half) + 1) for place in (y, x))
    return Scope(frames, *rows, *columns).clipped(a.shape)


def _with_next_frame(box: Scope, shape: tuple[int, int, int]) -> Scope:
    """Return a box of frame pairs as one of frames."""
    return Scope(range(box.frames.start, box.frames.stop + 1), box.y0, box.y1, box.x0, box.x1).clipped(shape)
