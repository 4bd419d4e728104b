"""A project is saved elsewhere: its files are copied in a thread, so that the window goes on; marks made meanwhile go along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.notice import Notice
from napari_tap_events.project.copying import ProjectCopy
from napari_tap_events.project.session import Session

LOOK_MS, FREE_MS = 200, 1000


class Saving(QObject):
    """Saves the project of a session elsewhere, one copy at a time, and says in a notice how far it is.

    Parameters
    ----------
    session : Session
    notice : Notice
    in_the_way : callable
        Returns the sentence why the project must stay where it is now, or "".

    Attributes
    ----------
    busy : Signal(bool)
        Files begin to be copied, or that is over.
    """

    busy = Signal(bool)

    def __init__(self, session: Session, notice: Notice, in_the_way: Callable[[], str]) -> None:
        super().__init__(notice)
        self._session, self._notice, self._in_the_way = session, notice, in_the_way
        self._copy: ProjectCopy | None = None
        self._worker: Any = None
        self._trouble: str | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._say_how_far)
        self._waiting = QTimer(self)
        self._waiting.setInterval(FREE_MS)
        self._waiting.timeout.connect(self._look_if_free)
        notice.button.clicked.connect(self.cancel)

    def running(self) -> bool:
        """Say whether files are being copied."""
        return self._copy is not None

    def begin(self, target: Path) -> None:
        """Save the project to a folder; what is wrong is said in a notification, and what is in the way in place."""
        project = self._session.project
        if project is None or self.running() or not self.may_begin():
            return
        self._copy, self._trouble = project.copy_to(target), None
        self._worker = create_worker(_trouble_with, self._copy, _start_thread=False)  # type: ignore[arg-type]
        self._worker.returned.connect(self._hear)
        self._worker.finished.connect(self._end)
        self.busy.emit(True)
        self._say_how_far()
        self._timer.start()
        self._worker.start()

    def may_begin(self) -> bool:
        """Say whether nothing is in the way; what is, is shown while it is there."""
        sentence = self._in_the_way()
        self._notice.say(f"⚠ {sentence}" if sentence else "")
        if sentence:
            self._waiting.start()
        return not sentence

    def cancel(self) -> None:
        """Leave the project where it is; of the copy nothing stays."""
        if self._copy is not None:
            self._copy.cancel()
            self._notice.say("Cancelling …")

    def _look_if_free(self) -> None:
        """Take back that something is in the way, once it is not."""
        if not self._notice.label.text() or self.running():
            self._waiting.stop()
        elif not self._in_the_way():
            self._waiting.stop()
            self._notice.say("")

    def _say_how_far(self) -> None:
        copy = self._copy
        if copy is not None and not copy.cancelled:
            share = f" {100 * copy.done_bytes // copy.all_bytes} %" if copy.all_bytes else ""
            self._notice.say(f"Saving as '{copy.target.name}' …{share}", "Cancel")

    def _hear(self, trouble: str) -> None:
        self._trouble = trouble

    def _end(self) -> None:
        copy, self._copy, self._worker = self._copy, None, None
        self._timer.stop()
        if copy is None:
            return
        self._notice.say("")
        try:
            self._go_there(copy)
        except TapEventsError as error:
            self._trouble = str(error)
        if self._trouble:
            show_error(self._trouble)
        self.busy.emit(False)

    def _go_there(self, copy: ProjectCopy) -> None:
        """Go on in the copy, where all files are there, and nothing has come between; otherwise nothing of it stays."""
        project, all_there = self._session.project, self._trouble == ""
        if copy.cancelled or not all_there or project is None or project.path != copy.folder or not self.may_begin():
            copy.drop()
        else:
            self._session.save_as(copy.target, copy)


def _trouble_with(copy: ProjectCopy) -> str:
    """Copy files, and return what a user can put right about it; napari shows other errors by itself."""
    try:
        copy.take_files()
    except TapEventsError as error:
        return str(error)
    return ""
