"""Which game teaches the best features: ranks over movies and labels, and how far they would move with other events and seeds.

A draw takes blocks of time of every movie again, the same ones for all games, and seeds again, too; then everything is ranked anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.ranking import ap_draws
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.pretext_trials import UNTAUGHT
from napari_tap_events.jobs.study_summary import DONE
from napari_tap_events.settings import ScoreSettings

REPEATS = 1000
REFERENCE = "time_arrow"
Floats = NDArray[np.float64]
MEANS = ("pretrain_cpu_s", "game_accuracy", "game_chance", "feature_spread", "feature_rank", "warned")


def ranks(rows: pd.DataFrame, folder: Path, score: ScoreSettings, frames: Mapping[str, int]) -> pd.DataFrame:
    """Rank the games of a study.

    Parameters
    ----------
    rows : DataFrame
        Every trial.
    folder : Path
        Of the study.
    score : ScoreSettings
    frames : mapping of movie to int
        Frames of each movie.

    Returns
    -------
    DataFrame
        For each game, the best first; what was not taught stands at the end, unranked. `rank` (1 is best; the mean over movies and
        labels), `average_precision`, `against` (average precision beyond that of the arrow of time), each with `_low` and `_high`, the
        ends of the 95 % interval; `against_sd`, over seeds; `cells`, movies times labels; means of what is known of the encoders.
    """
    done = rows[(rows["status"] == DONE) & rows["average_precision"].notna()]
    names = list(dict.fromkeys(rows["game"]))
    cells = [cell for _, cell in done.groupby(["movie", "labels"], sort=False) if set(cell["game"]) == set(names)]
    means = np.array([[cell[cell["game"] == name]["average_precision"].mean() for name in names] for cell in cells])
    draws = [_draws(cell, names, folder, score, frames) for cell in cells]
    drawn = np.stack([one for one in draws if one is not None]) if any(one is not None for one in draws) else None
    told = [_told(names, g, means, drawn, done) for g in range(len(names))]
    table = pd.DataFrame(told)
    return table.sort_values(["rank", "average_precision"], ascending=[True, False], na_position="last").reset_index(drop=True)


def _told(names: list[str], g: int, means: Floats, drawn: Floats | None, done: pd.DataFrame) -> dict[str, Any]:
    """Return the line of one game; means (cells, games), drawn (cells, games, draws)."""
    name, games = names[g], [i for i, one in enumerate(names) if one not in UNTAUGHT.values()]
    line: dict[str, Any] = {"game": name, "cells": len(means), "seeds": int(done["seed"].nunique())}
    line["average_precision"] = float(means[:, g].mean()) if len(means) else np.nan
    reference = names.index(REFERENCE) if REFERENCE in names else None
    if drawn is not None:
        line |= _ends("average_precision", np.nanmean(drawn[:, g], 0))
    if g in games and len(means):
        line["rank"] = float(_ranked(means[:, games]).mean(0)[games.index(g)])
        if drawn is not None:
            line |= _ends("rank", _ranked(drawn[:, games]).mean(0)[games.index(g)])
    line.setdefault("rank", np.nan)
    if reference is not None and g != reference and len(means):
        line["against"] = float((means[:, g] - means[:, reference]).mean())
        line["against_sd"] = _over_seeds(done, name)
        if drawn is not None:
            line |= _ends("against", np.nanmean(drawn[:, g] - drawn[:, reference], 0))
    own = done[done["game"] == name]
    return line | {column: own[column].mean() for column in MEANS if column in own}


def _over_seeds(done: pd.DataFrame, name: str) -> float:
    """Return the standard deviation over seeds of the difference to the arrow of time, mean over movies and labels."""
    by_seed = done.groupby(["game", "seed"])["average_precision"].mean()
    both = (by_seed[name] - by_seed[REFERENCE]).dropna() if name in by_seed and REFERENCE in by_seed else pd.Series(dtype=float)
    return float(both.std(ddof=1)) if len(both) > 1 else np.nan


def _draws(
    cell: pd.DataFrame, names: list[str], folder: Path, score: ScoreSettings, frames: Mapping[str, int]
) -> Floats | None:
    """Return average precision with other blocks of time and other seeds, (games, draws); None where there are too few events."""
    movie, found = str(cell["movie"].iloc[0]), []
    drawn = {"n_frames": frames[movie], "repeats": REPEATS, "seed": zlib.crc32(movie.encode())}  # movies are drawn apart
    for name in names:
        places = [folder / "trials" / str(one) / "head" for one in cell[cell["game"] == name]["folder"]]
        tables = [(read_events(place / "candidates.csv"), read_events(place / "truth.csv")) for place in places]
        seeds = [ap_draws(candidates, truth, score, **drawn) for candidates, truth in tables]
        if not seeds or any(one is None for one in seeds):
            return None
        stacked = np.stack([one for one in seeds if one is not None])
        chosen = np.random.default_rng(1).integers(0, len(stacked), (len(stacked), REPEATS))
        found.append(np.take_along_axis(stacked, chosen, 0).mean(0))
    return np.stack(found)


def _ranked(values: Floats) -> Floats:
    """Return ranks along the second axis, 1 for the highest; equals share the mean of theirs."""
    higher = (values[:, None] > values[:, :, None]).sum(2)
    equal = (values[:, None] == values[:, :, None]).sum(2)
    return np.asarray(higher + (equal + 1) / 2, dtype=np.float64)


def _ends(name: str, values: Floats) -> dict[str, float]:
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    return {f"{name}_low": float(low), f"{name}_high": float(high)}
