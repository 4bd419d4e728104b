"""Where the time goes: in a training step, operation by operation; in `detect`, part by part. One thread, processor time.

python -m benchmarks.profiles
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import made
from benchmarks.timing import one_thread, timed
from napari_tap_events.encoder import feature_maps
from napari_tap_events.encoder.compute import Compute, keep_freed_memory
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.events.detection import MaximaFinder
from napari_tap_events.jobs import detect as job
from napari_tap_events.jobs.output import Run
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import ComputeSettings, DetectSettings, PretrainSettings

CPU = Compute(torch.device("cpu"))
STEPS, FRAMES, SHOWN = 3, 16, 10
PARTS: list[tuple[str, Any, str]] = [
    ("read", Movie, "frame"),
    ("normalise", feature_maps, "normalise"),
    ("encoder", feature_maps.EncoderFeatures, "frame"),
    ("the encoder's own heads", feature_maps.EncoderFeatures, "pair"),
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
        print(training("unet16") + "\n\n" + detection())


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


if __name__ == "__main__":
    main()
