"""Learning: what a step does beside forward, backward and the optimiser, and how many crop pairs are needed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from benchmarks import made
from benchmarks.timing import Row, one_thread, timed
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.shipped import SHIPPED, encoder_folder
from napari_tap_events.encoder.weights import ArrowEncoder, load_encoder
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.pretext import time_arrow
from napari_tap_events.pretext._places import windows
from napari_tap_events.pretext._views import Augmentation, device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.training.loop import Plan, fit

CPU = Compute(torch.device("cpu"))
PAIRS, EVERY = 3200, 128
"""Crop pairs of the published schedule, and after how many it is looked how far it has come."""
SHARE = 0.95


def outside(_repeats: int) -> Iterator[Row]:
    """Time a run of the real loop, and in it all that is neither forward, backward nor the optimiser's step."""
    noise = np.random.default_rng(0).integers(0, 255, (24, 512, 512), dtype=np.uint8)
    movie = movie_from_array(noise)
    for preset, batch, steps in (("unet32", 8, 4), ("unet16", 16, 6)):
        settings = PretrainSettings(preset=preset, patch_px=96, batch=batch)
        learner = _learner([movie], [], settings, ArrowEncoder(1, settings))
        spent = {"data": 0.0, "loss": 0.0, "backward": 0.0, "step": 0.0}
        watched = [
            patch.object(time_arrow, "windows", timed(windows, spent, "data")),
            patch.object(Augmentation, "__call__", timed(Augmentation.__call__, spent, "data")),
            patch.object(TimeArrow, "loss", timed(TimeArrow.loss, spent, "loss")),
            patch.object(torch.Tensor, "backward", timed(torch.Tensor.backward, spent, "backward")),
            patch.object(torch.optim.Adam, "step", timed(torch.optim.Adam.step, spent, "step")),
        ]
        with one_thread():
            _run(learner, Plan("warm", 1))
            for one in watched:
                one.start()
            spent.update(dict.fromkeys(spent, 0.0))
            began = time.process_time()
            _run(learner, Plan("bench", steps))
            whole = time.process_time() - began
            for one in watched:
                one.stop()
        rest = whole - spent["loss"] - spent["backward"] - spent["step"]
        share = (spent["data"] + rest) / whole
        told = f"{share:.1%}: crops and augmentation {spent['data'] / whole:.1%}, the loop {rest / whole:.1%}"
        what = f"training loop, {preset}, pairs of 96 px: time outside forward, backward and step"
        yield {"what": what, "measured": told, "limit": "3%", "ratio": share / 0.03}


def _learner(train: Sequence[Movie], val: Sequence[Movie], settings: PretrainSettings, model: ArrowEncoder) -> TimeArrow:
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    sides = [[device_movie(movie, range(movie.n_frames), (1,), CPU.device) for movie in side] for side in (train, val)]
    return TimeArrow(model, sides[0], sides[1], settings, CPU)


def _run(learner: TimeArrow, plan: Plan) -> list[dict[str, float]]:
    work = fit(learner, plan)
    while True:
        try:
            next(work)
        except StopIteration as end:
            history: list[dict[str, float]] = end.value
            return history


WAYS: dict[str, tuple[int, dict[str, Any]]] = {
    "published": (PAIRS, {"schedule": "cyclic", "sampling": "uniform", "decorrelation": "paper"}),
    "ours, planned for a third": (PAIRS // 3, {}),
    "ours, going on from the shipped encoder, planned for an eighth": (PAIRS // 8, {"start_from": SHIPPED}),
}


def pairs_needed(repeats: int) -> Iterator[Row]:
    """Count crop pairs until 95 % of what the published schedule reaches at its best, one seed for every five repeats.

    Movies, network, batch and judging pairs are the same for all, and for every seed. Where the published schedule does not come so far,
    all its pairs count, which are too few; where another does not, there is no ratio.
    """
    seeds = range(max(1, repeats // 5))
    goal, needed = 0.0, 0.0
    with one_thread():
        for name, (pairs, changes) in WAYS.items():
            curves = [_curve(pairs, changes, seed) for seed in seeds]
            goal = goal or SHARE * max(curve[-1][1] for curve in curves)
            reached = [next((seen for seen, accuracy in curve if accuracy >= goal), None) for curve in curves]
            needed = needed or float(np.mean([seen or pairs for seen in reached]))
            net = "unet16" if changes.get("start_from") else "unet8"
            told = ", ".join(
                f"{seen or 'not reached'} and {curve[-1][1]:.3f}" for seen, curve in zip(reached, curves, strict=True)
            )
            row: Row = {
                "what": f"pairs to an accuracy of {goal:.3f}, and accuracy after {pairs}, on spots that grow, {net}, {name}",
                "measured": told,
            }
            every = [seen for seen in reached if seen is not None]
            there = name != "published" and len(every) == len(reached)
            yield row | ({"limit": f"{needed:.0f} pairs", "ratio": float(np.mean(every)) / needed} if there else {})


def _curve(pairs: int, changes: dict[str, Any], seed: int) -> list[tuple[int, float]]:
    """Return (pairs seen, accuracy on the validation pairs drawn by motion) along a run."""
    preset = "unet16" if changes.get("start_from") else "unet8"
    s = PretrainSettings(preset=preset, patch_px=32, batch=32, seed=seed, **changes)
    torch.manual_seed(seed)
    model = load_encoder(encoder_folder(SHIPPED), 1)[0] if s.start_from else ArrowEncoder(1, s)
    if model.arrow is None:
        model.arrow = ArrowEncoder(1, s).arrow
    steps = pairs // s.batch
    plan = Plan(
        "pairs", steps, max(1, min(EVERY // s.batch, steps // 8)), s.learning_rate, s.weight_decay, s.schedule, period=50
    )
    movies = [movie_from_array(made.growing(seed)) for seed in range(4)]
    rows = _run(_learner(movies[:3], movies[3:], s, model), plan)
    return [(int(row["step"]) * s.batch, row["val_accuracy_motion"]) for row in rows]
