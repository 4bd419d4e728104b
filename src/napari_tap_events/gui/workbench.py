"""The workbench: the whole work in one dock, step by step, from a movie to a table of events.

The panel of a step is made, and what it needs is loaded, when the step is first opened, or when something in the project needs it:
a job that still runs, or marks that are to be seen.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import napari.viewer
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QSize, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.closing import ClosingGuard, going_on
from napari_tap_events.gui.leaving import LeavingPanel
from napari_tap_events.gui.movie_panel import MoviePanel
from napari_tap_events.gui.project_bar import SUFFIX, ProjectBar
from napari_tap_events.gui.step_signs import StepSigns
from napari_tap_events.gui.steps import Step, StepList
from napari_tap_events.gui.themes import is_dark
from napari_tap_events.gui.warming import warm_up
from napari_tap_events.project.session import Session

if TYPE_CHECKING:
    from napari_tap_events.gui.find_panel import FindPanel
    from napari_tap_events.gui.kept_settings import KeptSettings
    from napari_tap_events.gui.mark_panel import MarkPanel
    from napari_tap_events.gui.pretrain_panel import PretrainPanel
    from napari_tap_events.gui.recipe_panel import RecipePanel
    from napari_tap_events.gui.results_panel import ResultsPanel
    from napari_tap_events.gui.review_panel import ReviewPanel
    from napari_tap_events.gui.train_panel import TrainPanel

LEAST_WIDTH_PX = 360
COUNT_AFTER_MS = 150
"""What a person asked for is drawn first; the marks are counted, and what will be needed is made and loaded, then."""
SHOW_FOUND = ("find", "results")
"""The steps that show what was found last."""
COMMANDS = {"pretrain": ("pretrain",), "train": ("train",), "find": ("detect", "explain")}
"""The commands that each step starts."""


class Workbench(LeavingPanel):
    """The project on top, the steps below it.

    When its dock is closed, it lets go of everything: a workbench that is opened after it finds the project free.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
    session : Session, optional
        What is open; by default nothing yet. It is closed with the workbench.

    Attributes
    ----------
    movie, mark, pretrain, train, finding, review, results : QWidget
        The panels of the steps; who asks for one has it made.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, session: Session | None = None) -> None:
        super().__init__()
        self.session = session or Session()
        self._viewer = napari_viewer
        self.setAcceptDrops(True)
        self.project = ProjectBar(self.session)
        self.steps = StepList(self._steps())
        self._signs = StepSigns(self.session, self.steps)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.project)
        column.addWidget(self.steps, stretch=1)
        self._count_soon, self._warm_soon = QTimer(self), QTimer(self)
        for timer, slot in ((self._count_soon, self._tell_marks), (self._warm_soon, warm_up)):
            timer.setSingleShot(True)
            timer.setInterval(COUNT_AFTER_MS)
            timer.timeout.connect(slot)
        self._reviewed = False
        self._kept: list[KeptSettings] = []
        self._guard = ClosingGuard(self, self.recipes)
        self._connect()
        self.destroyed.connect(partial(_give_free, self.session))  # where the whole window goes, no panel hears of it

    @property
    def movie(self) -> MoviePanel:
        """Step 1."""
        return cast("MoviePanel", self.steps.panel("movie"))

    @property
    def mark(self) -> MarkPanel:
        """Step 2."""
        return cast("MarkPanel", self.steps.panel("mark"))

    @property
    def pretrain(self) -> PretrainPanel:
        """Step 3."""
        return cast("PretrainPanel", self.steps.panel("pretrain"))

    @property
    def train(self) -> TrainPanel:
        """Step 4."""
        return cast("TrainPanel", self.steps.panel("train"))

    @property
    def finding(self) -> FindPanel:
        """Step 5."""
        return cast("FindPanel", self.steps.panel("find"))

    @property
    def review(self) -> ReviewPanel:
        """Step 6."""
        return cast("ReviewPanel", self.steps.panel("review"))

    @property
    def results(self) -> ResultsPanel:
        """Step 7."""
        return cast("ResultsPanel", self.steps.panel("results"))

    def minimumSizeHint(self) -> QSize:
        """Return the least size: as wide as the open step needs, which with larger letters is more."""
        hint = super().minimumSizeHint()
        return QSize(max(LEAST_WIDTH_PX, hint.width()), hint.height())

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window in which the workbench is shown: it must not close over running jobs without a word."""
        super().showEvent(event)
        self._guard.watch()
        self._warm_soon.start()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Accept files and folders, whatever step is open."""
        data = event.mimeData() if event else None
        if event and data and any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what was dropped: a project, or a movie in step 1."""
        data = event.mimeData() if event else None
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data else []
        if not paths or event is None:
            return
        event.acceptProposedAction()
        if paths[0].suffix == SUFFIX:
            self.project.open(paths[0])
        else:
            self.steps.open("movie")
            self.movie.open(paths[0])

    def event(self, event: QEvent | None) -> bool:
        """Let go where napari takes the workbench out of its dock, which is all that it does when a dock is closed."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parentWidget() is None:
            running = [recipe.accessibleName() for recipe in self.recipes() if recipe.running()]
            self.let_go()
            if running:
                show_info(going_on(running))
        return super().event(event)

    def _leave(self) -> None:
        """Let go of the viewer, and close the session; jobs go on, a review ends."""
        for timer in (self._count_soon, self._warm_soon):
            timer.stop()
        for kept in self._kept:
            kept.close()
        self._end_with_window()
        self._guard.leave()
        self._viewer.events.theme.disconnect(self._follow_theme)
        self.session.project_changed.disconnect(self._follow_project)
        self.session.movie_changed.disconnect(self._tell_movie)
        self.session.annotations_changed.disconnect(self._marks_changed)
        self.session.close()  # before the panels go: they take their layers with them
        for name in self.steps.steps:
            if self.steps.made(name):
                self.steps.panel(name).close()
        self.project.close()

    def _steps(self) -> tuple[Step, ...]:
        return (
            Step("movie", "Movie", "Open a movie and see what is known of it.", self._make_movie),
            Step("mark", "Mark events", "Show the computer some divisions and deaths.", self._make_mark),
            Step("pretrain", "Pretrain", "Let an encoder learn from the movie; needs no marks.", self._make_pretrain),
            Step(
                "train", "Train", "Teach a head to find events like the marked ones, and see how good it is.", self._make_train
            ),
            Step("find", "Find events", "Map the probability of events over the whole movie.", self._make_find),
            Step("review", "Review", "Answer card by card; the computer learns from it and counts.", self._make_review),
            Step("results", "Results", "List, count and export the events.", self._make_results),
        )

    def _make_movie(self) -> QWidget:
        panel = MoviePanel(self._viewer, self.session)
        panel.registering_made.connect(self._take_in_registering)
        return panel

    def _take_in_registering(self) -> None:
        panel = self.movie.register
        if panel is not None:
            self._reattach(panel.recipe)

    def _make_mark(self) -> QWidget:
        from napari_tap_events.gui.mark_panel import MarkPanel

        return MarkPanel(self._viewer, self.session)

    def _make_pretrain(self) -> QWidget:
        from napari_tap_events.gui.pretrain_panel import PretrainPanel

        panel = PretrainPanel(self.session)
        panel.pretrained.connect(self._pretrained)
        self._take_in("pretrain", panel.recipe)
        return panel

    def _make_train(self) -> QWidget:
        from napari_tap_events.gui.train_panel import TrainPanel

        panel = TrainPanel(self._viewer, self.session)
        panel.trained.connect(self._trained)
        panel.score.set_dark(is_dark(self._viewer))
        self._take_in("train", panel.recipe)
        panel.refresh()
        return panel

    def _make_find(self) -> QWidget:
        from napari_tap_events.gui.find_panel import FindPanel

        panel = FindPanel(self._viewer, self.session)
        panel.found.connect(partial(self._signs.result, "find"))
        panel.elsewhere.connect(self._signs.found_elsewhere)
        panel.counted.connect(self._signs.found)
        self._take_in("find", panel.recipe, panel.explain)
        panel.refresh()
        return panel

    def _make_review(self) -> QWidget:
        from napari_tap_events.gui.review_panel import ReviewPanel

        panel = ReviewPanel(self._viewer, self.session)
        panel.taught.connect(lambda _about: self._offer_finders())
        panel.answered.connect(self._signs.answers)
        panel.begun.connect(self._expect_answers)
        return panel

    def _expect_answers(self) -> None:
        self.mark.expect_answers()  # made now, not in the middle of the first answers

    def _make_results(self) -> QWidget:
        from napari_tap_events.gui.found_events import said_of
        from napari_tap_events.gui.results_panel import ResultsPanel

        panel = ResultsPanel(self._viewer, partial(said_of, self.session))
        panel.exports.taken.connect(self._signs.exported)
        return panel

    def _take_in(self, name: str, recipe: RecipePanel, *beside: RecipePanel) -> None:
        """Let the recipes of a step begin with what the person prefers, and find their jobs; the first tells how far it is."""
        from napari_tap_events.gui.kept_settings import KeptSettings
        from napari_tap_events.gui.preferences import preferred_compute

        recipe.told.connect(partial(self._signs.running, name))
        recipe.failed.connect(lambda _sentence: self._signs.stopped(name))
        for one in (recipe, *beside):
            one.setValue(preferred_compute())
            self._kept.append(KeptSettings(self.session, one))
            one.set_dark(is_dark(self._viewer))
            self._reattach(one)

    def recipes(self) -> list[RecipePanel]:
        """Return the recipes of the panels that are made."""
        made = self.steps.made
        learning = [*([self.pretrain.recipe] if made("pretrain") else []), *([self.train.recipe] if made("train") else [])]
        first = self.movie.register
        return [
            *([first.recipe] if first is not None else []),
            *learning,
            *((self.finding.recipe, self.finding.explain) if made("find") else ()),
        ]

    def _connect(self) -> None:
        self._guard.closing.connect(self._end_with_window)
        self.project.saving.busy.connect(self._hold_still)
        self.session.movie_changed.connect(self._tell_movie)
        self.session.annotations_changed.connect(self._marks_changed)
        self.steps.opened.connect(self._open_step)
        self._viewer.events.theme.connect(self._follow_theme)
        self.session.project_changed.connect(self._follow_project)
        self._follow_project()
        self._tell_movie()

    def _follow_project(self) -> None:
        """Say what the project has come to already, and follow its jobs."""
        self._signs.project()
        self._find_jobs()

    def _find_jobs(self) -> None:
        """Follow the jobs of the project that still run, or that can go on."""
        for recipe in self.recipes():
            self._reattach(recipe)
        folder = self.session.project.path / "jobs" if self.session.project is not None else None
        if folder is None or not folder.exists():
            return
        from napari_tap_events.jobs.runner import unfinished_job

        if self.movie.register is None and unfinished_job(folder, "register"):
            self.movie.show_registering()
        for name, commands in COMMANDS.items():
            if not self.steps.made(name) and any(unfinished_job(folder, command) for command in commands):
                self.steps.panel(name)

    def _reattach(self, recipe: RecipePanel) -> None:
        if self.session.project is not None:
            recipe.reattach(self.session.project.path / "jobs")

    def _follow_theme(self) -> None:
        dark = is_dark(self._viewer)
        for recipe in self.recipes():
            recipe.set_dark(dark)
        if self.steps.made("train"):
            self.train.score.set_dark(dark)

    def _open_step(self, name: str) -> None:
        if name == "train":
            self.train.refresh()
        if name in SHOW_FOUND and self._found_last():
            self.finding.show_last()

    def _tell_movie(self) -> None:
        """Say how far the work on the open movie is; where a step shows what was found in it, show it."""
        self._signs.movie()
        found = self._found_last()
        self._signs.found_in(found)
        if found and self.steps.value() in SHOW_FOUND:
            self.finding.show_last()
        self._count_soon.start()

    def _found_last(self) -> Path | None:
        if self.session.project is None or not self.session.project.maps():
            return None
        from napari_tap_events.gui.project_models import found_last

        return found_last(self.session)

    def _marks_changed(self, _frames: frozenset[int]) -> None:
        self._count_soon.start()

    def _tell_marks(self) -> None:
        """Count the marks; where there are any, they are to be seen in the viewer, too."""
        marks = self.session.annotations
        if self._signs.marks() or (marks is not None and (marks.points or marks.scope)):
            self.steps.panel("mark")

    def _pretrained(self, folder: Path) -> None:
        self._signs.result("pretrain", folder)
        if self.steps.made("train"):
            self.train.refresh()
        if self.steps.made("review"):
            self.review.refresh()
        self._offer_finders()

    def _offer_finders(self) -> None:
        """Let step 5 offer the models that there are now; where it is not made yet, it will when it is."""
        if self.steps.made("find"):
            self.finding.refresh()

    def _end_review(self) -> None:
        if self.steps.made("review"):
            self.review.end()

    def _end_with_window(self) -> None:
        self._reviewed = False
        self._end_review()
        self.project.saving.cancel()

    def _hold_still(self, busy: bool) -> None:
        """Let nothing begin that writes into the project while it is copied; a review goes on after that."""
        self.steps.setEnabled(not busy)
        if busy:
            self._reviewed = self.steps.made("review") and self.review.work.running
            self._end_review()
        elif self._reviewed:
            self.review.begin()

    def _trained(self, folder: Path) -> None:
        self._signs.result("train", folder)
        self._offer_finders()


def _give_free(session: Session, _gone: object = None) -> None:
    if session.project is not None:
        session.project.close()
