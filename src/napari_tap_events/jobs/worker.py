"""The resident worker of a review: one order a line on its input, one message a line on its output, all JSON.

Orders: `retrain` and `predict` (both with `first`: the frame pair on screen), `look` (the same, where it is mapped already), `queue`
(`count`, `passed`), `audit`, `back` (`head`), `correct` (a head that was taught elsewhere, by the answers on this movie), `stop`. Each
may carry an `id`, which its messages repeat. A new retrain ends the one at work; a new predict begins anew at its frame; the frame on
screen comes before everything, the rest of the movie after everything. While a head is taught but not proven yet, it draws the frame on
screen, told as `provisional`; once the lesson is over, whatever came of it, the head in use goes on mapping. Messages: `ready`, `report`,
`frame`, `head`, `cards`, `audit`, `trust`, `done`, `dropped`, `error`; each tells the memory that the worker takes.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from napari_tap_events.encoder.compute import give_back_freed_memory
from napari_tap_events.errors import TapEventsError
from napari_tap_events.jobs.desk import TAUGHT, Desk
from napari_tap_events.jobs.job_end import sentence
from napari_tap_events.jobs.process import let_others_go_first
from napari_tap_events.jobs.review_maps import OVERLAY, SKETCH
from napari_tap_events.reports import Report
from napari_tap_events.review.audit import audit_movie
from napari_tap_events.review.queue import next_cards
from napari_tap_events.review.said import keep_audit

Order = Mapping[str, Any]
Say = Callable[[dict[str, Any]], None]
VISIBLE, WORK, REST = 2, 1, 0
"""The frame on screen before lessons, lessons before the rest of the movie."""


@dataclass
class _Task:
    order: Order
    rank: int
    steps: Generator[Report, None, Any]


class Worker:
    """Works on orders, the most urgent first, and looks for new ones between two steps.

    Parameters
    ----------
    desk : Desk
    say : callable
        Takes a message.

    Attributes
    ----------
    ready : bool
        Whether the movie is open.
    """

    def __init__(self, desk: Desk, say: Say) -> None:
        self.desk, self._say = desk, say
        self._tasks: list[_Task] = []
        self._waiting: list[Order] = []
        self.ready = False
        self._first = 0
        self._process = psutil.Process()

    def run(self, orders: Iterable[Order | None]) -> None:
        """Work until the order to stop, or the end of the orders; None in between says that there is no new one now."""
        self._add({"order": "open"}, WORK, self.desk.open())
        for order in orders:
            if order is not None and not self.take(order):
                return
            if self._tasks:
                self.step()
                if not self._tasks:
                    give_back_freed_memory()

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return bool(self._tasks or self._waiting)

    def take(self, order: Order) -> bool:
        """Take an order; say whether to go on. Those that come before the movie is open wait for it."""
        name = str(order.get("order"))
        if name == "stop":
            self._tell(order, "done")
            return False
        if name not in _TAKERS:
            self._tell(order, "error", message=f"there is no order '{name}'; there are: {', '.join(_TAKERS)}, stop.")
            return True
        if not self.ready:  # waits until the movie is open
            self._waiting.append(order)
            return True
        try:
            _TAKERS[name](self, order)
        except Exception as error:
            self._tell_error(order, error)
            if not isinstance(error, TapEventsError):
                raise
        return True

    def _retrain(self, order: Order) -> None:
        self._drop("retrain", "rest", "back")
        self._first = int(order.get("first", self._first))
        self._add(order, WORK, self.desk.retrain())

    def _back(self, order: Order) -> None:
        self._drop("retrain", "rest")
        self._add(order, WORK, self.desk.go_back(str(order.get("head", ""))))

    def _correct(self, order: Order) -> None:
        about = self.desk.correct()
        if about["head"]:
            words = f"Put right by {about['answers']} answers."
            self._tell(order, "head", head=about["head"], accepted=True, words=words, in_use=about["head"], elsewhere=True)
            self._predict({"order": "predict"})
        self._tell(order, "trust", **about)

    def _tell_trust(self) -> None:
        """Say how far a head can be trusted that was taught elsewhere, once it is in use."""
        if self.desk.elsewhere:
            self._tell({"order": "trust"}, "trust", **self.desk.trust())

    def _predict(self, order: Order) -> None:
        self._drop("predict", "rest")
        self._first = int(order.get("first", self._first))
        self._add({**order, "order": "predict"}, VISIBLE, self.desk.predict(self._first))

    def _look(self, order: Order) -> None:
        self._first = int(order.get("first", self._first))
        if self.desk.unproven is not None:
            self._predict(order)
        else:
            self._tell(order, "done")

    def _queue(self, order: Order) -> None:
        passed = [str(key) for key in order.get("passed", ())]
        a = self.desk.annotations()
        cards = next_cards(
            self.desk.told.proposals, a, self.desk.review, self.desk.settings, int(order.get("count", 5)), None, passed
        )
        self._tell(order, "cards", cards=[card.to_json() for card in cards])

    def _audit(self, order: Order) -> None:
        found = audit_movie(self.desk.annotations(), self.desk.told.listed, self.desk.settings)
        told = None if found is None else found.to_json()
        keep_audit(self.desk.folder, told)
        self._tell(order, "audit", audit=told)

    def _add(self, order: Order, rank: int, steps: Generator[Report, None, Any]) -> None:
        self._tasks.append(_Task(order, rank, steps))

    def _drop(self, *names: str) -> None:
        """End tasks that a new order makes idle."""
        for task in [task for task in self._tasks if task.order["order"] in names]:
            task.steps.close()
            self._tasks.remove(task)
            self._tell(task.order, "dropped")

    def step(self) -> None:
        """Do the next piece of the most urgent work."""
        task = max(self._tasks, key=lambda task: task.rank)  # of equals the oldest
        try:
            self._go_on(task)
        except Exception as error:
            self._tell_error(task.order, error)
            if not isinstance(error, TapEventsError) or task.order["order"] == "open":
                raise
            self._tasks = [other for other in self._tasks if other is not task]
            self._map_on(task)

    def _go_on(self, task: _Task) -> None:
        try:
            report = next(task.steps)
        except StopIteration as end:
            value = end.value
        else:
            self._report(task, report)
            return
        self._tasks.remove(task)
        self._finish(task, value)

    def _report(self, task: _Task, report: Report) -> None:
        if report.stage in (OVERLAY, SKETCH):
            self._tell(task.order, "frame", t=report.done, head=self.desk.told.head, provisional=report.stage == SKETCH)
            task.rank = REST
            task.order = {**task.order, "order": "rest"}
        elif report.stage == TAUGHT:
            self._predict({"order": "predict"})
        else:
            self._tell(
                task.order, "report", stage=report.stage, done=report.done, total=report.total, values=dict(report.values)
            )

    def _finish(self, task: _Task, value: Any) -> None:
        name = task.order["order"]
        if name == "open":
            self.ready = True
            told = self.desk.told
            about = {"movie": self.desk.name, "head": told.head, "answers": told.answers, "elsewhere": self.desk.elsewhere}
            self._tell(task.order, "ready", **about)
            self._tell_trust()
            waiting, self._waiting = self._waiting, []
            self._add({"order": "warm up"}, REST, self.desk.warm_up())
            for order in waiting:
                self.take(order)
        elif name in ("retrain", "back"):
            self._tell(task.order, "head", **value, elsewhere=self.desk.elsewhere)
            self._tell_trust()
            self._map_on(task)
        elif name in ("predict", "rest"):
            self._tell(task.order, "done")

    def _map_on(self, task: _Task) -> None:
        """Let the head in use map what it has not mapped yet, after a lesson or the like, which had ended its mapping."""
        if task.order["order"] in ("retrain", "back"):
            self._predict({"order": "predict"})

    def _tell_error(self, order: Order, error: Exception) -> None:
        """Say what went wrong: an order that was answered is not given to the worker that comes after this one."""
        self._tell(order, "error", message=sentence(error), kind=type(error).__name__)

    def _tell(self, order: Order, what: str, **values: Any) -> None:
        memory = round(self._process.memory_info().rss / 2**20)
        self._say({"what": what, "id": order.get("id"), "order": order.get("order"), **values, "memory_mb": memory})


_TAKERS: Mapping[str, Callable[[Worker, Order], None]] = {
    "retrain": Worker._retrain,
    "predict": Worker._predict,
    "look": Worker._look,
    "queue": Worker._queue,
    "audit": Worker._audit,
    "back": Worker._back,
    "correct": Worker._correct,
}


def serve(desk: Desk) -> None:
    """Work on the orders of the standard input until it ends.

    Raises
    ------
    TapEventsError
        When the movie cannot be opened.
    """
    let_others_go_first()
    worker = Worker(desk, _print)
    worker.run(_lines(worker))


def _lines(worker: Worker) -> Iterator[Order | None]:
    """Yield orders as they come; None at once while there is work, else wait."""
    inbox: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(inbox,), daemon=True).start()
    while True:
        try:
            line = inbox.get(block=not worker.busy)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        try:
            order = json.loads(line)
        except ValueError:
            order = None
        yield order if isinstance(order, dict) else {"order": "?"}


def _read(inbox: queue.Queue[str | None]) -> None:
    for line in sys.stdin:
        if line.strip():
            inbox.put(line)
    inbox.put(None)


def _print(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
