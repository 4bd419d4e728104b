"""A recipe in the window: one button starts it; the buttons, words and signals follow the job, whatever happens to it."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QPushButton

from napari_tap_events.errors import ProjectError
from napari_tap_events.gui import this_computer
from napari_tap_events.gui.job_words import stage_words
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.jobs import runner
from napari_tap_events.jobs.process import end_now
from napari_tap_events.jobs.runner import ENDED
from napari_tap_events.settings import ComputeSettings, ExplainSettings, HeadSettings, PretrainSettings

QUICK = (sys.executable, "-X", "faulthandler", str(Path(__file__).parents[1] / "jobs" / "quick_program.py"))
PATIENCE_MS = 30_000


@pytest.fixture(autouse=True)
def _known_computer(qapp, monkeypatch):
    """Nobody asks the doctor here."""
    computer = this_computer.ThisComputer()
    computer.facts = {"device": "cpu", "cores": 2, "why": ""}
    monkeypatch.setattr(this_computer, "_COMPUTER", [computer])
    monkeypatch.setattr(runner, "PROGRAM", QUICK)


class Bench:
    """A panel with what it is given and what it tells."""

    def __init__(self, folder: Path, qtbot, command: str = "pretrain", forms=(PretrainSettings, ComputeSettings)) -> None:
        self.folder, self.qtbot, self.how, self.asked = folder, qtbot, "count", 0
        self.told, self.failed, self.finished = [], [], []
        self.panel = RecipePanel("Pretrain", "It learns.", command, forms, self.inputs)
        self.panel.told.connect(self.told.append)
        self.panel.failed.connect(self.failed.append)
        self.panel.finished.connect(self.finished.append)
        qtbot.addWidget(self.panel)
        self.panel.resize(340, 800)
        self.panel.show()

    def inputs(self) -> RecipeInputs:
        self.asked += 1
        return RecipeInputs([self.how], self.folder / "encoders" / f"encoder-{self.asked}")

    def start(self, how: str) -> None:
        self.how = how
        self.click(self.panel.start_button)

    def click(self, button: QPushButton) -> None:
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def until(self, condition) -> None:
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def to_end(self) -> None:
        self.until(lambda: not self.panel.running())

    def buttons(self) -> list[str]:
        panel = self.panel
        row = (panel.resume_button, panel.start_button, panel.pause_button, panel.stop_button)
        return [button.text() for button in row if button.isVisible() and button.isEnabled()]

    @property
    def status(self) -> str:
        return self.panel.view.status.text()


@pytest.fixture
def make_bench(tmp_path, qtbot):
    made = []

    def make(*arguments) -> Bench:
        made.append(Bench(tmp_path, qtbot, *arguments))
        return made[-1]

    yield make
    for job in filter(None, (bench.panel.watch.job for bench in made)):
        end_now(job.record.process)
        qtbot.waitUntil(lambda job=job: bool(job.poll()) or job.state in ENDED, timeout=PATIENCE_MS)


@pytest.fixture
def bench(make_bench):
    return make_bench()


def test_before_the_start_there_is_one_button_and_a_line_on_the_computer(bench):
    assert bench.buttons() == ["Start pretraining"]
    assert bench.panel.view.isHidden()
    assert "Runs on the CPU, 2 cores" in bench.panel.device.text()
    assert bench.asked == 0, "inputs may write files: they are asked for at the start alone"
    assert bench.panel.minimumSizeHint().width() <= 310


def test_a_job_runs_to_its_end_and_hands_on_its_folder(bench):
    bench.start("count")
    assert bench.buttons() == ["Pause", "Stop"]
    assert bench.status == "Starting …"
    assert not bench.panel.form.isEnabled()
    bench.to_end()
    assert bench.finished == [bench.folder / "encoders" / "encoder-1"]
    assert (bench.failed, bench.told[0]) == ([], "running")
    assert re.match(r"✓ Done in \d+:\d\d", bench.status)
    assert "3 insets ranked" in bench.status
    assert "Count them." in bench.status
    assert bench.panel.view.bar.value() == 100
    assert bench.buttons() == ["Start pretraining"]
    assert bench.panel.form.isEnabled()


def test_settings_and_threads_are_on_the_command_line(bench):
    bench.panel.setValue(PretrainSettings(batch=16), ComputeSettings(threads=1))
    bench.start("count")
    assert bench.panel.watch.job.record.arguments == ("count", "--batch", "16", "--threads", "1")
    assert bench.panel.watch.job.folder == bench.folder / "jobs" / "pretrain-encoder-1"


def test_pause_waits_and_goes_on(bench):
    bench.start("forever")
    bench.until(lambda: "of" in bench.status)
    bench.click(bench.panel.pause_button)
    assert bench.buttons() == ["Go on", "Stop"]
    assert bench.status.startswith("Paused. ")
    assert bench.told[-1] == "paused"
    bench.click(bench.panel.pause_button)
    assert bench.buttons() == ["Pause", "Stop"]
    assert bench.panel.watch.job.state == "running"


def test_stop_counts_at_once_and_resume_goes_on_from_there(bench):
    bench.start("hold")
    bench.until(lambda: bench.panel.watch.job.pace.done == 5)
    assert bench.told[-1] == "25 %"
    bench.click(bench.panel.stop_button)
    assert bench.status == "Stopping …"
    assert bench.buttons() == []
    bench.to_end()
    assert bench.status == "Stopped after 5 of 20 steps."
    assert bench.told[-1] == "stopped"
    assert (bench.finished, bench.failed) == ([], [])
    assert bench.buttons() == ["Resume", "Start anew"]
    bench.click(bench.panel.resume_button)
    bench.to_end()
    assert bench.finished == [bench.folder / "encoders" / "encoder-1"]
    assert bench.panel.view.curves.curves["loss"].at[-1] == 20


def test_a_job_can_be_started_anew_instead(bench):
    bench.start("hold")
    bench.until(lambda: bench.panel.watch.job.pace.done == 5)
    bench.panel.stop()
    bench.to_end()
    bench.start("count")
    bench.to_end()
    assert bench.finished == [bench.folder / "encoders" / "encoder-2"]


def test_a_mistake_is_told_in_a_sentence_with_details_and_a_report_to_copy(bench):
    bench.start("mistake")
    bench.to_end()
    assert bench.failed == ["the movie is no movie; give one."]
    assert bench.status == "⚠ The movie is no movie; give one."
    assert bench.buttons() == ["Start pretraining"], "it had not begun: there is nothing to resume"
    view = bench.panel.view
    assert view.details.isHidden()
    bench.click(view.details_button)
    assert "MovieError" in view.details.toPlainText()
    bench.click(view.copy_button)
    copied = QApplication.clipboard().text()
    for part in ("napari-tap-events 0", "torch ", "quick_program.py pretrain mistake", "state: failed", "MovieError"):
        assert part in copied


def test_a_job_whose_marks_have_changed_says_so_and_can_be_started_anew(bench):
    bench.start("marks")
    bench.until(lambda: bench.panel.watch.job.pace.done == 5)
    bench.click(bench.panel.stop_button)
    bench.to_end()
    bench.click(bench.panel.resume_button)
    bench.to_end()
    assert re.fullmatch(r"⚠ The marks have changed since the run in '.*' began, so it has to start anew\.", bench.status)
    assert bench.panel.view.status.isVisible()
    assert bench.buttons() == ["Resume", "Start anew"]
    bench.start("count")
    bench.to_end()
    assert bench.finished == [bench.folder / "encoders" / "encoder-2"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals there")
def test_a_killed_job_can_be_resumed(bench):
    bench.start("hold")
    bench.until(lambda: bench.panel.watch.job.pace.done == 5)
    os.kill(bench.panel.watch.job.record.process.pid, signal.SIGKILL)
    bench.to_end()
    assert "memory ran out" in bench.failed[0]
    assert bench.buttons() == ["Resume", "Start anew"]
    assert not bench.panel.view.trouble.isHidden()


def test_what_is_in_the_way_is_said_in_place_and_nothing_is_started(bench, monkeypatch):
    def missing():
        raise ProjectError("the project cannot be written; save it elsewhere.")

    for inputs, told in (
        (lambda: RecipeInputs([], Path(), "Open a movie in step 1 first."), "⚠ Open a movie in step 1 first."),
        (missing, "⚠ The project cannot be written; save it elsewhere."),
    ):
        monkeypatch.setattr(bench.panel, "_inputs", inputs)
        bench.click(bench.panel.start_button)
        assert bench.panel.refusal.text() == told
        assert bench.panel.refusal.isVisible()
        assert bench.buttons() == ["Start pretraining"]
    monkeypatch.undo()
    monkeypatch.setattr(runner, "PROGRAM", QUICK)
    bench.start("count")
    assert not bench.panel.refusal.isVisible()


def test_a_wrong_setting_cannot_be_started(bench):
    bench.panel.form.plain.fields["deltas"].setText("x")
    assert bench.buttons() == []
    bench.panel.form.plain.fields["deltas"].setText("1")
    assert bench.buttons() == ["Start pretraining"]


def test_the_line_on_the_computer_follows_the_chosen_device(bench):
    bench.panel.form.plain.fields["device"].setValue("cuda")
    assert "no NVIDIA GPU" in bench.panel.device.text()


def test_closing_lets_the_job_live_and_another_panel_finds_it(bench, make_bench):
    bench.start("forever")
    bench.until(lambda: bench.panel.watch.job.pace.stage == "work")
    bench.panel.close()
    other = make_bench()
    assert other.panel.reattach(bench.folder / "jobs")
    assert other.panel.running()
    assert other.buttons() == ["Pause", "Stop"]
    other.until(lambda: "of" in other.status)
    other.click(other.panel.stop_button)
    other.to_end()
    assert other.told[-1] == "stopped"


def test_a_stopped_job_is_offered_again_and_a_finished_one_is_not(bench, make_bench):
    bench.start("hold")
    bench.until(lambda: bench.panel.watch.job.pace.done == 5)
    bench.panel.stop()
    bench.to_end()
    other = make_bench()
    assert other.panel.reattach(bench.folder / "jobs")
    other.to_end()
    assert other.buttons() == ["Resume", "Start anew"]
    other.click(other.panel.resume_button)
    other.to_end()
    assert len(other.finished) == 1
    third = make_bench()
    assert not third.panel.reattach(bench.folder / "jobs")
    assert not third.panel.reattach(bench.folder / "nowhere")


def test_jobs_of_another_recipe_are_left_alone(bench, make_bench):
    bench.start("forever")
    other = make_bench("explain", (ExplainSettings,))
    assert not other.panel.reattach(bench.folder / "jobs")
    assert not other.panel.running()


def test_what_the_project_knows_is_not_asked_for(make_bench):
    shown = make_bench("train", (HeadSettings, ComputeSettings)).panel.form
    assert not {"encoder", "scope_frames", "scope_region"} & {*shown.plain.fields, *shown.advanced.fields}


def test_everything_is_reached_with_the_keyboard(bench):
    panel = bench.panel
    panel.start_button.setFocus()
    bench.how = "forever"
    bench.qtbot.keyClick(panel.start_button, Qt.Key.Key_Space)
    assert panel.running()
    for button in (panel.pause_button, panel.stop_button, panel.settings.button):
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert button.toolTip() or button is panel.settings.button


def test_a_new_stage_begins_new_curves(bench):
    from napari_tap_events.reports import Report

    view = bench.panel.view
    view.take([Report("features", 5, 9, values={"loss": 0.5}), Report("features", 6, 9, values={"loss": 0.4})])
    view.take([Report("5 heads", 1, 9, values={"loss": 0.9})])
    assert view.curves.curves["loss"].at == [1]


def test_every_stage_has_words():
    assert stage_words("11 heads") == "Teaching 11 heads"
    assert stage_words("something new") == "Something new"
    assert stage_words("pretrain") == "Learning without labels"
