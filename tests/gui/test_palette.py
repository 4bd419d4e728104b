"""Everything in the Workbench can be done from napari's command palette, too."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from string import ascii_lowercase
from types import SimpleNamespace

import pytest
import yaml
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name
from qtpy.QtWidgets import QFileDialog

import napari_tap_events
from napari_tap_events.gui import palette, palette_marks
from napari_tap_events.gui.tool_choice import Tool
from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.project.marking import stamp

from .marking import cell_movie
from .reviewing import Bench

MANIFEST = Path(napari_tap_events.__file__).parent / "napari.yaml"
COMMANDS = [
    command["python_name"]
    for command in yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["contributions"]["commands"]
    if ".palette" in command["python_name"]
]


def commands_in(module) -> list[str]:
    """Return the names of what takes a viewer alone."""
    public = {name: value for name, value in vars(module).items() if callable(value) and name[0] in ascii_lowercase}
    own = {name: value for name, value in public.items() if value.__module__ == module.__name__}
    return [name for name, value in own.items() if list(signature(value).parameters) == ["viewer"] and name != "workbench_of"]


@pytest.fixture(autouse=True)
def no_dialogs(monkeypatch):
    """Let every dialog be cancelled."""
    for asks in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, asks, lambda *_, **__: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: "")
    monkeypatch.setattr("qtpy.QtWidgets.QPushButton.showMenu", lambda _button: None)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def workbench(viewer, docked):
    return docked(viewer)


@pytest.fixture
def said(monkeypatch):
    sentences = []
    for module in (palette, palette_marks):
        monkeypatch.setattr(module, "show_info", sentences.append)
    return sentences


def test_every_step_and_every_command_has_a_name(workbench):
    names = {name.rpartition(":")[2] for name in COMMANDS}
    assert {name for module in (palette, palette_marks) for name in commands_in(module)} == names
    assert {name for name in names if name.startswith("step_")} == {f"step_{step}" for step in workbench.steps.steps}
    assert {f"export_{form}" for form in workbench.results.exports.buttons} <= names


@pytest.mark.parametrize("step", ["movie", "mark", "pretrain", "train", "find", "review", "results"])
def test_a_step_is_opened_by_its_name(viewer, workbench, step):
    getattr(palette, f"step_{step}")(viewer)
    assert workbench.steps.value() == step


def test_nothing_fails_while_no_movie_is_open(viewer, workbench, said):
    for name in COMMANDS:
        import_python_name(name)(viewer)
    assert "No movie is open, so nothing can be marked: open one in step 1 of the Workbench." in said
    assert "No job of the Workbench runs." in said
    assert "No card is shown: start the review in step 6 of the Workbench." in said
    assert "No movie is missing." in said
    assert "'Write report' cannot be done now; step 7 of the Workbench says why." in said
    assert "Open a movie" in workbench.pretrain.recipe.refusal.text()


def test_marks_are_undone_and_the_scope_is_said(viewer, workbench, tmp_path):
    workbench.session.open_movie(cell_movie(tmp_path / "cells.tif"))
    palette_marks.whole_movie(viewer)
    assert workbench.session.annotations.scope is not None
    palette_marks.undo(viewer)
    assert workbench.session.annotations.scope is None
    palette_marks.redo(viewer)
    assert workbench.session.annotations.scope is not None


def test_a_running_job_is_paused_and_stopped(viewer, workbench, monkeypatch):
    done = []
    recipe = workbench.pretrain.recipe
    monkeypatch.setattr(recipe, "running", lambda: True)
    for deed in ("pause", "stop"):
        monkeypatch.setattr(recipe, deed, lambda deed=deed: done.append(deed))
        getattr(palette, deed)(viewer)
    assert done == ["pause", "stop"]


def test_what_explains_is_unfolded(viewer, workbench):
    palette.explain(viewer)
    assert workbench.finding.why.value()
    assert "Open a movie" in workbench.finding.explain.refusal.text()


def test_where_the_workbench_is_closed_it_is_opened(npe2pm, make_napari_viewer):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    viewer = make_napari_viewer()
    palette.step_train(viewer)
    (workbench,) = (docked for docked in viewer.window.dock_widgets.values() if isinstance(docked, Workbench))
    assert workbench.steps.value() == "train"
    assert palette.workbench_of(viewer) is workbench
    workbench.close()
    workbench.session.close()


def test_marking_is_done_by_names(viewer, workbench, qtbot, tmp_path):
    workbench.session.open_movie(cell_movie(tmp_path / "cells.tif"))
    palette_marks.fill(viewer)
    assert workbench.mark.desk.tools.value() == Tool.fill
    palette_marks.stamp(viewer)
    before = workbench.mark.desk.radius.value()
    palette_marks.larger(viewer)
    assert workbench.mark.desk.radius.value() > before
    palette_marks.smaller(viewer)
    assert workbench.mark.desk.radius.value() == before
    a = workbench.session.annotations
    a.do(stamp(a, a.kinds[0], 2, 30, 40, 6))
    qtbot.waitUntil(lambda: len(workbench.mark.desk.list.model.lines) == 1)
    palette_marks.next_mark(viewer)
    palette_marks.later(viewer)
    assert [record.event.t for record in a.events] == [3]
    palette_marks.delete_mark(viewer)
    assert not a.events
    palette_marks.in_view(viewer)
    assert a.scope is not None
    palette_marks.clear_scope(viewer)
    assert a.scope is None


def test_a_card_is_answered_by_names(make_napari_viewer, tmp_path, monkeypatch):
    bench = Bench(make_napari_viewer(), tmp_path)
    monkeypatch.setattr(palette_marks, "open_step", lambda _viewer, _step: SimpleNamespace(review=bench.panel))
    bench.begin()
    palette_marks.answer_yes(bench.viewer)
    palette_marks.answer_no(bench.viewer)
    assert [answer for answer, _ in bench.answers()] == ["yes", "no"]
    palette_marks.undo_answer(bench.viewer)
    assert [answer for answer, _ in bench.answers()] == ["yes"]
    bench.close()
