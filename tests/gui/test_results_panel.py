"""The Results step in a real viewer: it lists events, goes where it is told, counts what is shown, and survives being closed."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_tap_events.events.table import EventRow, events_table, read_events, write_events
from napari_tap_events.gui import commands
from napari_tap_events.gui.result_layers import open_results
from napari_tap_events.gui.results_panel import LEAST_WIDTH_PX, ResultsPanel
from napari_tap_events.gui.threshold import THRESHOLD

PIXEL_UM, INTERVAL_S = 0.5, 300.0


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def panel(viewer):
    panel = ResultsPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Results")
    return panel


def lines(panel):
    model = panel.list.model
    return [[model.data(model.index(row, column)) for column in range(4)] for row in range(model.rowCount())]


def current_line(panel):
    rows = panel.list.table.selectionModel().selectedRows()
    return rows[0].row() if rows else -1


def test_with_nothing_open_it_says_what_to_do(panel):
    assert "File > Open Sample" in panel.hint.text()
    assert not panel.hint.isHidden()
    assert all(part.isHidden() for part in (panel.list, panel.over_time, panel.exports, panel.layer_choice))
    assert panel.minimumWidth() >= LEAST_WIDTH_PX


def test_events_are_listed_by_probability_with_the_current_one_marked(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    assert lines(panel) == [
        ["2", "0:10:00", "division", "0.90"],
        ["4", "0:20:00", "division", "0.60"],
        ["0", "0:00:00", "death", "0.40"],
    ]
    assert current_line(panel) == 0
    assert panel.hint.isHidden()


def test_choosing_a_line_goes_to_its_event(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.scene.camera.zoom *= 50
    panel.list.table.selectRow(1)
    assert viewer.dims.current_step[0] == 4
    assert viewer.layers["events"].selected_data == {2}
    np.testing.assert_allclose(viewer.scene.camera.center[1:], (15.0, 20.0), atol=0.5)


def test_next_and_previous_stop_at_the_ends(viewer, panel, qtbot, result_folder):
    open_results(viewer, result_folder)
    seen = []
    for _ in range(3):
        qtbot.mouseClick(panel.list.next_button, Qt.MouseButton.LeftButton)
        seen.append(viewer.dims.current_step[0])
    qtbot.mouseClick(panel.list.previous_button, Qt.MouseButton.LeftButton)
    assert [*seen, viewer.dims.current_step[0]] == [4, 0, 0, 4]


def test_a_point_chosen_in_the_viewer_is_marked_in_the_list(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.layers["events"].selected_data = {0}
    assert current_line(panel) == 2
    assert viewer.dims.current_step[0] == 2, "marking goes nowhere"


def test_true_events_can_be_listed_too(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    panel.layer_choice.setCurrentIndex(1)
    assert lines(panel) == [["2", "0:10:00", "division", ""]]


def test_layers_that_are_removed_leave_the_list(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    viewer.layers.clear()
    assert not panel.hint.isHidden()
    assert panel.list.model.rowCount() == 0
    assert panel.exports.value() is None


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


def told(panel, qtbot):
    panel.over_time.told = None
    panel.over_time.set_source(panel.over_time._source)
    qtbot.waitUntil(lambda: panel.over_time.told is not None)
    return panel.over_time.told


def test_events_are_counted_over_the_movie_and_a_kind_alone_where_one_is_chosen(viewer, panel, qtbot, result_folder):
    open_results(viewer, result_folder)
    assert [kind.kind for kind in told(panel, qtbot).kinds] == ["death", "division"]
    assert panel.over_time.told.edges[-1] == 6
    panel.list.kinds.setCurrentIndex(1)
    assert [kind.kind for kind in told(panel, qtbot).kinds] == ["death"]


def test_candidates_of_the_folder_make_expected_numbers_whole(viewer, panel, qtbot, result_folder):
    found = read_events(result_folder / "events.csv")
    more = events_table([EventRow(1, 5, 5, "division", 0.2, "head", id=9)])
    write_events(result_folder / "candidates.csv", pd.concat([found, more]))
    card = json.loads((result_folder / "result.json").read_text())
    card["files"]["candidates"] = "candidates.csv"
    (result_folder / "result.json").write_text(json.dumps(card))
    open_results(viewer, result_folder)
    assert told(panel, qtbot).all_candidates
    panel.layer_choice.setCurrentIndex(1)
    assert not told(panel, qtbot).calibrated, "true events are counted"


def test_a_threshold_that_hides_points_takes_them_off_the_list(viewer, panel, qtbot, result_folder):
    open_results(viewer, result_folder)
    layer = viewer.layers["events"]
    layer.shown = layer.features["probability"] >= 0.5
    assert [line[3] for line in lines(panel)] == ["0.90", "0.60"]
    assert told(panel, qtbot).all_candidates, "what is hidden is a candidate still"
    assert len(panel.exports.value().events) == 2


def test_a_click_on_the_plot_goes_to_the_frame_and_the_frame_is_marked_there(viewer, panel, qtbot, result_folder):
    open_results(viewer, result_folder)
    told(panel, qtbot)
    panel.over_time.chosen.emit(5)
    assert viewer.dims.current_step[0] == 5
    assert panel.over_time._frame == 5


def test_the_listed_events_are_exported_with_all_that_the_folder_knows(viewer, panel, result_folder, tmp_path):
    open_results(viewer, result_folder)
    panel.list.least.setValue(0.5)
    value = panel.exports.value()
    assert list(value.events["probability"]) == [0.9, 0.6]
    assert value.folder == result_folder
    assert (value.facts.interval_s, value.facts.pixel_size_um) == (INTERVAL_S, PIXEL_UM)
    panel.exports.export(tmp_path / "a.csv", "csv")
    assert list(read_events(tmp_path / "a.csv")["t"]) == [2, 4]


def test_the_plot_follows_the_theme(viewer, panel):
    for theme, dark in (("light", False), ("dark", True)):
        viewer.theme = theme
        assert panel.over_time._dark is dark


def test_closing_lets_go_of_the_viewer(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    panel.close()
    viewer.dims.set_current_step(0, 3)
    viewer.layers["events"].selected_data = {0}
    viewer.layers.clear()
    assert panel.list.model.rowCount() == 3, "what was listed is left alone"


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


def test_a_report_tells_of_what_a_person_judged_whatever_is_listed(viewer, panel, result_folder):
    open_results(viewer, result_folder)
    layer = viewer.layers["events"]
    assert panel.exports.value().judged is None
    status = list(layer.features["status"])
    layer.features = layer.features.assign(status=["rejected", *status[1:]])
    layer.shown = [False, *layer.shown[1:]]
    panel.list.kinds.setCurrentIndex(1)
    judged = panel.exports.value().judged
    assert len(judged) == len(status) > len(panel.exports.value().events)
    assert judged["status"].iloc[0] == "rejected"
    layer.metadata[THRESHOLD] = float(layer.features["probability"].iloc[0]) + 0.01
    panel.list.kinds.setCurrentIndex(0)
    judged = panel.exports.value().judged
    assert "rejected" not in set(judged["status"]), "nobody would have listed it"
    panel.layer_choice.setCurrentText("true events")
    assert panel.exports.value().judged is None
