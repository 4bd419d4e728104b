"""Where the time goes: in a training step, operation by operation; in `detect`, part by part; in convolutions. One thread, processor time.

python -m benchmarks.profiles [training] [detection] [convolutions]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import made
from benchmarks.timing import one_thread, side_by_side, timed
from napari_tap_events.encoder import feature_maps, features
from napari_tap_events.encoder.compute import Compute, keep_freed_memory
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.events.detection import MaximaFinder
from napari_tap_events.jobs import detect as job
from napari_tap_events.jobs.output import Run
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import ComputeSettings, DetectSettings, EncoderSettings, Preset, PretrainSettings

CPU = Compute(torch.device("cpu"))
STEPS, FRAMES, SHOWN = 3, 16, 10
PAIRS, SIDE_PX, REPEATS = 16, 96, 5
PARTS: list[tuple[str, Any, str]] = [
    ("read", Movie, "frame"),
    ("normalise", feature_maps, "normalise"),
    ("encoder", features.EncoderFeatures, "frame"),
    ("the encoder's own heads", features.EncoderFeatures, "pair"),
    ("pooling", features, "pooled"),
    ("pooling", feature_maps, "pooled"),
    ("to float16", feature_maps, "_half"),
    ("maps: head, calibration, writing", job._Maps, "write"),
    ("scores", job, "score_frame"),
    ("maxima", MaximaFinder, "add"),
    ("files prepared", job._Maps, "_create"),
]


def main() -> None:
    keep_freed_memory()
    with one_thread():
        asked = sys.argv[1:] or list(TABLES)
        print("\n\n".join(TABLES[name]() for name in asked))


def training(preset: str) -> str:
    """Return a table of the operations of a training step, the costliest first."""
    settings = PretrainSettings(preset=preset)
    model = ArrowEncoder(1, settings).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    frames = device_movie(movie_from_array(made.frames(24, 192)), range(24), (1,), CPU.device)
    learner, optimiser = TimeArrow(model, [frames], [], settings, CPU), torch.optim.Adam(model.parameters())

    def step(number: int) -> None:
        loss, _ = learner.loss(number)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    step(0)
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        for number in range(STEPS):
            step(number)
    found = sorted(measured.key_averages(), key=lambda row: -row.self_cpu_time_total)
    whole = sum(row.self_cpu_time_total for row in found)
    rows = [f"| {row.key} | {row.self_cpu_time_total / whole:.1%} |" for row in found[:SHOWN]]
    rest = sum(row.self_cpu_time_total for row in found[SHOWN:]) / whole
    head = f"| operation in a training step, {preset}, {settings.batch} pairs of {settings.patch_px} px | share |"
    return "\n".join([head, "|---|---|", *rows, f"| all others | {rest:.1%} |"])


def convolutions(preset: Preset) -> str:
    """Return how fast the convolutions of an encoder run, all layers together: forward, gradient of inputs, gradient of weights."""
    shapes: list[tuple[int, ...]] = []
    encoder = Encoder(1, EncoderSettings(preset=preset))
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)]
    for layer in layers:
        layer.register_forward_hook(
            lambda layer, _given, result: shapes.append(
                (len(result), layer.in_channels, *result.shape[2:])
            )  # as if it were plain
        )
    with torch.no_grad():
        encoder(torch.zeros(PAIRS, 1, SIDE_PX, SIDE_PX))
    heads = "| memory layout | forward | gradient of inputs | gradient of weights |"
    rows = []
    for words, layout in (("channels beside each other", torch.channels_last), ("channels apart", torch.contiguous_format)):
        spent, done = [0.0, 0.0, 0.0], 0.0
        for layer, shape in zip(layers[1:], shapes[1:], strict=True):  # the image itself needs no gradient
            weight, given = (value.to(memory_format=layout) for value in (layer.weight.detach(), torch.randn(shape)))
            back = torch.randn(shape[0], weight.shape[0], *shape[2:]).to(memory_format=layout)
            ways: list[Callable[[], Any]] = [partial(F.conv2d, given, weight, padding=1)]
            ways += [partial(_gradient, back, given, weight, which) for which in (0, 1)]
            spent = [before + taken for before, taken in zip(spent, side_by_side(ways, REPEATS), strict=True)]
            done += 2 * weight.numel() * shape[0] * shape[2] * shape[3]
        rows.append(f"| {words} | " + " | ".join(f"{done / taken / 1e9:.0f} GFLOP/s" for taken in spent) + " |")
    return "\n".join([heads, "|---|---|---|---|", *rows])


def _gradient(back: torch.Tensor, given: torch.Tensor, weight: torch.Tensor, which: int) -> None:
    wanted = [which == 0, which == 1, False]
    torch.ops.aten.convolution_backward(back, given, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, wanted)


def detection() -> str:
    """Return a table of the parts of `detect`."""
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        root = Path(folder)
        made.write_movie(root / "movie.tif", FRAMES, 512)
        made.write_default_head(root / "head")
        for name, owner, attribute in PARTS:
            stack.enter_context(patch.object(owner, attribute, timed(getattr(owner, attribute), spent, name)))
        began = time.process_time()
        run = Run(root / "out", compute=ComputeSettings(device="cpu", threads=1))
        for _ in job.detect(root / "movie.tif", root / "head", DetectSettings(), run):
            pass
        whole = time.process_time() - began
    rows = [
        f"| {name} | {1000 * spent[name] / FRAMES:.1f} ms | {spent[name] / whole:.1%} |"
        for name in sorted(spent, key=lambda name: -spent[name])
    ]
    rest = whole - sum(spent.values())
    head = f"| part of detect, {FRAMES} x 512 x 512, unet16, default head | per frame | share |"
    return "\n".join([head, "|---|---|---|", *rows, f"| all others | {1000 * rest / FRAMES:.1f} ms | {rest / whole:.1%} |"])


TABLES: dict[str, Callable[[], str]] = {
    "training": partial(training, "unet16"),
    "detection": detection,
    "convolutions": partial(convolutions, "unet32"),
}

if __name__ == "__main__":
    main()
