"""The workbench, from a movie to a table of events, with real commands in their own processes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog, QLabel, QTableView

from napari_tap_events.events.table import read_events
from napari_tap_events.gui.closing import KEEP, STAY, STOP
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.point_marks import NAME as DENIED
from napari_tap_events.gui.steps import Progress
from napari_tap_events.gui.workbench import LEAST_WIDTH_PX
from napari_tap_events.jobs.job_end import END, say
from napari_tap_events.jobs.job_record import JobRecord, write_record
from napari_tap_events.jobs.output import STARTED
from napari_tap_events.jobs.process import Process, end_now
from napari_tap_events.jobs.runner import Job
from napari_tap_events.movies.event_sizes import fitting_sizes, sizes_of_cell
from napari_tap_events.movies.masks import EventMasks, Scope
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic
from napari_tap_events.project.folder import Project
from napari_tap_events.project.importing import import_masks
from napari_tap_events.project.marking import stamp
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, DetectSettings, ExplainSettings, HeadSettings, PretrainSettings

FOREVER = (sys.executable, "-c", "import time; time.sleep(600)")
ONE_THREAD = ComputeSettings(device="cpu", threads=1)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def workbench(viewer, docked):
    return docked(viewer)


@pytest.fixture
def synthetic(tmp_path):
    made = synthesise(SyntheticSettings(frames=24, height=72, width=72, cells=6, cycle_frames=20, seed=2))
    write_synthetic(tmp_path / "made", made)
    return made


def status(workbench, name):
    return workbench.steps.headers[name].status.text()


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def made(workbench):
    return [name for name in workbench.steps.steps if workbench.steps.made(name)]


def leave_a_job(project, command):
    """Lay out a job that was stopped and can go on, as a command leaves it."""
    folder, out = project / "jobs" / f"{command}-1", project / "encoders" / "encoder-1"
    for place in (folder, out):
        place.mkdir(parents=True)
    (out / STARTED).write_text("{}", encoding="utf-8")
    gone = Process(pid=2**22 - 1, born=0.0, word=str(folder))
    write_record(folder, JobRecord(command, (), out, (sys.executable,), project, "2026-01-01T00:00:00.000+00:00", gone))
    say(folder, {"stage": END, "state": "stopped", "message": ""})


def test_only_the_first_step_is_made_before_a_person_needs_more(workbench, tmp_path, synthetic, qtbot):
    assert made(workbench) == ["movie"]
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    qtbot.waitUntil(lambda: not workbench._count_soon.isActive())
    assert made(workbench) == ["movie"]
    workbench.steps.open("results")
    assert made(workbench) == ["movie", "results"]


def test_a_job_that_can_go_on_is_offered_as_soon_as_its_project_is_open(workbench, tmp_path, qtbot):
    project = tmp_path / "mine.tap"
    Project.create(project).close()
    leave_a_job(project, "pretrain")
    workbench.session.open_project(project)
    assert made(workbench) == ["movie", "pretrain"]
    qtbot.waitUntil(lambda: status(workbench, "pretrain") == f"stopped {Progress.running.value}")
    assert workbench.pretrain.recipe.watch.job.record.out == project / "encoders" / "encoder-1"


def test_a_job_that_can_go_on_goes_along_when_its_project_is_saved_elsewhere(workbench, tmp_path, qtbot, save_as):
    Project.create(tmp_path / "mine.tap").close()
    leave_a_job(tmp_path / "mine.tap", "pretrain")
    workbench.session.open_project(tmp_path / "mine.tap")
    watch = workbench.pretrain.recipe.watch
    qtbot.waitUntil(lambda: not watch.running())
    save_as(workbench, tmp_path / "other" / "copy.tap")
    qtbot.waitUntil(
        lambda: watch.job is not None and watch.job.folder.is_relative_to(tmp_path / "other") and not watch.running()
    )
    assert watch.job.record.out == tmp_path / "other" / "copy.tap" / "encoders" / "encoder-1"
    assert watch.job.resumable


def test_marks_of_a_project_are_seen_before_their_step_is_opened(workbench, viewer, synthetic, tmp_path, qtbot):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    marks = workbench.session.annotations
    marks.do(import_masks(marks, synthetic.labels))
    qtbot.waitUntil(lambda: "event marks" in [layer.name for layer in viewer.layers])
    assert workbench.steps.value() == "movie"
    assert workbench.mark.desk.marks.layer.mode == "pan_zoom"


def test_every_step_says_what_it_needs_before_a_movie_is_open(workbench, qtbot):
    assert workbench.minimumSizeHint().width() == LEAST_WIDTH_PX
    for name in ("pretrain", "train", "finding"):
        panel = getattr(workbench, name)
        click(qtbot, panel.recipe.start_button)
        assert "step 1" in panel.recipe.refusal.text()
        assert not panel.recipe.running()


def test_marks_are_counted_in_the_line_of_their_step(workbench, synthetic, tmp_path, qtbot):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    assert status(workbench, "movie") == f"movie.tif {Progress.done.value}"
    marks = workbench.session.annotations
    marks.do(import_masks(marks, synthetic.labels))
    qtbot.waitUntil(lambda: status(workbench, "mark") == f"{len(marks.events)} marked {Progress.done.value}")
    while marks.can_undo:
        marks.undo()
    qtbot.waitUntil(lambda: status(workbench, "mark") == Progress.open.value)


def test_sizes_follow_the_marks_until_somebody_chooses_others(workbench, synthetic, tmp_path, qtbot):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    marks, train = workbench.session.annotations, workbench.train
    marks.do(import_masks(marks, synthetic.labels))
    fitting = fitting_sizes(EventMasks(synthetic.labels, ("division", "death"), Scope.whole(synthetic.labels.shape)))
    workbench.steps.open("train")
    qtbot.waitUntil(lambda: "fit your marks" in train.counts.text(), timeout=60_000)
    head = train.recipe.value()[0]
    assert (head.crop_px, head.radius_px, head.area_px) == (fitting.crop_px, fitting.radius_px, fitting.area_px)
    assert head.radius_px != HeadSettings().radius_px
    train.recipe.form.plain.fields["crop_px"].setValue(64)
    qtbot.waitUntil(
        lambda: f"crops of {fitting.crop_px} px" in train.counts.text() and "⚠" in train.counts.text(), timeout=60_000
    )
    assert train.recipe.value()[0].crop_px == 64


def test_what_training_takes_is_not_told_by_folds_that_were_changed_since(workbench, synthetic, tmp_path, qtbot):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    marks, train = workbench.session.annotations, workbench.train
    marks.do(import_masks(marks, synthetic.labels))
    workbench.steps.open("train")
    qtbot.waitUntil(lambda: "folds" in train._material().folds, timeout=60_000)
    train.recipe.form.plain.fields["crop_px"].setValue(64)
    assert train._material().folds == {}
    qtbot.waitUntil(lambda: "folds" in train._material().folds, timeout=60_000)


def test_all_steps_follow_the_size_of_a_cell(workbench, synthetic, tmp_path):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    for name in ("mark", "pretrain", "train", "find", "review"):
        workbench.steps.open(name)
    workbench.movie.facts.cell.setValue(30)
    assert workbench.session.entry.cell_px == 30
    assert workbench.pretrain.recipe.value()[0].patch_px == 88
    fitting = sizes_of_cell(30)
    head = workbench.train.recipe.value()[0]
    assert (head.crop_px, head.radius_px, head.area_px) == (fitting.crop_px, fitting.radius_px, fitting.area_px)
    assert workbench.mark.desk.marker.radius_px == workbench.mark.desk.radius.value() == round(fitting.reach_px)
    asked, taught = workbench.review.start.value()
    assert (asked.card_px, asked.stamp_px, asked.audit_px) == (104, round(fitting.reach_px), 184)
    assert (taught.crop_px, taught.radius_px) == (fitting.crop_px, fitting.radius_px)
    finding = workbench.finding
    for inputs in (finding._inputs(), finding._why_inputs()):
        assert inputs.arguments[inputs.arguments.index("--radius-px") + 1] == f"{fitting.radius_px:g}"
    finding.recipe.setValue(DetectSettings(radius_px=9), ONE_THREAD)
    assert "--radius-px" not in finding._inputs().arguments, "the form says it"
    assert "--radius-px" in finding._why_inputs().arguments
    finding.explain.setValue(ExplainSettings(radius_px=9), ONE_THREAD)
    assert "--radius-px" not in finding._why_inputs().arguments


def test_from_a_movie_to_a_table_of_events(workbench, viewer, qtbot, synthetic, tmp_path):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    marks = workbench.session.annotations
    marks.do(import_masks(marks, synthetic.labels))

    workbench.pretrain.recipe.setValue(PretrainSettings(preset="unet8", steps=4, batch=4, patch_px=32, val_pairs=8), ONE_THREAD)
    with qtbot.waitSignal(workbench.pretrain.pretrained, timeout=120_000):
        click(qtbot, workbench.pretrain.recipe.start_button)
    assert status(workbench, "pretrain").startswith("accuracy")

    workbench.steps.open("train")
    assert workbench.train.encoder.value().role == "encoder"
    qtbot.waitUntil(lambda: "windows" in workbench.train.counts.text(), timeout=60_000)
    workbench.train.recipe.setValue(HeadSettings(folds=2, steps=4, crop_px=16, tile_px=32), ONE_THREAD)
    with qtbot.waitSignal(workbench.train.trained, timeout=120_000):
        click(qtbot, workbench.train.recipe.start_button)
    assert f"of {len(marks.events)} events" in workbench.train.score.words.text()
    assert status(workbench, "train").startswith("F1")

    workbench.steps.open("find")
    assert workbench.finding.model.value().role == "head"
    workbench.finding.recipe.setValue(DetectSettings(), ONE_THREAD)
    viewer.dims.set_current_step(0, 7)
    with qtbot.waitSignal(workbench.finding.found, timeout=120_000):
        click(qtbot, workbench.finding.recipe.start_button)
        words = workbench.finding.recipe.watch.job.record.arguments
        assert words[words.index("--first-frame") + 1] == "7"
    shown = {layer.metadata.get(ROLE) for layer in viewer.layers}
    assert {"movie", "probability", "arrow", "events"} <= shown
    assert viewer.layers["probability"].visible
    assert not viewer.layers["arrow"].visible
    events = status(workbench, "find")
    listed = int(viewer.layers["events"].shown.sum())
    assert events.startswith("1 event " if listed == 1 else f"{listed} events ")
    workbench.finding.threshold.setValue(0.0)
    assert viewer.layers["events"].shown.all()
    assert status(workbench, "find").startswith(f"{len(viewer.layers['events'].data)} events ")

    workbench.movie.open(tmp_path / "made" / "movie.tif")
    assert "probability" in viewer.layers, "the same movie, so what was found in it is shown in the step that is open"
    assert status(workbench, "find") == events
    assert workbench.finding.recipe.view.isVisibleTo(workbench.finding)

    workbench.steps.open("results")
    assert status(workbench, "results") == "○"
    workbench.results.exports.export(tmp_path / "mine.csv", "csv")
    assert status(workbench, "results") == f"{len(read_events(tmp_path / 'mine.csv'))} exported ●"

    project = workbench.session.project.path
    workbench.session.close()
    assert "probability" not in viewer.layers
    for name in ("pretrain", "train", "finding"):
        assert not getattr(workbench, name).recipe.view.isVisibleTo(getattr(workbench, name))
    assert {status(workbench, name) for name in ("pretrain", "train", "find", "results")} == {"○"}
    workbench.project.open(project)
    assert status(workbench, "train").startswith("F1")
    assert status(workbench, "pretrain").startswith("accuracy")
    workbench.steps.open("results")
    assert {"probability", "arrow", "events"} <= {layer.metadata.get(ROLE) for layer in viewer.layers}, (
        "what was found is shown again"
    )
    assert status(workbench, "find") == events


@pytest.mark.parametrize(("answer", "closes", "stopped"), [(KEEP, True, False), (STOP, True, True), (STAY, False, False)])
def test_napari_asks_before_it_closes_over_a_running_job(workbench, monkeypatch, answer, closes, stopped):
    asked, stops = [], []
    monkeypatch.setattr(workbench._guard, "ask", lambda names: asked.append(list(names)) or answer)
    monkeypatch.setattr(workbench.train.recipe, "running", lambda: True)
    monkeypatch.setattr(workbench.train.recipe, "stop", lambda: stops.append("train"))
    workbench._guard.watch()
    event = QCloseEvent()
    event.accept()
    held = workbench._guard.eventFilter(workbench.window(), event)
    assert asked == [["Train"]]
    assert (not held, bool(stops)) == (closes, stopped)
    assert event.isAccepted() == closes


def test_nobody_is_asked_when_nothing_runs(workbench, monkeypatch):
    monkeypatch.setattr(workbench._guard, "ask", lambda _names: pytest.fail("asked"))
    workbench._guard.watch()
    assert not workbench._guard.eventFilter(workbench.window(), QCloseEvent())


def test_marks_that_a_window_left_behind_are_offered_and_taken_up_again(workbench, synthetic, tmp_path, qtbot):
    left = Session(workbench.session._unsaved)
    left.open_movie(tmp_path / "made" / "movie.tif")
    left.annotations.do(stamp(left.annotations, left.annotations.kinds[0], 1, 20, 20, 4))
    left.close()
    button = workbench.project.left_button
    assert button.isHidden()
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    assert not button.isHidden()
    assert "movie.tif" in button.toolTip()
    button.click()
    assert len(workbench.session.annotations.events) == 1
    assert button.isHidden()


def test_the_project_that_was_open_last_is_one_click_away(viewer, docked, tmp_path, qtbot):
    session = Session(tmp_path / "unsaved")
    for name in ("before", "divisions"):
        session.new_project(tmp_path / f"{name}.tap")
    session.close()
    workbench = docked(viewer)
    bar = workbench.project
    bar.recent.aboutToShow.emit()
    assert [action.text().split()[0] for action in bar.recent.actions()] == ["divisions", "before"]
    assert bar.left_button.text() == "Go on with 'divisions'"
    click(qtbot, bar.left_button)
    assert workbench.session.project.path == tmp_path / "divisions.tap"
    assert bar.left_button.isHidden()


def test_the_offer_of_what_was_left_goes_with_the_first_mark(workbench, synthetic, tmp_path):
    path = tmp_path / "made" / "movie.tif"
    for session in (Session(workbench.session._unsaved), workbench.session):
        session.open_movie(path)
        offered = not workbench.project.left_button.isHidden()
        session.annotations.do(stamp(session.annotations, session.annotations.kinds[0], 1, 20, 20, 4))
        if session is not workbench.session:
            session.close()
    assert offered
    assert workbench.project.left_button.isHidden()


def drop(widget, *paths):
    """Drag files over a widget and let them fall, as Qt tells it; say whether it would take them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), *how)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), *how))
    return enter.isAccepted()


@pytest.mark.parametrize("step", ["movie", "train"])
def test_a_movie_is_dropped_onto_the_dock_whatever_step_is_open(workbench, synthetic, tmp_path, step):
    workbench.steps.open(step)
    assert drop(workbench, tmp_path / "made" / "movie.tif")
    assert workbench.session.movie.name == "movie.tif"
    assert workbench.steps.value() == "movie"


def test_a_folder_of_frames_is_dropped_onto_the_dock(workbench, tmp_path):
    (tmp_path / "frames").mkdir()
    for t in range(3):
        tifffile.imwrite(tmp_path / "frames" / f"t{t}.tif", np.full((32, 40), t, np.uint8))
    assert drop(workbench, tmp_path / "frames")
    assert workbench.session.movie.shape == (3, 1, 32, 40)


def test_a_project_is_dropped_onto_the_dock(workbench, synthetic, tmp_path, save_as):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    save_as(workbench, tmp_path / "mine.tap")
    workbench.session.new_project(tmp_path / "other.tap")
    assert workbench.session.movie is None
    assert drop(workbench, tmp_path / "mine.tap")
    assert workbench.session.project.path == tmp_path / "mine.tap"
    assert workbench.session.movie.name == "movie.tif"


def test_what_is_no_file_is_not_taken(workbench):
    data = QMimeData()
    data.setText("some words")
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), *how)
    QApplication.sendEvent(workbench, enter)
    assert not enter.isAccepted()


@pytest.mark.parametrize("step", ["movie", "mark", "train"])
def test_trouble_with_the_disk_is_said_once_whatever_step_is_open(workbench, monkeypatch, qtbot, step):
    saved = []
    monkeypatch.setattr(workbench.session, "save", lambda: saved.append("again"))
    workbench.steps.open(step)
    bar = workbench.project
    assert bar.trouble.isHidden()
    assert bar.again.isHidden()
    workbench.session.troubled.emit("the disk is full; make room.")
    said = [label.text() for label in workbench.findChildren(QLabel) if "disk is full" in label.text()]
    assert said == ["⚠ The disk is full; make room."]
    click(qtbot, bar.again)
    assert saved == ["again"]
    workbench.session.troubled.emit("")
    assert bar.trouble.isHidden()
    assert bar.again.isHidden()


def test_a_project_is_not_saved_elsewhere_while_a_job_writes_into_it(
    workbench, synthetic, tmp_path, monkeypatch, qtbot, save_as
):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    project = workbench.session.project.path
    job = Job.start("pretrain", [], project / "encoders" / "encoder-1", project / "jobs" / "pretrain-encoder-1", FOREVER)
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: asked.append("where") or ("", ""))
    bar = workbench.project
    for save in (bar.save_action.trigger, lambda: bar.save_as(tmp_path / "mine.tap")):
        save()
        assert bar.notice.label.text() == (
            "⚠ The project cannot be saved elsewhere while pretraining still runs in it: wait until it is done, or stop it."
        )
        assert not bar.notice.isHidden()
        bar.menu_button.menu().aboutToShow.emit()
        assert bar.notice.isHidden()
    assert not asked
    assert workbench.session.project.path == project
    assert not (tmp_path / "mine.tap").exists()
    end_now(job.record.process)
    qtbot.waitUntil(lambda: job.poll() == [] and job.state == "failed")
    save_as(workbench, tmp_path / "mine.tap")
    assert workbench.session.project.path == tmp_path / "mine.tap"


def test_a_movie_that_is_missing_is_named_by_its_plain_path(workbench, synthetic, tmp_path, save_as):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    save_as(workbench, tmp_path / "mine.tap")
    workbench.session.close()
    (tmp_path / "made" / "movie.tif").unlink()
    workbench.project.open(tmp_path / "mine.tap")
    assert f"'{tmp_path / 'made' / 'movie.tif'}'" in workbench.project.trouble.text()
    assert not workbench.project.missing.isHidden()


def test_no_list_keeps_the_tab_key_to_itself(workbench, synthetic, tmp_path):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    lists = [view for step in workbench.steps.steps for view in workbench.steps.panel(step).findChildren(QTableView)]
    assert {type(view.parentWidget()).__name__ for view in lists} >= {"EventList", "ResultList"}
    assert not [view for view in lists if view.tabKeyNavigation()]


def test_when_a_review_begins_the_layer_of_what_is_denied_is_there(viewer, workbench, synthetic, tmp_path):
    workbench.movie.open(tmp_path / "made" / "movie.tif")
    workbench.steps.open("review")
    assert DENIED not in viewer.layers
    workbench.review.begun.emit()
    assert DENIED in viewer.layers
