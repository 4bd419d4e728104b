"""How far every step is, in the line above it: what a project holds already, and what its panels have just done."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.steps import Progress, StepList
from napari_tap_events.project.session import Session


class StepSigns:
    """Tells how far the steps are.

    Parameters
    ----------
    session : Session
        What is open.
    steps : StepList
        Of which the lines are written.
    """

    def __init__(self, session: Session, steps: StepList) -> None:
        self._session, self._steps = session, steps

    def project(self) -> None:
        """Tell of the newest encoder and head of the project."""
        project = self._session.project
        for name, results in (
            ("pretrain", project.encoders() if project else ()),
            ("train", project.heads() if project else ()),
        ):
            self.result(name, results[0] if results else None)

    def movie(self) -> None:
        """Tell of the open movie, its marks and its answers; nothing of it is exported yet."""
        movie, marks = self._session.movie, self._session.annotations
        self._done_with("movie", movie.name if movie else "")
        self.answers(len(marks.verdicts) + len(marks.audits) if marks is not None else 0)
        self.marks()
        self.exported("")

    def marks(self) -> int:
        """Tell how many events are marked, and return it."""
        marks = self._session.annotations
        count = len(marks.events) if marks else 0
        self._done_with("mark", f"{count} marked" if count else "")
        return count

    def result(self, name: str, folder: Path | None) -> None:
        """Tell of what a step has made, or that there is nothing yet."""
        if folder is None:
            self._done_with(name, "")
            return
        from napari_tap_events.gui.project_models import in_a_word

        self._steps.say(name, Progress.done, in_a_word(folder))

    def found_in(self, folder: Path | None) -> None:
        """Tell how many events the newest search through the movie lists."""
        self.result("find", folder)
        if folder is None:
            return
        from napari_tap_events.gui.found_events import count_listed

        with suppress(TapEventsError):  # the step says what is wrong when it is opened
            self.found(count_listed(self._session, folder))

    def found(self, count: int) -> None:
        """Tell how many events are listed."""
        self._done_with("find", f"{count} event{'s' * (count != 1)}")

    def found_elsewhere(self, movie: str) -> None:
        """Tell that a search has ended, but not in the open movie."""
        self._done_with("find", f"done, for {movie}")

    def answers(self, count: int) -> None:
        """Tell how many cards are answered."""
        self._done_with("review", f"{count} answer{'s' * (count > 1)}" if count else "")

    def exported(self, words: str) -> None:
        """Tell what was taken elsewhere."""
        self._done_with("results", words)

    def running(self, name: str, words: str) -> None:
        """Tell how far the job of a step is."""
        self._steps.say(name, Progress.running, words)

    def stopped(self, name: str) -> None:
        """Tell that the job of a step has ended early."""
        self._steps.say(name, Progress.wrong, "stopped")

    def _done_with(self, name: str, words: str) -> None:
        self._steps.say(name, Progress.done if words else Progress.open, words)
