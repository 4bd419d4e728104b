"""The rows of a study, seeds joined: mean and spread over seeds, and how far the mean would move with other events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.events.ranking import bootstrap_mean
from napari_tap_events.events.table import UNCERTAIN, read_events
from napari_tap_events.settings import ScoreSettings

DONE = "done"
FIXED = ("row", "how", "published")
TOLD = ("movie", "game", "labels")
"""Columns of a study whose rows are each of one movie."""
PLACES = ("head", "arrow-0")
"""Where a trial keeps its tables of events."""
LEAST_EVENTS = 5
"""With fewer, drawing them again tells less than it seems to: no interval."""


def summarise(rows: pd.DataFrame, folder: Path, score: ScoreSettings, n_frames: int | None) -> pd.DataFrame:
    """Join the seeds of every row.

    Parameters
    ----------
    rows : DataFrame
        One row a trial: row, how, published, seed, status, folder, and what was measured.
    folder : Path
        Of the study.
    score : ScoreSettings
        Tolerance of the intervals.
    n_frames : int or None
        Frames of the movie; None where there are several movies, whose events cannot be drawn in blocks of one time: no intervals.

    Returns
    -------
    DataFrame
        Row, how, published, seeds, failed; `NAME` and `NAME_sd` for every number; f1_low, f1_high, average_precision_low, ..._high:
        95 % intervals of the mean, blocks of time drawn again.
    """
    told = []
    for _, trials in rows.groupby("row", sort=False):
        done = trials[trials["status"] == DONE]
        one: dict[str, Any] = {name: trials[name].iloc[0] for name in (*FIXED, *TOLD) if name in trials}
        one |= {"seeds": len(done), "failed": len(trials) - len(done)}
        one |= {"false_rate_unit": next(iter(done.get("false_rate_unit", pd.Series(dtype=object)).dropna()), None)}
        for name in rows.select_dtypes("number").columns.drop("seed"):
            values = done[name].dropna().to_numpy(dtype=np.float64)
            one[name] = float(values.mean()) if values.size else np.nan
            one[f"{name}_sd"] = float(values.std(ddof=1)) if values.size > 1 else np.nan
        told.append(one | (_interval(done, folder, score, n_frames) if n_frames else {}))
    return pd.DataFrame(told)


def _interval(done: pd.DataFrame, folder: Path, score: ScoreSettings, n_frames: int) -> dict[str, float]:
    places = [place for name in done["folder"] for part in PLACES if (place := folder / "trials" / name / part).is_dir()]
    tables = [place for place in places if all((place / f"{name}.csv").exists() for name in ("candidates", "events", "truth"))]
    if not tables:
        return {}
    runs = [(read_events(place / "candidates.csv"), read_events(place / "events.csv")) for place in tables]
    truth = read_events(tables[0] / "truth.csv")
    if (truth["kind"] != UNCERTAIN).sum() < LEAST_EVENTS:
        return {}
    interval = bootstrap_mean(runs, truth, score, n_frames=n_frames)
    ends = {"f1": interval.f1, "average_precision": interval.ap}
    return {f"{name}_{end}": value for name, pair in ends.items() for end, value in zip(("low", "high"), pair, strict=True)}
