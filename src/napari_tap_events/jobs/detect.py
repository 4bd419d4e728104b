"""The recipe `detect`: a movie and a head go in; a calibrated probability map and an events table come out, frame by frame."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.feature_maps import passing_maps
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.errors import JobStopped, SettingsError
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import Candidate, MaximaFinder, in_sequence, score_frame, score_grid
from napari_tap_events.events.held_out import kind_name
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.model import EventModel, load_event_model
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.events.without_labels import arrow_map, event_map
from napari_tap_events.jobs.output import Run, describe, finish, probability_maps, start
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import DetectSettings, frame_range

TAUGHT = (
    "Marks or answers on this movie taught the head, so probabilities flatter near them. Honest ones are in the events.csv of a head that "
    "was trained with folds; an honest number of events comes from the random windows of a review."
)


def detect(
    movie_path: Path, head: Path, settings: DetectSettings, run: Run, first_frame: int | None = None
) -> Generator[Report, None, Path]:
    """Find the events of a movie; every frame is read and encoded once, and memory does not grow with the movie.

    Parameters
    ----------
    movie_path, head : Path
        The movie, and the folder that `train` wrote.
    settings : DetectSettings
    run : Run
    first_frame : int, optional
        Frame that somebody looks at: its map is written before all others, once more than needed; the results are the same.

    Yields
    ------
    Report

    Returns
    -------
    Path
        The output folder: `probability.ome.zarr`, `events.csv`, and the maps of the encoder's own heads: `arrow.ome.zarr`,
        `simulated.ome.zarr`.
    """
    movie = single_channel(open_movie(movie_path, run.movie))
    frames = frame_range(settings.frames, movie.n_frames, "frames")
    compute = compute_for(run.compute)
    model = load_event_model(head, movie.n_channels, compute)
    settings = as_taught(settings, model.card.details)
    if settings.stride_px % model.map_stride_px:
        raise SettingsError(f"stride_px = {settings.stride_px} must be a multiple of {model.map_stride_px}.")
    window_grid(movie, model, settings.stride_px)
    start(run, "detect", settings, {"movie": [movie_path], "head": [head]})
    maps = _Maps(movie, model, settings.stride_px, frames, run)
    if first_frame is not None:
        t = pair_at(first_frame, frames)
        for _, pair in passing_maps(movie, model.source, compute, model.map_stride_px, range(t, t + 2)):
            maps.write(t, DenseHead(model.head), MapTiles(pair, model.inputs, compute, first=t))
        yield Report("detect", 0, len(frames) - 1, mapped_first(t))
    near = settings.same_event()
    finder = MaximaFinder(score_grid(model.head, model.map_stride_px), near.radius_px, near.radius_frames)
    candidates: list[Candidate] = []
    dense = DenseHead(model.head)
    passing = passing_maps(movie, model.source, compute, model.map_stride_px, frames)
    for done, (t, pair) in enumerate(passing, 1):
        tiles = MapTiles(pair, model.inputs, compute, first=t)
        maps.write(t, dense, tiles)
        candidates += finder.add(t, score_frame(dense, tiles, t, near.radius_px))
        yield Report("detect", done, len(frames) - 1)
        if run.control.wait_or_stop():
            raise JobStopped(f"stopped after {done} of {len(frames) - 1} frame pairs; start again with --overwrite.")
    candidates = in_sequence(candidates + finder.rest(), near)
    return _keep(movie, model, candidates, maps.files, settings, run)


def as_taught(settings: DetectSettings, details: Mapping[str, Any]) -> DetectSettings:
    """Return the settings with the distances filled in that were not given: those of the details of a head's card."""
    return settings.model_copy(update=settings.same_event(details).model_dump())


def pair_at(frame: int, frames: range) -> int:
    """Return the frame pair of a range that shows a frame, or the nearest one."""
    return min(max(frame, frames.start), frames.stop - 2)


def mapped_first(t: int) -> str:
    """Say that the map of a frame is there before the others."""
    return f"frame {t} is mapped, now the whole movie"


def window_grid(movie: Movie, model: EventModel, stride_px: int) -> WindowGrid:
    """Return where the windows of the map lie."""
    height, width = (side // model.map_stride_px * model.map_stride_px for side in (movie.height, movie.width))
    return WindowGrid(height, width, model.crop_px, stride_px)


class _Maps:
    """The maps that one pass writes: probability of any event and of each kind, and what the encoder's own heads say."""

    def __init__(self, movie: Movie, model: EventModel, stride_px: int, frames: range, run: Run) -> None:
        self.movie, self.model, self.frames, self.out = movie, model, frames, run.out
        self.files: dict[str, str] = {}
        fs = model.map_stride_px
        grid = window_grid(movie, model, stride_px)
        self.stride = stride_px // fs
        names = probability_maps(model.kinds)
        self.probability = [self._create(name, grid.shape, stride_px, grid.offset_px) for name in names]
        own = model.source if isinstance(model.source, EncoderFeatures) else None
        heads = {"arrow": (arrow_map, own and own.arrow_head), "simulated": (event_map, own and own.pair_head)}
        self.looks = {name: look for name, (look, head) in heads.items() if head is not None}
        shape = movie.height // fs, movie.width // fs
        self.of_pairs = {name: self._create(name, shape, fs, (fs - 1) / 2) for name in self.looks}

    def _create(self, name: str, shape: tuple[int, int], stride_px: int, offset_px: float) -> Any:
        self.files[name] = f"{name}.ome.zarr"
        return create_map(
            self.out / self.files[name],
            (len(self.frames) - 1, *shape),
            name=name,
            stride_px=stride_px,
            offset_px=offset_px,
            pixel_size_um=self.movie.pixel_size_um,
            interval_s=self.movie.interval_s,
            frame_offset=self.frames.start,
        )

    def write(self, t: int, head: DenseHead, tiles: MapTiles) -> None:
        """Write the maps of the frame pair (t, t + 1)."""
        index = t - self.frames.start
        answers = self.model.calibration.map(head.window_logits(tiles, t, self.stride))
        for array, values in zip(self.probability, answers, strict=True):
            array[index] = values.astype(np.float16)
        for name, look in self.looks.items():
            self.of_pairs[name][index] = look(tiles.maps).astype(np.float16)


def _keep(
    movie: Movie, model: EventModel, candidates: list[Candidate], files: dict[str, str], settings: DetectSettings, run: Run
) -> Path:
    threshold = model.calibration.threshold if settings.threshold is None else settings.threshold
    probability = model.calibration.events.probability([c.score for c in candidates])
    rows = [
        EventRow(c.t, c.y, c.x, kind_name(c, model.kinds), float(p), source="head")
        for c, p in zip(candidates, probability, strict=True)
    ]
    table = events_table(rows, movie.interval_s, movie.pixel_size_um)
    found = table[table["probability"] >= threshold].reset_index(drop=True)
    for role, events in (("candidates", table), ("events", found)):
        write_events(run.out / f"{role}.csv", events)
        files[role] = f"{role}.csv"
    expected = float(np.sum(probability))
    summary = {"events": len(found), "threshold": threshold, "expected_events": expected, "candidates": len(table)}
    about = describe(movie)
    inputs = {"movie": about, "head": model.card.name, "head_metrics": model.card.metrics}
    taught = any(record.content_hash == about["content_hash"] for record in model.card.movies)
    finish(run, "detect", {"detect": settings}, inputs, files, summary, [TAUGHT] if taught else [])
    return run.out
