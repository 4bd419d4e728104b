"""Several networks that learn at once, each in a thread of its own.

Small networks gain little from a second core, as its share of each sum is over before it has begun; two that learn side by side, each on
its core, take little longer than one. They also wait for nobody where another program takes a core for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from statistics import fmean
from threading import Lock
from typing import TypeVar, cast

import torch

from napari_tap_events.reports import Control, Report

T = TypeVar("T")
Steps = Generator[Report, None, T]
LOOK_SECONDS = 0.1
"""So often who waits for them hears how far they are, and can turn to something else."""


def side_by_side(
    stage: str, runs: Sequence[Callable[[Control], Steps[T]]], at_once: int, control: Control | None = None
) -> Generator[Report, None, list[T]]:
    """Let several runs go on at the same time.

    Parameters
    ----------
    stage : str
        Name of all of them together in the reports.
    runs : sequence of callable
        Each makes a run from the control that it must ask between two steps. A run draws no random number from a common source.
    at_once : int
        So many threads at most; the cores that torch was given are shared out among them.
    control : Control, optional

    Yields
    ------
    Report
        What is done of all together, and the mean of what those at work measured last, every `LOOK_SECONDS`. Who closes this generator
        ends the runs at their next step.

    Returns
    -------
    list
        What the runs returned, in their order.

    Raises
    ------
    JobStopped, TapEventsError
        What the first run raised that failed; the others are ended.
    """
    own, at_once = _Own(control or Control()), max(1, min(at_once, len(runs)))
    cores, tally = torch.get_num_threads(), _Tally(stage, len(runs))

    def play(number: int) -> T:
        torch.set_num_threads(max(1, cores // at_once))
        steps = runs[number](own)
        while True:
            try:
                tally.take(number, next(steps))
            except StopIteration as end:
                tally.over(number)
                return cast(T, end.value)

    yield tally.report()  # whoever stops here stops before anything has begun
    pool = ThreadPoolExecutor(at_once, thread_name_prefix=stage)
    try:
        futures = [pool.submit(play, number) for number in range(len(runs))]
        while not _over(futures):
            yield tally.report()
        yield tally.report()
        return [future.result() for future in futures]
    finally:
        own.stopping = True
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)


class _Own(Control):
    """The control of these runs: they stop when it says so, or the one above it."""

    def __init__(self, above: Control) -> None:
        super().__init__()
        self.above = above

    def wait_or_stop(self) -> bool:
        """Wait while paused; say whether to stop."""
        while self.above.paused and not (self.stopping or self.above.stopping):
            time.sleep(LOOK_SECONDS)
        return self.stopping or self.above.stopping


class _Tally:
    """What is done of several runs, each of one or more stages; those that have not begun will do what the largest has to do so far."""

    def __init__(self, stage: str, runs: int) -> None:
        self.stage = stage
        self._stages: list[dict[str, Report]] = [{} for _ in range(runs)]
        self._ended = [False] * runs
        self._guard = Lock()

    def take(self, number: int, report: Report) -> None:
        """Note what a run reports."""
        with self._guard:
            self._stages[number][report.stage] = report

    def over(self, number: int) -> None:
        """Note that a run has ended."""
        with self._guard:
            self._ended[number] = True

    def report(self) -> Report:
        """Return how far they are together."""
        with self._guard:
            totals = [sum(report.total for report in stages.values()) for stages in self._stages]
            done = sum(report.done for stages in self._stages for report in stages.values())
            at_work = [
                list(stages.values())[-1].values
                for stages, ended in zip(self._stages, self._ended, strict=True)
                if stages and not ended
            ]
            most = max(totals, default=0)
            total = sum(own if ended else most for own, ended in zip(totals, self._ended, strict=True))
        names = dict.fromkeys(name for values in at_work for name in values)
        means = {name: fmean(values[name] for values in at_work if name in values) for name in names}
        return Report(self.stage, done, total, values=means)


def _over(futures: Sequence[Future[T]]) -> bool:
    """Say, after a moment, whether all are over, or one of them has failed, whose error is raised."""
    over, left = wait(futures, LOOK_SECONDS, FIRST_EXCEPTION)
    for future in over:
        future.result()
    return not left
