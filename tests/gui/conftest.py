"""Small movies and result folders for the window's tests, made on the spot."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.movies.ome_zarr import create_map

PIXEL_UM, INTERVAL_S = 0.5, 300.0
STRIDE_PX, OFFSET_PX = 4, 7.5
MAP_PEAK = (2, 3, 5)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Look only at what a test made when its garbage is collected: viewers do so five times each, and never go whole."""
    yield
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_speeds(tmp_path, monkeypatch):
    """Remember the speed of no job beyond a test."""
    monkeypatch.setattr("napari_tap_events.gui.this_computer.speeds_file", lambda: tmp_path / "speeds.json")


@pytest.fixture
def save_as(qtbot: QtBot) -> Callable[[Workbench, Path], None]:
    """Return what saves a workbench's project elsewhere, and waits for it."""

    def save(workbench: Workbench, path: Path) -> None:
        workbench.project.save_as(path)
        qtbot.waitUntil(lambda: not workbench.project.saving.running())

    return save


@pytest.fixture
def frames() -> np.ndarray:
    """(6, 48, 64) uint16: noise on a level of 1000."""
    noise = np.random.default_rng(0).normal(1000, 50, (6, 48, 64))
    return noise.round().astype(np.uint16)


@pytest.fixture
def result_folder(tmp_path: Path, frames: np.ndarray) -> Path:
    """Lay out a result as a command would: the map's only peak is at `MAP_PEAK`, the likeliest event right under it."""
    folder = tmp_path / "result"
    folder.mkdir()
    _write_movie(folder / "movie.tif", frames)
    masks = np.zeros(frames.shape, np.uint8)
    masks[2:4, 15:22, 24:31] = 1
    _write_movie(folder / "masks.tif", masks)
    for name in ("probability", "arrow", "grad_cam"):
        _write_map(folder / f"{name}.ome.zarr", name)
    write_events(folder / "events.csv", _found_events())
    write_events(folder / "truth.csv", events_table([EventRow(2, 19, 28, "division", None, "truth", "confirmed")]))
    roles = {"movie": "movie.tif", "masks": "masks.tif", "truth": "truth.csv", "events": "events.csv"}
    roles |= {name: f"{name}.ome.zarr" for name in ("probability", "arrow", "grad_cam")}
    source = {"path": "movie.tif", "pixel_size_um": PIXEL_UM, "interval_s": INTERVAL_S}
    card = {"schema": 1, "command": "detect", "inputs": {"movie": source}, "files": roles}
    (folder / "result.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture
def peak_px() -> tuple[float, float]:
    """Return the movie pixel (y, x) over which the map's peak must lie."""
    return _peak_px()


def _peak_px() -> tuple[float, float]:
    _, i, j = MAP_PEAK
    return OFFSET_PX + i * STRIDE_PX, OFFSET_PX + j * STRIDE_PX


def _found_events():
    y, x = _peak_px()
    rows = [
        EventRow(0, 10.0, 12.0, "death", 0.4, "head"),
        EventRow(MAP_PEAK[0], y, x, "division", 0.9, "head"),
        EventRow(4, 30.0, 40.0, "division", 0.6, "head"),
    ]
    return events_table(rows, INTERVAL_S, PIXEL_UM)


def _write_movie(path: Path, frames: np.ndarray) -> None:
    scale = {"axes": "TYX", "unit": "um", "finterval": INTERVAL_S}
    tifffile.imwrite(path, frames, imagej=True, resolution=(1 / PIXEL_UM, 1 / PIXEL_UM), metadata=scale)


def _write_map(path: Path, name: str) -> None:
    stored = create_map(
        path,
        (5, 9, 13),
        name=name,
        stride_px=STRIDE_PX,
        offset_px=OFFSET_PX,
        pixel_size_um=PIXEL_UM,
        interval_s=INTERVAL_S,
    )
    values = np.zeros((5, 9, 13), np.float16)
    values[MAP_PEAK] = 0.9
    stored[:] = values


@pytest.fixture
def docked(tmp_path):
    """Dock a workbench with a project of its own in a viewer; ask for it after the viewer, so that it goes first."""
    from napari_tap_events.gui.workbench import Workbench
    from napari_tap_events.project.session import Session

    made = []

    def dock(viewer):
        session = Session(tmp_path / "unsaved")
        workbench = Workbench(viewer, session)
        made.append((workbench, session))
        viewer.window.add_dock_widget(workbench, name="Workbench", area="right")
        return workbench

    yield dock
    for workbench, session in made:
        workbench.close()
        session.close()
