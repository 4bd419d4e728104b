"""The Review step: the computer asks, a person answers, and both get better while they look."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import napari.viewer
from qtpy.QtCore import Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.leaving import LeavingPanel
from napari_tap_events.gui.made_of import results_of_open_movie
from napari_tap_events.gui.readiness import missing
from napari_tap_events.gui.review_desk import ReviewDesk
from napari_tap_events.gui.review_keys import ReviewKeys
from napari_tap_events.gui.review_start import ReviewStart
from napari_tap_events.gui.review_work import ReviewWork
from napari_tap_events.jobs.link import Link
from napari_tap_events.project.session import Session
from napari_tap_events.review.proposals import review_folder

LEAST_WIDTH_PX = 320
NO_MOVIE = "No movie is open. Open one in step 1."


class ReviewPanel(LeavingPanel):
    """Reviews the movie that is open in a session.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    session : Session
    link : callable
        Makes the line to a worker.

    Attributes
    ----------
    taught : Signal(object)
        What became of a new head, as the worker tells it.
    answered : Signal(int)
        The number of answers so far.
    begun : Signal
        A review has begun: answers, which make marks, will come.
    """

    begun = Signal()
    taught = Signal(object)
    answered = Signal(int)

    def __init__(
        self, viewer: napari.viewer.Viewer, session: Session, link: Callable[[Path, str, Sequence[str]], Link] = Link
    ) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self._place: Path | None = None
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self.empty, self.start, self.work = QLabel(NO_MOVIE), ReviewStart(session), ReviewWork(link, self)
        self.desk: ReviewDesk | None = None
        self.keys: ReviewKeys | None = None
        self.empty.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 4, 6, 4)
        for widget in (self.empty, self.start, self.start.mix, self.start.fold):
            self._column.addWidget(widget)
        self._column.addStretch()
        self.start.pressed.connect(self._start_or_end)
        self.work.given_up.connect(lambda: self.start.show_running(False))
        self.start.valueChanged.connect(self._take_settings)
        session.project_changed.connect(self._follow_project)
        session.models_changed.connect(self.refresh)
        session.movie_leaving.connect(self._put_away)
        session.movie_changed.connect(self.show_movie)
        session.cell_size_changed.connect(self._fit)
        self.show_movie()

    def show_movie(self) -> None:
        """Review the movie that is open now."""
        self._put_away()
        project, entry, movie, annotations = (
            self._session.project,
            self._session.entry,
            self._session.movie,
            self._session.annotations,
        )
        self.refresh()
        there = project is not None and entry is not None and movie is not None and annotations is not None
        self.empty.setVisible(not there)
        for widget in (self.start, self.start.mix, self.start.fold):
            widget.setVisible(there)
        if project is None or entry is None or movie is None or annotations is None:
            return
        self._place = project.path
        self.start.recall(review_folder(project.path, entry.name))
        self._fit()
        opened, results = (project, entry.name, movie, annotations), partial(results_of_open_movie, self._session)
        self.desk = ReviewDesk(self._viewer, opened, self.start, self.work, results)
        self.desk.taught.connect(self.taught)
        self.desk.begin_wanted.connect(self.begin)
        self.desk.reviewer.answered.connect(self.tell_answers)
        self.keys = ReviewKeys(self, self.desk.card, self.desk.deeds())
        self._column.insertWidget(2, self.desk)
        self.tell_answers()
        if self.isVisible():
            self.keys.hold()

    def refresh(self) -> None:
        """Offer the encoders and heads of the project."""
        entry = self._session.entry
        self.start.offer(self._session.project, entry.name if entry is not None else "")

    def _fit(self) -> None:
        """Let sizes follow the cell; a review that runs keeps those that it was started with."""
        entry = self._session.entry
        if entry is not None and entry.cell_px and not self.work.running:
            self.start.fit(entry.cell_px)

    def _leave(self) -> None:
        self._session.project_changed.disconnect(self._follow_project, missing_ok=True)
        self._session.models_changed.disconnect(self.refresh, missing_ok=True)
        self._session.movie_leaving.disconnect(self._put_away, missing_ok=True)
        self._session.movie_changed.disconnect(self.show_movie, missing_ok=True)
        self._session.cell_size_changed.disconnect(self._fit, missing_ok=True)
        self._put_away()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Let the keys hold."""
        super().showEvent(event)
        if self.desk is not None and self.keys is not None:
            self.keys.hold()
            self.desk.card.picture.play()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Leave the keys to others."""
        super().hideEvent(event)
        if self.desk is not None and self.keys is not None:
            self.keys.rest()
            self.desk.card.picture.pause()

    def begin(self) -> None:
        """Show the first card, and start the worker."""
        if self.desk is None or self._session.project is None or self._session.entry is None:
            return
        if missing(self._session):
            self.desk.state.setText(f"⚠ {missing(self._session)}")
            return
        try:
            flags = self.start.flags()
            self.start.keep(self.desk.folder)
        except TapEventsError as error:
            self.desk.state.setText(f"⚠ {error}")
            return
        self.desk.begin()
        self.work.start(self._session.project.path, self._session.entry.name, flags)
        self.start.show_running(self.work.running)
        self.begun.emit()
        gc.freeze()  # Python looks through all that napari holds, now and then: for a quarter of a second a key would wait

    def end(self) -> None:
        """End the worker; what was answered is kept."""
        gc.unfreeze()
        self.work.stop()
        self.start.show_running(False)

    def _start_or_end(self) -> None:
        if self.work.running:
            self.end()
        else:
            self.begin()

    def _take_settings(self) -> None:
        if self.desk is not None:
            self.desk.take_settings()
            if self.work.running and not self.start.form.problem():
                self.start.keep(self.desk.folder)

    def tell_answers(self) -> None:
        """Say how many answers there are."""
        marks = self._session.annotations
        self.answered.emit(len(marks.verdicts) + len(marks.audits) if marks is not None else 0)

    def _follow_project(self) -> None:
        """Go along where the project has moved to; the worker works in the new place."""
        project = self._session.project
        if self.desk is None or project is None or project.path == self._place:
            self.refresh()
            return
        running = self.work.running
        self.show_movie()
        if running:
            self.begin()

    def _put_away(self) -> None:
        self.end()
        if self.desk is None:
            return
        desk, self.desk = self.desk, None
        if self.keys is not None:
            self.keys.close()
        desk.let_go()
        self._column.removeWidget(desk)
        desk.setParent(None)
        desk.deleteLater()
