"""The recipe `detect` without any label: places ranked by what an encoder learned from the arrow of time, or from simulated movies."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.feature_maps import FeatureMaps, passing_maps
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.weights import ArrowEncoder, load_encoder
from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.events.detection import Candidate, MaximaFinder, ScoreGrid, less_successors, with_any_kind
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.events.without_labels import RANKINGS, Ranking, arrow_map, event_map
from napari_tap_events.jobs.detect import as_taught, mapped_first, pair_at
from napari_tap_events.jobs.output import Run, describe, finish, start
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import DetectSettings, frame_range

MAP_STRIDE_PX = 2
LEAST = 1e-9
"""Probabilities nearer to 0 and 1 are taken for as near, where log odds are told."""


def detect_without_labels(
    movie_path: Path, encoder: str | Path, settings: DetectSettings, run: Run, first_frame: int | None = None
) -> Generator[Report, None, Path]:
    """Rank the places of a movie by what an encoder's own heads say: an event detector that needs no label.

    Maps are averaged over a share of a cell (`RANKINGS`); the local maxima are the candidates.

    Parameters
    ----------
    movie_path : Path
    encoder : str or Path
        Folder of an encoder, or "shipped".
    settings : DetectSettings
        `by` says by which head; `threshold` is that of the ranking unless given.
    run : Run
    first_frame : int, optional
        Frame that somebody looks at: its map is written before all others, once more than needed; the results are the same.

    Raises
    ------
    ModelError
        When the encoder lacks the head that is asked for.
    """
    movie = single_channel(open_movie(movie_path, run.movie))
    frames = frame_range(settings.frames, movie.n_frames, "frames")
    compute = compute_for(run.compute)
    folder = encoder_folder(encoder)
    model, card = load_encoder(folder, movie.n_channels)
    by = ranking_of(model, settings.by, folder.name)
    settings = as_taught(settings, {})
    start(run, "detect", settings, {"movie": [movie_path], "encoder": [folder]})
    ranking, grid = RANKINGS[by], ScoreGrid(MAP_STRIDE_PX, (MAP_STRIDE_PX - 1) / 2)
    stored = _Stored(movie, model, frames, run)
    near = settings.same_event()
    finder = MaximaFinder(grid, near.radius_px, near.radius_frames)
    candidates: list[Candidate] = []
    scale = model.scale_for(near.radius_px, settings.scale)
    source = EncoderFeatures(model.encoder, model.arrow, compute, simulated=model.simulated, scale=scale)
    if first_frame is not None:
        t = pair_at(first_frame, frames)
        for _, maps in passing_maps(movie, source, compute, MAP_STRIDE_PX, range(t, t + 2)):
            stored.write(t, maps)
        yield Report("detect", 0, len(frames) - 1, mapped_first(t))
    for done, (t, maps) in enumerate(passing_maps(movie, source, compute, MAP_STRIDE_PX, frames), 1):
        stored.write(t, maps)
        candidates += finder.add(t, with_any_kind(ranking.score(maps, near.radius_px / MAP_STRIDE_PX)))
        yield Report("detect", done, len(frames) - 1)
        if run.control.wait_or_stop():
            raise JobStopped(f"stopped after {done} of {len(frames) - 1} frame pairs; start again with --overwrite.")
    candidates += finder.rest()
    summary = _write_tables(candidates, by, movie, settings, run.out)
    files = {**stored.files, "candidates": "candidates.csv", "events": "events.csv"}
    inputs = {"movie": describe(movie), "encoder": card.name, "by": by}
    finish(run, "detect", {"detect": settings}, inputs, files, summary, [ranking.note])
    return run.out


def ranking_of(model: ArrowEncoder, by: str, name: str) -> str:
    """Return the ranking that is asked for; "auto" is that of simulated movies where there is a head for it, else the arrow.

    Raises
    ------
    ModelError
        When the encoder lacks a head for it.
    """
    if by == "auto":
        by = "simulated" if model.simulated is not None else "arrow"
    if by in ("arrow", "both") and model.arrow is None:
        raise ModelError(f"the encoder '{name}' has no arrow head; give one that pretrain made with the game time_arrow.")
    if by in ("simulated", "both") and model.simulated is None:
        raise ModelError(f"the encoder '{name}' was not taught by simulated movies; rank --by arrow, or use --encoder shipped.")
    return by


class _Stored:
    """The maps that one pass writes: the arrow, and the probability of an event as in simulated movies."""

    def __init__(self, movie: Movie, model: ArrowEncoder, frames: range, run: Run) -> None:
        self.first = frames.start
        looks = {"arrow": (arrow_map, model.arrow), "simulated": (event_map, model.simulated)}
        self.maps: dict[str, Any] = {}
        self.looks = {name: look for name, (look, head) in looks.items() if head is not None}
        for name in self.looks:
            self.maps[name] = create_map(
                run.out / f"{name}.ome.zarr",
                (len(frames) - 1, movie.height // MAP_STRIDE_PX, movie.width // MAP_STRIDE_PX),
                name=name,
                stride_px=MAP_STRIDE_PX,
                offset_px=(MAP_STRIDE_PX - 1) / 2,
                pixel_size_um=movie.pixel_size_um,
                interval_s=movie.interval_s,
                frame_offset=frames.start,
            )

    @property
    def files(self) -> dict[str, str]:
        """The maps by role."""
        return {name: f"{name}.ome.zarr" for name in self.maps}

    def write(self, t: int, maps: FeatureMaps) -> None:
        """Write the maps of the frame pair (t, t + 1)."""
        for name, look in self.looks.items():
            self.maps[name][t - self.first] = look(maps).astype(np.float16)


def _write_tables(candidates: list[Candidate], by: str, movie: Movie, settings: DetectSettings, out: Path) -> dict[str, float]:
    ranking: Ranking = RANKINGS[by]
    places = np.array([(c.t, c.y, c.x) for c in candidates], dtype=np.float64).reshape(-1, 3)
    odds = logit(np.clip([ranking.probability(c.score) for c in candidates], LEAST, 1 - LEAST))
    told = expit(less_successors(places, odds, places, odds, settings.same_event()))
    rows = [EventRow(c.t, c.y, c.x, ranking.kinds[c.kind], float(p), source=by) for c, p in zip(candidates, told, strict=True)]
    table = events_table(rows, movie.interval_s, movie.pixel_size_um)
    threshold = ranking.threshold if settings.threshold is None else settings.threshold
    found = table[table["probability"] >= threshold].reset_index(drop=True)
    write_events(out / "candidates.csv", table)
    write_events(out / "events.csv", found)
    return {"candidates": len(table), "events": len(found), "threshold": threshold}
