"""A report: what a long job says about itself while it runs.

Recipes are generators of reports: the terminal prints them, the window draws them, a test stops after two.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


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
