"""The workbench: the whole work in one dock, step by step, from a movie to a table of events."""

from __future__ import annotations

from pathlib import Path

import napari.viewer
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.closing import ClosingGuard
from napari_tap_events.gui.find_panel import FindPanel
from napari_tap_events.gui.mark_panel import MarkPanel
from napari_tap_events.gui.movie_panel import MoviePanel
from napari_tap_events.gui.preferences import preferred_compute
from napari_tap_events.gui.pretrain_panel import PretrainPanel
from napari_tap_events.gui.project_bar import ProjectBar
from napari_tap_events.gui.project_models import in_a_word
from napari_tap_events.gui.recipe_panel import RecipePanel
from napari_tap_events.gui.results_panel import ResultsPanel
from napari_tap_events.gui.review_panel import ReviewPanel
from napari_tap_events.gui.steps import Progress, Step, StepList
from napari_tap_events.gui.themes import is_dark
from napari_tap_events.gui.train_panel import TrainPanel
from napari_tap_events.project.session import Session

LEAST_WIDTH_PX = 360
COUNT_AFTER_MS = 150
"""Marks are drawn first and counted then."""


class Workbench(QWidget):
    """The project on top, the steps below it.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
    session : Session, optional
        What is open; by default nothing yet.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, session: Session | None = None) -> None:
        super().__init__()
        self.session = session or Session()
        viewer = napari_viewer
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self.project = ProjectBar(self.session)
        self.movie, self.mark = MoviePanel(viewer, self.session), MarkPanel(viewer, self.session)
        self.pretrain, self.train = PretrainPanel(self.session), TrainPanel(viewer, self.session)
        self.finding, self.results = FindPanel(viewer, self.session), ResultsPanel(viewer)
        self.review = ReviewPanel(viewer, self.session)
        self.steps = StepList(
            (
                Step("movie", "Movie", "Open a movie and see what is known of it.", self.movie),
                Step("mark", "Mark events", "Show the computer some divisions and deaths.", self.mark),
                Step(
                    "pretrain",
                    "Pretrain",
                    "Let an encoder learn the arrow of time from the movie; needs no marks.",
                    self.pretrain,
                ),
                Step("train", "Train", "Teach a head to find events like the marked ones, and see how good it is.", self.train),
                Step("find", "Find events", "Map the probability of events over the whole movie.", self.finding),
                Step("review", "Review", "Answer card by card; the computer learns from it and counts.", self.review),
                Step("results", "Results", "List, count and export the events.", self.results),
            )
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.project)
        column.addWidget(self.steps, stretch=1)
        self._viewer = viewer
        self._count_soon = QTimer(self)
        self._count_soon.setSingleShot(True)
        self._count_soon.setInterval(COUNT_AFTER_MS)
        self._count_soon.timeout.connect(self._tell_marks)
        for recipe in self._recipes:
            recipe.setValue(preferred_compute())
        self._guard = ClosingGuard(self, self._recipes)
        self._guard.closing.connect(self.review.end)
        self._connect()

    @property
    def _recipes(self) -> tuple[RecipePanel, ...]:
        return self.pretrain.recipe, self.train.recipe, self.finding.recipe, self.finding.explain

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window in which the workbench is shown: it must not close over running jobs without a word."""
        super().showEvent(event)
        self._guard.watch()

    def close(self) -> bool:
        """Let go of the viewer and the session; what is running goes on."""
        for panel in (self.movie, self.mark, self.pretrain, self.train, self.finding, self.review, self.results, self.project):
            panel.close()
        self._guard.leave()
        self._viewer.events.theme.disconnect(self._follow_theme)
        self.session.project_changed.disconnect(self._find_jobs)
        self.session.movie_changed.disconnect(self._tell_movie)
        self.session.annotations_changed.disconnect(self._marks_changed)
        return bool(super().close())

    def _connect(self) -> None:
        self.session.movie_changed.connect(self._tell_movie)
        self.session.annotations_changed.connect(self._marks_changed)
        self.pretrain.pretrained.connect(self._pretrained)
        self.train.trained.connect(self._trained)
        self.finding.found.connect(self._found)
        self.review.taught.connect(self._taught)
        self.review.answered.connect(self._answered)
        self.steps.opened.connect(self._open_step)
        for name, panel in (("pretrain", self.pretrain), ("train", self.train), ("find", self.finding)):
            panel.recipe.told.connect(lambda words, name=name: self.steps.say(name, Progress.running, words))
            panel.recipe.failed.connect(lambda _sentence, name=name: self.steps.say(name, Progress.wrong, "stopped"))
        self._viewer.events.theme.connect(self._follow_theme)
        self.session.project_changed.connect(self._find_jobs)
        self._follow_theme()
        self._tell_movie()
        self.review.tell_answers()

    def _find_jobs(self) -> None:
        """Follow the jobs of the project that still run, or that can go on."""
        if self.session.project is not None:
            for recipe in self._recipes:
                recipe.reattach(self.session.project.path / "jobs")

    def _follow_theme(self) -> None:
        dark = is_dark(self._viewer)
        for recipe in self._recipes:
            recipe.set_dark(dark)
        self.train.score.set_dark(dark)

    def _open_step(self, name: str) -> None:
        if name == "train":
            self.train.refresh()

    def _tell_movie(self) -> None:
        movie = self.session.movie
        self.steps.say("movie", Progress.done if movie else Progress.open, movie.name if movie else "")
        self._tell_marks()

    def _marks_changed(self, _frames: frozenset[int]) -> None:
        self._count_soon.start()

    def _tell_marks(self) -> None:
        marks = self.session.annotations
        count = len(marks.events) if marks else 0
        self.steps.say("mark", Progress.done if count else Progress.open, f"{count} marked" if count else "")

    def _pretrained(self, folder: Path) -> None:
        self.steps.say("pretrain", Progress.done, in_a_word(folder))
        self.train.refresh()
        self.finding.refresh()
        self.review.refresh()

    def _answered(self, count: int) -> None:
        self.steps.say(
            "review", Progress.done if count else Progress.open, f"{count} answer{'s' * (count > 1)}" if count else ""
        )

    def _taught(self, _about: object) -> None:
        self.finding.refresh()

    def _trained(self, folder: Path) -> None:
        self.steps.say("train", Progress.done, in_a_word(folder))
        self.finding.refresh()

    def _found(self, folder: Path) -> None:
        self.steps.say("find", Progress.done, in_a_word(folder))
