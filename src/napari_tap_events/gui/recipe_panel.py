"""A recipe in the window: one button starts it in another process; then pause, stop, resume, and see how it goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.estimate_line import EstimateLine
from napari_tap_events.gui.fitted import Fitted
from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.job_view import JobView
from napari_tap_events.gui.job_watch import JobWatch
from napari_tap_events.gui.job_words import short_words
from napari_tap_events.gui.settings_form import SettingsForm
from napari_tap_events.gui.this_computer import DeviceLine
from napari_tap_events.jobs.job_record import JobRecord
from napari_tap_events.jobs.runner import Job, resume, unfinished_job
from napari_tap_events.settings import ComputeSettings, Settings

ACTIONS = {
    "pretrain": "Start pretraining",
    "train": "Start training",
    "detect": "Find events",
    "explain": "Explain",
    "register": "Register the movie",
    "demo": "Start",
}
LEARNING = ("pretrain", "train", "demo")
"""Recipes that report what curves can show."""
FROM_THE_PROJECT = {"train": ("encoder", "scope_frames", "scope_region")}
"""Settings that are not asked for, because the project knows them."""


@dataclass(frozen=True)
class RecipeInputs:
    """What a recipe works on.

    Attributes
    ----------
    arguments : list of str
        Of the command line: movies, masks, models.
    out : Path
        New folder for the results.
    problem : str
        The sentence that says why it cannot start; empty where it can.
    job : Path, optional
        New folder for the job itself; by default in the folder `jobs` beside the shelf that `out` stands on.
    """

    arguments: list[str]
    out: Path
    problem: str = ""
    job: Path | None = None

    def job_folder(self, command: str) -> Path:
        """Return where the job is kept."""
        return self.job or self.out.parent.parent / "jobs" / f"{command}-{self.out.name}"


class RecipePanel(QWidget):
    """Settings of a recipe, the button that starts it, and how it goes.

    Parameters
    ----------
    title : str
        Name of the panel for those who hear it.
    sentence : str
        What it does, and what for.
    command : str
        "pretrain", "train", "detect", "explain", "register" or "demo".
    forms : sequence of types of Settings
    inputs : callable
        Called when the recipe is to start, and only then; it may raise a `TapEventsError`.
    hidden : collection of str
        Settings that are not asked for.
    following : collection of str
        Settings that follow the movie, as long as nobody chooses others.

    Attributes
    ----------
    command : str
    fitted : Fitted
        The settings that follow the movie.
    finished : Signal(object)
        It is done: the folder of the results, a Path.
    failed : Signal(str)
        It has failed: the sentence that says why.
    told : Signal(str)
        How far it is, in the few words that fit beside a title.
    valueChanged : Signal()
        A setting was changed.
    valueSet : Signal()
        All settings were set from outside.
    """

    finished = Signal(object)
    failed = Signal(str)
    told = Signal(str)
    valueChanged = Signal()
    valueSet = Signal()

    def __init__(
        self,
        title: str,
        sentence: str,
        command: str,
        forms: Sequence[type[Settings]],
        inputs: Callable[[], RecipeInputs],
        hidden: Collection[str] = (),
        following: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.command, self._inputs = command, inputs
        self._other_movie_of: Callable[[JobRecord], str] = lambda _: ""
        self._other_movie = ""
        self._computes = ComputeSettings in forms
        self.watch = JobWatch(self)
        self.form = SettingsForm(forms, hidden=(*hidden, *FROM_THE_PROJECT.get(command, ())))
        self.fitted = Fitted(self.form, following)
        self._build(sentence)
        self._connect()
        self._offer()

    def value(self) -> tuple[Settings, ...]:
        """Return the settings, one of each form.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        return self.form.value()

    def setValue(self, *settings: Settings) -> None:
        """Show settings."""
        self.form.setValue(*settings)
        self.valueSet.emit()

    def set_above(self, choice: QWidget) -> None:
        """Show a choice of its own above the button that starts; it cannot be changed while a job runs."""
        room = self._choices.layout()
        if room is not None:
            room.addWidget(choice)
        self._chooses = True
        self._offer()

    def attend(self, other_movie_of: Callable[[JobRecord], str]) -> None:
        """Learn by asking what the movie of a job is called where it is not the open one; "" where it is."""
        self._other_movie_of = other_movie_of

    def follow_movie(self) -> None:
        """Another movie is open: what was said of the one before goes, but for a job that still runs."""
        self._refuse("")
        if self.watch.job is not None:
            self._other_movie = self._other_movie_of(self.watch.job.record)
            self._show_job()
            if self.running() or not self._other_movie:
                self._tell()

    def running(self) -> bool:
        """Say whether a job runs, or waits."""
        return self.watch.running()

    def start(self) -> None:
        """Start the recipe; what is in the way is said in place."""
        self.view.hide()
        try:
            inputs = self._inputs()
            if inputs.problem:
                self._refuse(inputs.problem)
                return
            arguments = [*inputs.arguments, *self.form.flags()]
            job = Job.start(self.command, arguments, inputs.out, inputs.job_folder(self.command))
            self.estimate.begin()
        except TapEventsError as error:
            self._refuse(str(error))
            return
        self.follow(job)

    def resume(self) -> None:
        """Go on with the job that has ended early."""
        if self.watch.job is None:
            return
        try:
            job = resume(self.watch.job)
        except TapEventsError as error:
            self._refuse(str(error))
            return
        self.follow(job)

    def follow(self, job: Job) -> None:
        """Show a job, and follow it to its end."""
        self._refuse("")
        if self.command in LEARNING:
            self.view.curves.prepare()
        self._other_movie = self._other_movie_of(job.record)
        self.view.setValue(job)
        self.settings.setValue(False)
        self.watch.follow(job)
        self._say()

    def reattach(self, jobs: Path) -> bool:
        """Find the last job of this recipe again, where it still runs or has ended early and can go on.

        Parameters
        ----------
        jobs : Path
            Folder in which the folders of jobs lie.
        """
        job = None if self.running() else unfinished_job(jobs, self.command)
        if job is not None:
            self.follow(job)
        return job is not None

    def pause(self) -> None:
        """Let the job wait, or go on where it waits."""
        job = self.watch.job
        if job is None:
            return
        if job.state == "paused":
            job.go_on()
        else:
            job.pause()
        self._say()

    def stop(self) -> None:
        """Stop the job; it is gone within a second."""
        if self.watch.job is not None and self.running():
            self.watch.job.stop()
            self._say()

    def close(self) -> bool:
        """Follow the job no longer; it lives on."""
        self.watch.leave()
        return bool(super().close())

    def set_dark(self, dark: bool) -> None:
        """Follow the theme."""
        self.view.curves.set_dark(dark)

    def _build(self, sentence: str) -> None:
        self.start_button, self.resume_button = QPushButton(ACTIONS[self.command]), QPushButton("Resume")
        self.pause_button, self.stop_button = QPushButton("Pause"), QPushButton("Stop")
        self.start_button.setToolTip("Runs in a process of its own: you can go on working here.")
        self.resume_button.setToolTip("Go on from where it stopped, with the settings that it was started with.")
        self.pause_button.setToolTip("Let it wait, and give the computer free.")
        self.stop_button.setToolTip("Stop it; what was finished is kept.")
        for button in (self.start_button, self.resume_button):
            button.setStyleSheet("QPushButton { font-weight: bold; padding: 6px; }")
        row = QHBoxLayout()
        for button in (self.resume_button, self.start_button, self.pause_button, self.stop_button):
            row.addWidget(button, stretch=1)
        self.sentence, self.refusal, self.device = QLabel(sentence), QLabel(), DeviceLine()
        self.estimate = EstimateLine(self.command, self.form.value)
        for label in (self.sentence, self.refusal):
            label.setWordWrap(True)
        self.refusal.hide()
        self.view = JobView()
        self.view.hide()
        self.settings = Fold("Settings", self.form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._choices, self._chooses = QWidget(), False
        QVBoxLayout(self._choices).setContentsMargins(0, 0, 0, 0)
        self._choices.hide()
        column.addWidget(self.sentence)
        column.addWidget(self._choices)
        column.addLayout(row)
        for widget in (self.refusal, self.estimate, self.device, self.view, self.settings):
            column.addWidget(widget)
        column.addStretch()

    def _connect(self) -> None:
        self.start_button.clicked.connect(self.start)
        self.resume_button.clicked.connect(self.resume)
        self.pause_button.clicked.connect(self.pause)
        self.stop_button.clicked.connect(self.stop)
        self.watch.reported.connect(self._take)
        self.watch.ended.connect(self._end)
        self.form.valueChanged.connect(self._changed)

    def _changed(self) -> None:
        self._offer()
        if not self.form.problem():
            compute = [settings for settings in self.form.value() if isinstance(settings, ComputeSettings)]
            self.device.setValue(compute[0].device if compute else "auto")
            self.estimate.refresh()
        self.valueChanged.emit()

    def _take(self, reports: list[object]) -> None:
        self.view.take(reports)  # type: ignore[arg-type]
        self._say()

    def _end(self, state: str, message: str) -> None:
        self._say()
        if state == "done" and self.watch.job is not None:
            self.estimate.learn(self.watch.job.worked_s)
            self.finished.emit(self.watch.job.record.out)
        elif state == "failed":
            if self._other_movie:
                self._refuse(f"Movie '{self._other_movie}': {message}")
            self.failed.emit(message)

    def _say(self) -> None:
        self._show_job()
        self._tell()

    def _show_job(self) -> None:
        """Show the job, but not how one of another movie has ended."""
        self._offer()
        self.view.setVisible(self.running() or not self._other_movie)
        self.view.say(self._other_movie)

    def _tell(self) -> None:
        job = self.watch.job
        if job is not None and job.state not in ("done", "failed"):
            self.told.emit(short_words(job))

    def _offer(self) -> None:
        """Show the buttons that make sense now."""
        job, running = self.watch.job, self.running()
        stopping = job is not None and job.state == "stopping"
        resumable = job is not None and job.resumable and not self._other_movie
        self.start_button.setVisible(not running)
        self.start_button.setEnabled(not self.form.problem())
        self.start_button.setText("Start anew" if resumable else ACTIONS[self.command])
        self.resume_button.setVisible(resumable)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(running)
            button.setEnabled(not stopping)
        self.pause_button.setText("Go on" if job is not None and job.state == "paused" else "Pause")
        self.form.setEnabled(not running)
        self._choices.setVisible(self._chooses and not running)  # a running job needs the room for its curves
        self.device.setVisible(not running and self._computes)
        self.estimate.set_busy(running)

    def _refuse(self, sentence: str) -> None:
        self.refusal.setText(f"⚠ {sentence[:1].upper()}{sentence[1:]}")
        self.refusal.setVisible(bool(sentence))
