"""The mistakes of a head on frames that it never saw: what it made up, what it took for another kind and what it missed, worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from napari_tap_events.events.matching import match_events
from napari_tap_events.events.table import read_events

MISSED, FALSE, WRONG_KIND = "missed", "false alarm", "wrong kind"


@dataclass(frozen=True)
class Mistake:
    """A false alarm, an event that was found under the name of another kind, or one that was missed.

    Attributes
    ----------
    what : str
        `FALSE`, `WRONG_KIND` or `MISSED`.
    t : int
        Frame.
    y, x : float
        Pixels of the movie.
    kind : str
        What it is; of a false alarm, what it was taken for.
    probability : float or None
        That of what was found; of a missed event, that of the best candidate there, None where there is none.
    taken_for : str
        The other kind for which an event was taken, "" for none.
    """

    what: str
    t: int
    y: float
    x: float
    kind: str
    probability: float | None
    taken_for: str = ""


def mistakes_of(head: Path, radius_px: float, frames: int, told_apart: bool = False) -> list[Mistake]:
    """Compare the events that a head found out of fold with the true ones.

    Parameters
    ----------
    head : Path
        Folder that `train` wrote.
    radius_px : float
    frames : int
        How far apart a found and a true event may lie.
    told_apart : bool
        Whether the head tells kinds apart, so that it may take an event for what it is not.

    Returns
    -------
    list of Mistake
        False alarms, the surest first, then wrong kinds and missed events, both in the order of time.

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
    pairs = zip(_rows(found.iloc[matching.predicted]), _rows(truth.iloc[matching.truth]), strict=True)
    wrong = [_wrong_kind(event, taken) for taken, event in pairs if told_apart and taken.kind != event.kind]
    return [
        *(_mistake(FALSE, row, row.probability) for row in _rows(alarms)),
        *sorted(wrong, key=lambda mistake: mistake.t),
        *(_mistake(MISSED, row, at_best.get(number)) for number, row in enumerate(_rows(missed))),
    ]


def _rows(table: pd.DataFrame) -> Iterable[pd.Series]:
    return (row for _, row in table.iterrows())


def _mistake(what: str, row: pd.Series, probability: float | None) -> Mistake:
    known = None if probability is None else float(probability)
    return Mistake(what, int(row.t), float(row.y), float(row.x), str(row.kind), known)


def _wrong_kind(event: pd.Series, taken: pd.Series) -> Mistake:
    return replace(_mistake(WRONG_KIND, event, taken.probability), taken_for=str(taken.kind))
