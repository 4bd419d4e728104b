"""Speed and memory on this machine, each beside its limit, measured in the same run.

    python -m benchmarks [--only SECTION ...] [--out FILE.md]

The limit of a network is a plain 64 -> 64, 3 x 3 convolution (channels last, forward) at the same thread count: the floating-point
operations of the network's convolutions, divided by the speed of that one. A training step counts three times its forward pass. Both are
taken in turn, in processor seconds of one thread, so that what else the machine does hardly tells.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks import backbones, growth, learning, reading, whole_movies
from benchmarks.timing import Row, side_by_side
from napari_tap_events import __version__
from napari_tap_events.encoder.compute import Compute, keep_freed_memory
from napari_tap_events.encoder.feature_maps import passing_maps
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.head import EventHead, HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import EncoderSettings, PretrainSettings

CPU = Compute(torch.device("cpu"))
SIDE = 512
BATCH = 8
"""Windows judged at once, crop by crop: the fastest of 2 to 64 on one thread."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None, help="Markdown file to write; JSON is written beside it.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), default=list(SECTIONS), metavar="SECTION")
    given = parser.parse_args()
    keep_freed_memory()
    rows: list[Row] = []
    for name in given.only:
        began = time.monotonic()
        for row in SECTIONS[name](given.repeats):
            rows.append({"section": name, **row})
            print(line(row), flush=True)
            if given.out is not None:
                write(given.out, rows)
        print(f"({name}: {time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)


def write(out: Path, rows: list[Row]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("# Speed and memory\n\n`python -m benchmarks`: each figure beside its limit, in one run.\n\n" + table(rows))
    out.with_suffix(".json").write_text(json.dumps(rows, indent=1))


def convolution(side: int, batch: int) -> tuple[Callable[[], Any], float]:
    """Return a plain convolution on images of the benchmark's size, and its floating-point operations."""
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.randn(batch, 64, side, side).to(memory_format=torch.channels_last)

    def work() -> None:
        with torch.no_grad():
            layer(image)

    return work, 2 * 64 * 64 * 9 * batch * side * side


def operations(module: nn.Module, image: torch.Tensor) -> float:
    """Return the floating-point operations of all convolutions in one forward pass."""
    total = 0.0

    def count(layer: nn.Module, _given: Any, result: torch.Tensor) -> None:
        nonlocal total
        weight = cast(torch.Tensor, layer.weight)
        total += 2.0 * result.numel() * weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        module(image)
    for hook in hooks:
        hook.remove()
    return total


def training(repeats: int) -> list[Row]:
    """Time whole training steps of TAP, crops drawn and augmented, 96 px pairs."""
    rng = np.random.default_rng(0)
    movie = movie_from_array(rng.integers(0, 255, (24, 512, 512), dtype=np.uint8))
    rows = []
    for preset, batch in (("unet32", 8), ("unet16", 16)):
        settings = PretrainSettings(preset=preset, patch_px=96, batch=batch)
        model = ArrowEncoder(1, settings).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        frames = device_movie(movie, range(24), (1,), CPU.device)
        learner = TimeArrow(model, [frames], [], settings, CPU)
        optimiser = torch.optim.Adam(model.parameters())

        def step(learner: TimeArrow = learner, optimiser: torch.optim.Adam = optimiser) -> None:
            loss, _ = learner.loss(0)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()

        def data(settings: PretrainSettings = settings, learner: TimeArrow = learner) -> None:
            from napari_tap_events.pretext._places import windows

            generator = CPU.generator(0)
            window = learner.augment.window_px(settings.patch_px)
            samplers = [one.at(0) for one in learner.samplers]
            learner.augment(windows(samplers, learner.weights, settings.batch, window, generator), 96, generator)

        plain, done = convolution(96, 2 * batch)
        limit, taken, outside = side_by_side([plain, step, data], repeats)
        speed = done / limit
        work = 3 * operations(model, torch.randn(batch, 2, 1, 96, 96))
        rows.append(
            {
                "what": f"training step, {preset}, pairs of 96 px, one thread",
                "measured": f"{batch / taken:.1f} pairs/s",
                "limit": f"{batch / (work / speed):.1f} pairs/s",
                "ratio": work / speed / taken,
            }
        )
        rows.append({"what": f"crops and augmentation, share of that step, {preset}", "measured": f"{outside / taken:.1%}"})
    return rows


def features(repeats: int) -> list[Row]:
    """Time dense features of a 512 x 512 frame."""
    rows = []
    image = torch.randn(1, 512, 512)
    for preset in ("unet32", "unet16"):
        encoder = Encoder(1, EncoderSettings(preset=preset)).eval()
        source = EncoderFeatures(encoder, None, CPU)
        plain, done = convolution(512, 1)
        limit, taken = side_by_side([plain, lambda source=source: source.frame(image)], repeats)
        speed, work = done / limit, operations(source.encoder, image[None])
        rows.append(
            {
                "what": f"dense features, {preset}, 512 x 512 frame, one thread",
                "measured": f"{taken:.2f} s",
                "limit": f"{work / speed:.2f} s",
                "ratio": work / speed / taken,
            }
        )
    return rows


def dense_against_crops(repeats: int) -> list[Row]:
    """Compare `detect` without its files, frame pair by frame pair, with crop by crop, for the published head and 48 px crops."""
    rows = []
    for preset in ("unet16", "unet32"):
        encoder = Encoder(1, EncoderSettings(preset=preset)).eval()
        source = EncoderFeatures(encoder, None, CPU)
        for stride in (8, 4):
            head = make_head("resnet", HeadShape(source.features, 0, 0, 1, 48, stride, 1)).eval()
            windows = ((SIDE - 48) // stride + 1) ** 2
            ways = [dense_pairs(source, head, repeats + 2), crops(source, head, head.margin), crops(source, head, 0)]
            one, margin, bare = side_by_side(ways, repeats)
            margin, bare = (taken / BATCH * windows for taken in (margin, bare))
            what = f"a frame pair of 512 x 512, {windows} windows at stride {stride}, {preset}: dense against crop by crop, one thread"
            rows += [
                {"what": what, "measured": f"{one:.2f} s against {margin:.0f} s", "ratio": margin / one},
                {
                    "what": "the same, crops without margin",
                    "measured": f"{one:.2f} s against {bare:.0f} s",
                    "ratio": bare / one,
                },
            ]
    return rows


def dense_pairs(source: EncoderFeatures, head: EventHead, frames: int) -> Callable[[], Any]:
    """Return what judges one more frame pair of a movie at each call: normalised, encoded, and every window's logit."""
    rng = np.random.default_rng(0)
    movie = movie_from_array(rng.integers(0, 255, (frames, SIDE, SIDE), dtype=np.uint8))
    passing = passing_maps(movie, source, CPU, 1, range(frames))
    dense = DenseHead(head)

    def next_pair() -> None:
        t, maps = next(passing)
        dense.window_logits(MapTiles(maps, Inputs(), CPU, first=t), t)

    return next_pair


def crops(source: EncoderFeatures, head: EventHead, margin: int) -> Callable[[], Any]:
    """Return what judges a batch of windows, each by its two crops alone: encoded, and one logit; crops are at hand, normalised.

    Crops have the margin that the head reads, or a smaller one, where features are continued by their border.
    """
    batch = torch.randn(2 * BATCH, 1, 48 + 2 * margin, 48 + 2 * margin).to(memory_format=torch.channels_last)
    judge, missing = folded(head), head.margin - margin

    def by_crop() -> None:
        with torch.no_grad():
            z = F.pad(source.encoder(batch), [missing] * 4, mode="replicate").unflatten(0, (BATCH, 2))
            judge(z, torch.zeros(BATCH, 0, *z.shape[-2:]))

    return by_crop


def memory() -> list[Row]:
    """Measure the peak memory of `detect` on short and long movies of the same frame size, each in its own process."""
    peaks = {}
    for frames in (50, 500):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peak_memory", str(frames)], capture_output=True, text=True, check=True
        )
        peaks[frames] = float(done.stdout)
    return [
        {
            "what": "peak memory of detect, 500 frames against 50 (256 x 256, unet8)",
            "measured": f"{peaks[500]:.0f} MB against {peaks[50]:.0f} MB",
            "ratio": peaks[500] / peaks[50],
        }
    ]


def line(row: Row) -> str:
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    return f"| {row['what']} | {row['measured']} | {row.get('limit', '')} | {ratio} |"


def table(rows: list[Row]) -> str:
    lines = ["| what | measured | limit | ratio |", "|---|---|---|---|", *map(line, rows)]
    cores = psutil.cpu_count(logical=False)
    about = f"napari-tap-events {__version__}, torch {torch.__version__}, {cores} cores "
    return "\n".join([*lines, "", about + f"({platform.machine()}, {torch.backends.cpu.get_cpu_capability()})"]) + "\n"


SECTIONS: dict[str, Callable[[int], Iterable[Row]]] = {
    "machine": reading.machine,
    "reading": reading.reading,
    "training": training,
    "loop": learning.outside,
    "features": features,
    "backbones": backbones.against_published,
    "dense": dense_against_crops,
    "detect": whole_movies.detect_against_encoding,
    "again": whole_movies.predicted_again,
    "heads": whole_movies.head_training,
    "memory": lambda _: memory(),
    "growth": growth.curves,
    "pairs": learning.pairs_needed,
}
"""What is measured, in this order."""


if __name__ == "__main__":
    main()
