"""What comes of a lesson: first a head that nobody has proven, then the same with what it is worth, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.head import EventHead
from napari_tap_events.jobs.answers import Answers


@dataclass(frozen=True)
class Learned:
    """What came of one lesson.

    Attributes
    ----------
    head : EventHead
    calibrator : Calibrator
        Score of a candidate to probability.
    threshold : float
        Probability from which a candidate is listed.
    candidates : events table
        With `probability`, `score`, and `held_out`: the probability that a head gives which was not taught there.
    answers : int
        How many it learned from.
    windows : tuple of Calibrator
        Logit of a window to probability: of any event, then of each kind that is told apart.
    kinds : tuple of str
        Which are told apart.
    """

    head: EventHead
    calibrator: Calibrator
    threshold: float
    candidates: pd.DataFrame
    answers: int
    windows: tuple[Calibrator, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unproven:
    """A head that all answers have taught, while nobody knows yet what it is worth.

    Attributes
    ----------
    head : EventHead
    answers : Answers
    labels : (T-1, K, rows, columns) int8
        What they say of each window: 1 event, 0 none, -1 unknown; of any event, then of each kind that is told apart.
    warm : EventHead or None
        What it went on from, as its held-out heads must.
    kinds : tuple of str
        Which are told apart.
    """

    head: EventHead
    answers: Answers
    labels: NDArray[np.int8]
    warm: EventHead | None
    kinds: tuple[str, ...] = ()


def listed(table: pd.DataFrame, threshold: float, column: str = "probability") -> pd.DataFrame:
    """Return the candidates that are listed."""
    return table[table[column] >= threshold].reset_index(drop=True)
