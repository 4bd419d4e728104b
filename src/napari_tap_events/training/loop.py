"""One loop trains everything here; it knows steps, checkpoints and stopping, not what a cell is.

What learns is a `Learner`: a module whose `loss(batch)` draws every random number from `(seed, batch)`. So a run that was stopped and
resumed ends with the same weights as one that was not, and so do processes that share the batches of a step, and one that adds them up.
"""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.reports import Control, Report
from napari_tap_events.training.ranks import ALONE, Ranks
from napari_tap_events.writing import all_or_nothing

REPORT_SECONDS = 0.5
SAVE_SECONDS = 20.0
"""No more work than this is lost when a run ends without being asked to."""
History = list[dict[str, float]]


class Learner(Protocol):
    """What the loop trains."""

    @property
    def module(self) -> nn.Module:
        """Return what is trained."""
        ...

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch, of which a step takes one or several, and further metrics, all scalar tensors."""
        ...

    def validate(self) -> Mapping[str, float]:
        """Return metrics on held-out data; may be empty."""
        ...


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes
    ----------
    stage : str
        Name in the reports.
    steps, val_every : int
        Training steps in all; steps between validations (0: only at the end).
    learning_rate, weight_decay : float
        Of Adam.
    schedule : {"one-cycle", "cyclic", "constant"}
        Course of the learning rate.
    monitor : str
        Validation metric to be low. Empty: none.
    keep_best : bool
        Whether the best weights are kept at the end, rather than the last.
    patience : int
        Validations without progress before stopping early; 0 never.
    period : int
        Steps of half a cycle of the cyclic schedule (an epoch).
    clip : float
        Largest norm of the gradient; 0 does not clip.
    accumulate : int
        Batches whose gradients are averaged in each step: a larger batch in the same memory.
    checkpoint : Path or None
        File for stopping and resuming.
    """

    stage: str
    steps: int
    val_every: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "one-cycle"
    monitor: str = ""
    keep_best: bool = True
    patience: int = 0
    period: int = 100
    clip: float = 0.0
    accumulate: int = 1
    checkpoint: Path | None = None


@dataclass
class Progress:
    """Where a run stands; everything here goes into the checkpoint."""

    step: int = 0
    best: float = math.inf
    stale: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)
    history: History = field(default_factory=list)


def rate(plan: Plan, step: int) -> float:
    """Return the learning rate of a step.

    "one-cycle" warms up linearly over the first tenth and falls as a cosine to a hundredth; "cyclic" goes up for one epoch and down
    for one, its height falling by a tenth per cycle (as the TAP code does); "constant" stays.
    """
    if plan.schedule == "constant":
        return plan.learning_rate
    if plan.schedule == "cyclic":
        cycle, phase = divmod(step / max(1, plan.period), 2)
        height = 1 - abs(phase - 1)
        return float(plan.learning_rate * (0.1 + 0.9 * height * 0.9**cycle))
    warm = max(1.0, 0.1 * plan.steps)
    if step < warm:
        return plan.learning_rate * (step + 1) / (warm + 1)
    done = (step - warm) / max(1.0, plan.steps - warm)
    return plan.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def fit(
    learner: Learner, plan: Plan, control: Control | None = None, resume: bool = False, ranks: Ranks = ALONE
) -> Generator[Report, None, History]:
    """Train, reporting as it goes; afterwards the learner holds the best weights (or the last, without a monitor).

    Several processes, each with its `ranks`, train one network together.

    Returns
    -------
    list of dict
        The metrics at each validation, with "step".

    Raises
    ------
    JobStopped
        When the control asks to stop; the checkpoint was written just before.
    ModelError
        When the checkpoint to resume from does not fit, or the loss is no longer a number.
    """
    optimiser = torch.optim.Adam(learner.module.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    progress = _load(plan, learner.module, optimiser) if resume else Progress()
    ranks.begin_alike(learner.module)
    control = control or Control()
    running = _Means()
    learner.module.train()
    started, first, shown = time.monotonic(), progress.step, 0.0
    saved = started
    while progress.step < plan.steps and not _stalled(plan, progress):
        if ranks.decide(control.wait_or_stop()):
            ranks.average_buffers(learner.module)
            _save(plan, learner.module, optimiser, progress, ranks)
            yield Report(plan.stage, progress.step, plan.steps)
            raise JobStopped(f"stopped after {progress.step} of {plan.steps} steps; the same command with --resume goes on.")
        running.add(_step(learner, optimiser, plan, progress.step, ranks))
        progress.step += 1
        due = plan.val_every and progress.step % plan.val_every == 0
        if due or progress.step == plan.steps:
            values = _validate(learner, progress, running.take(), plan, ranks)
            if not math.isfinite(values["loss"]):
                raise ModelError(f"the loss is no longer a number after {progress.step} steps; choose a lower --learning-rate.")
            _save(plan, learner.module, optimiser, progress, ranks)
            saved = time.monotonic()
            yield Report(plan.stage, progress.step, plan.steps, values=values)
            if _stalled(plan, progress):
                told = f"no progress in {plan.patience} validations: stopped early"
                yield Report(plan.stage, progress.step, plan.steps, told)
        elif time.monotonic() - shown > REPORT_SECONDS:
            shown = time.monotonic()
            speed = (progress.step - first) / max(1e-9, shown - started)
            yield Report(plan.stage, progress.step, plan.steps, values={**running.peek(), "steps_per_s": speed})
            if shown - saved > SAVE_SECONDS:
                _save(plan, learner.module, optimiser, progress, ranks)
                saved = shown
    if plan.keep_best and progress.best_state:
        learner.module.load_state_dict(progress.best_state)
    learner.module.eval()
    return progress.history


def _stalled(plan: Plan, progress: Progress) -> bool:
    return plan.patience > 0 and progress.stale >= plan.patience


def _step(
    learner: Learner, optimiser: torch.optim.Optimizer, plan: Plan, step: int, ranks: Ranks = ALONE
) -> Mapping[str, Tensor]:
    for group in optimiser.param_groups:
        group["lr"] = rate(plan, step)
    optimiser.zero_grad(set_to_none=True)
    means = _Means()
    for part in range(plan.accumulate):
        loss, metrics = learner.loss(ranks.draw(step * plan.accumulate + part))
        (loss / plan.accumulate).backward()
        means.add({"loss": loss.detach(), **metrics})
    ranks.average_gradients(learner.module)
    if plan.clip:
        nn.utils.clip_grad_norm_(learner.module.parameters(), plan.clip)
    optimiser.step()
    return means.tensors()


class _Means:
    """Running means that stay on the device until somebody looks."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        for name, value in metrics.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.count += 1

    def tensors(self) -> dict[str, Tensor]:
        return {name: value / self.count for name, value in self.sums.items()}

    def peek(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.tensors().items()}

    def take(self) -> dict[str, float]:
        means = self.peek() if self.count else {}
        self.sums, self.count = {}, 0
        return means


def _validate(learner: Learner, progress: Progress, means: dict[str, float], plan: Plan, ranks: Ranks) -> dict[str, float]:
    ranks.average_buffers(learner.module)
    learner.module.eval()
    with torch.no_grad():
        values = ranks.tell({**means, **learner.validate()} if ranks.first else {})
    learner.module.train()
    if plan.monitor:
        value = values[plan.monitor]
        if value < progress.best:
            progress.best, progress.stale = value, 0
            progress.best_state = {k: v.detach().clone() for k, v in learner.module.state_dict().items()}
        else:
            progress.stale += 1
    progress.history.append({"step": float(progress.step), **values})
    return values


def _save(plan: Plan, module: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress, ranks: Ranks) -> None:
    if plan.checkpoint is None or not ranks.first:
        return
    state: dict[str, Any] = {
        "schema": 1,
        "steps": plan.steps,
        "module": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": progress.step,
        "best": progress.best,
        "stale": progress.stale,
        "best_state": progress.best_state,
        "history": progress.history,
    }
    with all_or_nothing(plan.checkpoint) as partial:
        torch.save(state, partial)


def _read(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _load(plan: Plan, module: nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
    if plan.checkpoint is None or not plan.checkpoint.exists():
        return Progress()
    try:
        state = _read(plan.checkpoint)
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        steps = state["steps"]
        progress = Progress(state["step"], state["best"], state["stale"], state["best_state"], state["history"])
    except (RuntimeError, ValueError, KeyError, TypeError, EOFError, OSError, pickle.UnpicklingError) as error:
        damaged = isinstance(error, EOFError | OSError | TypeError | pickle.UnpicklingError)
        reason = "the file is damaged" if damaged else str(error).splitlines()[0].rstrip(".:")
        raise ModelError(
            f"cannot resume from '{plan.checkpoint.name}': {reason}; use the settings it was started with, or --overwrite."
        ) from None
    if steps != plan.steps:
        raise ModelError(
            f"cannot resume: the run was planned for {steps} steps, now {plan.steps}; keep the number, or --overwrite."
        )
    return progress
