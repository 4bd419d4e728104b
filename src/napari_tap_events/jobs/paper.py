"""One head by the paper's protocol, as far as it is known: crops of 48 px, each seen alone, a random split, temperature only.

It leaks, and is here to stand beside what is honest. Not told in the paper and chosen here: crop pairs per step (64), and which
epoch's weights are kept (the last).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_tap_events.encoder.compute import Compute, compute_for
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.errors import SettingsError
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.calibration_compared import compare_methods
from napari_tap_events.events.evaluation import by_time, crop_level
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import APART_FRAMES, HeldOut, window_calibrators
from napari_tap_events.events.paper_crops import (
    CROP_PX,
    CropClassifier,
    CropLearner,
    CropPairs,
    CropReader,
    draw_crop_pairs,
    in_batches,
)
from napari_tap_events.jobs.labelled import Labelled, open_labelled
from napari_tap_events.jobs.output import Run, write_json
from napari_tap_events.movies.movie import Movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import EncoderSettings, StudySettings
from napari_tap_events.training.loop import Plan, fit
from napari_tap_events.training.splits import leakage, random_parts

BATCH = 64
LEARNING_RATE = 1e-3
EPOCHS = {"linear": 10, "resnet": 30, "evidence": 30}
LEAKAGE_SAMPLE = 2000
PROTOCOL = (
    "The paper's protocol: crops of 48 px at random places, each seen alone, shared out at random into 60/20/20 %, temperature "
    "only. Crops that share pixels teach and judge: this split leaks, and its numbers are too good."
)


def teach_as_published(
    labelled: Sequence[Labelled], settings: StudySettings, run: Run
) -> Generator[Report, None, dict[str, Any]]:
    """Draw, teach, calibrate and judge; write `evaluation.json` into the folder of the run, and return it.

    Parameters
    ----------
    labelled : sequence of Labelled
    settings : StudySettings
        `encoder`, `head`, `criterion`, `area_px`, `seed`, `paper_pairs` and `paper_epochs` count; the rest is the paper's.
    run : Run
    """
    opened = [open_labelled(item, run.movie, settings) for item in labelled]
    movies, masks = [movie for movie, _ in opened], [mask for _, mask in opened]
    compute = compute_for(run.compute)
    rng = np.random.default_rng((settings.seed, 13))
    pairs = draw_crop_pairs(masks, settings.paper_pairs, settings.criterion, settings.area_px, rng)
    parts = random_parts(len(pairs), settings.seed)
    taught = pairs.only(parts == 0).balanced(rng)
    yield Report("crop pairs", message=f"{len(pairs)} crop pairs, {int(pairs.event.sum())} with an event; {len(taught)} teach")
    torch.manual_seed(settings.seed)
    reader = CropReader(movies, compute)
    module = _module(movies, settings, compute)
    learner = CropLearner(module, reader, taught, BATCH, settings.seed)
    run.out.mkdir(parents=True, exist_ok=True)
    epochs = settings.paper_epochs or EPOCHS[settings.head]
    steps = learner.per_epoch * epochs
    plan = Plan("head", steps, learner.per_epoch, LEARNING_RATE, 0.0, "constant", checkpoint=run.out / "checkpoint.pt")
    yield from fit(learner, plan, run.control, run.resume)
    held = []
    for part, name in ((1, "validation crops"), (2, "test crops")):
        held.append((yield from _ask(module, reader, pairs.only(parts == part), name)))
    values = _judged(held, pairs, parts, len(taught))
    write_json(run.out / "evaluation.json", values)
    (run.out / "checkpoint.pt").unlink(missing_ok=True)
    return values


def _module(movies: Sequence[Movie], settings: StudySettings, compute: Compute) -> CropClassifier:
    scratch = settings.encoder == "scratch"
    if scratch:
        encoder = Encoder(movies[0].n_channels, EncoderSettings(preset=settings.preset))
    else:
        source = feature_source(settings.encoder, movies, settings.preset, settings.seed, compute)
        if not isinstance(source, EncoderFeatures):
            raise SettingsError(f"encoder = '{settings.encoder}' has no features, which the paper's protocol needs.")
        encoder = source.unfolded
    head = make_head(settings.head, HeadShape(encoder.features, 0, 0, 1, CROP_PX, CROP_PX, 1), settings.pair)
    return CropClassifier(encoder, head, trained=scratch).to(compute.device)


def _ask(module: CropClassifier, reader: CropReader, pairs: CropPairs, stage: str) -> Generator[Report, None, HeldOut]:
    module.eval()
    logits, batches = [np.zeros(0, np.float32)], in_batches(pairs, BATCH)
    for done, batch in enumerate(batches, 1):
        with torch.no_grad():
            logits.append(module(reader.images(batch)).float().cpu().numpy())
        yield Report(stage, done, len(batches))
    t = pairs.place[:, 0] * APART_FRAMES + pairs.place[:, 1]
    labels = pairs.event.astype(np.int8)[:, None]
    return HeldOut(0, t, pairs.place[:, 2:], np.concatenate(logits)[:, None], labels, ())


def _judged(held: Sequence[HeldOut], pairs: CropPairs, parts: NDArray[np.int8], taught: int) -> dict[str, Any]:
    validation, test = held
    (calibrator,) = window_calibrators([validation], "temperature")
    logits, labels = test.logits[:, 0].astype(np.float64), test.labels[:, 0]
    p = calibrator.probability(logits)
    methods: Mapping[str, Any] = compare_methods({(2, 1): [validation], (2, 2): [test]})
    crops = crop_level(Calibrator().probability(logits), labels)
    return {
        "reliability_before": methods["none"],
        "reliability_after": methods["temperature"],
        "calibration_methods": methods,
        "crop_level": crops,
        "crop_level_argmax": crops,
        "by_time": by_time(test.t, labels, p),
        "crop_pairs": {"all": len(pairs), "events": int(pairs.event.sum()), "taught": taught, "test": len(labels)},
        "leakage": _leakage(pairs, parts),
        "protocol": PROTOCOL,
    }


def _leakage(pairs: CropPairs, parts: NDArray[np.int8]) -> float:
    """Return the share of test crops, of a sample, that share a pixel with a crop of the training part."""
    place = np.concatenate([pairs.place[:, :1] * APART_FRAMES + pairs.place[:, 1:2], pairs.place[:, 2:]], axis=1)
    test = place[parts == 2]
    sample = np.random.default_rng(0).permutation(len(test))[:LEAKAGE_SAMPLE]
    return leakage(place[parts == 0], test[sample], CROP_PX)
