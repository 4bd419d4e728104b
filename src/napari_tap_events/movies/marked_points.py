"""Events marked as points: the few columns of an events table that masks are made from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_tap_events.errors import MaskError
from napari_tap_events.movies.mask_events import MarkedEvent

UNCERTAIN = "uncertain"
"""The kind of a mark that is neither an event nor none."""


@dataclass(frozen=True)
class MarkedPoint:
    """One row of an events table; rows of one `event_id` belong together.

    Attributes
    ----------
    event_id, kind : str
    t : int
        Frame.
    y, x : float
        Pixels.
    radius_px : float or None
        The painted radius, where the row has one.
    """

    event_id: str
    kind: str
    t: int
    y: float
    x: float
    radius_px: float | None = None


def read_marked_points(path: str | Path) -> tuple[MarkedPoint, ...]:
    """Read an events table: the columns kind, t, y, x, and where they are there event_id and radius.

    Raises
    ------
    MaskError
        When the table cannot be read, or lacks a column or a number.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MaskError(f"the events table '{path}' cannot be read: {error}.") from None
    points = []
    for number, row in enumerate(rows, start=2):
        try:
            radius = float(row["radius"]) if row.get("radius") else None
            place = round(float(row["t"])), float(row["y"]), float(row["x"])
            points.append(MarkedPoint(row.get("event_id") or f"line {number}", row["kind"].strip(), *place, radius))
        except KeyError as error:
            raise MaskError(f"the events table '{path.name}' has no column {error}; it needs kind, t, y and x.") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise MaskError(f"line {number} of the events table '{path.name}' cannot be read: {error}.") from None
    return tuple(points)


def gathered_events(rows: Iterable[MarkedPoint]) -> list[MarkedEvent]:
    """Join the rows of each event: smallest t, mean place; uncertain rows are left out."""
    together: dict[tuple[str, str], list[MarkedPoint]] = {}
    for row in rows:
        if row.kind != UNCERTAIN:
            together.setdefault((row.event_id, row.kind), []).append(row)
    return sorted(
        MarkedEvent(
            min(p.t for p in points), float(np.mean([p.y for p in points])), float(np.mean([p.x for p in points])), kind
        )
        for (_, kind), points in together.items()
    )
