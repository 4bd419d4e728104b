"""What candidates without a label gain when they lose to stronger ones that follow at their places, by how long one may follow another.

    python benchmarks/what_follows.py FOLDER... [--encoder shipped] [--radius-px 15] [--every 1] [--threads 1]

A FOLDER is what `synth` wrote: `movie.tif` and `truth.csv`. Prints average precision for each reach in frames, in brackets that of deaths
alone, divisions counting neither way. With `--every N` of each movie every N-th frame is taken, as from a slower microscope.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.feature_maps import passing_maps
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.events.detection import (
    Candidate,
    MaximaFinder,
    ScoreGrid,
    less_successors,
    with_any_kind,
)
from napari_tap_events.events.ranking import average_precision
from napari_tap_events.events.table import UNCERTAIN, EventRow, events_table, read_events
from napari_tap_events.events.without_labels import RANKINGS
from napari_tap_events.jobs.without_labels import LEAST, MAP_STRIDE_PX
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import ComputeSettings, EventSettings, MovieSettings, ScoreSettings

REACHES = (0, 4, 6, 8, 10, 20)
FRAMES_APART = 2
SIMULATED = RANKINGS["simulated"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--encoder", default="shipped")
    parser.add_argument("--radius-px", type=float, default=15.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print("| movie | " + " | ".join(map(str, REACHES)) + " |\n|---" + "|---" * len(REACHES) + "|")
    for folder in given.folders:
        movie, truth = _every(folder, given.every)
        found = _candidates(movie, given.encoder, given.radius_px, given.threads)
        cells = [_cell(found, truth, reach, given.radius_px) for reach in REACHES]
        print(f"| {folder.name} | " + " | ".join(cells) + " |", flush=True)


def _every(folder: Path, step: int) -> tuple[Movie, pd.DataFrame]:
    movie, truth = open_movie(folder / "movie.tif", MovieSettings()), read_events(folder / "truth.csv")
    if step == 1:
        return movie, truth
    return movie_from_array(movie.as_array()[::step, 0]), truth.assign(t=truth["t"] // step)


def _candidates(movie: Movie, encoder: str, radius_px: float, threads: int) -> list[Candidate]:
    model, _ = load_encoder(encoder_folder(encoder), movie.n_channels)
    compute = compute_for(ComputeSettings(device="cpu", threads=threads))
    scale = model.scale_for(radius_px, None)
    source = EncoderFeatures(model.encoder, None, compute, simulated=model.simulated, scale=scale)
    finder = MaximaFinder(ScoreGrid(MAP_STRIDE_PX, (MAP_STRIDE_PX - 1) / 2), radius_px, FRAMES_APART)
    found: list[Candidate] = []
    for t, maps in passing_maps(movie, source, compute, MAP_STRIDE_PX, range(movie.n_frames)):
        found += finder.add(t, with_any_kind(SIMULATED.score(maps, radius_px / MAP_STRIDE_PX)))
    return found + finder.rest()


def _cell(found: Sequence[Candidate], truth: pd.DataFrame, reach: int, radius_px: float) -> str:
    places = np.array([(c.t, c.y, c.x) for c in found], dtype=np.float64).reshape(-1, 3)
    odds = logit(np.clip([SIMULATED.probability(c.score) for c in found], LEAST, 1 - LEAST))
    near = EventSettings(radius_px=radius_px, radius_frames=FRAMES_APART)
    told = less_successors(places, odds, places, odds, near, reach // FRAMES_APART)
    table = events_table([EventRow(c.t, c.y, c.x, "event", float(p)) for c, p in zip(found, expit(told), strict=True)])
    counted = [str(kind) for kind in truth["kind"].unique() if kind != UNCERTAIN]
    score = ScoreSettings(radius_px=radius_px, frames=FRAMES_APART)
    either, deaths = (average_precision(table, _only(truth, kinds), score) for kinds in (counted, ["death"]))
    return f"{either:.3f} ({deaths:.2f})"


def _only(truth: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    return truth.assign(kind=np.where(truth["kind"].isin(kinds), "event", UNCERTAIN))


if __name__ == "__main__":
    main()
