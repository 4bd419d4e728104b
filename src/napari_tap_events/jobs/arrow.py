"""The recipe `detect` without any label: places where a movie cannot run backwards, from the arrow map of an encoder alone."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi
from scipy.special import expit

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.feature_maps import EncoderFeatures, passing_maps
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.events.detection import Candidate, MaximaFinder, ScoreGrid
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.jobs.detect import mapped_first, pair_at
from napari_tap_events.jobs.output import Run, describe, finish, start
from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import DetectSettings, frame_range

MAP_STRIDE_PX = 2
NOTE = "No label was used: probability is that of the true order of time, not of an event; it ranks, it is not calibrated."


def detect_arrow(
    movie_path: Path, encoder: Path, settings: DetectSettings, run: Run, first_frame: int | None = None
) -> Generator[Report, None, Path]:
    """Rank the places of a movie by their arrow of time: an event detector that needs no label.

    The arrow map is averaged with a Gaussian of half a cell radius; its local maxima are the candidates. `probability` is the
    probability that the encoder gives to the true order there.

    Parameters
    ----------
    movie_path, encoder : Path
    settings : DetectSettings
        `threshold` is 0.5 unless given.
    run : Run
    first_frame : int, optional
        Frame that somebody looks at: its map is written before all others, once more than needed; the results are the same.
    """
    movie = single_channel(open_movie(movie_path, run.movie))
    frames = frame_range(settings.frames, movie.n_frames, "frames")
    compute = compute_for(run.compute)
    model, card = load_encoder(encoder, movie.n_channels)
    if model.arrow is None:
        raise ModelError(f"the encoder '{encoder.name}' has no arrow head; give one that pretrain made.")
    start(run, "detect", settings, {"movie": [movie_path], "encoder": [encoder]})
    shape = (len(frames) - 1, movie.height // MAP_STRIDE_PX, movie.width // MAP_STRIDE_PX)
    grid = ScoreGrid(MAP_STRIDE_PX, (MAP_STRIDE_PX - 1) / 2)
    stored = create_map(
        run.out / "arrow.ome.zarr",
        shape,
        name="arrow",
        stride_px=grid.stride_px,
        offset_px=grid.offset_px,
        pixel_size_um=movie.pixel_size_um,
        interval_s=movie.interval_s,
        frame_offset=frames.start,
    )
    finder = MaximaFinder(grid, settings.radius_px, settings.radius_frames)
    candidates: list[Candidate] = []
    source = EncoderFeatures(model.encoder, model.arrow, compute)
    if first_frame is not None:
        t = pair_at(first_frame, frames)
        for _, maps in passing_maps(movie, source, compute, MAP_STRIDE_PX, range(t, t + 2)):
            stored[t - frames.start] = maps.pairs[0, 0]
        yield Report("detect", 0, len(frames) - 1, mapped_first(t))
    sigma = 0.5 * settings.radius_px / MAP_STRIDE_PX
    for done, (t, maps) in enumerate(passing_maps(movie, source, compute, MAP_STRIDE_PX, frames), 1):
        stored[t - frames.start] = maps.pairs[0, 0]
        candidates += finder.add(t, ndi.gaussian_filter(maps.pairs[0].astype(np.float32), (0, sigma, sigma)))
        yield Report("detect", done, len(frames) - 1)
        if run.control.wait_or_stop():
            raise JobStopped(f"stopped after {done} of {len(frames) - 1} frame pairs; start again with --overwrite.")
    candidates += finder.rest()
    rows = [EventRow(c.t, c.y, c.x, "event", float(expit(c.score)), source="arrow") for c in candidates]
    table = events_table(rows, movie.interval_s, movie.pixel_size_um)
    threshold = 0.5 if settings.threshold is None else settings.threshold
    found = table[table["probability"] >= threshold].reset_index(drop=True)
    write_events(run.out / "candidates.csv", table)
    write_events(run.out / "events.csv", found)
    files = {"arrow": "arrow.ome.zarr", "candidates": "candidates.csv", "events": "events.csv"}
    inputs = {"movie": describe(movie), "encoder": card.name}
    finish(run, "detect", {"detect": settings}, inputs, files, {"candidates": len(table), "events": len(found)}, [NOTE])
    return run.out
