"""The recipe `train`: a movie with marked events and an encoder go in, a calibrated event head and its honest score come out."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from napari_tap_events.encoder.compute import Compute, compute_for
from napari_tap_events.encoder.feature_maps import FeatureMaps, encode_movie
from napari_tap_events.encoder.features import FeatureSource
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.sources import CONTROLS, feature_source
from napari_tap_events.errors import JobStopped, SettingsError
from napari_tap_events.events.criteria import count_positives, label_movie, told_apart
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.curriculum import LabelledMovie, held_sets, make_curriculum, with_folds
from napari_tap_events.events.few_labels import owners
from napari_tap_events.events.learning import NO_TILES, check_lessons
from napari_tap_events.jobs.feature_cache import FeatureCache
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, Labelled, marks_hash, open_labelled, truth_of, window_grid
from napari_tap_events.jobs.output import Run, finished, start
from napari_tap_events.jobs.teaching import FOLDS, Classroom, cross_fit, settled
from napari_tap_events.jobs.train_results import keep_training
from napari_tap_events.movies.event_sizes import fitting_sizes
from napari_tap_events.movies.masks import EventMasks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import HeadSettings


def train(
    labelled: Sequence[Labelled], settings: HeadSettings, run: Run, cache: Path | None = None, cache_gb: float | None = None
) -> Generator[Report, None, Path]:
    """Train an event head, calibrate it and score it on frames that it never saw.

    Parameters
    ----------
    labelled : sequence of Labelled
    settings : HeadSettings
    run : Run
    cache : Path, optional
        Folder to keep the feature maps in, for the next head; by default they are removed at the end.
    cache_gb : float, optional
        Most that this folder may take before maps are added to it; what was used longest ago goes first.

    Yields
    ------
    Report

    Returns
    -------
    Path
        The head folder.
    """
    _check(settings)
    opened = [open_labelled(item, run.movie, settings) for item in labelled]
    yield Report("labels", message="counting the windows with events")
    movies, masks = [movie for movie, _ in opened], [mask for _, mask in opened]
    grids = [window_grid(movie, settings) for movie in movies]
    truths = [truth_of(item, mask) for item, mask in zip(labelled, masks, strict=True)]
    named = {kind for mask in masks for kind in mask.kinds}
    kinds = told_apart((kind for truth in truths for kind in truth["kind"] if kind in named), settings)
    lessons = [_lesson(truth, mask, grid, settings, kinds) for truth, mask, grid in zip(truths, masks, grids, strict=True)]
    positives = [count_positives(mask, grid, settings.area_px) for mask, grid in zip(masks, grids, strict=True)]
    counts: dict[str, int] = {criterion: sum(each[criterion] for each in positives) for criterion in positives[0]}
    asked, settings = settings, with_folds(lessons, settings, settings.seed)
    settings = settings.model_copy(update={"steps": settings.steps_for(sum(lesson.n_events for lesson in lessons))})
    curriculum = make_curriculum(lessons, settings, settings.seed)
    compute = compute_for(run.compute)
    source = (
        None
        if settings.encoder == "scratch"
        else feature_source(
            settings.encoder, movies, settings.preset, settings.seed, compute, settings.radius_px, settings.scale
        )
    )
    _check_heads(source, settings)
    settings = settled(settings, source)
    if not (settings.features or settings.intensity or settings.arrow):
        raise SettingsError("the head has no input of its own: give it features, intensity or arrow.")
    if run.control.wait_or_stop():
        raise JobStopped("stopped before anything was learned; the same command begins again.")
    for held in held_sets(curriculum, settings):
        check_lessons(curriculum.teaching(held, [NO_TILES] * len(movies)))
    marks = marks_hash(masks, [lesson.truth for lesson in lessons])
    start(run, "train", settled(asked, source), _inputs(labelled, settings), marks)
    if finished(run):
        yield Report("head", message=f"'{run.out}' is finished already")
        return run.out
    yield Report("labels", message="windows with events, by criterion: " + ", ".join(f"{k} {v}" for k, v in counts.items()))
    for mask in masks:
        sizes = fitting_sizes(mask)
        misfit = sizes.misfit(settings.crop_px, settings.radius_px) if sizes else ""
        if misfit:
            yield Report("labels", message=f"note: {misfit}")
    folder = cache or run.out / "features"
    places = [_place(folder, movie, source) for movie in movies]
    if cache is not None and cache_gb is not None and source is not None:
        FeatureCache(cache, round(cache_gb * 1e9)).make_room(places)
    maps: list[FeatureMaps] = []
    for movie, place in zip(movies, places, strict=True):
        encoded = yield from _maps(movie, source, place, compute, run)
        maps.append(encoded)
    room = Classroom(movies, masks, curriculum, source, maps, settings, compute, run, kinds)
    taught = yield from cross_fit(room)
    keep_training(room, taught, counts)
    if cache is None:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(run.out / FOLDS, ignore_errors=True)
    return run.out


def _lesson(
    truth: pd.DataFrame, masks: EventMasks, grid: WindowGrid, settings: HeadSettings, kinds: Sequence[str]
) -> LabelledMovie:
    labels = label_movie(masks, grid, settings, kinds)
    return LabelledMovie(labels, truth, owners(labels, truth, grid) if settings.teaching_events else None)


def _inputs(labelled: Sequence[Labelled], settings: HeadSettings) -> dict[str, list[Path | None]]:
    inputs: dict[str, list[Path | None]] = {
        "movies": [item.movie for item in labelled],
        "masks": [item.masks for item in labelled],
        "events": [item.events for item in labelled],
    }
    if any(item.known for item in labelled):
        inputs["known"] = [item.known for item in labelled]
    return inputs if settings.encoder in CONTROLS else inputs | {"encoder_folder": [encoder_folder(settings.encoder)]}


def _check_heads(source: FeatureSource | None, settings: HeadSettings) -> None:
    if source is None:
        return
    if settings.arrow and source.pair_features == source.simulated_features:
        raise SettingsError(f"arrow = True needs an encoder with an arrow head; '{settings.encoder}' has none.")
    if settings.simulated and not source.simulated_features:
        raise SettingsError(
            f"simulated = True needs an encoder that simulated movies have taught; '{settings.encoder}' is none: "
            "pretrain with --pretext simulated, or use the encoder 'shipped'."
        )


def _check(settings: HeadSettings) -> None:
    if settings.crop_px % MAP_STRIDE_PX:
        raise SettingsError(f"crop_px = {settings.crop_px} is odd; choose {settings.crop_px + 1}.")
    if settings.simulated and settings.head != "evidence":
        raise SettingsError(f"simulated = True goes with head = 'evidence', not with '{settings.head}'.")
    if settings.encoder in ("intensity", "difference") and (settings.arrow or settings.intensity or settings.simulated):
        raise SettingsError(f"encoder = '{settings.encoder}' has no further inputs; leave arrow, intensity and simulated away.")
    if settings.encoder == "difference" and settings.head != "evidence":
        raise SettingsError("encoder = 'difference' goes with head = 'evidence' only.")
    if settings.encoder == "scratch" and (settings.arrow or settings.intensity or settings.simulated):
        raise SettingsError("encoder = 'scratch' learns from the images alone; leave arrow, intensity and simulated away.")
    if settings.time_flips and (settings.encoder == "difference" or (settings.head == "evidence" and settings.pair == "mean")):
        raise SettingsError(
            "time_flips = True needs a head that can tell the order of time; choose pair = 'both', or leave it away."
        )
    if settings.time_flips and settings.head == "resnet":
        raise SettingsError("time_flips = True needs a head that can tell the order of time; 'resnet' is blind to it.")


def _maps(
    movie: Movie, source: FeatureSource | None, place: Path, compute: Compute, run: Run
) -> Generator[Report, None, FeatureMaps]:
    if source is None:
        shape = (movie.n_frames, 0, movie.height // MAP_STRIDE_PX, movie.width // MAP_STRIDE_PX)
        return FeatureMaps(np.zeros(shape, np.float16), np.zeros((shape[0] - 1, *shape[1:]), np.float16), 0, MAP_STRIDE_PX)
    return (yield from encode_movie(movie, source, compute, place, MAP_STRIDE_PX, run.control))


def _place(folder: Path, movie: Movie, source: FeatureSource | None) -> Path:
    """Return where the maps of a movie are kept; a control without maps needs no place of its own."""
    if source is None:
        return folder
    return folder / f"{movie.name}-{movie.content_hash()[:12]}-{source.fingerprint()[:12]}"
