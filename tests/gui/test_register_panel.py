"""Registration in the first step: offered where the picture shakes, done in a process of its own, and its movie opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from scipy import ndimage

from napari_tap_events.gui.movie_panel import ALL_WELL
from napari_tap_events.jobs.runner import ENDED

SIDE, N = 96, 10
MINUTE_MS = 60_000


@pytest.fixture
def workbench(make_napari_viewer_proxy, docked):
    return docked(make_napari_viewer_proxy(show=True))


@pytest.fixture
def shaken(tmp_path):
    """Return the path of windows into one large picture, here and there in it, and by how much they wander at most."""
    rng = np.random.default_rng(1)
    spots = ndimage.gaussian_filter((rng.random((160, 160)) > 0.994).astype(float), 3)
    places = rng.integers(-6, 7, (N, 2))
    frames = np.stack([spots[30 - y : 30 - y + SIDE, 30 - x : 30 - x + SIDE] for y, x in places])
    noise = rng.normal(0, 20, frames.shape)
    path = tmp_path / "shaken.tif"
    pixels = (1000 + 200_000 * frames + noise).clip(0, 65_535).round().astype(np.uint16)
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "TYX"})
    return path, np.ptp(places, axis=0)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_movie_that_shakes_is_registered_by_one_click_and_the_new_one_is_opened_and_saved(
    workbench, shaken, tmp_path, qtbot, save_as
):
    path, wander = shaken
    panel, session = workbench.movie, workbench.session
    panel.open(path)
    session.set_cell_size(14.0)
    assert panel.register is None, "made only when it is wanted"
    assert panel.register_button.isVisible()
    qtbot.waitUntil(lambda: panel.register is not None, timeout=MINUTE_MS)
    assert "The picture shakes" in panel.findings.text()
    assert panel.register.isVisible()
    assert panel.register_button.isHidden()
    assert panel.register.recipe.device.isHidden(), "it takes one core whatever there is"
    assert panel.register.recipe in workbench.recipes()
    click(qtbot, panel.register.recipe.start_button)
    qtbot.waitUntil(lambda: session.movie.name == "shaken-registered.ome.tif", timeout=MINUTE_MS)
    assert session.movie.shape == (N, 1, *(SIDE - wander))
    assert session.entry.cell_px == 14.0
    assert [entry.name for entry in session.project.movies] == ["shaken", "shaken-registered"]
    assert panel.register.isHidden()
    qtbot.waitUntil(lambda: panel.findings.text() == ALL_WELL, timeout=MINUTE_MS)
    save_as(workbench, tmp_path / "mine.tap")
    assert Path(session.movie.source).is_relative_to(tmp_path / "mine.tap"), "it goes along with its project"
    assert session.movie.frame(3).shape == (1, *(SIDE - wander))


def test_a_new_movie_is_not_opened_over_another_one(workbench, shaken, tmp_path, qtbot):
    path, _ = shaken
    panel, session = workbench.movie, workbench.session
    panel.open(path)
    click(qtbot, panel.register_button)
    recipe = panel.register.recipe
    click(qtbot, recipe.start_button)
    other = tmp_path / "other.tif"
    tifffile.imwrite(
        other, np.random.default_rng(0).integers(0, 255, (4, 32, 32), np.uint8), imagej=True, metadata={"axes": "TYX"}
    )
    panel.open(other)
    assert panel.register.isVisible(), "it still runs, and can be stopped"
    qtbot.waitUntil(lambda: not recipe.running(), timeout=MINUTE_MS)
    assert recipe.watch.job.state == "done"
    assert session.movie.name == "other.tif"


def test_a_stopped_registration_can_be_started_anew(workbench, shaken, qtbot):
    path, _ = shaken
    panel = workbench.movie
    panel.open(path)
    click(qtbot, panel.register_button)
    recipe = panel.register.recipe
    click(qtbot, recipe.start_button)
    click(qtbot, recipe.stop_button)
    qtbot.waitUntil(lambda: not recipe.running(), timeout=MINUTE_MS)
    qtbot.waitUntil(lambda: recipe.watch.job.state in ENDED)
    assert recipe.watch.job.state == "stopped"
    assert recipe.start_button.isVisible()
    click(qtbot, recipe.start_button)
    qtbot.waitUntil(lambda: workbench.session.movie.name.startswith("shaken-registered"), timeout=MINUTE_MS)
