"""What is left when the dock of the workbench is closed: nothing that would be in the way of the next one."""

from __future__ import annotations

import gc

import pytest

from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.project.lock import is_held
from napari_tap_events.project.marking import stamp
from napari_tap_events.project.session import Session

from .marking import cell_movie
from .reviewing import StubLink


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def workbench(viewer, docked, tmp_path):
    """Return a workbench in whose project one event is marked, with the movie and its marks in the viewer."""
    workbench = docked(viewer)
    workbench.session.open_movie(cell_movie(tmp_path / "cells.tif"))
    workbench.session.save_as(tmp_path / "mine.tap")
    marks = workbench.session.annotations
    marks.do(stamp(marks, marks.kinds[0], 1, 20, 20, 4))
    workbench.steps.open("mark")
    return workbench


def press_x(viewer, workbench):
    workbench.parent().title.close_button.click()


def press_x_of_a_floating_dock(viewer, workbench):
    workbench.parent().setFloating(True)
    workbench.parent().title.close_button.click()


def remove(viewer, workbench):
    viewer.window.remove_dock_widget(workbench)


@pytest.mark.parametrize("close", [press_x, press_x_of_a_floating_dock, remove])
def test_a_project_is_free_as_soon_as_the_dock_is_closed(viewer, workbench, docked, tmp_path, close):
    assert is_held(tmp_path / "mine.tap")
    close(viewer, workbench)
    assert not is_held(tmp_path / "mine.tap")
    assert not [layer.name for layer in viewer.layers if ROLE in layer.metadata]
    again = docked(viewer)
    again.project.open(tmp_path / "mine.tap")
    assert again.session.trouble == ""
    assert len(again.session.annotations.events) == 1


def test_a_review_ends_with_its_dock(viewer, workbench):
    workbench.steps.open("review")
    workbench.review.work._make_link = StubLink
    workbench.review.begin()
    link = StubLink.made[-1]
    assert link.alive
    assert gc.get_freeze_count()
    press_x(viewer, workbench)
    assert not link.alive
    assert not workbench.review.work._timer.isActive()
    assert not gc.get_freeze_count()


def test_a_dock_that_is_only_hidden_keeps_its_project(viewer, workbench, tmp_path):
    workbench.parent().title.hide_button.click()
    assert is_held(tmp_path / "mine.tap")
    assert workbench.session.annotations is not None


def test_a_job_goes_on_without_its_dock_and_that_is_said(viewer, workbench, monkeypatch):
    told, stopped = [], []
    monkeypatch.setattr("napari_tap_events.gui.workbench.show_info", told.append)
    monkeypatch.setattr(workbench.train.recipe, "running", lambda: True)
    monkeypatch.setattr(workbench.train.recipe, "stop", lambda: stopped.append("train"))
    press_x(viewer, workbench)
    assert told == ["Train is still running in the background, and found again when the project is opened."]
    assert not stopped
    assert not workbench.train.recipe.watch._timer.isActive()


def test_a_window_that_is_closed_gives_the_project_free(make_napari_viewer, tmp_path, qtbot):
    viewer, session = make_napari_viewer(), Session(tmp_path / "unsaved")
    session.new_project(tmp_path / "mine.tap")
    viewer.window.add_dock_widget(Workbench(viewer, session), name="Workbench")
    viewer.close()
    qtbot.waitUntil(lambda: not is_held(tmp_path / "mine.tap"))


def test_napari_puts_no_empty_room_below(viewer, docked):
    for _ in range(2):
        workbench = docked(viewer)
        column = workbench.layout()
        assert not [place for place in range(column.count()) if column.itemAt(place).spacerItem()]
        remove(viewer, workbench)
