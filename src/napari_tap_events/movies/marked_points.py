"""Events marked as points: the few columns of an events table that masks are made from."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
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
        When the table cannot be read, lacks a column or a number, or a radius is not above 0.
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
            place = round(_number(row, "t")), _number(row, "y"), _number(row, "x")
            points.append(MarkedPoint(row.get("event_id") or f"line {number}", row["kind"].strip(), *place, _radius(row)))
        except KeyError as error:
            raise MaskError(f"the events table '{path.name}' has no column {error}; it needs kind, t, y and x.") from None
        except (ValueError, AttributeError) as error:
            raise MaskError(f"line {number} of the events table '{path.name}' cannot be read: {error}.") from None
    return tuple(points)


def _number(row: Mapping[str, str | None], column: str) -> float:
    """Return a finite number of a row."""
    told = row[column] or ""
    try:
        number = float(told)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{column} is '{told}'; write a number")
    return number


def _radius(row: Mapping[str, str | None]) -> float | None:
    """Return the radius of a row in pixels; None where it tells none."""
    if not row.get("radius"):
        return None
    radius = _number(row, "radius")
    if radius <= 0:
        raise ValueError(f"radius is {radius:g}; write pixels above 0, or leave it empty")
    return radius


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
