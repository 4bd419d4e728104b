"""A report: what a long job says about itself while it runs.

Recipes are generators of reports: the terminal prints them, the window draws them, a test stops after two.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Report:
    """One step of progress of a long job.

    Attributes
    ----------
    stage : str
        What is going on, one word or two: "pretrain", "features", "head".
    done, total : int
        Units of work finished and in all, within this stage; `total` is 0 where it is not known.
    message : str
        One sentence for a person, or empty.
    values : mapping of str to float
        Measured numbers worth a curve: losses, accuracies (0..1), pairs per second.
    """

    stage: str
    done: int = 0
    total: int = 0
    message: str = ""
    values: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the report as one line of JSON; what is not a finite number is null."""
        values = {name: value if math.isfinite(value) else None for name, value in self.values.items()}
        return json.dumps({**asdict(self), "values": values}, allow_nan=False)

    @classmethod
    def from_values(cls, told: Mapping[str, Any]) -> Report:
        """Build a report from what `to_json` wrote, once read; null was no number, and names it does not know are left out."""
        values = {name: math.nan if value is None else float(value) for name, value in told.get("values", {}).items()}
        return cls(str(told["stage"]), told.get("done", 0), told.get("total", 0), told.get("message", ""), values)


class Pace:
    """How fast a stage goes, from its reports.

    The pace is the mean since the first step, which prepares the others and may be an earlier run's last.

    Attributes
    ----------
    stage : str
        The stage that goes on.
    done, total : int
        As in its last report.
    """

    SURE_SECONDS = 3.0
    """The first steps tell little of the speed: no estimate before."""

    def __init__(self) -> None:
        self.stage = ""
        self.done, self.total = 0, 0
        self._began, self._now = 0.0, 0.0
        self._first: tuple[float, int] | None = None

    def take(self, report: Report, now: float) -> bool:
        """Note a report that came at `now`, in seconds of any clock; say whether it opens a new stage."""
        opens = report.stage != self.stage
        if opens:
            self.stage, self._began, self._first = report.stage, now, None
        self._now, self.done, self.total = now, report.done, report.total
        if self._first is None and report.done > 0:
            self._first = now, self.done
        return opens

    @property
    def taken_s(self) -> float:
        """Seconds since the stage began."""
        return self._now - self._began

    @property
    def share(self) -> float:
        """What is done of the stage, 0..1; 0 where it is not known."""
        return self.done / self.total if self.total > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that the stage will still take; None where that cannot be known, or not yet."""
        began, first = self._first or (self._now, self.done)
        if self.done <= first or self.total <= 0 or self._now - began <= self.SURE_SECONDS:
            return None
        return (self._now - began) / (self.done - first) * max(0, self.total - self.done)


def clock(seconds: float) -> str:
    """Write a time as m:ss, or h:mm:ss."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Control:
    """How others reach into a long job: it asks here between two steps.

    Attributes
    ----------
    stopping, paused : bool
        Set from outside, from any thread or from a signal handler.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.paused = False

    def wait_or_stop(self) -> bool:
        """Wait while paused; say whether the job is to stop."""
        while self.paused and not self.stopping:
            time.sleep(0.05)
        return self.stopping
