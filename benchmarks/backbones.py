"""What the networks cost against the published one: a step of the time arrow, and a frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.timing import Row, side_by_side
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import EncoderSettings, PretrainSettings

CPU = Compute(torch.device("cpu"))
PATCH_PX, BATCH, SIDE = 48, 8, 256
PUBLISHED, OTHERS = "unet32", ("unet16", "vit_tiny", "vit_small")


def against_published(repeats: int) -> list[Row]:
    """Time a training step and a frame of each network in turn with those of the published one."""
    rows = []
    for preset in OTHERS:
        theirs, ours = side_by_side([_step(PUBLISHED), _step(preset)], repeats)
        what = f"training step, {preset} against {PUBLISHED}, {BATCH} pairs of {PATCH_PX} px, one thread"
        rows.append(_row(what, ours, theirs))
        theirs, ours = side_by_side([_frame(PUBLISHED), _frame(preset)], repeats)
        rows.append(_row(f"dense features, {preset} against {PUBLISHED}, {SIDE} x {SIDE} frame, one thread", ours, theirs))
    return rows


def _row(what: str, ours: float, theirs: float) -> Row:
    return {"what": what, "measured": f"{ours:.2f} s", "limit": f"{theirs:.2f} s, {PUBLISHED}", "ratio": theirs / ours}


def _step(preset: str) -> Callable[[], None]:
    settings = PretrainSettings(preset=preset, patch_px=PATCH_PX, batch=BATCH)
    movie = movie_from_array(np.random.default_rng(0).integers(0, 255, (8, 256, 256), dtype=np.uint8))
    model = ArrowEncoder(1, settings).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = TimeArrow(model, [device_movie(movie, range(8), (1,), CPU.device)], [], settings, CPU)
    optimiser = torch.optim.Adam(model.parameters())

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        learner.loss(0)[0].backward()
        optimiser.step()

    return step


def _frame(preset: str) -> Callable[[], torch.Tensor]:
    source = EncoderFeatures(Encoder(1, EncoderSettings(preset=preset)).eval(), None, CPU)
    image = torch.randn(1, SIDE, SIDE)
    return lambda: source.frame(image)
