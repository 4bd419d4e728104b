"""The events table: one row an event, in frames and pixels, read from and written to CSV.

Columns, in this order:

=============  =====  ==============================================================================================
`id`           int    number of the event, unique in its table
`t`            int    first frame of the frame pair (t, t+1) of the event: a division's mother is whole in `t`, two in `t+1`
`y`, `x`       float  place in pixels, (0, 0) the centre of the first pixel
`kind`         str    "division", "death", "event" where several kinds are merged, "uncertain" where nobody can say
`probability`  float  0..1, calibrated; empty where a person set the event
`source`       str    who found it: a model's name, "person", "truth"
`status`       str    "proposed", "confirmed", "rejected" or "added"; rejected rows are not scored
`t_s`          float  `t` in seconds, where the movie's interval is known
`y_um`, `x_um` float  place in micrometres, where the pixel size is known
=============  =====  ==============================================================================================

Truth tables have a row for every cell that takes part (mother, daughters); their rows of one `event_id` are one event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from napari_tap_events.errors import MaskError, OutputError
from napari_tap_events.writing import all_or_nothing

Status = Literal["proposed", "confirmed", "rejected", "added"]

COLUMNS = ("id", "t", "y", "x", "kind", "probability", "source", "status")
STATUSES: tuple[Status, ...] = ("proposed", "confirmed", "rejected", "added")
UNCERTAIN, ANY_KIND = "uncertain", "event"
"""The kind of events that count neither as found nor as missed, and that of events whose kind nobody has told."""
MOST_FRAMES = 2**31
"""No movie has more; a larger number of a table would not come back as it was."""


@dataclass(frozen=True)
class EventRow:
    """One event, before it is a row of a table.

    Attributes
    ----------
    t : int
        First frame of the event's frame pair (t, t+1).
    y, x : float
        Place in pixels.
    kind : str
    probability : float or None
        0..1, calibrated; None where a person set the event.
    source : str
    status : "proposed", "confirmed", "rejected" or "added"
    id : int or None
        Kept where given; None takes the next free number.
    """

    t: int
    y: float
    x: float
    kind: str = "event"
    probability: float | None = None
    source: str = ""
    status: Status = "proposed"
    id: int | None = None


def events_table(rows: Iterable[EventRow], interval_s: float | None = None, pixel_size_um: float | None = None) -> pd.DataFrame:
    """Make a table of events, in the order in which they come.

    Places are kept to 0.01 px and probabilities to six decimals, so that what is written is what is read again.

    Parameters
    ----------
    rows : iterable of EventRow
    interval_s : float, optional
        Seconds between frames; adds `t_s`.
    pixel_size_um : float, optional
        Side of a pixel in micrometres; adds `y_um` and `x_um`.
    """
    events = list(rows)
    frame = pd.DataFrame(
        {
            "id": _numbered([event.id for event in events]),
            "t": np.array([event.t for event in events], dtype=np.int64),
            "y": np.round(np.array([event.y for event in events], dtype=np.float64), 2),
            "x": np.round(np.array([event.x for event in events], dtype=np.float64), 2),
            "kind": pd.Series([event.kind for event in events], dtype="str"),
            "probability": np.round(np.array([event.probability for event in events], dtype=np.float64), 6),
            "source": pd.Series([event.source for event in events], dtype="str"),
            "status": pd.Series([event.status for event in events], dtype="str"),
        }
    )
    return with_scale(frame, interval_s, pixel_size_um)


def name_for_all(kinds: Iterable[str]) -> str:
    """Return the kind that all events have, those that nobody is sure of left out; "event" where there are several, or none."""
    found = set(kinds) - {UNCERTAIN}
    return found.pop() if len(found) == 1 else ANY_KIND


def with_scale(frame: pd.DataFrame, interval_s: float | None, pixel_size_um: float | None) -> pd.DataFrame:
    """Return the table with `t_s` (seconds) and `y_um`, `x_um` (micrometres) where interval and pixel size are known."""
    scaled = frame.copy()
    if interval_s is not None:
        scaled["t_s"] = scaled["t"] * interval_s
    if pixel_size_um is not None:
        scaled["y_um"] = (scaled["y"] * pixel_size_um).round(4)
        scaled["x_um"] = (scaled["x"] * pixel_size_um).round(4)
    return scaled


def write_events(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table of events as CSV: all of it or, when something fails, none of it.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    first = [name for name in COLUMNS if name in frame.columns]
    rest = [name for name in frame.columns if name not in COLUMNS]
    try:
        with all_or_nothing(path) as partial:
            frame[first + rest].to_csv(partial, index=False, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the events table '{path}' cannot be written: {error.strerror or error}.") from None
    return path


def read_events(path: Path) -> pd.DataFrame:
    """Read a table of events, ours or a truth table with one row for each cell of an event.

    Only `t`, `y` and `x` must be there; what else is missing is filled in: `kind` "event", `probability` empty, `status`
    "proposed". In a table with `event_id` the rows of one event become one: `t` is their smallest, the place their mean, the
    rest as in the first of them, `source` "truth", `status` "confirmed"; its `certainty` is kept.

    Raises
    ------
    MaskError
        When the file cannot be read, is empty, lacks a column, or holds something that is no number; the message says where.
    """
    frame = _read_csv(path)
    missing = [name for name in ("t", "y", "x") if name not in frame.columns]
    if missing:
        raise MaskError(
            f"'{path.name}' is no events table: it lacks {', '.join(missing)}; its columns are {', '.join(frame.columns)}."
        )
    for name in ("t", "y", "x"):
        frame[name] = _numbers(frame, name, path)
    frame["t"] = _whole_frames(frame, path)
    return _truth(frame, path) if "event_id" in frame.columns else _ours(frame, path)


def _read_csv(path: Path) -> pd.DataFrame:
    """Read every cell as text, so that a wrong one can be named."""
    try:
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise MaskError(
            f"the events table '{path.name}' is empty; it needs at least a header line: {','.join(COLUMNS)}"
        ) from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise MaskError(f"'{path.name}' cannot be read as CSV: {str(error).strip()}.") from None
    except OSError as error:
        raise MaskError(f"the events table '{path}' cannot be read: {error.strerror or error}.") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise MaskError(f"'{path.name}' cannot be read as CSV: its rows have more cells than its header line has names.")
    frame.columns = frame.columns.str.strip()
    return pd.DataFrame({name: frame[name].str.strip() for name in frame.columns})


def _numbers(frame: pd.DataFrame, name: str, path: Path, *, empty: bool = False) -> pd.Series[float]:
    """Turn a column of text into finite numbers; empty cells become NaN where they may be."""
    text = frame[name]
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    wrong = np.flatnonzero(~np.isfinite(numbers.to_numpy()) & ~((text == "").to_numpy() & empty))
    if wrong.size:
        row = int(wrong[0])
        raise MaskError(f"'{path.name}', row {row + 1} below the header: {name} is '{text.iloc[row]}', which is no number.")
    return numbers


def _whole_frames(frame: pd.DataFrame, path: Path) -> pd.Series[int]:
    times = frame["t"]
    wrong = np.flatnonzero(((times < 0) | (times > MOST_FRAMES) | (times % 1 != 0)).to_numpy())
    if wrong.size:
        row = int(wrong[0])
        raise MaskError(
            f"'{path.name}', row {row + 1} below the header: t is {times.iloc[row]:g}; it must be a frame, counted from 0."
        )
    return times.astype("int64")


def _ours(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Complete and check a table with one row an event."""
    given = dict(zip(frame.columns, frame.columns, strict=True))
    frame["id"] = _ids(frame, path) if "id" in given else np.arange(1, len(frame) + 1, dtype=np.int64)
    frame["kind"] = frame["kind"].replace("", "event") if "kind" in given else "event"
    frame["probability"] = _probabilities(frame, path) if "probability" in given else np.nan
    frame["source"] = frame["source"] if "source" in given else ""
    frame["status"] = _statuses(frame, path) if "status" in given else "proposed"
    for name in ("t_s", "y_um", "x_um"):
        if name in given:
            frame[name] = _numbers(frame, name, path, empty=True)
    rest = [name for name in frame.columns if name not in COLUMNS]
    return frame[[*COLUMNS, *rest]]


def _truth(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Join the rows of every `event_id` into one event."""
    text = frame["event_id"]
    if (text == "").any():
        row = int(np.flatnonzero((text == "").to_numpy())[0])
        raise MaskError(f"'{path.name}', row {row + 1} below the header: event_id is empty; every row belongs to an event.")
    for name, default in (("kind", "event"), ("certainty", "certain")):
        frame[name] = frame[name].replace("", default) if name in frame.columns else default
    groups = frame.groupby("event_id", sort=False)
    events = groups.agg(
        t=("t", "min"), y=("y", "mean"), x=("x", "mean"), kind=("kind", "first"), certainty=("certainty", "first")
    )
    numbers = pd.to_numeric(pd.Series(events.index), errors="coerce")
    whole = bool((numbers % 1 == 0).all()) and numbers.is_unique
    ids = numbers.to_numpy().astype(np.int64) if whole else np.arange(1, len(events) + 1, dtype=np.int64)
    events = events.reset_index(drop=True).assign(id=ids, probability=np.nan, source="truth", status="confirmed")
    return events[[*COLUMNS, "certainty"]]


def _ids(frame: pd.DataFrame, path: Path) -> pd.Series[int]:
    ids = _numbers(frame, "id", path).astype("int64")
    if ids.duplicated().any():
        raise MaskError(
            f"'{path.name}' has id {ids[ids.duplicated()].iloc[0]} more than once; every event needs its own number."
        )
    return ids


def _probabilities(frame: pd.DataFrame, path: Path) -> pd.Series[float]:
    values = _numbers(frame, "probability", path, empty=True)
    wrong = np.flatnonzero(((values < 0) | (values > 1)).to_numpy())
    if wrong.size:
        row = int(wrong[0])
        raise MaskError(
            f"'{path.name}', row {row + 1} below the header: probability is {values.iloc[row]:g}, not within 0 to 1."
        )
    return values


def _statuses(frame: pd.DataFrame, path: Path) -> pd.Series[str]:
    statuses = frame["status"].replace("", "proposed")
    wrong = np.flatnonzero(~statuses.isin(STATUSES).to_numpy())
    if wrong.size:
        row = int(wrong[0])
        raise MaskError(
            f"'{path.name}', row {row + 1} below the header: status is '{statuses.iloc[row]}'; it can be {', '.join(STATUSES)}."
        )
    return statuses


def _numbered(ids: list[int | None]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give the next free number to every event that has none."""
    free = max((number for number in ids if number is not None), default=0)
    numbers = []
    for number in ids:
        free += number is None
        numbers.append(free if number is None else number)
    return np.array(numbers, dtype=np.int64)
