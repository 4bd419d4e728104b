"""What a file for another program says of the movie: its size, its scale, where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

USUAL_RADIUS_PX = 15.0


@dataclass(frozen=True)
class MovieFacts:
    """What is known of the movie in which the events are.

    Attributes
    ----------
    path : Path or None
        Where it lies.
    n_frames, height, width : int
        Its size in frames and pixels; 0 where it is not known, and then taken from the events.
    pixel_size_um, interval_s : float or None
        Side of a pixel in micrometres, time between frames in seconds.
    radius_px : float
        Radius of a cell in pixels.
    corners : (T, 2) int, optional
        Of a registered movie: row and column at which the first pixel of each frame before lies.
    """

    path: Path | None = None
    n_frames: int = 0
    height: int = 0
    width: int = 0
    pixel_size_um: float | None = None
    interval_s: float | None = None
    radius_px: float = USUAL_RADIUS_PX
    corners: NDArray[np.int64] | None = None


def facts_of_table(events: pd.DataFrame) -> MovieFacts:
    """Return what a table of events tells of its movie: the scale, from the columns in seconds and micrometres."""
    return MovieFacts(
        pixel_size_um=_ratio(events, "x_um", "x") or _ratio(events, "y_um", "y"), interval_s=_ratio(events, "t_s", "t")
    )


def _ratio(events: pd.DataFrame, scaled: str, plain: str) -> float | None:
    """Return how much one unit of a column is in the other, from its largest number; columns are rounded to four digits."""
    if scaled not in events.columns or events[scaled].isna().all():
        return None
    known = events[events[scaled].notna()]
    farthest = known.iloc[int(known[plain].abs().to_numpy().argmax())]
    return float(farthest[scaled]) / float(farthest[plain]) if farthest[plain] else None
