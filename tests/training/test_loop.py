"""The loop: a run that was stopped and resumed ends with the very same weights, and a checkpoint is whole or refused."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.reports import Control
from napari_tap_events.training.loop import Plan, fit, rate


class Line:
    """Learns a line through noisy points; every random number comes from the step. BatchNorm has buffers to be kept, too."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.steps: list[int] = []
        self.modes: list[bool] = []
        self.judged: list[float] = []

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        self.steps.append(step)
        self.modes.append(self.module.training)
        x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
        loss = (self.module(x)[:, 0] - x.sum(1)).square().mean()
        return loss, {"half": loss.detach() / 2}

    def validate(self) -> Mapping[str, float]:
        self.modes.append(self.module.training)
        x = torch.randn(64, 3, generator=torch.Generator().manual_seed(-1))
        return {"val": float((self.module(x)[:, 0] - x.sum(1)).square().mean())}

    @property
    def state(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.module.state_dict().items()}


class Scripted(Line):
    """A learner whose validation says what it was told to say."""

    def __init__(self, script: list[float]) -> None:
        super().__init__()
        self.script = script
        self.states: list[dict[str, Tensor]] = []

    def validate(self) -> Mapping[str, float]:
        self.states.append(self.state)
        return {"val": self.script[len(self.states) - 1]}


def run(learner: Line, plan: Plan, stop_after: int | None = None, resume: bool = False):
    """Run to the end, or until the learner has made so many steps."""
    control = Control()
    if stop_after is not None:
        inner = learner.loss

        def loss(step: int):
            control.stopping = step + 1 >= stop_after
            return inner(step)

        learner.loss = loss
    reports, work = [], fit(learner, plan, control, resume)
    while True:
        try:
            reports.append(next(work))
        except StopIteration as end:
            return reports, end.value


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def plan(tmp_path) -> Plan:
    return Plan("line", 30, val_every=8, weight_decay=1e-3, monitor="val", checkpoint=tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("stop_after", [1, 7, 8, 9, 24, 29])
@pytest.mark.parametrize("schedule", ["one-cycle", "cyclic", "constant"])
def test_a_stopped_and_resumed_run_ends_with_the_very_same_weights(plan, stop_after, schedule):
    plan = replace(plan, schedule=schedule)
    whole = Line()
    _, history = run(whole, replace(plan, checkpoint=None))
    first = Line()
    with pytest.raises(JobStopped, match=f"stopped after {stop_after} of 30 steps; the same command with --resume goes on"):
        run(first, plan, stop_after)
    second = Line()
    _, resumed = run(second, plan, resume=True)
    assert first.steps + second.steps == list(range(30))
    assert equal(second.state, whole.state)
    assert [row["val"] for row in resumed] == [row["val"] for row in history]


def test_a_run_stopped_many_times_ends_with_the_very_same_weights(plan):
    whole = Line()
    run(whole, replace(plan, checkpoint=None))
    for stop_after in (3, 4, 15, 22):
        with pytest.raises(JobStopped):
            run(Line(), plan, stop_after, resume=True)
    last = Line()
    run(last, plan, resume=True)
    assert equal(last.state, whole.state)


def test_a_run_killed_between_checkpoints_goes_on_from_the_last_one(plan):
    whole = Line()
    run(whole, replace(plan, checkpoint=None))
    work = fit(Line(), plan)
    for report in work:
        if report.done == 16:
            break
    del work
    second = Line()
    run(second, plan, resume=True)
    assert second.steps[0] == 16
    assert equal(second.state, whole.state)


def test_a_long_way_to_the_next_validation_is_saved_on_the_way(plan, monkeypatch):
    monkeypatch.setattr("napari_tap_events.training.loop.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("napari_tap_events.training.loop.REPORT_SECONDS", 0.0)
    work = fit(Line(), plan)
    for report in work:
        if report.done == 14:
            break
    del work
    second = Line()
    run(second, plan, resume=True)
    assert second.steps[0] == 13, "it was stopped before step 14 could be saved, long after the validation at 8"
    whole = Line()
    run(whole, replace(plan, checkpoint=None))
    assert equal(second.state, whole.state)


def test_resuming_a_finished_run_trains_no_further(plan):
    first, second = Line(), Line()
    run(first, plan)
    run(second, plan, resume=True)
    assert second.steps == []
    assert equal(first.state, second.state)


def test_a_resumed_run_that_had_stopped_early_trains_no_further(plan):
    plan = replace(plan, patience=2)
    run(Scripted([3.0, 4.0, 5.0, 6.0]), plan)
    second = Scripted([])
    run(second, plan, resume=True)
    assert second.steps == []


def test_without_a_checkpoint_resuming_starts_at_the_first_step(plan):
    learner = Line()
    run(learner, plan, resume=True)
    assert learner.steps == list(range(30))


def test_without_resume_a_checkpoint_is_left_aside(plan):
    with pytest.raises(JobStopped):
        run(Line(), plan, 9)
    learner = Line()
    run(learner, plan)
    assert learner.steps == list(range(30))


def test_a_checkpoint_is_written_beside_and_moved_so_that_a_failure_leaves_the_old_one(plan, monkeypatch):
    with pytest.raises(JobStopped):
        run(Line(), plan, 9)
    before = plan.checkpoint.read_bytes()

    def full(state, path):
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        run(Line(), plan, 12, resume=True)
    assert plan.checkpoint.read_bytes() == before


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "text", "pickle", "list", "no optimiser", "no best"])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(plan, damage):
    with pytest.raises(JobStopped):
        run(Line(), plan, 9)
    content = plan.checkpoint.read_bytes()
    raw = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "garbage": bytes(range(256)) * 4,
        "text": b"hello\n",
        "pickle": pickle.dumps(Exception("surprise"), protocol=2),
    }
    if damage in raw:
        plan.checkpoint.write_bytes(raw[damage])
    else:
        state = torch.load(plan.checkpoint, weights_only=True)
        state = [1, 2] if damage == "list" else state
        if damage.startswith("no "):
            del state[damage.removeprefix("no ")]
        torch.save(state, plan.checkpoint)
    with pytest.raises(ModelError, match=r"cannot resume from 'checkpoint\.pt'.*--overwrite") as error:
        run(Line(), plan, resume=True)
    assert "\n" not in str(error.value)


def test_a_checkpoint_of_another_network_is_refused(plan):
    with pytest.raises(JobStopped):
        run(Line(), plan, 9)
    other = Line()
    other.module = nn.Sequential(nn.Linear(3, 7), nn.BatchNorm1d(7), nn.Linear(7, 1))
    with pytest.raises(ModelError, match="cannot resume"):
        run(other, plan, resume=True)


def test_a_checkpoint_of_a_run_of_another_length_is_refused(plan):
    with pytest.raises(JobStopped):
        run(Line(), plan, 9)
    with pytest.raises(ModelError, match="planned for 30 steps, now 40"):
        run(Line(), replace(plan, steps=40), resume=True)


def test_no_checkpoint_is_written_where_none_is_asked_for(plan, tmp_path):
    with pytest.raises(JobStopped):
        run(Line(), replace(plan, checkpoint=None), 9)
    assert list(tmp_path.iterdir()) == []


def test_the_best_weights_are_kept_not_the_last(plan):
    learner = Scripted([3.0, 1.0, 2.0, 2.5])
    run(learner, plan)
    assert equal(learner.state, learner.states[1])


def test_without_a_monitor_the_last_weights_are_kept(plan):
    learner = Scripted([3.0, 1.0, 2.0, 2.5])
    run(learner, replace(plan, monitor=""))
    assert equal(learner.state, learner.states[-1])


def test_patience_counts_validations_without_progress(plan):
    learner = Scripted([3.0, 1.0, 2.0, 2.5])
    reports, history = run(learner, replace(plan, patience=2, steps=80))
    assert [row["step"] for row in history] == [8, 16, 24, 32]
    assert "no progress in 2 validations" in reports[-1].message


def test_training_is_in_training_mode_and_judging_is_not(plan):
    learner = Line()
    run(learner, plan)
    assert learner.modes.count(False) == 4
    assert learner.modes.count(True) == 30
    assert not learner.module.training


def test_the_line_is_learned_and_reported(plan):
    learner = Line()
    reports, history = run(learner, replace(plan, steps=300, val_every=100, learning_rate=0.05))
    assert history[-1]["val"] < 0.05 * 3
    last = reports[-1]
    assert (last.stage, last.done, last.total) == ("line", 300, 300)
    assert last.values["half"] == pytest.approx(last.values["loss"] / 2)


def test_pausing_makes_no_step_until_it_ends(plan):
    control, learner = Control(), Line()
    control.paused = control.stopping = True
    reports = fit(learner, plan, control)
    assert next(reports).done == 0, "how far it is stands in the last report, too"
    with pytest.raises(JobStopped, match="after 0 of 30"):
        next(reports)
    assert learner.steps == []


def test_clipping_bounds_the_step_of_plain_gradients(plan):
    learner = Line()
    sizes = []
    hook = learner.module[0].weight.register_hook(lambda g: sizes.append(float(g.norm())))
    run(learner, replace(plan, clip=1e-3))
    hook.remove()
    assert max(sizes) > 1e-3
    assert float(nn.utils.get_total_norm(p.grad for p in learner.module.parameters())) <= 1.001e-3


def test_one_cycle_warms_up_over_a_tenth_and_falls_to_a_hundredth():
    plan = Plan("x", 100, learning_rate=1.0)
    course = [rate(plan, step) for step in range(101)]
    assert course[0] < 0.2
    assert max(course) == course[10] == 1.0
    assert course[100] == pytest.approx(0.01)
    assert all(a < b for a, b in pairwise(course[:11]))
    assert all(a > b for a, b in pairwise(course[10:]))


def test_cyclic_goes_up_for_one_epoch_down_for_one_and_loses_a_tenth_per_cycle():
    plan = Plan("x", 100, learning_rate=1.0, schedule="cyclic", period=10)
    assert [rate(plan, step) for step in (0, 10, 20, 30, 40)] == pytest.approx([0.1, 1.0, 0.1, 0.1 + 0.9 * 0.9, 0.1])
    assert rate(plan, 5) == pytest.approx(0.55)


@given(
    steps=st.integers(1, 5000),
    step=st.integers(0, 5000),
    schedule=st.sampled_from(["one-cycle", "cyclic", "constant"]),
    period=st.integers(0, 500),
)
def test_the_rate_is_always_above_zero_and_never_above_the_highest(steps, step, schedule, period):
    value = rate(Plan("x", steps, learning_rate=0.1, schedule=schedule, period=period), min(step, steps - 1))
    assert 0 < value <= 0.1 * (1 + 1e-9)
    assert math.isfinite(value)
