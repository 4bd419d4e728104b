"""The mistakes of a head on frames that it never saw: what it missed and what it made up, worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from napari_tap_events.events.matching import match_events
from napari_tap_events.events.table import read_events

MISSED, FALSE = "missed", "false alarm"


@dataclass(frozen=True)
class Mistake:
    """An event that was missed, or a false alarm.

    Attributes
    ----------
    what : str
        `MISSED` or `FALSE`.
    t : int
        Frame.
    y, x : float
        Pixels of the movie.
    kind : str
    probability : float or None
        Of a false alarm; of a missed event, that of the best candidate there, None where there is none.
    """

    what: str
    t: int
    y: float
    x: float
    kind: str
    probability: float | None


def mistakes_of(head: Path, radius_px: float, frames: int) -> list[Mistake]:
    """Compare the events that a head found out of fold with the true ones.

    Parameters
    ----------
    head : Path
        Folder that `train` wrote.
    radius_px : float
    frames : int
        How far apart a found and a true event may lie.

    Returns
    -------
    list of Mistake
        False alarms, the surest first, then missed events in the order of time.

    Raises
    ------
    MaskError
        When a table of the folder cannot be read.
    """
    found, truth = read_events(head / "events.csv"), read_events(head / "truth.csv")
    candidates = read_events(head / "candidates.csv")
    matching = match_events(found, truth, radius_px, frames)
    alarms = found.iloc[matching.false].sort_values("probability", ascending=False)
    missed = truth.iloc[matching.missed].sort_values("t")
    near = match_events(candidates, missed.reset_index(drop=True), radius_px, frames)
    at_best = dict(zip(near.truth.tolist(), candidates["probability"].iloc[near.predicted], strict=True))
    return [
        *(_mistake(FALSE, row, row.probability) for row in _rows(alarms)),
        *(_mistake(MISSED, row, at_best.get(number)) for number, row in enumerate(_rows(missed))),
    ]


def _rows(table: pd.DataFrame) -> Iterable[pd.Series]:
    return (row for _, row in table.iterrows())


def _mistake(what: str, row: pd.Series, probability: float | None) -> Mistake:
    known = None if probability is None else float(probability)
    return Mistake(what, int(row.t), float(row.y), float(row.x), str(row.kind), known)
