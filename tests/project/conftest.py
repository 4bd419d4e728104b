"""Small movies as files, and a project with one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tap_events.project.folder import Project

SHAPE = (6, 40, 50)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of movies of 6 frames of 40 x 50 px; the seed makes the pixels."""

    def make(name: str = "film.tif", seed: int = 0, shape: tuple[int, ...] = SHAPE, axes: str = "TYX") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
        tifffile.imwrite(path, pixels, photometric="minisblack", metadata={"axes": axes})
        return path

    return make


@pytest.fixture
def project(tmp_path: Path, film: Callable[..., Path]) -> Project:
    """Return a project with the movie "film"."""
    made = Project.create(tmp_path / "marks.tap")
    made.add_movie(film())
    return made
