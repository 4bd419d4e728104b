"""The Mark panel in a real window: what mouse and keys do on the picture, and what the panel shows of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu

from napari_tap_events.gui.cheat_sheet import CheatSheet
from napari_tap_events.gui.mark_panel import GONE, HIDDEN, NO_MOVIE, NOT_ACTIVE
from napari_tap_events.gui.shortcuts import load_keys
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import Kind

from .marking import CELLS, CTRL, NO_KEY, RADIUS_PX, RIGHT, SHIFT, Bench, cell_movie


@pytest.fixture
def empty_bench(make_napari_viewer, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_tap_events.gui.mark_panel.keys_file", lambda: tmp_path / "keys.json")
    monkeypatch.setattr(
        "napari_tap_events.gui.own_keys.page", lambda _name: None
    )  # keys that one test changes are not the next one's
    bench = Bench(make_napari_viewer(show=True), tmp_path)
    yield bench
    bench.session.close()


@pytest.fixture
def bench(empty_bench, tmp_path):
    empty_bench.open(cell_movie(tmp_path / "cells.tif"))
    return empty_bench


def journal(bench):
    """What was done, in the words of the journal."""
    entries = Journal(bench.session.project.path / "journal.jsonl").entries()
    return [entry["correction"]["words"] for entry in entries if entry["what"] == "do"]


# what the mouse does


def test_a_click_stamps_this_frame_and_the_next(bench):
    bench.frame(2)
    bench.click(30, 40)
    (event,) = bench.events()
    assert (event.t, event.y, event.x, event.kind) == (2, 30, 40, "division")
    assert bench.annotations.labels[2, 30, 40] == bench.annotations.labels[3, 30, 40] == 1
    assert not bench.annotations.labels[[1, 4]].any()
    assert journal(bench) == ["stamp division"]


def test_a_drag_paints_one_frame_and_is_one_correction(bench):
    bench.frame(2)
    bench.drag([(30, 40), (32, 50), (36, 64), (40, 80)])
    labels = bench.annotations.labels
    assert labels[2, 30, 40] == labels[2, 36, 64] == labels[2, 40, 80] == 1
    assert labels[2].sum() == labels.sum(), "one frame only"
    assert journal(bench) == ["paint division"]


def test_a_hand_that_shakes_still_clicks(bench):
    where = bench.point(30, 40)
    bench.drag([(30, 40), (30, 40.3)])
    assert abs(bench.point(30, 40.3).x() - where.x()) <= 4
    assert journal(bench) == ["stamp division"]


def test_a_click_on_an_event_picks_it_rather_than_stamping_over_it(bench):
    bench.click(30, 40)
    bench.click(70, 64)
    bench.key(Qt.Key.Key_2)
    bench.click(30, 40)
    assert [event.kind for event in bench.events()] == ["division", "division"]
    assert bench.desk.marker.picked.event.y == pytest.approx(30, abs=1)


def test_where_there_is_no_room_for_a_stamp_it_says_so(bench):
    bench.click(30, 40)
    bench.frame(2)
    bench.click(30, 40)
    assert len(bench.events()) == 1
    assert "no room" in bench.desk.hint.text()
    bench.key(Qt.Key.Key_B)
    assert "no room" not in bench.desk.hint.text()


def test_the_brush_paints_and_the_eraser_wipes_this_frame(bench):
    bench.click(30, 40)
    bench.desk.tools.buttons[Tool.erase].click()
    bench.click(30, 40)
    assert not bench.annotations.labels[0].any()
    assert bench.annotations.labels[1].any()
    bench.desk.tools.buttons[Tool.brush].click()
    bench.click(70, 64)
    assert bench.annotations.labels[0, 70, 64] == 1
    assert not bench.annotations.labels[1, 70, 64]


def test_fill_outlines_the_cell_under_the_mouse_and_a_click_marks_it(bench, qtbot):
    bench.desk.radius.setValue(6)
    bench.desk.tools.buttons[Tool.fill].click()
    bench.hover(31, 41)
    qtbot.waitUntil(lambda: bench.desk.marks.preview.pixels.size > 0)
    outline = bench.viewer.layers["outlines"]
    rows, columns = np.nonzero(outline.data)
    np.testing.assert_allclose(np.hypot(rows - 30, columns - 40), RADIUS_PX, atol=2)
    assert not bench.annotations.labels.any(), "nothing is marked before the click"
    bench.click(31, 41)
    marked = bench.annotations.labels[0]
    assert marked.sum() == pytest.approx(np.pi * RADIUS_PX**2, rel=0.25)
    assert marked[30, 40] == 1
    bench.hover(50, 10)
    qtbot.waitUntil(lambda: bench.desk.marks.preview.pixels.size == 0)


def test_a_right_click_says_that_nothing_happens_there(bench):
    bench.frame(3)
    bench.click(50, 20, RIGHT)
    bench.click(50, 80, RIGHT, SHIFT)
    nothing, uncertain = bench.annotations.points
    assert (nothing.t, round(nothing.y), round(nothing.x), nothing.meaning) == (3, 50, 20, "nothing")
    assert (round(uncertain.x), uncertain.meaning) == (80, "uncertain")
    assert len(bench.viewer.layers["no event / not sure"].data) == 2
    assert not bench.annotations.labels.any(), "the right button paints nothing"


def test_a_right_drag_marks_nothing(bench):
    bench.drag([(50, 20), (50, 40), (50, 60)], RIGHT)
    assert not bench.annotations.points
    assert not bench.annotations.labels.any()


def menu_at(bench, qtbot, y, x):
    bench.click(y, x, RIGHT)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu, {action.text(): action for action in menu.actions()}


def test_a_right_click_on_an_event_offers_what_can_become_of_it(bench, qtbot):
    bench.frame(2)
    bench.click(30, 40)
    menu, actions = menu_at(bench, qtbot, 30, 40)
    actions["Make it a death"].trigger()
    menu.close()
    assert [event.kind for event in bench.events()] == ["death"]
    menu, actions = menu_at(bench, qtbot, 30, 40)
    actions["One frame earlier"].trigger()
    menu.close()
    assert [event.t for event in bench.events()] == [1]
    menu, actions = menu_at(bench, qtbot, 30, 40)
    actions["Delete"].trigger()
    menu.close()
    assert bench.events() == []


def test_a_right_click_on_a_point_can_change_its_meaning(bench, qtbot):
    bench.click(50, 20, RIGHT)
    menu, actions = menu_at(bench, qtbot, 50, 20)
    actions["Nobody can tell"].trigger()
    menu.close()
    assert [point.meaning for point in bench.annotations.points] == ["uncertain"]


def test_shift_and_drag_move_an_event(bench):
    bench.click(30, 40)
    bench.drag([(30, 40), (40, 60), (60, 90)], keys=SHIFT)
    (event,) = bench.events()
    assert (event.t, event.y, event.x) == (0, 60, 90)
    assert journal(bench) == ["stamp division", "move division"]


def test_a_movie_without_a_scale_is_marked_in_pixels(empty_bench, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((4, 64, 64), np.uint8), metadata={"axes": "TYX"}, ome=True)
    empty_bench.open(tmp_path / "plain.tif")
    empty_bench.frame(1)
    empty_bench.click(30, 40)
    assert [(event.t, event.y, event.x) for event in empty_bench.events()] == [(1, 30, 40)]
    assert empty_bench.desk.radius.unit.currentText() == "px"


# undo


def test_undo_goes_back_across_frames_and_shows_where(bench):
    for t in (1, 4):
        bench.frame(t)
        bench.click(30, 40)
    bench.frame(7)
    bench.key(Qt.Key.Key_Z, CTRL)
    assert [event.t for event in bench.events()] == [1]
    assert bench.viewer.dims.current_step[0] == 4
    bench.key(Qt.Key.Key_Z, CTRL)
    assert bench.events() == []
    bench.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert [event.t for event in bench.events()] == [1]
    assert bench.viewer.dims.current_step[0] == 1


def test_a_stroke_is_undone_as_one_and_napari_keeps_no_other_way(bench):
    bench.drag([(30, 40), (30, 60), (30, 80)])
    bench.desk.marks.layer.undo()
    assert not bench.annotations.labels.any()
    assert bench.annotations.can_redo
    bench.desk.redo_button.click()
    assert bench.annotations.labels[0, 30, 60] == 1


def test_the_buttons_say_what_they_would_undo(bench):
    assert not bench.desk.undo_button.isEnabled()
    bench.click(30, 40)
    assert bench.desk.undo_button.toolTip() == "Undo: stamp division"
    bench.desk.undo_button.click()
    assert bench.desk.redo_button.toolTip() == "Do again: stamp division"


# keys on the picture


def test_number_keys_choose_the_kind_rather_than_naparis_tools(bench):
    bench.key(Qt.Key.Key_2)
    assert bench.desk.kinds.value().name == "death"
    assert bench.desk.marks.layer.mode == "paint"
    bench.click(30, 40)
    assert [event.kind for event in bench.events()] == ["death"]


def test_keys_that_would_leave_the_kinds_do_nothing(bench):
    for key in (Qt.Key.Key_3, Qt.Key.Key_5, Qt.Key.Key_7, Qt.Key.Key_M, Qt.Key.Key_Minus, Qt.Key.Key_Equal):
        bench.key(key)
        assert bench.desk.marks.layer.mode == "paint"
        assert bench.desk.marks.layer.selected_label == 1
        assert bench.desk.tools.value() is Tool.stamp


def test_keys_change_the_tool_and_s_comes_back(bench):
    for key, tool, mode in (
        (Qt.Key.Key_B, Tool.brush, "paint"),
        (Qt.Key.Key_F, Tool.fill, "fill"),
        (Qt.Key.Key_E, Tool.erase, "erase"),
        (Qt.Key.Key_Z, Tool.pan, "pan_zoom"),
    ):
        bench.key(key)
        assert bench.desk.tools.value() is tool
        assert bench.desk.marks.layer.mode == mode
        bench.key(Qt.Key.Key_S)
        assert bench.desk.tools.value() is Tool.stamp
        assert bench.desk.marks.layer.mode == "paint"


def test_brackets_change_the_radius_of_mark_and_brush(bench):
    before = bench.desk.marker.radius_px
    bench.key(Qt.Key.Key_BracketRight)
    assert bench.desk.marker.radius_px == pytest.approx(1.1 * before)
    assert bench.desk.marks.layer.brush_size == round(2.2 * before)
    bench.key(Qt.Key.Key_BracketLeft)
    bench.key(Qt.Key.Key_BracketLeft)
    assert bench.desk.radius.value() < before


def test_comma_and_stop_nudge_in_time_and_go_along(bench):
    bench.frame(2)
    bench.click(30, 40)
    bench.key(Qt.Key.Key_Period)
    bench.key(Qt.Key.Key_Period)
    assert [event.t for event in bench.events()] == [4]
    assert bench.viewer.dims.current_step[0] == 4
    bench.key(Qt.Key.Key_Comma)
    assert [event.t for event in bench.events()] == [3]


def test_an_event_is_not_nudged_out_of_the_movie(bench):
    bench.click(30, 40)
    bench.key(Qt.Key.Key_Comma)
    assert [event.t for event in bench.events()] == [0]
    assert "cannot go to frame -1" in str(bench.viewer.status)


def test_delete_removes_what_is_picked(bench):
    for place in CELLS:
        bench.click(*place)
    bench.key(Qt.Key.Key_Delete)
    assert {(event.y, event.x) for event in bench.events()} == {CELLS[0], CELLS[1]}
    bench.key(Qt.Key.Key_Delete)
    assert len(bench.events()) == 2, "nothing is picked any more"
    bench.click(*CELLS[1])
    bench.key(Qt.Key.Key_Backspace)
    assert [(event.y, event.x) for event in bench.events()] == [CELLS[0]]


def test_x_and_u_mark_the_place_under_the_mouse(bench):
    bench.hover(50, 20)
    bench.key(Qt.Key.Key_X)
    bench.hover(50, 80)
    bench.key(Qt.Key.Key_U)
    assert [(round(point.x), point.meaning) for point in bench.annotations.points] == [(20, "nothing"), (80, "uncertain")]


def test_space_moves_the_picture_and_gives_the_tool_back(bench):
    bench.key(Qt.Key.Key_B)
    QTest.keyPress(bench.canvas, Qt.Key.Key_Space, NO_KEY)
    assert bench.desk.tools.value() is Tool.pan
    QTest.keyRelease(bench.canvas, Qt.Key.Key_Space, NO_KEY)
    assert bench.desk.tools.value() is Tool.brush


def test_keys_hold_on_the_panel_too(bench, qtbot):
    bench.desk.list.table.setFocus()
    qtbot.keyClick(bench.desk.list.table, Qt.Key.Key_2)
    assert bench.desk.kinds.value().name == "death"
    bench.click(30, 40)
    bench.desk.list.table.setFocus()
    qtbot.keyClick(bench.desk.list.table, Qt.Key.Key_Z, CTRL)
    assert bench.events() == []


def test_h_shows_all_keys_and_a_changed_one_holds_at_once_and_later(bench, qtbot, tmp_path):
    bench.key(Qt.Key.Key_H)
    sheet = bench.panel.findChild(CheatSheet)
    sheet.edits["brush"].setKeySequence(QKeySequence("Q"))
    sheet.ok_button.click()
    bench.key(Qt.Key.Key_Q)
    assert bench.desk.tools.value() is Tool.brush
    assert load_keys(tmp_path / "keys.json")["brush"] == "Q"
    bench.key(Qt.Key.Key_S)
    bench.key(Qt.Key.Key_B)
    assert bench.desk.tools.value() is Tool.stamp


# napari's own controls stay in step


def test_naparis_own_brush_and_eraser_buttons_pick_up_our_tools(bench):
    layer = bench.desk.marks.layer
    layer.mode = "erase"
    assert bench.desk.tools.value() is Tool.erase
    layer.mode = "paint"
    assert bench.desk.tools.value() is Tool.stamp
    bench.click(30, 40)
    assert len(bench.events()) == 1


@pytest.mark.parametrize("radius_px", [2.0, 4.7, 5.2, 10.0, 37.3])
def test_one_bracket_undoes_the_other(bench, radius_px):
    bench.desk.marker.set_radius(radius_px)
    bench.key(Qt.Key.Key_BracketRight)
    assert bench.desk.marker.radius_px > radius_px
    bench.key(Qt.Key.Key_BracketLeft)
    assert bench.desk.marker.radius_px == pytest.approx(radius_px)


def test_the_status_bar_tells_our_keys_whatever_mode_napari_is_in(bench):
    for tool in (Tool.fill, Tool.pan, Tool.stamp):
        bench.desk.marks.pick_up(tool)
        assert bench.viewer.help == bench.desk.marks.help, "napari calls 1 the eraser, here it is the first kind"
    bench.panel.rest()
    bench.panel.go_on()
    assert bench.viewer.help == bench.desk.marks.help


def test_naparis_brush_size_and_label_are_our_radius_and_kind(bench):
    layer = bench.desk.marks.layer
    layer.brush_size = 30
    assert bench.desk.radius.value() == 15
    layer.selected_label = 2
    assert bench.desk.kinds.value().name == "death"
    layer.selected_label = 77
    assert layer.selected_label == 2, "a value without a kind"


def test_naparis_polygon_is_journalled(bench):
    layer = bench.desk.marks.layer
    layer.mode = "polygon"
    layer.paint_polygon(np.array([[3, 20, 20], [3, 20, 40], [3, 40, 40], [3, 40, 20]]), 1)
    assert journal(bench) == ["paint division"]
    assert [event.t for event in bench.events()] == [3]


def test_a_stroke_never_goes_through_several_frames(bench):
    bench.desk.marks.layer.n_edit_dimensions = 3
    bench.drag([(30, 40), (30, 60)])
    assert not bench.annotations.labels[1:].any()


def test_marks_cannot_be_shifted_against_their_movie(bench):
    bench.desk.marks.layer.mode = "transform"
    assert bench.desk.marks.layer.mode == "pan_zoom"


# the panel


def test_without_a_movie_it_says_what_to_do(empty_bench):
    assert empty_bench.panel.empty.text() == NO_MOVIE
    assert empty_bench.panel.empty.isVisible()
    assert empty_bench.desk is None


def test_another_layer_is_noticed_and_one_click_goes_back(bench, qtbot):
    notice = bench.panel.notice
    assert not notice.isVisible()
    bench.viewer.layers.selection.active = bench.viewer.layers["cells"]
    qtbot.waitUntil(lambda: (notice.label.text(), notice.isVisible()) == (NOT_ACTIVE, True))
    bench.click(30, 40)
    assert bench.events() == []
    notice.button.click()
    qtbot.waitUntil(lambda: not notice.isVisible())
    bench.click(30, 40)
    assert len(bench.events()) == 1


def test_a_layer_that_was_hidden_or_removed_comes_back_with_its_marks(bench, qtbot):
    bench.click(30, 40)
    bench.desk.marks.layer.visible = False
    qtbot.waitUntil(lambda: bench.panel.notice.label.text() == HIDDEN)
    bench.panel.notice.button.click()
    bench.viewer.layers.remove("event marks")
    qtbot.waitUntil(lambda: bench.panel.notice.label.text() == GONE)
    bench.panel.notice.button.click()
    assert bench.viewer.layers["event marks"].data[0, 30, 40] == 1
    bench.click(70, 64)
    assert len(bench.events()) == 2


def test_a_click_that_marks_is_not_followed_by_a_notice(bench, qtbot):
    bench.click(30, 40)
    qtbot.wait(50)
    assert not bench.panel.notice.isVisible()


def test_marks_lie_above_a_movie_that_is_shown_later(bench):
    assert [layer.name for layer in bench.viewer.layers] == ["cells", "event marks", "outlines"]


def test_while_the_panel_is_not_to_be_seen_clicks_mark_nothing(bench):
    bench.key(Qt.Key.Key_B)
    bench.panel.hide()
    bench.click(30, 40)
    bench.click(50, 20, RIGHT)
    assert bench.events() == []
    assert not bench.annotations.points
    bench.panel.show()
    assert bench.desk.tools.value() is Tool.brush
    bench.click(30, 40)
    assert len(bench.events()) == 1


def test_another_movie_brings_its_own_marks(bench, tmp_path):
    bench.click(30, 40)
    bench.desk.radius.number.setValue(4)
    first = bench.annotations
    bench.viewer.layers.remove("cells")
    bench.open(cell_movie(tmp_path / "more.tif", pixel_size_um=0.25, seed=1))
    assert [layer.name for layer in bench.viewer.layers] == ["more", "event marks", "outlines"]
    assert bench.events() == []
    assert bench.desk.marker.radius_px == 8, "the radius in pixels stays"
    bench.click(70, 64)
    assert len(first.events) == 1
    bench.session.select("cells")
    assert len(bench.events()) == 1


def test_a_closed_project_leaves_nothing_behind(bench):
    bench.click(30, 40)
    bench.session.close()
    assert [layer.name for layer in bench.viewer.layers] == ["cells"]
    assert bench.panel.empty.isVisible()


def test_a_panel_that_is_closed_lets_go_once(bench):
    bench.panel.close()
    assert [layer.name for layer in bench.viewer.layers] == ["cells"]
    bench.session.close()
    bench.panel.close()


def test_a_panel_that_is_deleted_lets_go(bench, qtbot):
    bench.click(30, 40)
    annotations = bench.annotations
    bench.viewer.window.remove_dock_widget(bench.panel)
    bench.panel.deleteLater()
    qtbot.waitUntil(lambda: "event marks" not in bench.viewer.layers)
    annotations.undo()
    bench.frame(3)
    bench.session.close()


def test_a_movie_that_is_not_where_it_was_is_said(bench, tmp_path):
    project = bench.session.project.path
    bench.session.close()
    (tmp_path / "cells.tif").rename(tmp_path / "elsewhere.tif")
    bench.session.open_project(project)
    assert "cells" in bench.panel.empty.text()
    assert bench.panel.empty.text() != NO_MOVIE
    assert bench.desk is None


# kinds


def test_a_new_kind_has_a_key_and_a_colour_of_its_own(bench, monkeypatch):
    monkeypatch.setattr("napari_tap_events.gui.kind_choice.QInputDialog.getText", lambda *_, **__: ("extrusion", True))
    bench.desk.kinds.add_button.click()
    assert bench.annotations.kinds[-1] == Kind("extrusion", 3, "3")
    bench.key(Qt.Key.Key_3)
    bench.click(30, 40)
    assert [event.kind for event in bench.events()] == ["extrusion"]
    colours = [tuple(bench.desk.marks.layer.get_color(value)) for value in (1, 2, 3)]
    assert len(set(colours)) == 3


def test_a_kind_that_is_marked_cannot_be_removed(bench, qtbot):
    choice = bench.desk.kinds
    bench.click(30, 40)
    qtbot.waitUntil(lambda: choice.buttons[1].count.text() == "1")
    choice.edit_button.menu().aboutToShow.emit()
    assert not choice.remove_action.isEnabled()
    bench.key(Qt.Key.Key_2)
    choice.edit_button.menu().aboutToShow.emit()
    choice.remove_action.trigger()
    assert [kind.name for kind in bench.annotations.kinds] == ["division"]
    assert bench.desk.kinds.value().name == "division"


def test_a_name_that_is_taken_is_refused_with_a_sentence(bench, monkeypatch):
    said = []
    monkeypatch.setattr("napari_tap_events.gui.kind_choice.show_error", said.append)
    monkeypatch.setattr("napari_tap_events.gui.kind_choice.QInputDialog.getText", lambda *_, **__: ("death", True))
    bench.desk.kinds.add_button.click()
    assert len(bench.annotations.kinds) == 2
    assert "death" in said[0]


# scope


def test_a_range_of_frames_can_be_the_first_thing_said(bench):
    bench.desk.scope_button.click()
    bench.viewer.dims.set_current_step(0, 5)
    bench.desk.scope.to_button.click()
    whole = Scope.whole(bench.annotations.shape)
    assert bench.annotations.scope == replace(whole, frames=range(6))


def test_the_whole_movie_is_one_button(bench):
    bench.desk.scope_button.click()
    bench.desk.scope.whole_button.click()
    assert bench.annotations.scope == Scope.whole(bench.annotations.shape)
    bench.desk.undo_button.click()
    assert bench.annotations.scope is None


def test_a_rectangle_reaches_to_where_the_button_came_up_although_no_move_was_seen(bench):
    bench.desk.scope_button.click()
    bench.desk.scope.draw_button.click()
    bench.drag([(20, 30), (60, 100)][:1])
    assert bench.annotations.scope is None, "a click draws nothing"
    assert bench.desk.scope.draw_button.isChecked()
    QTest.mousePress(bench.canvas, Qt.MouseButton.LeftButton, pos=bench.point(20, 30))
    QTest.mouseRelease(bench.canvas, Qt.MouseButton.LeftButton, pos=bench.point(60, 100))
    scope = bench.annotations.scope
    assert abs(scope.y1 - 60) <= 2
    assert abs(scope.x1 - 100) <= 2


def test_while_a_rectangle_is_drawn_nobody_warns_of_another_layer_and_nothing_jumps(bench, qtbot):
    bench.desk.scope_button.click()
    letters = bench.desk.hint.font()
    letters.setPointSize(2 * letters.pointSize())
    bench.desk.hint.setFont(letters)
    qtbot.wait(1)
    below = bench.desk.radius.y()
    bench.desk.scope.draw_button.click()
    qtbot.wait(20)
    assert bench.desk.radius.y() == below
    assert bench.panel.notice.isHidden()


def test_a_rectangle_is_drawn_with_the_mouse(bench):
    bench.desk.scope_button.click()
    bench.desk.scope.draw_button.click()
    bench.drag([(20, 30), (40, 60), (60, 100)])
    scope = bench.annotations.scope
    assert abs(scope.y0 - 20) <= 1
    assert abs(scope.y1 - 60) <= 2
    assert abs(scope.x0 - 30) <= 1
    assert abs(scope.x1 - 100) <= 2
    assert scope.frames == range(8)
    assert bench.viewer.layers.selection.active is bench.desk.marks.layer
    assert not bench.desk.scope.draw_button.isChecked()
    bench.click(50, 64)
    assert len(bench.events()) == 1, "marking goes on"


def test_what_is_in_view_can_be_the_rectangle(bench):
    bench.viewer.scene.camera.zoom *= 4
    bench.viewer.scene.camera.center = (0, 24, 32)
    bench.desk.scope.view_button.click()
    scope = bench.annotations.scope
    assert 0 < scope.y0 < 48 < scope.y1 < 96
    assert 0 < scope.x0 < 64 < scope.x1 < 128


def test_frames_are_taken_from_the_frame_that_is_shown(bench):
    bench.desk.scope.whole_button.click()
    bench.frame(2)
    bench.desk.scope.from_button.click()
    bench.frame(5)
    bench.desk.scope.to_button.click()
    assert bench.annotations.scope.frames == range(2, 6)
    assert bench.desk.timeline._looked_at == range(2, 6)
    bench.desk.scope.clear_button.click()
    assert bench.annotations.scope is None


def test_the_rectangle_is_bold_where_it_counts(bench):
    bench.desk.scope.valueChanged.emit(Scope(range(2, 4), 10, 40, 10, 60))
    outline = bench.viewer.layers["looked at"]
    bench.frame(2)
    bold = outline.opacity
    bench.frame(6)
    assert outline.opacity < bold


# list and timeline


def wait_for_lines(bench, qtbot, n):
    qtbot.waitUntil(lambda: len(bench.lines()) == n)


def test_the_list_shows_frame_time_kind_and_place(bench, qtbot):
    bench.frame(2)
    bench.click(30, 40)
    bench.frame(6)
    bench.click(50, 20, RIGHT)
    bench.key(Qt.Key.Key_B)
    bench.click(70, 64)
    wait_for_lines(bench, qtbot, 3)
    assert bench.lines()[0] == ["2", "0:10:00", "division", "30, 40"]
    assert sorted(line[2] for line in bench.lines()[1:]) == ["division ½", "nothing here"]


def test_choosing_a_line_goes_there_and_picks_the_mark(bench, qtbot):
    bench.frame(5)
    bench.click(30, 40)
    bench.frame(1)
    bench.click(70, 64)
    wait_for_lines(bench, qtbot, 2)
    bench.desk.list.table.selectRow(1)
    assert bench.viewer.dims.current_step[0] == 5
    assert bench.desk.marker.picked.event.t == 5
    assert bench.viewer.layers["outlines"].data.any()
    bench.frame(0)
    assert not bench.viewer.layers["outlines"].data.any()


def test_n_goes_from_mark_to_mark(bench, qtbot):
    for t, place in zip((1, 3, 5), CELLS, strict=True):
        bench.frame(t)
        bench.click(*place)
    wait_for_lines(bench, qtbot, 3)
    bench.desk.marker.pick(None)
    bench.desk.list.setValue(None)
    bench.frame(2)
    seen = []
    for keys in (NO_KEY, NO_KEY, NO_KEY, SHIFT):
        bench.key(Qt.Key.Key_N, keys)
        seen.append(bench.viewer.dims.current_step[0])
    assert seen == [3, 5, 5, 3]


def test_a_click_on_the_timeline_goes_to_that_frame(bench, qtbot):
    from qtpy.QtCore import QPoint

    timeline = bench.desk.timeline
    where = QPoint(round(timeline.x_of(5.5)), timeline.height() // 2)
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=where)
    assert bench.viewer.dims.current_step[0] == 5
    bench.frame(2)
    assert timeline.value() == 2
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    assert bench.viewer.dims.current_step[0] == 3


def test_the_timeline_has_a_line_for_every_kind(bench, qtbot):
    bench.frame(4)
    bench.click(30, 40)
    bench.key(Qt.Key.Key_2)
    bench.click(70, 64)
    qtbot.waitUntil(lambda: len(bench.desk.timeline._lanes[1].frames) == 1)
    assert [(lane.name, lane.frames) for lane in bench.desk.timeline._lanes] == [("division", (4,)), ("death", (4,))]


def test_controls_that_are_gone_have_nothing_left_to_say(bench):
    desk = bench.desk
    desk.say("There is no room for a division.")
    bench.session.close()
    assert not desk._saying.isActive()
