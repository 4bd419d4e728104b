"""How time and memory grow with frames, frame size, crops and movies; a slope of 1 is in proportion, 0 not at all.

    python -m benchmarks.growth detect-frames 24        one point: processor seconds and MB that the work added, as JSON

Every point is a process of its own, so that no other holds memory for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from benchmarks import made
from benchmarks.peak_memory import peak_mb
from benchmarks.timing import Row, slope
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.settings import ComputeSettings, DetectSettings, PretrainSettings

ONE = ComputeSettings(device="cpu", threads=1)


def curves(_repeats: int) -> Iterator[Row]:
    """Measure every curve."""
    for name, (_, sizes, what, wanted) in CURVES.items():
        points = [_point(name, size) for size in sizes]
        seconds, memory = ([point[key] for point in points] for key in ("seconds", "mb"))
        yield {
            "what": f"{what}: {', '.join(map(str, sizes))}",
            "measured": f"{', '.join(f'{s:.1f}' for s in seconds)} s, slope {slope(sizes, seconds):.2f}; "
            f"{', '.join(f'{m:.0f}' for m in memory)} MB, slope {slope(sizes, memory):.2f}",
            "limit": wanted,
        }


def _point(name: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", name, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _detect(folder: Path, frames: int, side: int) -> Callable[[], None]:
    made.write_movie(folder / "m.tif", frames, side)
    made.write_feature_head(folder / "head", "unet8")

    def work() -> None:
        for _ in detect(folder / "m.tif", folder / "head", DetectSettings(), Run(folder / "out", compute=ONE)):
            pass

    return work


def _pretrain(folder: Path, movies: int, batch: int) -> Callable[[], None]:
    paths = [folder / f"{number}.tif" for number in range(movies)]
    for path in paths:
        made.write_movie(path, 20, 128)
    settings = PretrainSettings(preset="unet8", patch_px=48, steps=10, batch=batch, val_pairs=16)

    def work() -> None:
        for _ in pretrain(paths, settings, Run(folder / "out", compute=ONE)):
            pass

    return work


CURVES: dict[str, tuple[Callable[[Path, int], Callable[[], None]], tuple[int, ...], str, str]] = {
    "detect-frames": (lambda f, n: _detect(f, n, 192), (12, 24, 48, 96), "detect, 192 x 192, unet8, frames", "1; memory 0"),
    "detect-side": (
        lambda f, n: _detect(f, 6, n),
        (192, 384, 768),
        "detect, 6 frames, unet8, side in px",
        "2; memory 2 or less",
    ),
    "pretrain-batch": (lambda f, n: _pretrain(f, 1, n), (8, 32, 128), "pretrain, 10 steps, unet8, crop pairs a step", "1"),
    "pretrain-movies": (lambda f, n: _pretrain(f, n, 16), (1, 4, 16), "pretrain, 10 steps, unet8, movies", "1 or less"),
}


def main() -> None:
    name, size = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        work = CURVES[name][0](Path(folder), size)
        before, began = peak_mb(), time.process_time()
        work()
        print(json.dumps({"seconds": time.process_time() - began, "mb": max(1.0, peak_mb() - before)}))


if __name__ == "__main__":
    main()
