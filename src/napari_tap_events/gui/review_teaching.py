"""When the answers of a review are learned from, and by whom: the worker is told, and what it makes of them is kept in mind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_tap_events.gui.review_lessons import Lessons
from napari_tap_events.gui.review_words import learning_words, untaught_words
from napari_tap_events.gui.review_work import ReviewWork
from napari_tap_events.gui.reviewer import Reviewer
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.gate import HeadHistory, read_history

HISTORY = "heads.json"
"""As `jobs/desk.py` names it, which needs torch."""


class ReviewTeaching(QObject):
    """Lets the worker learn when it is due.

    Parameters
    ----------
    folder : Path
        Of the review.
    annotations : Annotations
    reviewer : Reviewer
        Its settings say after how many answers a head learns.
    work : ReviewWork
    visible_pair : callable
        Returns the frame pair on screen, whose map comes first.

    Attributes
    ----------
    told : Signal(str)
        What is in the way of learning.
    taught : Signal(object)
        What became of a new head, as the worker tells it.
    begin_wanted : Signal
        It is to learn, and there is no worker.
    history : HeadHistory
        The heads of the review.
    """

    told = Signal(str)
    taught = Signal(object)
    begin_wanted = Signal()

    def __init__(
        self, folder: Path, annotations: Annotations, reviewer: Reviewer, work: ReviewWork, visible_pair: Callable[[], int]
    ) -> None:
        super().__init__()
        self._path, self._annotations, self._reviewer = folder / HISTORY, annotations, reviewer
        self._work, self._visible_pair = work, visible_pair
        self.history: HeadHistory = read_history(self._path)
        self._lessons, self._marks_are_new = Lessons(annotations, self.history), True

    def learn(self) -> None:
        """Let the worker learn from all answers, a new one where there is none; where there is too little to learn from, say so."""
        missing = learning_words(self._annotations)
        if missing:
            self.told.emit(missing)
            return
        if not self._work.running:
            self.begin_wanted.emit()
        if self._work.running:
            self._lessons.begin()
            self._work.learn(len(self._annotations.verdicts), self._visible_pair())

    def learn_when_due(self) -> None:
        """Learn after every few answers; who answers faster than it learns has the next lesson begin when this one is done."""
        every, work = self._reviewer.settings.retrain_every, self._work
        if not every or not work.running or work.learning or self._lessons.waiting() < every:
            return
        if work.elsewhere:
            self.correct()
        else:
            self.learn()

    def learn_from_marks(self) -> None:
        """Do not wait for answers where step 2 has told enough already to learn from."""
        wanted = self._marks_are_new and self._reviewer.settings.retrain_every
        if wanted and self._work.running and not self._work.learning and not learning_words(self._annotations):
            self._marks_are_new = False
            self.learn()

    def correct(self) -> None:
        """Let answers put the head right that was taught elsewhere."""
        self._lessons.begin()
        self._work.correct()

    def judged(self, about: dict[str, Any]) -> None:
        """Take note of what became of a head."""
        if about.get("order") == "retrain":
            self._lessons.end()
        self.read()
        self.taught.emit(about)
        self.learn_when_due()

    def read(self) -> None:
        """Read the heads of the review anew."""
        self.history = read_history(self._path)

    def untaught(self) -> str:
        """Say how many answers no head has learned from yet; a head from elsewhere does not learn from any."""
        record, work = self.history.record, self._work
        elsewhere = work.elsewhere if work.running else record is not None and record.elsewhere
        count = 0 if elsewhere else self._lessons.untaught(work.learning)
        every = self._reviewer.settings.retrain_every if work.running else 0
        return untaught_words(count, learning_words(self._annotations), every)
