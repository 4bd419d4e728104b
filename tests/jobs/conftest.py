"""Tiny movies with marked events, and what the recipes make of them; on one thread, as these networks are too small to share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray

from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.train import train
from napari_tap_events.settings import HeadSettings, PretrainSettings


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Marked:
    """Files of a movie with marked events."""

    movie: Path
    masks: Path
    labels: NDArray[np.uint8]

    @property
    def labelled(self) -> Labelled:
        return Labelled(self.movie, self.masks)


def marked_movie(folder: Path, seed: int = 0, frames: int = 24, height: int = 56, width: int = 64) -> Marked:
    """Cells that drift; now and then one lights up for two frames: a division, or every third time a death."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    movie = rng.normal(30, 2, (frames, height, width))
    labels = np.zeros((frames, height, width), np.uint8)
    for start in rng.uniform(0, 50, (5, 2)):
        for t in range(frames):
            movie[t] += 50 * np.exp(-((y - start[0] - 0.3 * t) ** 2 + (x - start[1] - 0.4 * t) ** 2) / 12)
    for number, t in enumerate(range(0, frames - 1, 2)):
        cy, cx = rng.uniform(10, height - 10), rng.uniform(10, width - 10)
        near = (y - cy) ** 2 + (x - cx) ** 2
        movie[t : t + 2] += 110 * np.exp(-near / 14)
        labels[t : t + 2, near <= 25] = 2 if number % 3 == 2 else 1
    folder.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(folder / "movie.tif", np.clip(movie, 0, 255).astype(np.uint8), metadata={"axes": "TYX"})
    tifffile.imwrite(folder / "masks.tif", labels, metadata={"axes": "TYX"})
    return Marked(folder / "movie.tif", folder / "masks.tif", labels)


def ended(reports):
    """Run a recipe to its end and return what it returns."""
    while True:
        try:
            next(reports)
        except StopIteration as end:
            return end.value


TAP = PretrainSettings(preset="unet8", patch_px=16, steps=8, batch=4, val_every=3, val_pairs=8, motion_blur_px=2.0)
HEAD = HeadSettings(
    preset="unet8",
    folds=0,
    steps=4,
    batch=4,
    tile_px=24,
    crop_px=16,
    area_px=10,
    guard_frames=0,
    radius_px=6.0,
    radius_frames=1,
)


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    return marked_movie(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="session")
def encoder(marked: Marked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder folder that pretrain wrote."""
    return ended(pretrain([marked.movie], TAP, Run(tmp_path_factory.mktemp("pretrained") / "encoder")))


@pytest.fixture(scope="session")
def head(marked: Marked, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head folder that train wrote, with folds, both kinds and the arrow."""
    settings = HEAD.model_copy(update={"encoder": str(encoder), "folds": 2, "arrow": True, "steps": 40})
    return ended(train([marked.labelled], settings, Run(tmp_path_factory.mktemp("trained") / "head")))


@pytest.fixture(scope="session")
def tap() -> PretrainSettings:
    return TAP


@pytest.fixture(scope="session")
def quick() -> HeadSettings:
    """Settings of a head that is taught in no time."""
    return HEAD


@pytest.fixture(scope="session")
def finish():
    """Run a recipe to its end and return what it returns."""
    return ended


@pytest.fixture(scope="session")
def make_marked():
    return marked_movie
