"""The results dock in a real viewer: it lists events by probability, goes where it is told, and survives being closed."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_tap_events.gui import commands
from napari_tap_events.gui.result_layers import open_results
from napari_tap_events.gui.results_panel import LEAST_WIDTH_PX, ResultsPanel


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def panel(viewer):
    panel = ResultsPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Results")
    return panel


def lines(panel):
    table = panel.table
    return [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount())]


def test_with_nothing_open_it_says_what_to_do(panel):
    assert "File > Open Sample" in panel.hint.text()
    assert not panel.hint.isHidden()
    assert panel.table.isHidden()
    assert panel.minimumWidth() >= LEAST_WIDTH_PX


def test_events_are_listed_by_probability_with_the_current_one_marked(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    assert lines(panel) == [["2", "● division", "0.90"], ["4", "● division", "0.60"], ["0", "◆ death", "0.40"]]
    assert panel.table.currentRow() == 0
    assert panel.hint.isHidden()


def test_choosing_a_line_goes_to_its_event(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.scene.camera.zoom *= 50
    panel.table.selectRow(1)
    assert viewer.dims.current_step[0] == 4
    assert viewer.layers["events"].selected_data == {2}
    np.testing.assert_allclose(viewer.scene.camera.center[1:], (15.0, 20.0), atol=0.5)


def test_next_and_previous_stop_at_the_ends(viewer, panel, qtbot, result_folder):
    open_results(viewer, result_folder)
    seen = []
    for _ in range(3):
        qtbot.mouseClick(panel.next_button, Qt.MouseButton.LeftButton)
        seen.append(viewer.dims.current_step[0])
    qtbot.mouseClick(panel.previous_button, Qt.MouseButton.LeftButton)
    assert [*seen, viewer.dims.current_step[0]] == [4, 0, 0, 4]


def test_a_point_chosen_in_the_viewer_is_marked_in_the_list(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.layers["events"].selected_data = {0}
    assert panel.table.currentRow() == 2
    assert viewer.dims.current_step[0] == 2, "marking goes nowhere"


def test_true_events_can_be_listed_too(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    panel.layer_choice.setCurrentIndex(1)
    assert lines(panel) == [["2", "● division", ""]]


def test_layers_that_are_removed_leave_the_list(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.layers.clear()
    assert not panel.hint.isHidden()
    assert panel.table.rowCount() == 0


def test_layers_come_and_go_after_the_dock_was_closed(viewer, panel, qtbot, result_folder):
    viewer.window.remove_dock_widget(panel)
    panel.deleteLater()
    qtbot.wait(50)
    open_results(viewer, result_folder)
    viewer.layers["events"].selected_data = {0}
    viewer.layers.clear()


def test_the_button_asks_for_a_folder_and_opens_it(viewer, panel, qtbot, monkeypatch, result_folder):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(result_folder))
    qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert "probability" in viewer.layers


def test_the_button_asks_for_the_movie_where_it_has_moved(viewer, panel, qtbot, monkeypatch, result_folder, tmp_path):
    moved = (result_folder / "movie.tif").rename(tmp_path / "moved.tif")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(result_folder))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(moved), ""))
    qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert "moved" in viewer.layers


@pytest.mark.parametrize("answer", ["", "wrong"])
def test_a_wrong_folder_gives_one_message_and_no_answer_gives_none(viewer, panel, qtbot, monkeypatch, tmp_path, answer):
    said = []
    monkeypatch.setattr(commands, "show_error", said.append)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path) if answer else "")
    qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert len(said) == bool(answer)
    assert len(viewer.layers) == 0


@pytest.mark.gl
def test_what_is_drawn_shows_the_probability_over_the_cell(make_napari_viewer, result_folder):
    viewer = make_napari_viewer(show=True)
    open_results(viewer, result_folder)
    for name in ("events", "events ±1 frame", "true events", "masks"):
        viewer.layers[name].visible = False
    viewer.layers["probability"].colorbar.visible = False
    with_map = viewer.screenshot(flash=False).astype(int)
    viewer.layers["probability"].visible = False
    without = viewer.screenshot(flash=False).astype(int)
    rows, columns = np.nonzero(np.abs(with_map - without)[..., :3].sum(axis=-1) > 60)
    assert rows.size > 0
    zoom, (_, y, x) = viewer.scene.camera.zoom, viewer.scene.camera.center
    middle = np.array(with_map.shape[:2]) / 2
    drawn_um = (np.array([rows.mean(), columns.mean()]) - middle) / zoom + (y, x)
    np.testing.assert_allclose(drawn_um, (19.5 * 0.5, 27.5 * 0.5), atol=0.6)
