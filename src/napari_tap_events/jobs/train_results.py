"""What `train` leaves behind: the head's folder, its score, and, with folds, the out-of-fold map and events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.sources import CONTROLS
from napari_tap_events.encoder.weights import ArrowEncoder, Card, MovieRecord, copy_encoder, movie_record, save_model
from napari_tap_events.events.calibration_compared import compare_methods
from napari_tap_events.events.evaluation import Field, Judged, evaluation, judge_folds
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.held_out import APART_FRAMES, Calibration
from napari_tap_events.events.model import ENCODER
from napari_tap_events.events.stacking import Weights, stack
from napari_tap_events.events.table import with_scale, write_events
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, training_stride_px, window_grid
from napari_tap_events.jobs.output import describe, finish, probability_maps, write_history, write_json
from napari_tap_events.jobs.teaching import Classroom, Taught, inputs_of, oof_stride_px
from napari_tap_events.movies.masks import save_masks
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.review.transfer import summarise
from napari_tap_events.settings import EncoderSettings, HeadSettings, ScoreSettings


def keep_training(room: Classroom, taught: Taught, positives: Mapping[str, int]) -> None:
    """Judge all held-out answers and write the head folder."""
    settings = room.settings
    score = ScoreSettings(radius_px=settings.radius_px, frames=settings.radius_frames)
    truths = [movie.truth for movie in room.curriculum.movies]
    stacked = stack(taught.answers, truths, score)
    judged = judge_folds(stacked.answers, truths, room.kinds, settings.calibration, score)
    if isinstance(taught.final.head, GuidedHead):
        taught.final.head.weigh(stacked.final)
    values = evaluation(judged, _field(room, taught), score, len(room.kinds) > 1)
    leak = _leakage(room, taught)
    values["calibration_methods"] = compare_methods(stacked.answers)
    values |= {"positives": dict(positives), "leakage": leak, "protocol": protocol(settings, len(room.movies))}
    out = room.run.out
    write_json(out / "evaluation.json", values)
    write_history(out / "history.csv", taught.final.history)
    save_masks(out / "masks.tif", room.masks[0].labels)
    files = {"head": ".", "evaluation": "evaluation.json", "head_history": "history.csv", "masks": "masks.tif"}
    files |= _write_tables(room, judged)
    files |= _write_maps(room, taught, judged.calibrations, stacked.weights)
    records = [movie_record(movie) for movie in room.movies]
    _write_model(room, taught, judged.final, records, values)
    files |= {"encoder": ENCODER} if (out / ENCODER).exists() else {}
    inputs = {"movie": describe(room.movies[0], records[0].content_hash), "masks": "masks.tif"}
    finish(room.run, "train", {"train": settings}, inputs, files, summary_of(values), _warnings(settings, leak))


def summary_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the main numbers of an evaluation."""
    score = values["score"]
    names = ("n_true", "n_predicted", "tp", "fp", "fn", "precision", "recall", "f1", "average_precision")
    return {
        **{name: score[name] for name in names},
        "threshold": values["threshold"],
        "ece_before": values["reliability_before"]["ece"],
        "ece_after": values["reliability_after"]["ece"],
        "leakage": values["leakage"],
        "protocol": values["protocol"],
    }


def protocol(settings: HeadSettings, movies: int) -> str:
    """Say in one sentence how the score was come by."""
    if settings.split == "random":
        return "Crops were shared out at random, as published: this split leaks, and its numbers are too good."
    unit = "movies" if settings.split == "movies" else "blocks of time"
    if not settings.folds:
        return f"Trained on 60 %, calibrated on 20 % and scored on the last 20 % of the {unit}, in {movies} movie{'s' * (movies > 1)}."
    count = movies if settings.split == "movies" else settings.folds
    how = "of heads that saw neither it nor them" if settings.nested and count > 2 else "of the other folds' heads"
    return (
        f"{count}-fold over {unit}: every event was scored by a head that never saw its block; "
        f"calibration and threshold of a block come from answers on the other blocks {how}."
    )


def _warnings(settings: HeadSettings, leak: float) -> list[str]:
    if settings.split == "random":
        return [f"The random split leaks: {leak:.0%} of its test crops share pixels with a training crop."]
    return []


def _field(room: Classroom, taught: Taught) -> Field:
    tests = [unit for fold, unit in taught.answers if fold == unit]
    judged = sum(len(block.pairs) for unit in tests for block in room.curriculum.blocks[unit])
    movie = room.movies[0]
    frames = sum(m.n_frames for m in room.movies)
    return Field(frames, judged, movie.height, movie.width, movie.pixel_size_um)


def _leakage(room: Classroom, taught: Taught) -> float:
    step, crop = training_stride_px(room.settings), room.settings.crop_px
    folds = [k for k, j in taught.answers if k == j]
    shares = []
    for fold in folds:
        held = (1, 2) if not room.settings.folds else (fold,)
        taught_units = [unit for unit in room.curriculum.units if unit not in held]
        shares.append(room.curriculum.leakage(taught_units, fold, crop, step))
    return float(np.mean(shares))


def _write_tables(room: Classroom, judged: Judged) -> dict[str, str]:
    files = {}
    found = judged.candidates[judged.candidates["found"]].drop(columns=["found", "score"])
    for role, table in (("events", found), ("candidates", judged.candidates.drop(columns="score")), ("truth", judged.truth)):
        path = room.run.out / f"{role}.csv"
        write_events(path, _placed(room, table))
        files[role] = path.name
    return files


def _placed(room: Classroom, table: pd.DataFrame) -> pd.DataFrame:
    """Return a pooled table with times within each movie, and the movie's name where there are several."""
    movie = table["t"] // APART_FRAMES
    placed = table.drop(columns="movie", errors="ignore").assign(t=table["t"] % APART_FRAMES)
    if len(room.movies) > 1:
        return placed.assign(movie=[room.movies[int(m)].name for m in movie])
    return with_scale(placed, room.movies[0].interval_s, room.movies[0].pixel_size_um)


def _write_maps(
    room: Classroom, taught: Taught, calibrations: Mapping[int, Calibration], weights: Mapping[int, Weights]
) -> dict[str, str]:
    """Write the out-of-fold probability of every movie: of any event, and of each kind that is told apart."""
    files: dict[str, str] = {}
    if taught.said is None:
        return files
    for m, movie in enumerate(room.movies):
        grid = window_grid(movie, room.settings, oof_stride_px(room.settings))
        suffix = "" if m == 0 else f"_{m + 1}"
        names = probability_maps(room.kinds)
        arrays = []
        for name in names:
            path = room.run.out / f"{name}{suffix}.ome.zarr"
            arrays.append(
                create_map(
                    path,
                    (movie.n_frames - 1, *grid.shape),
                    name=name,
                    stride_px=grid.stride_px,
                    offset_px=grid.offset_px,
                    pixel_size_um=movie.pixel_size_um,
                    interval_s=movie.interval_s,
                    overwrite=True,
                )
            )
            files[name + suffix] = path.name
        for unit, blocks in enumerate(room.curriculum.blocks):
            for t in blocks[m].pairs:
                answers = calibrations[unit].map(
                    np.tensordot(np.array(weights[unit] or (1.0,), np.float32), taught.said[m][t], 1)
                )
                for array, values in zip(arrays, answers, strict=True):
                    array[t] = values.astype(np.float16)
    return files


def _write_model(
    room: Classroom, taught: Taught, calibration: Calibration, records: list[MovieRecord], values: Mapping[str, Any]
) -> None:
    settings, head, source = room.settings, taught.final.head, taught.final.source
    inputs = inputs_of(settings)
    details = {
        "head": settings.head,
        "pair": settings.pair,
        "kinds": list(room.kinds),
        "shape": vars(head.shape),
        "inputs": vars(inputs),
        "map_stride_px": MAP_STRIDE_PX,
        "crop_px": settings.crop_px,
        "calibration": calibration.to_dict(),
        "radius_px": settings.radius_px,
        "radius_frames": settings.radius_frames,
        "source": settings.encoder if settings.encoder in ("intensity", "difference") else "encoder",
        "scale": source.scale if isinstance(source, EncoderFeatures) else 1.0,
    }
    if room.maps[0].frames.shape[1]:
        details["feature_summary"] = summarise(room.maps[0].frames).to_json()
    card = Card(
        kind="head",
        name=room.run.out.name,
        channels=room.movies[0].n_channels,
        features=0 if source is None else source.features,
        settings=settings.model_dump(mode="json"),
        movies=records,
        metrics=summary_of(values),
        details=details,
    )
    if isinstance(source, EncoderFeatures):
        _write_encoder(room.run.out / ENCODER, source, settings, room.movies[0].n_channels)
    save_model(room.run.out, head.state_dict(), card)


def _write_encoder(folder: Path, source: EncoderFeatures, settings: HeadSettings, channels: int) -> None:
    """Keep the encoder inside the head's folder, so that the folder is all that is needed."""
    if settings.encoder not in CONTROLS:
        copy_encoder(encoder_folder(settings.encoder), folder)
        return
    chosen = EncoderSettings(preset=settings.preset)
    model = ArrowEncoder(channels, chosen, arrow=False)
    model.encoder = source.unfolded
    card = Card(
        kind="encoder",
        name=settings.encoder,
        channels=channels,
        features=source.features,
        settings=chosen.model_dump(mode="json"),
        details={"pretext": "none", "arrow": False, "control": settings.encoder, "seed": settings.seed},
    )
    save_model(folder, model.state_dict(), card)
