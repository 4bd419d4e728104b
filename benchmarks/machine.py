"""A device to measure on, with a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from napari_tap_events.encoder.compute import Compute


@dataclass(frozen=True)
class Machine:
    """Where to measure, and how long at most.

    Attributes
    ----------
    device : torch.device
    quick : bool
        Small sizes: to see that it works, not to measure.
    until : float
        `time.monotonic()` at which the section that is being measured should be over.
    """

    device: torch.device
    quick: bool
    until: float = float("inf")

    @property
    def has_bfloat16(self) -> bool:
        """Whether training in bfloat16 is to be measured."""
        return self.device.type == "cuda" and torch.cuda.is_bf16_supported()

    def compute(self, bfloat16: bool = False) -> Compute:
        """Return device and number format."""
        return Compute(self.device, bfloat16)

    def seconds(self, work: Callable[[], Any], repeats: int = 5, at_once: int = 1) -> float:
        """Return the median time of a call, the device's work included, after one to warm up."""
        work()
        taken = []
        for _ in range(1 if self.quick else repeats):
            self.wait()
            began = time.perf_counter()
            for _ in range(at_once):
                work()
            self.wait()
            taken.append((time.perf_counter() - began) / at_once)
            if time.monotonic() > self.until:
                break
        return median(taken)

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @contextmanager
    def memory(self) -> Iterator[list[str]]:
        """Measure the greatest memory of a GPU while something runs; the list holds ", so many MB" afterwards, nothing for a CPU."""
        found: list[str] = []
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        yield found
        gpu = self.device.type == "cuda"
        found.append(f", {torch.cuda.max_memory_allocated(self.device) / 2**20:.0f} MB" if gpu else "")
