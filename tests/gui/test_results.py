"""A window of its own for results: movie and list fit into it, and the menu knows its dock."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.errors import OutputError
from napari_tap_events.gui import results


@pytest.mark.gl
def test_the_window_shows_the_whole_movie_and_the_list(make_napari_viewer, monkeypatch, result_folder):
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(results.napari, "Viewer", lambda title: viewer)
    opened = results.results_viewer(result_folder, size_px=(1200, 800))
    assert opened is viewer
    (_, panel), *_ = viewer.window.dock_widgets.items()
    assert list(viewer.window.dock_widgets) == [results.PANEL_NAME]
    assert panel.list.model.rowCount() == 3
    size_um = viewer.layers["movie"].extent.world[1, 1:] - viewer.layers["movie"].extent.world[0, 1:]
    shown_um = np.array(viewer.canvas.size) / viewer.scene.camera.zoom
    assert (shown_um >= size_um).all()
    assert (shown_um <= 1.3 * size_um).any()


def test_no_window_is_opened_on_a_folder_without_a_result(monkeypatch, tmp_path):
    monkeypatch.setattr(results.napari, "Viewer", lambda **_: pytest.fail("a window was opened"))
    with pytest.raises(OutputError):
        results.show(tmp_path)
