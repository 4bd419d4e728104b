"""The worker of a review as the window sees it: orders go out, a timer takes in what comes back, and a line says what goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.job_words import stage_words
from napari_tap_events.jobs.link import Link, Message

POLL_MS = 50
WARNS = "⚠"
OFF = "Nothing learns now."
AGAIN = "The worker had gone and was started again; nothing was lost."
MEMORY = "The learning takes {} MiB of memory."
PROVISIONAL = "The map on screen is provisional: not calibrated, not compared yet."
BACK_AGAIN = "The map is that of the head in use again."


class ReviewWork(QObject):
    """Starts and follows a worker.

    Parameters
    ----------
    link : callable
        Makes the line to a worker: project folder, movie, flags.

    Attributes
    ----------
    learning : bool
        Whether it was told to learn, and has not done so yet.
    elsewhere : bool
        Whether the head in use was taught elsewhere.
    told : Signal(str)
        What goes on, whenever that changes.
    at_work : Signal
        Whether there is a worker, or whether it learns, is not as before.
    proposed : Signal
        There is something new to ask about.
    mapped : Signal(int)
        The frame pair whose probability was written.
    sketched : Signal(object)
        The frame pairs, a frozenset, whose map on screen is that of a head which is not proven yet; whenever that changes.
    judged : Signal(object)
        What became of a new head, as the worker tells it.
    audited : Signal(object)
        What the audit tells, or None.
    trusted : Signal(object)
        How far a head that was taught elsewhere can be trusted, as the worker tells it.
    given_up : Signal
        The worker cannot work, and is not started again.
    """

    told = Signal(str)
    at_work = Signal()
    proposed = Signal()
    mapped = Signal(int)
    sketched = Signal(object)
    judged = Signal(object)
    audited = Signal(object)
    trusted = Signal(object)
    given_up = Signal()

    def __init__(self, link: Callable[[Path, str, Sequence[str]], Link] = Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_link = link
        self._link: Link | None = None
        self._doing, self._result, self._restarts = "", "", 0
        self._head, self._mapped, self._sketched = "", set[int](), frozenset[int]()
        self.learning, self.elsewhere, self._lesson = False, False, 0
        self._was = False, False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def running(self) -> bool:
        """Whether a worker is wanted and has not been given up."""
        return self._link is not None and not self._link.trouble

    def start(self, project: Path, movie: str, flags: Sequence[str]) -> None:
        """Start a worker; one that runs is ended first."""
        self.stop()
        self._link = self._make_link(project, movie, flags)
        self._doing, self._result, self._restarts, self._head = "Starting", "", 0, ""
        self.learning = self.elsewhere = False
        try:
            self._link.start()
        except TapEventsError as error:
            self._link = None
            self._doing, self._result = "", str(error)
        else:
            self._timer.start()
        self._say()

    def stop(self) -> None:
        """End the worker; what was said is in the journal."""
        self._timer.stop()
        link, self._link, self.learning = self._link, None, False
        self._mapped.clear()
        self._show_sketched(frozenset())
        if link is not None:
            link.stop()
            self._doing, self._result = "", ""
            self._say()

    def learn(self, answers: int, pair: int = 0) -> None:
        """Let it learn from all answers, and then map the frame pair on screen first."""
        self._show_sketched(frozenset())
        self._lesson = self._send("retrain", first=pair)
        self.learning = self.running
        if self.running:
            self._doing = f"Learning from {answers} answers" if answers else "Learning from the marks"
            self._say()

    def correct(self) -> None:
        """Let answers put the probabilities of a head right that was taught elsewhere."""
        self._send("correct")

    def go_back(self, folder: str) -> None:
        """Put an earlier head in use again."""
        self._show_sketched(frozenset())
        self._send("back", head=folder)

    def ask_audit(self) -> None:
        """Ask what the audit tells."""
        self._send("audit")

    def look_at(self, pair: int) -> None:
        """Let the frame pair on screen be mapped before the others, where it is not yet; a new head begins with it, too."""
        if self._head and pair not in self._mapped:
            self._send("predict", first=pair)
        elif self.learning and pair not in self._sketched:
            self._send("look", first=pair)

    def poll(self) -> None:
        """Take in what came."""
        if self._link is None:
            return
        try:
            messages = self._link.receive()
        except TapEventsError as error:
            self._link.trouble = str(error)
            messages = []
        for message in messages:
            self._take(message)
        if self._link.restarts > self._restarts:
            self._restarts = self._link.restarts
            self._result = self._result if self._result.startswith(WARNS) else AGAIN
            self._say()
        elif messages or self._link.trouble:
            self.learning = self.learning and not self._link.trouble
            self._say()
        if self._link.trouble:
            self._timer.stop()
            self.given_up.emit()

    def _send(self, order: str, **values: Any) -> int:
        """Give an order where there is a worker, and return its number, else 0."""
        return self._link.send(order, **values) if self._link is not None and self.running else 0

    def _take(self, message: Message) -> None:
        taker = _TAKERS.get(str(message.get("what")))
        if taker is not None:
            taker(self, message)

    def _ready(self, message: Message) -> None:
        self._doing = self._doing if self.learning else ""
        self._head, self.elsewhere = str(message.get("head", "")), bool(message.get("elsewhere"))
        self._mapped.clear()
        self._show_sketched(frozenset())
        self.proposed.emit()

    def _report(self, message: Message) -> None:
        known = self._doing.partition(" …")[0]
        what = known if known.startswith("Learning") else stage_words(str(message["stage"]))
        total = message.get("total") or 0
        where = f" … {stage_words(str(message['stage'])).lower()}" if what == known else ""
        self._doing = f"{what}{where}" + (f", {message['done']} of {total}" if total else "")

    def _frame(self, message: Message) -> None:
        if message.get("provisional"):
            self._sketched |= {int(message["t"])}  # told even where it was drawn before: by another head
            self.sketched.emit(self._sketched)
            return
        if message.get("head", "") != self._head:
            self._head = str(message.get("head", ""))
            self._mapped.clear()
        self._mapped.add(int(message["t"]))
        self._show_sketched(self._sketched - {int(message["t"])} if self.learning else frozenset())
        self._doing = "" if not self._doing.startswith("Learning") else self._doing
        self.mapped.emit(int(message["t"]))

    def _judge(self, message: Message) -> None:
        self.learning = self.learning and message.get("order") == "correct"
        self.elsewhere = bool(message.get("elsewhere"))
        self._doing, self._result = self._doing if self.learning else "", str(message.get("words", ""))
        if message.get("accepted"):
            self._head = str(message.get("in_use", message.get("head", "")))
            self._mapped.clear()
            self.proposed.emit()
        elif self._sketched:
            self._show_sketched(frozenset())
            self._result += f" {BACK_AGAIN}"
        self.judged.emit(message)

    def _audit(self, message: Message) -> None:
        self.audited.emit(message.get("audit"))

    def _trust(self, message: Message) -> None:
        self.trusted.emit(message)

    def _error(self, message: Message) -> None:
        self._doing = ""
        self._show_sketched(frozenset())
        self.learning = self.learning and message.get("order") != "retrain"
        self._result = f"{WARNS} {message.get('message', '')}"

    def _dropped(self, message: Message) -> None:
        if message.get("id") == self._lesson:
            self.learning, self._doing = False, ""

    def _show_sketched(self, pairs: frozenset[int]) -> None:
        if pairs != self._sketched:
            self._sketched = pairs
            self.sketched.emit(pairs)

    def _say(self) -> None:
        now = self.running, self.learning
        if now != self._was:
            self._was = now
            self.at_work.emit()
        link = self._link
        if link is None:
            self.told.emit(f"{WARNS} {self._result}" if self._result else OFF)
            return
        if link.trouble:
            self.told.emit(f"{WARNS} {link.trouble}")
            return
        going_on = bool(self._doing) and "…" not in self._doing and " of " not in self._doing
        doing = (self._doing + (" …" if going_on else "")) or "Waits for answers."
        closed = doing if doing.endswith((".", "…")) else f"{doing}."
        memory = MEMORY.format(link.memory_mb) if link.memory_mb else ""
        shown = PROVISIONAL if self._sketched else self._result
        self.told.emit(" ".join(part for part in (closed, shown, memory) if part))


_TAKERS: dict[str, Callable[[ReviewWork, Message], None]] = {
    "ready": ReviewWork._ready,
    "report": ReviewWork._report,
    "frame": ReviewWork._frame,
    "head": ReviewWork._judge,
    "audit": ReviewWork._audit,
    "trust": ReviewWork._trust,
    "error": ReviewWork._error,
    "dropped": ReviewWork._dropped,
}
