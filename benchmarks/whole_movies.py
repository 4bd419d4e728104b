"""Whole movies against the encoder alone, movies mapped again from kept features, and heads taught on them: one thread, processor time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import made
from benchmarks.timing import Row, one_thread, seconds_of
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.features import SeenFrame
from napari_tap_events.encoder.resampling import pooled
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import MaximaFinder, score_frame, score_grid
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.learning import HeadLearner, Lesson
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.events.model import load_event_model
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.settings import ComputeSettings, DetectSettings, HeadSettings
from napari_tap_events.training.loop import Plan, fit

CPU = Compute(torch.device("cpu"))
LENGTH, SHORT, LONG, AT_ONCE = 96, 4, 28, 4
"""Frames of the movie that is told of; of two that are measured, from which it follows what one more frame takes; and of the encoder
alone, measured beside them."""
HEADS: dict[str, tuple[Callable[[Path], None], dict[str, bool], int]] = {
    "default head": (made.write_default_head, {"features": False, "intensity": True, "simulated": True}, 0),
    "head on features and arrow": (made.write_feature_head, {"pairs": True}, 16),
}


def detect_against_encoding(repeats: int) -> Iterator[Row]:
    """Compare `detect`, with its files, with the encoder alone on the same frames, in turn."""
    written = {name: write for name, (write, _, _) in HEADS.items()}
    for name, write in (written | {"default head, two kinds told apart": write_head_of_two_kinds}).items():
        with tempfile.TemporaryDirectory() as folder, one_thread():
            root = Path(folder)
            write(root / "head")
            for count in (SHORT, LONG):
                made.write_movie(root / f"{count}.tif", count, 512)
            source = load_event_model(root / "head", 1, CPU).source
            image = torch.randn(1, 512, 512)
            z = source.frame(image)
            seen = SeenFrame(image, z, pooled(z, 2))
            works: list[Callable[[], Any]] = [
                lambda root=root: _detected(root, SHORT),
                lambda source=source, image=image: [source.frame(image) for _ in range(AT_ONCE)],
                lambda source=source, seen=seen: [source.pair(seen, seen, 2) for _ in range(AT_ONCE)],
                lambda root=root: _detected(root, LONG),
            ]
            for work in works[:-1]:
                work()
            turns = [[seconds_of(work, time.process_time) for work in works] for _ in range(max(3, repeats // 2))]
        told = []
        for short, frame, pair, long in turns:  # the speed of a machine drifts: what was measured in one turn is compared
            whole = short + (LENGTH - SHORT) * (long - short) / (LONG - SHORT)
            told.append((whole, LENGTH * frame / AT_ONCE, LENGTH * (frame + pair) / AT_ONCE))
        whole, alone, heads = (median(times) for times in zip(*told, strict=True))
        what = f"detect, {LENGTH} x 512 x 512, unet16, {name}: against the encoder alone"
        ratio = median(alone / whole for whole, alone, _ in told)
        yield {"what": what, "measured": f"{whole:.0f} s", "limit": f"{alone:.0f} s", "ratio": ratio}
        what = "the same against the encoder with its own heads (arrow, simulated events)"
        ratio = median(heads / whole for whole, _, heads in told)
        yield {"what": what, "measured": f"{whole:.0f} s", "limit": f"{heads:.0f} s", "ratio": ratio}


def write_head_of_two_kinds(folder: Path) -> None:
    made.write_default_head(folder, ("division", "death"))


def _detected(root: Path, count: int) -> None:
    """Detect, into a folder that stays until all is measured: to remove it again is no part of the work."""
    run = Run(Path(tempfile.mkdtemp(dir=root)) / "found", compute=ComputeSettings(device="cpu", threads=1))
    for _ in detect(root / f"{count}.tif", root / "head", DetectSettings(), run):
        pass


def kept_maps(count: int, side: int, features: int) -> FeatureMaps:
    """Return maps as they are kept of a movie of (2 side) x (2 side) pixels, filled with noise."""
    rng = np.random.default_rng(0)
    block = rng.standard_normal((1, features + 1, side, side), dtype=np.float32).astype(np.float16)
    frames = np.repeat(block, count, 0)
    pairs = np.repeat(rng.standard_normal((1, 3, side, side), dtype=np.float32).astype(np.float16), count - 1, 0)
    return FeatureMaps(frames, pairs, features, 2, 2)


def predicted_again(repeats: int) -> Iterator[Row]:
    """Map a movie of 1024 x 1024 pixels from kept features, and find its maxima; a few frames are measured."""
    maps = kept_maps(4, 512, 16)
    for name, (_, inputs, features) in HEADS.items():
        reads = Inputs(**{"features": bool(features), **inputs})
        shape = HeadShape(*reads.channels(maps), 1, 24, 2, 2, 0 if features else 2)
        head = make_head("evidence", shape).eval()
        tiles, dense = MapTiles(maps, reads, CPU), DenseHead(head)
        finder, t = MaximaFinder(score_grid(head, 2), 15, 2), 0

        def one_more() -> None:
            nonlocal t
            dense._frames, dense._pair = {}, None  # noqa: B023 (called before the next head)
            dense.window_logits(tiles, t % 3)  # noqa: B023
            finder.add(t, score_frame(dense, tiles, t % 3, 15))  # noqa: B023
            t += 1

        with one_thread():
            one_more()
            taken = (LENGTH - 1) * median(seconds_of(one_more, time.process_time) for _ in range(repeats))
        what = f"{LENGTH} x 1024 x 1024 mapped again from kept features, {name}, both frames of a pair read anew"
        yield {"what": what, "measured": f"{taken:.0f} s", "limit": "180 s", "ratio": 180 / taken}


def head_training(_repeats: int) -> Iterator[Row]:
    """Teach heads on 2 000 crop pairs whose features are kept."""
    maps = kept_maps(21, 60, 16)
    rng = np.random.default_rng(0)
    labels = (rng.random((20, 1, 10, 10)) < 0.1).astype(np.int8)
    ways = [(name, "evidence", inputs, features) for name, (_, inputs, features) in HEADS.items()]
    for name, kind, inputs, features in [*ways, ("published resnet head", "resnet", {"pairs": False}, 16)]:
        reads = Inputs(**{"features": bool(features), **inputs})
        head = make_head(kind, HeadShape(*reads.channels(maps), 1, 24, 4, 2, 0 if features else 2))
        settings = HeadSettings(head=kind)
        with one_thread():
            learner = HeadLearner(head, [Lesson(MapTiles(maps, reads, CPU), labels, range(20))], settings, CPU)
            steps = settings.steps_for(0)
            some = steps // 10 if kind == "resnet" else steps
            taken = seconds_of(lambda learner=learner, some=some: _taught(learner, some), time.process_time)
            taken *= steps / some
        what = f"a head taught, {steps} steps on {labels.size} crop pairs of 48 px, features kept: {name}"
        what += f" ({some} steps measured)" if some < steps else ""
        yield {"what": what, "measured": f"{taken:.1f} s", "limit": "15 s", "ratio": 15 / taken}


def _taught(learner: HeadLearner, steps: int) -> None:
    for _ in fit(learner, Plan("head", steps, learning_rate=5e-3)):
        pass
