"""Whether a new head may take the place of the one in use, and the history of heads, to go back to any of them.

Both heads are scored on what was locked away from teaching: the windows of the audit, and locked frames. The new one is taken when its
average precision is lower by no more than one standard error of the difference, from windows drawn again with replacement (both heads
on the same draws).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.errors import ProjectError
from napari_tap_events.events.ranking import average_precision
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.settings import ScoreSettings
from napari_tap_events.writing import all_or_nothing

LEAST_EVENTS = 3
"""With fewer events that are locked away nothing can be compared."""
DRAWS = 100


@dataclass(frozen=True)
class Ruling:
    """What became of a new head.

    Attributes
    ----------
    accepted : bool
    ap, ap_before : float
        Average precision of the new head and of the one in use; NaN where nothing can be said.
    standard_error : float
        Of their difference.
    words : str
        Said to the person, also where the new head is worse.
    """

    accepted: bool
    ap: float
    ap_before: float
    standard_error: float
    words: str


def rule(
    new: Sequence[pd.DataFrame],
    before: Sequence[pd.DataFrame] | None,
    truth: Sequence[pd.DataFrame],
    score: ScoreSettings,
    seed: int = 0,
) -> Ruling:
    """Compare two heads on units that neither was taught.

    Parameters
    ----------
    new, before, truth : sequences of events tables
        Of each unit (a window of the audit, a locked block): candidates of the new head and of the one in use, and the events;
        those of kind "uncertain" count neither way.
        `before` is None where there is no head yet.
    score : ScoreSettings
    seed : int
    """
    nan = float("nan")
    events = sum(int((table["kind"] != UNCERTAIN).sum()) for table in truth)
    if before is None:
        ap = _ap(new, truth, score, np.arange(len(truth))) if events >= LEAST_EVENTS else nan
        return Ruling(True, ap, nan, nan, "This is the first head.")
    if events < LEAST_EVENTS:
        words = f"{('No event', 'One event', 'Two events')[events]} to judge heads by so far: the new one is taken without a comparison."
        return Ruling(True, nan, nan, nan, words)
    whole = np.arange(len(truth))
    ap, ap_before = _ap(new, truth, score, whole), _ap(before, truth, score, whole)
    rng = np.random.default_rng((seed, 5))
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(DRAWS)]
    steps = [_ap(new, truth, score, draw) - _ap(before, truth, score, draw) for draw in draws]
    error = float(np.nanstd(steps))
    accepted = ap >= ap_before - error
    return Ruling(accepted, ap, ap_before, error, _words(ap, ap_before, error, accepted))


def _words(ap: float, before: float, error: float, accepted: bool) -> str:
    told = f"average precision {ap:.2f}, before {before:.2f}, standard error of the difference {error:.2f}"
    if not accepted:
        return f"The new head is worse and was not taken: {told}."
    return f"The new head is {'not better, but within the error, and was' if ap < before else 'at least as good and was'} taken: {told}."


def _ap(found: Sequence[pd.DataFrame], truth: Sequence[pd.DataFrame], score: ScoreSettings, units: NDArray[np.int64]) -> float:
    """Return the average precision over units, each as far apart in time as if it were a movie of its own."""
    apart = 1_000_000
    tables = [
        pd.concat(
            [tables[unit].assign(t=tables[unit]["t"] + place * apart) for place, unit in enumerate(units)], ignore_index=True
        )
        for tables in (found, truth)
    ]
    return average_precision(tables[0], tables[1], score)


@dataclass(frozen=True)
class HeadRecord:
    """A head of a review.

    Attributes
    ----------
    folder : str
        Its folder, from the project's.
    answers : int
        How many it was taught by, or put right.
    accepted : bool
    ap : float or None
        Average precision on what was locked away when it came.
    words : str
        What the gate said.
    created : str
        Date and time, UTC.
    elsewhere : bool
        Whether it was taught elsewhere; answers have only put its probabilities right.
    begun_with : str
        Folder of the head from elsewhere with which the review had begun; "" for none.
    """

    folder: str
    answers: int
    accepted: bool
    ap: float | None
    words: str
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    elsewhere: bool = False
    begun_with: str = ""


@dataclass(frozen=True)
class HeadHistory:
    """All heads of a movie's review, the oldest first, and which one is in use.

    Attributes
    ----------
    heads : tuple of HeadRecord
    in_use : str
        Folder of the head in use; "" for none.
    begun_with : str
        Folder of the head from elsewhere with which the review has begun, as it goes on now; "" for none.
    """

    heads: tuple[HeadRecord, ...] = ()
    in_use: str = ""
    begun_with: str = ""

    @property
    def record(self) -> HeadRecord | None:
        """The head in use."""
        return next((head for head in self.heads if head.folder == self.in_use), None)

    def with_head(self, record: HeadRecord) -> HeadHistory:
        """Return the history with one more head, in use if it was accepted."""
        return replace(self, heads=(*self.heads, record), in_use=record.folder if record.accepted else self.in_use)

    def going_back(self, folder: str) -> HeadHistory:
        """Return the history with another head in use.

        Raises
        ------
        ProjectError
            When there is no such head.
        """
        if folder and folder not in {head.folder for head in self.heads}:
            raise ProjectError(
                f"there is no head '{folder}' in the history; there are: {', '.join(h.folder for h in self.heads)}."
            )
        return replace(self, in_use=folder)


def read_history(path: Path) -> HeadHistory:
    """Read a history; an empty one where there is none, or it is damaged: heads can be taught again."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        heads = tuple(HeadRecord(**head) for head in values["heads"])
        return HeadHistory(heads, str(values["in_use"]), str(values.get("begun_with", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return HeadHistory()


def write_history(path: Path, history: HeadHistory) -> None:
    """Write a history: all of it or nothing.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with all_or_nothing(path) as partial:
        partial.write_text(json.dumps({"schema": 1, **asdict(history)}, indent=2), encoding="utf-8")
