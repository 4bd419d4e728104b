"""Speed and memory on this machine, each beside its limit, measured in the same run.

    python -m benchmarks [--quick] [--out docs/benchmarks/speed.md]

The limit of a network is a plain 64 -> 64, 3 x 3 convolution (channels last, forward) at the same thread count: the floating-point
operations of the network's convolutions, divided by the speed of that one. A training step counts three times its forward pass.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn

from napari_tap_events import __version__
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import EncoderFeatures, FeatureMaps
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.events.dense import window_logits
from napari_tap_events.events.head import HeadShape, make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import EncoderSettings, PretrainSettings

CPU = Compute(torch.device("cpu"))
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None, help="Markdown file to write; JSON is written beside it.")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    rows = [
        *training(given.repeats),
        *features(given.repeats),
        dense_against_crops(),
        *memory(),
    ]
    text = table(rows)
    print(text)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(
            "# Speed and memory\n\n`python -m benchmarks`: each figure beside its limit, in one run.\n\n" + text
        )
        given.out.with_suffix(".json").write_text(json.dumps(rows, indent=1))


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the median wall time of a call, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def convolution_speed(side: int, batch: int, repeats: int) -> float:
    """Return floating-point operations per second of a plain convolution on images of the benchmark's size."""
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.randn(batch, 64, side, side).to(memory_format=torch.channels_last)
    with torch.no_grad():
        taken = seconds(lambda: layer(image), repeats)
    return 2 * 64 * 64 * 9 * batch * side * side / taken


def operations(module: nn.Module, image: torch.Tensor) -> float:
    """Return the floating-point operations of all convolutions in one forward pass."""
    total = 0.0

    def count(layer: nn.Module, _given: Any, result: torch.Tensor) -> None:
        nonlocal total
        weight = layer.weight
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
        settings = PretrainSettings(preset=preset, patch_px=96, batch=batch)  # type: ignore[arg-type]
        model = ArrowEncoder(1, settings).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        frames = device_movie(movie, range(24), (1,), CPU.device)
        learner = TimeArrow(model, [frames], [], settings, CPU)
        optimiser = torch.optim.Adam(model.parameters())
        outside = 0.0

        def step(learner: TimeArrow = learner, optimiser: torch.optim.Adam = optimiser) -> None:
            loss, _ = learner.loss(0)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()

        def data(settings: PretrainSettings = settings, learner: TimeArrow = learner) -> None:
            from napari_tap_events.pretext.time_arrow import _windows

            generator = CPU.generator(0)
            window = learner.augment.window_px(settings.patch_px)
            learner.augment(_windows(learner.samplers, learner.weights, settings.batch, window, generator), 96, generator)

        speed = convolution_speed(96, 2 * batch, repeats)
        taken, outside = seconds(step, repeats), seconds(data, repeats)
        work = 3 * operations(model, torch.randn(batch, 2, 1, 96, 96))
        rows.append(
            {
                "what": f"training step, {preset}, pairs of 96 px",
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
        encoder = Encoder(1, EncoderSettings(preset=preset)).eval()  # type: ignore[arg-type]
        source = EncoderFeatures(encoder, None, CPU)
        speed = convolution_speed(512, 1, repeats)
        taken = seconds(lambda source=source: source.frame(image), repeats)
        work = operations(source.encoder, image[None])
        rows.append(
            {
                "what": f"dense features, {preset}, 512 x 512 frame",
                "measured": f"{taken:.2f} s",
                "limit": f"{work / speed:.2f} s",
                "ratio": work / speed / taken,
            }
        )
    return rows


def dense_against_crops() -> Row:
    """Compare one dense pass over a frame pair with crop by crop, stride 8, 48 px, resnet head, unet16.

    Crop by crop, every window's two crops are encoded and judged by themselves; a sample of windows is timed and scaled up.
    """
    side, crop, stride = 512, 48, 8
    torch.manual_seed(0)
    encoder = Encoder(1, EncoderSettings(preset="unet16")).eval()
    source = EncoderFeatures(encoder, None, CPU)
    head = make_head("resnet", HeadShape(16, 0, 0, 1, crop, stride, 1)).eval()
    frames = torch.randn(2, 1, side, side)
    windows = ((side - crop) // stride + 1) ** 2

    def dense() -> None:
        z = torch.stack([source.frame(frames[1])] * 2)
        maps = FeatureMaps(z.numpy().astype(np.float16), np.zeros((1, 0, side, side), np.float16), 16, 1)
        window_logits(head, MapTiles(maps, Inputs(), CPU), 0)

    margin, batch = head.margin, 32
    crops = torch.randn(2 * batch, 1, crop + 2 * margin, crop + 2 * margin).to(memory_format=torch.channels_last)

    def by_crop() -> None:
        with torch.no_grad():
            z = source.encoder(crops).unflatten(0, (batch, 2))
            head(z, torch.zeros(batch, 0, *z.shape[-2:]))

    one, many = seconds(dense, 3), seconds(by_crop, 3) * windows / batch
    return {
        "what": "a frame pair of 512 x 512, stride 8: dense against crop by crop (each frame once against twice per window)",
        "measured": f"{one:.2f} s against {many:.0f} s",
        "ratio": many / one,
    }


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


def table(rows: list[Row]) -> str:
    lines = ["| what | measured | limit | ratio |", "|---|---|---|---|"]
    for row in rows:
        ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
        lines.append(f"| {row['what']} | {row['measured']} | {row.get('limit', '')} | {ratio} |")
    cores = psutil.cpu_count(logical=False)
    about = f"napari-tap-events {__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads on {cores} cores "
    return "\n".join([*lines, "", about + f"({platform.machine()}, {torch.backends.cpu.get_cpu_capability()})"]) + "\n"


if __name__ == "__main__":
    main()
