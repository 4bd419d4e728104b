"""A project is saved elsewhere while the window goes on."""

from __future__ import annotations

import shutil
import threading

import pytest

from napari_tap_events.project.folder import Project
from napari_tap_events.project.marking import stamp

from .marking import cell_movie
from .reviewing import StubLink


@pytest.fixture
def workbench(make_napari_viewer_proxy, docked, tmp_path):
    workbench = docked(make_napari_viewer_proxy())
    workbench.session.open_movie(cell_movie(tmp_path / "cells.tif"))
    mark(workbench, 1)
    return workbench


@pytest.fixture
def slow_disk(monkeypatch):
    """Let every file wait until the event is set, which is done at the end at the latest."""
    free, copy = threading.Event(), shutil.copy2
    monkeypatch.setattr("napari_tap_events.project.copying.shutil.copy2", lambda *names: free.wait(60) and copy(*names))
    yield free
    free.set()


def mark(workbench, t):
    marks = workbench.session.annotations
    marks.do(stamp(marks, marks.kinds[0], t, 30, 40, 6))


def test_marks_that_are_made_while_a_project_is_copied_go_along(workbench, slow_disk, tmp_path, qtbot):
    bar, before = workbench.project, workbench.session.project.path
    bar.save_as(tmp_path / "mine")
    qtbot.waitUntil(lambda: "%" in bar.notice.label.text())
    assert bar.notice.label.text() == "Saving as 'mine.tap' … 0 %"
    assert not workbench.steps.isEnabled()
    assert not bar.menu_button.isEnabled()
    mark(workbench, 4)
    bar.open(before)
    slow_disk.set()
    qtbot.waitUntil(lambda: not bar.saving.running())
    assert workbench.session.project.path == tmp_path / "mine.tap"
    assert (bar.notice.isHidden(), workbench.steps.isEnabled(), bar.menu_button.isEnabled()) == (True, True, True)
    workbench.session.close()
    assert len(Project.open(tmp_path / "mine.tap").annotations("cells").events) == 2


def test_a_project_stays_where_it_is_when_saving_is_cancelled(workbench, slow_disk, tmp_path, qtbot):
    bar, before, there = workbench.project, workbench.session.project.path, sorted(tmp_path.iterdir())
    bar.save_as(tmp_path / "mine.tap")
    assert bar.notice.button.text() == "Cancel"
    bar.notice.button.click()
    slow_disk.set()
    qtbot.waitUntil(lambda: not bar.saving.running())
    assert (workbench.session.project.path, sorted(tmp_path.iterdir())) == (before, there)
    assert workbench.steps.isEnabled()


def test_what_is_in_the_way_is_said_and_the_project_stays(workbench, tmp_path, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr("napari_tap_events.gui.saving.show_error", told.append)
    (tmp_path / "mine.tap").write_text("a file")
    workbench.project.save_as(tmp_path / "mine.tap")
    qtbot.waitUntil(lambda: not workbench.project.saving.running())
    assert "exists already and is not empty" in told[0]
    assert workbench.session.is_unsaved


def test_that_a_job_is_in_the_way_is_said_as_long_as_it_is(workbench, tmp_path, qtbot):
    bar, running = workbench.project, ["training still runs"]
    bar.saving._in_the_way = lambda: running[0]
    bar.save_as(tmp_path / "mine.tap")
    assert (bar.notice.label.text(), bar.saving.running()) == ("⚠ training still runs", False)
    bar.saving._look_if_free()
    assert bar.notice.label.text() == "⚠ training still runs"
    running[0] = ""
    qtbot.waitUntil(lambda: bar.notice.label.text() == "")
    assert not bar.saving._waiting.isActive()


def test_a_review_goes_on_in_the_new_place(workbench, tmp_path, qtbot):
    workbench.review.work._make_link = StubLink
    workbench.review.begin()
    first = StubLink.made[-1]
    workbench.project.save_as(tmp_path / "mine.tap")
    assert not first.alive
    qtbot.waitUntil(lambda: not workbench.project.saving.running())
    assert StubLink.made[-1] is not first
    assert (StubLink.made[-1].alive, StubLink.made[-1].project) == (True, tmp_path / "mine.tap")


def test_a_dock_that_is_closed_while_its_project_is_saved_leaves_it_where_it_was(workbench, slow_disk, tmp_path, qtbot):
    before, there = workbench.session.project.path, sorted(tmp_path.iterdir())
    workbench.project.save_as(tmp_path / "mine.tap")
    workbench.close()
    slow_disk.set()
    qtbot.waitUntil(lambda: not workbench.project.saving.running())
    assert sorted(tmp_path.iterdir()) == there
    assert len(Project.open(before).annotations("cells").events) == 1
