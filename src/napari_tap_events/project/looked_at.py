"""What is known of a movie by a review: the squares that were judged, and what must stay out of teaching."""

from __future__ import annotations

from napari_tap_events.movies.known import Known
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations

REACH_FRAMES = 2
SIDE_PX = 56.0


def known_of(a: Annotations) -> Known:
    """Return the boxes that a review says something of.

    Seen are the squares of every yes and no, and of events that were marked by hand. Of what was answered "unsure" nothing is
    known. Hidden are the windows of the audit, and answers in frames that are locked.
    """
    verdicts, design = a.verdicts, a.audit_design
    if not verdicts and not a.audits:
        return Known()
    judged = [v.box(a.shape) for v in verdicts if v.answer != "unsure" and not v.locked]
    side = max((v.side_px for v in verdicts), default=SIDE_PX)
    marked = [_around(a, region.event.t, region.event.y, region.event.x, side) for region in a.events]
    hidden = [v.box(a.shape) for v in verdicts if v.locked]
    hidden += [_with_next_frame(design.box(audit.window), a.shape) for audit in a.audits if design is not None]
    return Known(tuple(dict.fromkeys(judged + marked)), tuple(hidden))


def _around(a: Annotations, t: int, y: float, x: float, side_px: float) -> Scope:
    half = side_px / 2
    frames = range(t - REACH_FRAMES, t + REACH_FRAMES + 2)
    rows, columns = ((round(place - half), round(place + half) + 1) for place in (y, x))
    return Scope(frames, *rows, *columns).clipped(a.shape)


def _with_next_frame(box: Scope, shape: tuple[int, int, int]) -> Scope:
    """Return a box of frame pairs as one of frames."""
    return Scope(range(box.frames.start, box.frames.stop + 1), box.y0, box.y1, box.x0, box.x1).clipped(shape)
