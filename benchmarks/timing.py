"""How long something takes: medians, processor seconds of one thread, several ways taken in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch

Row = dict[str, Any]


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the median wall time of a call, after one to warm up."""
    work()
    return median(seconds_of(work) for _ in range(repeats))


def seconds_of(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of one call, by default wall time."""
    started = clock()
    work()
    return clock() - started


def side_by_side(works: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median processor seconds of several calls, made in turn on one thread: what else the machine does hardly tells."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for work in works:
        work()
    taken = [[seconds_of(work, time.process_time) for work in works] for _ in range(repeats)]
    torch.set_num_threads(threads)
    return [median(times) for times in zip(*taken, strict=True)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: processor seconds then tell what there is to do, whatever else the machine does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the exponent by which costs grow with sizes: 1 is in proportion, 0 not at all."""
    from math import log

    return (log(costs[-1]) - log(costs[0])) / (log(sizes[-1]) - log(sizes[0]))


def timed(work: Callable[..., Any], spent: MutableMapping[str, float], name: str) -> Callable[..., Any]:
    """Return a function that does the same, and adds its processor seconds to `spent` under a name."""

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return work(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - began

    return run
