"""Print the peak memory of `detect` in MB, for a movie of so many frames of so many pixels; run in a process of its own.

python -m benchmarks.peak_memory 500 [256]
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.weights import ArrowEncoder, Card, save_model
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import Calibration
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.settings import ComputeSettings, DetectSettings, EncoderSettings

SIDE = 256


def main() -> None:
    frames, side = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SIDE
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_movie(root / "movie.tif", frames, side)
        write_model(root / "head")
        for _ in detect(
            root / "movie.tif", root / "head", DetectSettings(), Run(root / "out", compute=ComputeSettings(threads=1))
        ):
            pass
    print(peak_mb())


def peak_mb() -> float:
    """Return the greatest memory of this process; on Linux without what its parent held when it was started."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_movie(path: Path, frames: int, side: int) -> None:
    """Write noise, frame by frame, so that writing does not take the memory that is measured."""
    rng = np.random.default_rng(0)
    pages = (rng.integers(0, 255, (side, side), dtype=np.uint8) for _ in range(frames))
    tifffile.imwrite(path, pages, shape=(frames, side, side), dtype=np.uint8, metadata={"axes": "TYX"})


def write_model(folder: Path) -> None:
    """Write an untrained model: its size is that of a trained one."""
    torch.manual_seed(0)
    settings = EncoderSettings(preset="unet8")
    model = ArrowEncoder(1, settings)
    source = EncoderFeatures(model.encoder, model.arrow, Compute(torch.device("cpu")))
    shape = HeadShape(source.features, 0, 0, 1, 12, 4, 2)
    calibration = Calibration((Calibrator(),), Calibrator(), 0.5)
    details = {
        "head": "evidence",
        "pair": "both",
        "kinds": ["event"],
        "shape": vars(shape),
        "inputs": {"features": True, "intensity": False, "pairs": False},
        "map_stride_px": 2,
        "crop_px": 24,
        "calibration": calibration.to_dict(),
        "source": "encoder",
    }
    encoder = Card(kind="encoder", name="encoder", channels=1, features=8, settings=settings.model_dump(mode="json"))
    save_model(folder / "encoder", model.state_dict(), encoder)
    head = Card(kind="head", name="head", channels=1, features=8, details=details)
    save_model(folder, make_head("evidence", shape).state_dict(), head)


if __name__ == "__main__":
    main()
