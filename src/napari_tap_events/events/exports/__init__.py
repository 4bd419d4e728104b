"""Events for other programs: one table in, one file out, in a format that they read.

A format is one file in this folder; `FORMATS` lists them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.errors import OutputError
from napari_tap_events.events.exports.facts import MovieFacts, facts_of_table
from napari_tap_events.events.exports.geff import is_geff, write_geff
from napari_tap_events.events.exports.trackmate import write_trackmate
from napari_tap_events.events.table import with_scale, write_events

FormatName = Literal["csv", "geff", "trackmate"]


@dataclass(frozen=True)
class ExportFormat:
    """A format that events can be written in.

    Attributes
    ----------
    title : str
        As people call it.
    suffix : str
        Usual end of a file's name, with its dot.
    for_whom : str
        What reads it.
    write : function of table, path and facts
        Writes a file, or a folder, that is not there yet.
    """

    title: str
    suffix: str
    for_whom: str
    write: Callable[[pd.DataFrame, Path, MovieFacts], None]


def _write_csv(events: pd.DataFrame, path: Path, facts: MovieFacts) -> None:
    if len(_movies(events)) > 1:
        write_events(path, events)
        return
    told = with_scale(events, facts.interval_s, facts.pixel_size_um)
    write_events(path, told if facts.corners is None else _with_places_before(told, facts.corners))


def _with_places_before(events: pd.DataFrame, corners: NDArray[np.int64]) -> pd.DataFrame:
    """Return the table with places in the movie before it was registered, `y_unregistered` and `x_unregistered`, pixels."""
    t = events["t"].to_numpy()
    if len(t) and t.max() >= len(corners):
        return events
    before = events[["y", "x"]].to_numpy() - corners[t]
    return events.assign(y_unregistered=before[:, 0].round(2), x_unregistered=before[:, 1].round(2))


FORMATS: dict[FormatName, ExportFormat] = {
    "csv": ExportFormat("CSV", ".csv", "every spreadsheet, R, pandas", _write_csv),
    "geff": ExportFormat(
        "GEFF", ".geff", "napari plugins and libraries for tracks: a graph with one node an event", write_geff
    ),
    "trackmate": ExportFormat("TrackMate XML", ".xml", "TrackMate in Fiji: one track of two spots an event", write_trackmate),
}


def export_events(
    events: pd.DataFrame, out: Path, form: FormatName, facts: MovieFacts | None = None, *, overwrite: bool = False
) -> Path:
    """Write a table of events in the format of another program: all of it or, when something fails, none of it.

    Rejected events are kept in a CSV, which says so in a column; the other formats leave them out.

    Parameters
    ----------
    events : events table
        Of one movie.
    out : Path
        File to write; for GEFF a folder, which usually ends in `.geff`.
    form : {"csv", "geff", "trackmate"}
    facts : MovieFacts, optional
        What is known of the movie; by default the scale that the table tells.
    overwrite : bool
        Replace what is there; a folder only where it is a GEFF.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    OutputError
        When `out` is there already, cannot be written, or the events are of several movies.
    """
    if form not in FORMATS:
        raise OutputError(f"there is no format '{form}'; choose one of {', '.join(FORMATS)}.")
    _check_one_movie(events, form)
    beside = out.with_name(out.name + ".part")
    try:
        _make_way(out, overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(beside)
        FORMATS[form].write(exported(events, form).reset_index(drop=True), beside, facts or facts_of_table(events))
        _remove(out)
        beside.replace(out)
    except OSError as error:
        raise OutputError(f"'{out}' cannot be written: {error.strerror or error}.") from None
    return out


def exported(events: pd.DataFrame, form: FormatName) -> pd.DataFrame:
    """Return the rows that a format takes: all for a CSV, which has a column for their status, else those not rejected."""
    return events if form == "csv" else events[events["status"] != "rejected"]


def _movies(events: pd.DataFrame) -> list[str]:
    """Return the names of the movies in a table; none where it has no column for them."""
    return sorted(set(events["movie"].astype(str))) if "movie" in events.columns else []


def _check_one_movie(events: pd.DataFrame, form: FormatName) -> None:
    """Refuse to mix movies in a format that has no column for them."""
    movies = _movies(events)
    if len(movies) > 1 and form != "csv":
        raise OutputError(
            f"the table holds events of {len(movies)} movies ({', '.join(movies)}), and {FORMATS[form].title} is for one; "
            "keep the rows of one movie, or export a CSV."
        )


def _make_way(out: Path, overwrite: bool) -> None:
    if out.exists() and not overwrite:
        raise OutputError(f"'{out}' is there already; choose another name, or replace it with --overwrite.")
    if out.is_dir() and not is_geff(out):
        raise OutputError(f"'{out}' is a folder and no GEFF; it is not replaced: choose another name.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
