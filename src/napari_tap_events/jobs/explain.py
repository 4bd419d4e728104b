"""The recipe `explain`: where a head looks, or what an encoder has learned alone; Grad-CAM maps and ranked insets."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_tap_events.encoder.compute import Compute, compute_for
from napari_tap_events.encoder.feature_maps import passing_maps
from napari_tap_events.encoder.features import EncoderFeatures, SeenFrame
from napari_tap_events.encoder.pair_head import PairHead
from napari_tap_events.encoder.resampling import resized
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.grad_cam import RankedInsets, arrow_cam, event_cam, pair_cam
from napari_tap_events.events.head import EvidenceHead
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.model import load_event_model
from napari_tap_events.jobs.output import Run, describe, finish, start, write_history
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import EventSettings, ExplainSettings, frame_range

Explained = dict[str, NDArray[np.float32]]


def explain(
    movie_path: Path, settings: ExplainSettings, run: Run, *, head: Path | None = None, encoder: Path | None = None
) -> Generator[Report, None, Path]:
    """Write Grad-CAM maps, 0..1 over the movie, and the places ranked highest; for an evidence head its evidence beside.

    Parameters
    ----------
    movie_path : Path
    settings : ExplainSettings
    run : Run
    head, encoder : Path, optional
        One of them: explain the events of a head; or the arrow of time, without an arrow head the events of simulated movies.

    Raises
    ------
    ModelError
        When not exactly one of them is given.
    """
    if (head is None) == (encoder is None):
        raise ModelError("explain needs a head (--head DIR) or an encoder (--encoder DIR): exactly one of them.")
    movie = single_channel(open_movie(movie_path, run.movie))
    frames = frame_range(settings.frames, movie.n_frames, "frames")
    compute = compute_for(run.compute)
    if head is not None:
        stride_px, explained = _of_events(movie, head, frames, compute)
    else:
        stride_px, explained = 1, _of_encoder(movie, encoder or Path(), frames, settings, compute)
    start(run, "explain", settings, {"movie": [movie_path], "model": [head or encoder]})
    insets = RankedInsets(settings.insets, settings.inset_px, stride_px)
    maps: dict[str, Any] = {}
    for done, (t, found) in enumerate(explained, 1):
        for name, values in found.items():
            if name not in maps:
                maps[name] = _create(run.out, name, movie, frames, values.shape, stride_px)
            maps[name][t - frames.start] = values.astype(np.float16)
        insets.look(t, found["grad_cam"])
        yield Report("explain", done, len(frames) - 1)
        if run.control.wait_or_stop():
            raise JobStopped(f"stopped after {done} of {len(frames) - 1} frame pairs; start again with --overwrite.")
    _to_unit_range(maps["grad_cam"])
    rows = [{"rank": n, "t": i.t, "y": i.y, "x": i.x, "value": i.value} for n, i in enumerate(insets.found, 1)]
    write_history(run.out / "insets.csv", rows)
    files = {**{name: f"{name}.ome.zarr" for name in maps}, "insets": "insets.csv"}
    inputs = {"movie": describe(movie), "model": str(head or encoder)}
    finish(run, "explain", {"explain": settings}, inputs, files, {"insets": len(rows)})
    return run.out


def _of_events(movie: Movie, folder: Path, frames: range, compute: Compute) -> tuple[int, Iterator[tuple[int, Explained]]]:
    model = load_event_model(folder, movie.n_channels, compute)
    dense = DenseHead(model.head)

    def each() -> Iterator[tuple[int, Explained]]:
        for t, maps in passing_maps(movie, model.source, compute, model.map_stride_px, frames):
            tiles = MapTiles(maps, model.inputs, compute, first=t)
            found = {"grad_cam": event_cam(model.head, tiles, t)}
            if isinstance(model.head, EvidenceHead):
                found["evidence"] = model.head.evidence(dense.said_map(tiles, t))[0]
            yield t, found

    return model.map_stride_px, each()


def _of_encoder(
    movie: Movie, folder: Path, frames: range, settings: ExplainSettings, compute: Compute
) -> Iterator[tuple[int, Explained]]:
    """Explain the arrow of time, or the events that simulated movies have taught where there is no arrow head; at the scale of `detect`."""
    model, _ = load_encoder(encoder_folder(folder), movie.n_channels)
    arrow, pair = model.arrow, model.simulated
    if arrow is None and pair is None:
        raise ModelError(f"the encoder '{folder.name}' has no head to explain; give one that pretrain made.")
    scale = model.scale_for(settings.radius_px or EventSettings().radius_px, settings.scale)
    source = EncoderFeatures(model.encoder, arrow, compute, simulated=pair, scale=scale)

    def cam(first: Tensor, second: Tensor) -> NDArray[np.float32]:
        z = torch.stack([first, second])
        found = arrow_cam(arrow, z) if arrow is not None else pair_cam(cast(PairHead, pair), z)
        if found.shape == (movie.height, movie.width):
            return found
        return np.asarray(resized(torch.from_numpy(found)[None], movie.height, movie.width)[0].numpy(), np.float32)

    def look(first: SeenFrame, second: SeenFrame) -> Explained:
        found = cam(first.z, second.z)
        if first.as_it_is is None or second.as_it_is is None:
            return {"grad_cam": found}
        return {"grad_cam": np.asarray((found + cam(first.as_it_is, second.as_it_is)) / 2, np.float32)}

    def each() -> Iterator[tuple[int, Explained]]:
        before = None
        for t in frames:
            now = source.seen(torch.from_numpy(normalise(movie.frame(t))).to(compute.device), 1)
            if before is not None:
                yield t - 1, look(before, now)
            before = now

    return each()


def _create(out: Path, name: str, movie: Movie, frames: range, shape: tuple[int, ...], stride_px: int) -> Any:
    return create_map(
        out / f"{name}.ome.zarr",
        (len(frames) - 1, shape[0], shape[1]),
        name=name,
        stride_px=stride_px,
        offset_px=(stride_px - 1) / 2,
        pixel_size_um=movie.pixel_size_um,
        interval_s=movie.interval_s,
        frame_offset=frames.start,
    )


def _to_unit_range(maps: Any) -> None:
    """Scale a stored map so that its 99.9th percentile, frame by frame at most, becomes 1."""
    top = max((float(np.percentile(maps[t], 99.9)) for t in range(maps.shape[0])), default=0.0)
    if top <= 0:
        return
    for t in range(maps.shape[0]):
        maps[t] = np.clip(np.asarray(maps[t], np.float32) / top, 0, 1).astype(np.float16)
