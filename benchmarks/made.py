"""Movies and heads to measure with: blurred noise, and untrained heads, which cost what trained ones cost."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_tap_events.encoder.shipped import SHIPPED, encoder_folder
from napari_tap_events.encoder.weights import ArrowEncoder, Card, save_model
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.head import HeadShape, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import Calibration
from napari_tap_events.settings import EncoderSettings

CELL_PX = 4.0


def frames(count: int, side: int) -> NDArray[np.uint16]:
    """Return frames (T, Y, X) of blurred noise: four of them, over and over."""
    rng = np.random.default_rng(0)
    some = [4000 * ndi.gaussian_filter(rng.random((side, side)), CELL_PX) for _ in range(4)]
    return np.stack([some[t % 4] for t in range(count)]).astype(np.uint16)


def growing(seed: int, count: int = 14, side: int = 160, spots: int = 12) -> NDArray[np.uint8]:
    """Return a movie (T, Y, X) with a strong arrow of time: a few scattered spots that grow from frame to frame."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    movie = rng.normal(20, 2, (count, side, side))
    for cy, cx, first in zip(
        rng.uniform(8, side - 8, spots), rng.uniform(8, side - 8, spots), rng.uniform(0, 3, spots), strict=True
    ):
        away = np.hypot(y - cy, x - cx)
        for t in range(count):
            movie[t] += 120 / (1 + np.exp(2 * (away - 1.5 - first - 0.5 * t)))
    return np.clip(movie, 0, 255).astype(np.uint8)


def write_movie(path: Path, count: int, side: int) -> None:
    """Write frames one by one, so that writing does not take the memory that is measured."""
    four = frames(4, side)
    pages = (four[t % 4] for t in range(count))
    tifffile.imwrite(path, pages, shape=(count, side, side), dtype=np.uint16, metadata={"axes": "TYX"})


def write_default_head(folder: Path, kinds: Sequence[str] = ("event",)) -> None:
    """Write a head as `train` makes it by default: it reads the image, and the shipped encoder's pair head is its guide."""
    shape = HeadShape(0, 1, 2, answers_for(kinds), 24, 4, 2, 2)
    save_head(folder, shape, {"features": False, "intensity": True, "pairs": False, "simulated": True}, 16, kinds)
    shutil.copytree(encoder_folder(SHIPPED), folder / "encoder")


def write_feature_head(folder: Path, preset: str = "unet16") -> None:
    """Write a head that reads the features and the arrow map of an encoder that the time arrow has taught."""
    torch.manual_seed(0)
    settings = EncoderSettings(preset=preset)
    model = ArrowEncoder(1, settings)
    features = model.encoder.features
    shape = HeadShape(features, 0, 1, 1, 24, 4, 2)
    save_head(folder, shape, {"features": True, "intensity": False, "pairs": True}, features)
    about = Card(kind="encoder", name="encoder", channels=1, features=features, settings=settings.model_dump(mode="json"))
    save_model(folder / "encoder", model.state_dict(), about)


def save_head(
    folder: Path, shape: HeadShape, inputs: dict[str, bool], features: int, kinds: Sequence[str] = ("event",)
) -> None:
    """Write an untrained evidence head of a shape."""
    torch.manual_seed(0)
    details: dict[str, Any] = {
        "head": "evidence",
        "pair": "both",
        "kinds": list(kinds),
        "shape": vars(shape),
        "inputs": inputs,
        "map_stride_px": shape.map_stride_px,
        "crop_px": shape.crop * shape.map_stride_px,
        "calibration": Calibration((Calibrator(),) * shape.kinds, Calibrator(), 0.5).to_dict(),
        "source": "encoder",
    }
    card = Card(kind="head", name="head", channels=1, features=features, details=details)
    save_model(folder, make_head("evidence", shape).state_dict(), card)
