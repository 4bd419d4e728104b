"""What a person has said of events that a model has found: confirmed, rejected, or added where it found none."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.exporting import marked_table

if TYPE_CHECKING:
    import pandas as pd

SAID_BY_MARKS = ("t", "y", "x", "kind", "t_s", "y_um", "x_um")
"""Columns of an event that a person knows better."""


def judged(
    found: pd.DataFrame, a: Annotations, radius_px: float, radius_frames: int, movie: Movie | None = None
) -> pd.DataFrame:
    """Return an events table with the `status` of every event as the marks and answers on a movie say.

    What was seen in a random window of the review says as much as a mark, though it never teaches.

    Parameters
    ----------
    found : events table
        As a model has found them.
    a : Annotations
        Of the same movie.
    radius_px, radius_frames : float, int
        A found event this near to a mark, in pixels and frames, is that event; one to one. What was seen this near to a mark is it.
    movie : Movie, optional
        For the time and place of marks in seconds and micrometres.

    Returns
    -------
    events table
        An event at a mark is `confirmed`: when, where and what it is says the mark, its probability stays; one where a person said that
        nothing happens, or in a random window beside all that was seen there, is `rejected`; marks that nothing was found for are
        appended as `added`, without a probability. All others stay `proposed`.
    """
    import pandas as pd

    from napari_tap_events.events.matching import match_events

    marks = _seen_by_person(a, radius_px, radius_frames, movie)
    match = match_events(found, marks, radius_px, radius_frames)
    status = found["status"].to_numpy(object).copy()
    status[_rejected(found, a, radius_frames)] = "rejected"
    status[match.predicted] = "confirmed"
    told = found.assign(status=status)
    for name in (column for column in SAID_BY_MARKS if column in found and column in marks):
        values = found[name].to_numpy(copy=True)
        values[match.predicted] = marks[name].to_numpy()[match.truth]
        told[name] = values
    if not match.missed.size:
        return told
    first = 1 + (int(found["id"].max()) if len(found) else 0)
    missed = marks.iloc[match.missed].assign(id=range(first, first + match.missed.size))
    return pd.concat([told, missed.reindex(columns=told.columns)], ignore_index=True)


def _seen_by_person(a: Annotations, radius_px: float, radius_frames: int, movie: Movie | None) -> pd.DataFrame:
    """Return the events that a person marked, and those seen in random windows that nobody has marked, as an events table."""
    import pandas as pd

    from napari_tap_events.events.table import UNCERTAIN, EventRow, events_table

    marks = marked_table(a, movie).drop(columns="radius")
    marks = marks[marks["kind"] != UNCERTAIN]
    places, rows = list(marks[["t", "y", "x"]].itertuples(index=False, name=None)), []
    for seen in (event for audit in a.audits if not audit.unsure for event in audit.seen):
        near = (abs(seen.t - t) <= radius_frames and hypot(seen.y - y, seen.x - x) <= radius_px for t, y, x in places)
        if not any(near):  # one at the border is seen in two windows
            places.append((seen.t, seen.y, seen.x))
            rows.append(EventRow(seen.t, seen.y, seen.x, seen.kind, source="person", status="added"))
    if not rows:
        return marks.reset_index(drop=True)
    scale = (movie.interval_s, movie.pixel_size_um) if movie else (None, None)
    return pd.concat([marks, events_table(rows, *scale)], ignore_index=True)


def _rejected(found: pd.DataFrame, a: Annotations, radius_frames: int) -> NDArray[np.bool_]:
    """Say of every event whether it lies where a person saw that nothing happens, or nothing but what is told beside."""
    t, y, x = (found[name].to_numpy(np.float64) for name in ("t", "y", "x"))
    said = {meaning: np.zeros(len(found), bool) for meaning in ("yes", "no", "unsure")}
    for verdict in a.verdicts:
        away = np.maximum(abs(y - verdict.y), abs(x - verdict.x))
        said[verdict.answer] |= (abs(t - verdict.t) <= verdict.reach_frames) & (away <= verdict.side_px / 2)
    for point in a.points:
        at = (abs(t - point.t) <= radius_frames) & (np.hypot(y - point.y, x - point.x) <= point.radius_px)
        said["no" if point.meaning == "nothing" else "unsure"] |= at
    shown = np.zeros(len(found), bool)
    design = a.audit_design
    if design is not None:
        for box in (design.box(audit.window) for audit in a.audits if not audit.unsure):
            inside = (y >= box.y0) & (y < box.y1) & (x >= box.x0) & (x < box.x1)
            shown |= inside & (t >= box.frames.start) & (t < box.frames.stop)
    return said["no"] | (shown & ~said["unsure"])
