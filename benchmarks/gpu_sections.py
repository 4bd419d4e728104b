"""What benchmarks/gpu.py measures, section by section; each gives its rows one by one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from benchmarks import made
from benchmarks.machine import Machine
from napari_tap_events.encoder.compiled import compile_where_possible
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps, passing_maps
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.shipped import SHIPPED, encoder_folder
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder, load_encoder
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.jobs.answers import Answers
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.teaching import settled
from napari_tap_events.movies.masks import EventMasks, Scope
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import ComputeSettings, DetectSettings, EncoderSettings, HeadSettings, PretrainSettings
from napari_tap_events.training.loop import Plan, fit

Rows = Iterator[dict[str, Any]]
DRAWS = "napari_tap_events.pretext.time_arrow.windows"
AUGMENTED_PER_CORE, CORES, FASTER = 296, 8, 10
"""Pairs per second that one processor core augments one by one, as the published code does; against so many cores, so much faster."""
TOLERANCE = {"float32": 1e-3, "TF32": 3e-2, "bfloat16": 1e-1}
"""Greatest difference to the CPU, as a share of the spread (features) or of the length (gradient)."""


def correct(machine: Machine) -> Rows:
    """Hold features, loss and gradient against the CPU's, in every number format."""
    image, pairs = torch.randn(1, 96, 96), torch.randn(8, 2, 1, 48, 48)
    cpu = Compute(torch.device("cpu"))
    truth, loss, gradient = _answers(cpu, image, pairs)
    formats = ["float32"] + (["TF32", "bfloat16"] if machine.device.type == "cuda" else [])
    for name in formats:
        torch.backends.cudnn.allow_tf32 = name != "float32"
        found = _answers(machine.compute(name == "bfloat16"), image, pairs)
        off = {
            "features": float((found[0] - truth).abs().max() / truth.std()),
            "loss": abs(found[1] - loss) / abs(loss),
            "gradient": float((found[2] - gradient).norm() / gradient.norm()),
        }
        for what, share in off.items():
            word = "" if share <= TOLERANCE[name] else "WRONG: "
            yield {
                "what": f"{what} against the CPU's, {name}",
                "measured": f"{word}{share:.1e} off",
                "beside": f"{TOLERANCE[name]:.0e} allowed",
            }
    torch.backends.cudnn.allow_tf32 = True


def _answers(compute: Compute, image: Tensor, pairs: Tensor) -> tuple[Tensor, float, Tensor]:
    """Return features of an image, and the loss of crop pairs with its gradient, of the same untaught network."""
    torch.manual_seed(1)
    settings = PretrainSettings(preset="unet16", patch_px=48, batch=8, augmentation=0)
    model = ArrowEncoder(1, settings).to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = _learner(model, settings, compute)
    with patch(DRAWS, return_value=pairs.to(compute.device)):
        loss, _ = learner.loss(0)
    loss.backward()
    gradient = torch.cat([p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None])
    z = EncoderFeatures(model.eval().encoder, None, compute).frame(image.to(compute.device))
    return z.cpu(), float(loss.detach()), gradient


def _learner(model: ArrowEncoder, settings: PretrainSettings, compute: Compute, side: int = 128) -> TimeArrow:
    noise = np.random.default_rng(0).integers(0, 255, (24, side, side), dtype=np.uint8)
    return TimeArrow(model, [device_movie(movie_from_array(noise), range(24), (1,), compute.device)], [], settings, compute)


def training(machine: Machine) -> Rows:
    """Time training steps, and the same on random tensors that lie on the device already."""
    patch_px, batch = (32, 4) if machine.quick else (96, 256)
    ways = [("float32", False, False)]
    ways += [("bfloat16", True, False), ("bfloat16, compiled", True, True)] if machine.has_bfloat16 else []
    ways += [("compiled", False, True)] if machine.device.type == "cuda" and not machine.has_bfloat16 else []
    for preset in ("unet8",) if machine.quick else ("unet32", "unet16"):
        for name, bfloat16, compiled in ways:
            if time.monotonic() > machine.until:
                yield {"what": f"training, {preset}, {name}", "measured": "not measured: the time was up"}
                continue
            settings = PretrainSettings(preset=preset, patch_px=patch_px, batch=batch)
            yield from _trained(machine, settings, name, machine.compute(bfloat16), compiled)


def _trained(machine: Machine, settings: PretrainSettings, name: str, compute: Compute, compiled: bool) -> Rows:
    model = ArrowEncoder(1, settings).to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    what = f"{settings.preset}, {settings.batch} pairs of {settings.patch_px} px, {name}"
    crops = torch.randn(settings.batch, 2, 1, settings.patch_px, settings.patch_px, device=compute.device)
    if compiled and (why := compile_where_possible(model.encoder, crops.flatten(0, 1), compute)):
        yield {"what": f"training, {what}", "measured": f"could not be compiled ({why})"}
        return
    learner, optimiser = _learner(model, settings, compute, 512), torch.optim.Adam(model.parameters())
    bare = _learner(model, settings.model_copy(update={"augmentation": 0.0}), compute, 64)
    pairs, at_once = settings.batch, 1 if machine.quick else 4
    with machine.memory() as peak:
        whole = machine.seconds(lambda: _step(learner, optimiser), at_once=at_once)
    with patch(DRAWS, return_value=crops):
        given = machine.seconds(lambda: _step(bare, optimiser), at_once=at_once)
    data = machine.seconds(_data(learner), at_once=at_once)
    yield {
        "what": f"training, {what}",
        "measured": f"{pairs / whole:.0f} pairs/s{peak[0]}",
        "beside": f"{pairs / given:.0f} pairs/s on random tensors on the device",
        "ratio": given / whole,
    }
    yield {"what": f"crops and augmentation, share of that step, {name}", "measured": f"{data / whole:.1%}"}
    need = FASTER * CORES * AUGMENTED_PER_CORE
    told = f"{FASTER} times what {CORES} cores augment one by one: {need} pairs/s"
    yield {
        "what": f"the same, {name}",
        "measured": f"{pairs / whole:.0f} pairs/s",
        "beside": told,
        "ratio": pairs / whole / need,
    }
    looped = _looped(machine, learner, 4 if machine.quick else 60)
    yield {
        "what": f"the whole loop around it, {name}",
        "measured": f"{pairs / looped:.0f} pairs/s",
        "beside": f"{pairs / whole:.0f} pairs/s, the steps alone",
        "ratio": whole / looped,
    }


def _step(learner: TimeArrow, optimiser: torch.optim.Optimizer) -> None:
    loss, _ = learner.loss(0)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _data(learner: TimeArrow) -> Callable[[], Any]:
    from napari_tap_events.pretext._places import windows as cut

    s = learner.settings

    def draw() -> None:
        generator = learner.compute.generator(0, 0)
        samplers, window = [one.at(0) for one in learner.samplers], learner.augment.window_px(s.patch_px)
        windows = cut(samplers, learner.weights, s.batch, window, generator)
        learner.augment(windows, s.patch_px, generator)

    return draw


def _looped(machine: Machine, learner: TimeArrow, steps: int) -> float:
    """Return the seconds of a step in the loop that trains everything."""
    work = fit(learner, Plan("bench", steps, learning_rate=1e-4))
    machine.wait()
    began = time.perf_counter()
    for _ in work:
        pass
    machine.wait()
    return (time.perf_counter() - began) / steps


def features(machine: Machine) -> Rows:
    """Time dense features of frames, and dense maps from features."""
    side = 64 if machine.quick else 1024
    formats = [("float32", False)] + ([("bfloat16", True)] if machine.has_bfloat16 else [])
    for preset in ("unet8",) if machine.quick else ("unet32", "unet16"):
        for name, bfloat16 in formats:
            compute = machine.compute(bfloat16)
            source = EncoderFeatures(Encoder(1, EncoderSettings(preset=preset)).eval(), None, compute)
            image = torch.randn(1, side, side, device=compute.device)
            with machine.memory() as peak:
                taken = machine.seconds(lambda source=source, image=image: source.frame(image), at_once=4)
            told = f"{1 / taken:.1f} frames/s{peak[0]}"
            yield {"what": f"dense features, {preset}, {side} x {side}, {name}", "measured": told}
            for kind in ("evidence", "resnet"):
                yield _dense(machine, compute, source, kind, side)


def _dense(machine: Machine, compute: Compute, source: EncoderFeatures, kind: str, side: int) -> dict[str, Any]:
    movie = movie_from_array(made.frames(3, side))
    _, maps = next(passing_maps(movie, source, compute, 2, range(2)))
    head = make_head(kind, HeadShape(source.features, 0, 0, 1, 12, 2, 2)).to(compute.device).eval()
    tiles = MapTiles(maps, Inputs(), compute)
    taken = machine.seconds(lambda: DenseHead(head).window_logits(tiles, 0))
    what = f"dense maps, {kind} head on {source.features} features, {side} x {side}, {'bfloat16' if compute.bfloat16 else 'float32'}"
    return {"what": what, "measured": f"{1 / taken:.1f} maps/s, both frames read anew"}


def detected(machine: Machine) -> Rows:
    """Detect a long movie, files and all."""
    count, side = (5, 64) if machine.quick else (96, 1024)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made.write_movie(root / "movie.tif", count, side)
        made.write_default_head(root / "head")
        compute = ComputeSettings(device=machine.device.type)
        for name, frames in (("the first frames, to warm up", f"0:{min(5, count)}"), ("the whole movie", "")):
            began = time.perf_counter()
            with machine.memory() as peak:
                run = Run(root / name, compute=compute)
                for _ in detect(root / "movie.tif", root / "head", DetectSettings(frames=frames), run):
                    pass
            taken = time.perf_counter() - began
    yield {
        "what": f"detect, {count} x {side} x {side}, default head",
        "measured": f"{taken:.1f} s{peak[0]}",
        "beside": "10 s wanted",
        "ratio": 10 / taken,
    }


def stroke_to_overlay(machine: Machine) -> Rows:
    """Time what follows a stroke of the brush: learn from all marks anew, and map the frame on screen."""
    count, side = (8, 64) if machine.quick else (48, 512)
    compute, model = machine.compute(machine.has_bfloat16), load_encoder(encoder_folder(SHIPPED), 1)[0]
    source = EncoderFeatures(model.encoder, model.arrow, compute, simulated=model.simulated)
    movie = movie_from_array(made.frames(count, side))
    settings = settled(HeadSettings(crop_px=24, steps=20 if machine.quick else 200), source)
    maps = _whole(list(passing_maps(movie, source, compute, 2, range(count))))
    grid = WindowGrid(side, side, 24, 8)
    apprentice = Apprentice(maps, grid, settings, compute)
    answers = _marks(count, side)
    began = time.perf_counter()
    learned = _end(apprentice.learn(answers, frames=range(2)))
    taught = time.perf_counter() - began
    DenseHead(learned.head).window_logits(apprentice.tiles, 0)
    machine.wait()
    whole = time.perf_counter() - began
    what = f"stroke to overlay, {count} x {side} x {side}, {settings.steps} steps a head, 3 held-out heads beside it"
    yield {"what": what, "measured": f"{whole:.1f} s, of which {taught:.1f} s learning"}


def _whole(parts: list[tuple[int, FeatureMaps]]) -> FeatureMaps:
    first = parts[0][1]
    frames = np.concatenate([first.frames[:1], *(maps.frames[1:] for _, maps in parts)])
    pairs = np.concatenate([maps.pairs for _, maps in parts])
    return FeatureMaps(frames, pairs, first.features, first.stride_px, first.simulated)


def _marks(count: int, side: int) -> Answers:
    """Return marks on every second frame pair: a division in each, the rest of the frame looked at."""
    labels = np.zeros((count, side, side), np.uint8)
    places = [(t, side // 4 + 3 * (t % 5), side // 2) for t in range(0, count - 1, 2)]
    for t, y, x in places:
        labels[t : t + 2, y - 4 : y + 5, x - 4 : x + 5] = 1
    masks = EventMasks(labels, ("division", "death"), Scope(range(count), 0, side, 0, side))
    judged = np.array(places, np.float64), np.ones(len(places), bool)
    return Answers(masks, judged, judged, len(places))


def _end(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
