"""What is locked away from teaching, cut into units on which heads are compared: windows of the audit, and answers in locked frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import AuditAnswer
from napari_tap_events.review.places import near_any
from napari_tap_events.settings import EventSettings

Places = Sequence[tuple[int, float, float, str]]


def locked_units(a: Annotations, near: EventSettings) -> tuple[list[Scope], list[pd.DataFrame]]:
    """Return the boxes that judge heads, and the true events of each.

    Events just outside of a window count neither way, as uncertain ones do; nor do places in it that were judged before it came, since
    they teach.
    """
    boxes, truth = [], []
    design = a.audit_design
    for audit in a.audits if design is not None else ():
        if design is not None and not audit.unsure:
            box = design.box(audit.window)
            boxes.append(box)
            taught = [(t, y, x, UNCERTAIN) for t, y, x in audit.judged]
            truth.append(_table([*_judging(audit, box, near), *taught]))
    for v in a.verdicts:
        if v.locked and v.answer != "unsure":
            boxes.append(v.box(a.shape))
            truth.append(_table([(v.t, v.y, v.x, v.kind)] if v.answer == "yes" else []))
    return boxes, truth


def _judging(audit: AuditAnswer, box: Scope, near: EventSettings) -> list[tuple[int, float, float, str]]:
    """Return what was seen in a window; what lies outside of it, or was known before, as uncertain."""
    places = np.array([(e.t, e.y, e.x) for e in audit.seen], dtype=np.float64).reshape(-1, 3)
    known = near_any(places, audit.judged, near)
    inside = [box.contains(e.t, round(e.y), round(e.x)) for e in audit.seen]
    judges = [i and not k for i, k in zip(inside, known, strict=True)]
    return [(e.t, e.y, e.x, e.kind if j else UNCERTAIN) for e, j in zip(audit.seen, judges, strict=True)]


def within(table: pd.DataFrame, box: Scope) -> pd.DataFrame:
    """Return the rows of an events table in a box."""
    t, y, x = (table[name].to_numpy(dtype=np.float64) for name in ("t", "y", "x"))
    inside = (t >= box.frames.start) & (t < box.frames.stop) & (y >= box.y0) & (y < box.y1) & (x >= box.x0) & (x < box.x1)
    return table[inside].reset_index(drop=True)


def _table(places: Places) -> pd.DataFrame:
    t, y, x = (np.array([place[i] for place in places], dtype=np.float64) for i in range(3))
    return pd.DataFrame({"t": t, "y": y, "x": x, "kind": pd.Series([place[3] for place in places], dtype="str")})
