"""Which candidates are listed as events: what a person has said comes before any threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.over_time import BY_A_PERSON

LISTED_FROM = 0.45
"""From 0.40 to 0.60 the F1 of the shipped encoder, averaged over synthetic movies of three difficulties and two looks, changes little."""


def are_listed(events: pd.DataFrame, threshold: float) -> NDArray[np.bool_]:
    """Say which rows of an events table are listed.

    Parameters
    ----------
    events : events table
        Those without a `status` count as proposed.
    threshold : float
        Probability, 0..1, from which on a proposed event is listed.

    Returns
    -------
    (N,) bool
        True also for what a person confirmed or added, and for what has no probability; False for what a person rejected.
    """
    status = statuses(events)
    likely = probabilities(events) >= threshold
    listed: NDArray[np.bool_] = np.isin(status, BY_A_PERSON) | (likely & (status != "rejected"))
    return listed


def statuses(events: pd.DataFrame) -> NDArray[np.object_]:
    """Return the status of every event, (N,) str; "proposed" where the table has none."""
    told = events.get("status")
    return np.full(len(events), "proposed", dtype=object) if told is None else np.asarray(told, dtype=object)


def probabilities(events: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of every event, (N,) 0..1; 1 where it has none."""
    return np.nan_to_num(np.asarray(events["probability"], dtype=np.float64), nan=1.0)
