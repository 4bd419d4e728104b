"""What is locked away from teaching, cut into units on which heads are compared: windows of the audit, and answers in locked frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations

Places = Sequence[tuple[int, float, float, str]]


def locked_units(a: Annotations) -> tuple[list[Scope], list[pd.DataFrame]]:
    """Return the boxes that judge heads, and the true events of each.

    Events just outside of a window count neither way, as uncertain ones do.
    """
    boxes, truth = [], []
    design = a.audit_design
    for audit in a.audits if design is not None else ():
        if design is not None and not audit.unsure:
            box = design.box(audit.window)
            inside = [box.contains(e.t, round(e.y), round(e.x)) for e in audit.seen]
            boxes.append(box)
            truth.append(_table([(e.t, e.y, e.x, e.kind if i else UNCERTAIN) for e, i in zip(audit.seen, inside, strict=True)]))
    for v in a.verdicts:
        if v.locked and v.answer != "unsure":
            boxes.append(v.box(a.shape))
            truth.append(_table([(v.t, v.y, v.x, v.kind)] if v.answer == "yes" else []))
    return boxes, truth


def within(table: pd.DataFrame, box: Scope) -> pd.DataFrame:
    """Return the rows of an events table in a box."""
    t, y, x = (table[name].to_numpy(dtype=np.float64) for name in ("t", "y", "x"))
    inside = (t >= box.frames.start) & (t < box.frames.stop) & (y >= box.y0) & (y < box.y1) & (x >= box.x0) & (x < box.x1)
    return table[inside].reset_index(drop=True)


def _table(places: Places) -> pd.DataFrame:
    t, y, x = (np.array([place[i] for place in places], dtype=np.float64) for i in range(3))
    return pd.DataFrame({"t": t, "y": y, "x": x, "kind": pd.Series([place[3] for place in places], dtype="str")})
