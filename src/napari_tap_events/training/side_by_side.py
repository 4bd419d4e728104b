"""Several networks that learn at once, each in a thread of its own.

Small networks gain little from a second core, as its share of each sum is over before it has begun; two that learn side by side, each on
its core, take little longer than one. They also wait for nobody where another program takes a core for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
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
        So many threads; the cores that torch was given are shared out among them.
    control : Control, optional

    Yields
    ------
    Report
        What is done of all together, every `LOOK_SECONDS`. Who closes this generator ends the runs at their next step.

    Returns
    -------
    list
        What the runs returned, in their order.

    Raises
    ------
    JobStopped, TapEventsError
        What the first run raised that failed; the others are ended.
    """
    own, asked = Control(), control or Control()
    cores = torch.get_num_threads()
    done = [Report(stage)] * len(runs)

    def together() -> Report:
        return Report(stage, sum(one.done for one in done), sum(one.total for one in done))

    def play(number: int) -> T:
        torch.set_num_threads(max(1, cores // at_once))
        steps = runs[number](own)
        while True:
            try:
                done[number] = next(steps)
            except StopIteration as end:
                return cast(T, end.value)

    pool = ThreadPoolExecutor(at_once, thread_name_prefix=stage)
    try:
        futures = [pool.submit(play, number) for number in range(len(runs))]
        while not _over(futures):
            own.stopping, own.paused = asked.stopping, asked.paused
            yield together()
        yield together()
        return [future.result() for future in futures]
    finally:
        own.stopping = True
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)


def _over(futures: Sequence[Future[T]]) -> bool:
    """Say, after a moment, whether all are over, or one of them has failed, whose error is raised."""
    over, left = wait(futures, LOOK_SECONDS, FIRST_EXCEPTION)
    for future in over:
        future.result()
    return not left
