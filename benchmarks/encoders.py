"""The encoder against two other ways to compute the same: enlarging maps before they are convolved, and ONNX Runtime.

    python -m benchmarks.encoders [--repeats 9]

Processor seconds of one thread, the ways taken in turn; above 1 ours is quicker. ONNX Runtime has a row where it is installed
(`pip install onnx onnxruntime`); it is not used by the program.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.timing import one_thread, side_by_side
from napari_tap_events.encoder.compute import keep_freed_memory
from napari_tap_events.encoder.enlarging import EnlargingConv
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.settings import EncoderSettings, Preset

PRESETS: tuple[Preset, ...] = ("unet8", "unet16", "unet32")
SIDES_PX = (256, 512)
PAIRS, PATCH_PX = 8, 96
ONNX = ("onnx", "onnxruntime")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    keep_freed_memory()
    print("| what | ours | the other way | ratio |\n|---|---|---|---|")
    with one_thread():
        for preset in PRESETS:
            for what, ours, theirs in ways(preset):
                taken, other = side_by_side([ours, theirs], repeats)
                print(f"| {preset}, {what} | {taken:.3f} s | {other:.3f} s | {other / taken:.2f} |", flush=True)


def ways(preset: Preset) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Yield what is computed, our way and the other one; both have said the same before."""
    torch.manual_seed(0)
    encoder = Encoder(1, EncoderSettings(preset=preset)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    crops = torch.randn(2 * PAIRS, 1, PATCH_PX, PATCH_PX)
    yield f"enlarging first, forward and backward, {PAIRS} pairs of {PATCH_PX} px", *_both(lambda: _learn(encoder, crops))
    network = folded(encoder)
    for side in SIDES_PX:
        frame = torch.randn(1, 1, side, side)
        yield f"enlarging first, a frame of {side} x {side}", *_both(lambda frame=frame: _look(network, frame))
        if all(importlib.util.find_spec(name) for name in ONNX):
            run = _in_onnx_runtime(network, frame)
            torch.testing.assert_close(run(), _look(network, frame), rtol=0, atol=1e-3)
            yield f"ONNX Runtime, a frame of {side} x {side}", lambda frame=frame: _look(network, frame), run


def _both(work: Callable[[], Tensor]) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    def plainly() -> Tensor:
        with patch.object(EnlargingConv, "forward", _enlarging_first):
            return work()

    torch.testing.assert_close(work(), plainly(), rtol=0, atol=1e-3)
    return work, plainly


def _enlarging_first(layer: EnlargingConv, small: Tensor, beside: Tensor) -> Tensor:
    joined = torch.cat([F.interpolate(small, scale_factor=2.0, mode="nearest"), beside], dim=1)
    return F.conv2d(joined, layer.weight, layer.bias, padding=1)


def _learn(encoder: nn.Module, crops: Tensor) -> Tensor:
    encoder.zero_grad(set_to_none=True)
    loss: Tensor = encoder(crops).square().mean()
    loss.backward()
    return loss.detach()


@torch.inference_mode()
def _look(network: nn.Module, frame: Tensor) -> Tensor:
    said: Tensor = network(frame)
    return said


def _in_onnx_runtime(network: nn.Module, frame: Tensor) -> Callable[[], Tensor]:
    onnxruntime = importlib.import_module("onnxruntime")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(network, (frame,), str(path), dynamo=False, input_names=["frame"], output_names=["z"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: torch.from_numpy(session.run(None, {"frame": frame.numpy()})[0])


if __name__ == "__main__":
    main()
