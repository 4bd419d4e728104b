"""Exports from the window: what is listed is written, what goes wrong is said, and the report comes from another process."""

from __future__ import annotations

import json

import psutil
import pytest
from qtpy.QtCore import QUrl
from qtpy.QtWidgets import QFileDialog, QScrollArea, QVBoxLayout, QWidget

from napari_tap_events.events.exports import FORMATS
from napari_tap_events.events.exports.facts import MovieFacts
from napari_tap_events.events.table import EventRow, events_table, read_events
from napari_tap_events.gui import one_command, results_exports
from napari_tap_events.gui.results_exports import Exportable, ResultExports
from napari_tap_events.study.result_folder import JUDGED, SAID

EVENTS = events_table([EventRow(3, 4, 5, "division", 0.8, "head"), EventRow(9, 1, 1, "death", 0.3, "head", "rejected")])


@pytest.fixture
def exports(qtbot):
    widget = ResultExports()
    qtbot.addWidget(widget)
    yield widget
    widget.report.close()


def answer(monkeypatch, path):
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: asked.append(words) or (str(path), ""))
    return asked


def test_with_nothing_listed_nothing_can_be_exported(exports):
    assert not any(button.isEnabled() for button in [*exports.buttons.values(), exports.report_button])
    assert exports.value() is None


@pytest.mark.parametrize("form", FORMATS)
def test_a_button_asks_for_a_file_and_writes_it(exports, monkeypatch, tmp_path, form):
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    out = tmp_path / f"mine{FORMATS[form].suffix}"
    asked = answer(monkeypatch, out)
    exports.buttons[form].click()
    assert out.exists()
    assert asked[0][2] == str(tmp_path / f"events{FORMATS[form].suffix}")
    many = "2 events" if form == "csv" else "1 event"
    assert exports.notice.label.text() == f"✓ {many} written to {out.name}"


def test_a_name_without_an_ending_gets_one_and_a_taken_name_a_number(exports, monkeypatch, tmp_path):
    (tmp_path / "events.csv").write_text("mine")
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    asked = answer(monkeypatch, tmp_path / "mine")
    exports.buttons["csv"].click()
    assert asked[0][2] == str(tmp_path / "events-2.csv")
    assert len(read_events(tmp_path / "mine.csv")) == 2


def test_the_file_is_offered_beside_the_movie(exports, monkeypatch, tmp_path):
    movie = tmp_path / "lab" / "cells.tif"
    movie.parent.mkdir()
    movie.touch()
    exports.setValue(Exportable(EVENTS, MovieFacts(movie), tmp_path))
    asked = answer(monkeypatch, "")
    exports.buttons["csv"].click()
    assert asked[0][2] == str(movie.with_name("cells-events.csv"))
    movie.unlink()
    exports.buttons["csv"].click()
    assert asked[1][2] == str(tmp_path / "events.csv")


def test_what_became_of_it_is_scrolled_into_sight(tmp_path, qtbot):
    room, tall, exports = QScrollArea(), QWidget(), ResultExports()
    qtbot.addWidget(room)
    column = QVBoxLayout(tall)
    column.addSpacing(600)
    column.addWidget(exports)
    room.setWidget(tall)
    room.setWidgetResizable(True)
    room.resize(340, 300)
    room.show()
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    exports.export(tmp_path / "mine.csv", "csv")
    bar = room.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() > 0 and not exports.notice.visibleRegion().isEmpty())
    exports.report.close()


def test_no_answer_writes_nothing(exports, monkeypatch, tmp_path):
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    answer(monkeypatch, "")
    exports.buttons["geff"].click()
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_is_said_in_place(exports, tmp_path):
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    (tmp_path / "file").write_text("")
    exports.export(tmp_path / "file" / "a.csv", "csv")
    assert exports.notice.label.text().startswith("✕ '")
    assert not exports.notice.button.isVisibleTo(exports)
    mine = tmp_path / "mine.geff"
    mine.mkdir()
    exports.export(mine, "geff")
    assert "is there already" in exports.notice.label.text()


def test_the_report_is_written_by_another_process_and_can_be_opened(exports, qtbot, monkeypatch, result_folder):
    opened = []
    monkeypatch.setattr(results_exports.QDesktopServices, "openUrl", opened.append)
    exports.setValue(Exportable(EVENTS, MovieFacts(), result_folder))
    with qtbot.waitSignal(exports.report.written, timeout=120_000):
        exports.report_button.click()
        assert not exports.report_button.isEnabled(), "one at a time"
        assert exports.notice.label.text() == "Writing the report…"
    assert (result_folder / "report.html").stat().st_size > 10_000
    assert not (result_folder / JUDGED).exists(), "nobody has judged anything"
    exports.notice.button.click()
    assert opened == [QUrl.fromLocalFile(str(result_folder / "report.html"))]
    assert exports.report_button.isEnabled()


def test_what_a_person_has_judged_lies_beside_the_report(exports, monkeypatch, result_folder):
    monkeypatch.setattr(exports.report, "start", lambda _folder: None)
    said = {"marks": {"division": 1}, "answers": {"yes": 1}, "audit": None}
    exports.setValue(Exportable(EVENTS, MovieFacts(), result_folder, judged=EVENTS.assign(status="confirmed"), said=said))
    exports.write_report()
    assert json.loads((result_folder / SAID).read_text()) == said
    assert set(read_events(result_folder / JUDGED)["status"]) == {"confirmed"}


def test_a_report_that_cannot_be_written_is_said_in_its_own_words(exports, qtbot, tmp_path):
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    with qtbot.waitSignal(exports.report.failed, timeout=120_000):
        exports.report_button.click()
    assert "holds no result" in exports.notice.label.text()


def test_a_program_that_is_not_there_is_said(exports, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(one_command.sys, "executable", str(tmp_path / "nothing"))
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    with qtbot.waitSignal(exports.report.failed):
        exports.report_button.click()
    assert "could not be started" in exports.notice.label.text()


def test_closing_ends_the_process_and_says_nothing(exports, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(one_command, "COMMAND", ("-c", "import time; time.sleep(600)"))
    exports.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    exports.report_button.click()
    process = exports.report._command._process
    assert process.waitForStarted()
    with qtbot.assertNotEmitted(exports.report.failed):
        exports.report.close()
    assert process.state() == process.ProcessState.NotRunning


def test_a_deleted_window_ends_the_process_with_it(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(one_command, "COMMAND", ("-c", "import time; time.sleep(600)"))
    widget = ResultExports()
    widget.setValue(Exportable(EVENTS, MovieFacts(), tmp_path))
    widget.report_button.click()
    assert widget.report._command._process.waitForStarted()
    pid = widget.report._command._process.processId()
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid))


def test_events_that_come_from_no_folder_have_no_report(exports):
    exports.setValue(Exportable(EVENTS, MovieFacts()))
    assert not exports.report_button.isEnabled()
    assert "come from none" in exports.report_button.toolTip()
