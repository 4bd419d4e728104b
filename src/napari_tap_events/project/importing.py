"""Marks that come from files: masks that others painted, tables of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.marked_points import UNCERTAIN, MarkedPoint, gathered_events
from napari_tap_events.movies.mask_events import MarkedEvent
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Correction, MarkPoint, PaintMask, PointMark, SetKinds, Together
from napari_tap_events.project.kinds import Kind, with_kind
from napari_tap_events.project.stamps import Sheet, disc, frames_of_event


def import_masks(a: Annotations, labels: Any) -> PaintMask:
    """Lay painted masks over the marks; where they are empty the marks stay.

    Parameters
    ----------
    a : Annotations
    labels : (T, Y, X) whole numbers 0 to 255
        As `movies.masks.open_masks` reads them.

    Raises
    ------
    ProjectError
        When they are of another size.
    """
    if tuple(labels.shape) != a.shape:
        raise ProjectError(f"the mask has the shape {tuple(labels.shape)}, the movie {a.shape} (T, Y, X); choose its own mask.")
    sheet = Sheet(a.labels)
    for t in range(a.shape[0]):
        frame = np.asarray(labels[t], np.uint8).reshape(-1)
        for value in np.unique(frame[frame > 0]).tolist():
            sheet.lay(t, np.flatnonzero(frame == value), value)
    return PaintMask(sheet.patches(), "import masks")


def import_events(a: Annotations, points: Iterable[MarkedPoint], radius_px: float) -> Correction:
    """Stamp the events of a table, and mark its uncertain places; kinds that are not there yet are added.

    Parameters
    ----------
    a : Annotations
    points : iterable of MarkedPoint
        As `movies.marked_points.read_marked_points` reads them; rows of one event are one.
    radius_px : float
        Of the stamps, and of uncertain places that have none.

    Raises
    ------
    ProjectError
        When an event lies outside of the movie.
    """
    rows = tuple(points)
    events = gathered_events(rows)
    kinds = a.kinds
    for name in dict.fromkeys(event.kind for event in events):
        kinds = kinds if name in {kind.name for kind in kinds} else with_kind(kinds, name)
    parts: list[Correction] = [SetKinds(a.kinds, kinds), _stamps(a, events, kinds, radius_px)]
    parts += _uncertain(a, rows, radius_px)
    return Together(tuple(part for part in parts if not part.empty), "import events")


def _stamps(a: Annotations, events: Iterable[MarkedEvent], kinds: Iterable[Kind], radius_px: float) -> PaintMask:
    values = {kind.name: kind.value for kind in kinds}
    sheet = Sheet(a.labels)
    for event in events:
        _check_inside(a, event.kind, event.t, event.y, event.x)
        shape = disc(a.shape, event.y, event.x, radius_px)
        sheet.stamp(values[event.kind], frames_of_event(event.t, a.shape[0]), shape, (event.y, event.x))
    return PaintMask(sheet.patches(), "import events")


def _uncertain(a: Annotations, rows: Iterable[MarkedPoint], radius_px: float) -> Iterable[MarkPoint]:
    uncertain = [row for row in rows if row.kind == UNCERTAIN]
    for number, row in enumerate(uncertain, start=a.free_point_id()):
        _check_inside(a, row.kind, row.t, row.y, row.x)
        yield MarkPoint(None, PointMark(number, row.t, row.y, row.x, row.radius_px or radius_px, "uncertain"), "import events")


def _check_inside(a: Annotations, kind: str, t: int, y: float, x: float) -> None:
    if not (0 <= t < a.shape[0] and 0 <= round(y) < a.shape[1] and 0 <= round(x) < a.shape[2]):
        raise ProjectError(
            f"the {kind} at frame {t}, y {y:g}, x {x:g} lies outside of the movie {a.shape} (T, Y, X); "
            "choose the table that belongs to this movie."
        )
