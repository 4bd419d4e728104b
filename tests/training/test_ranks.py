"""Processes that learn together learn what one learns that adds up their batches; the first alone writes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from napari_tap_events.training.loop import Plan, fit
from napari_tap_events.training.ranks import Ranks, announced, join

PROGRAM = Path(__file__).with_name("learn_together.py")


class Noise:
    """Learns to add up; every random number comes from the number of the batch."""

    def __init__(self, norm: bool = False) -> None:
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4) if norm else nn.Tanh(), nn.Linear(4, 1))
        self.batches: list[int] = []

    def loss(self, step: int):
        self.batches.append(step)
        x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
        loss = (self.module(x)[:, 0] - x.sum(1)).square().mean()
        return loss, {"half": loss.detach() / 2}

    def validate(self):
        return {"val": float(sum(p.abs().sum() for p in self.module.parameters()))}


PLAN = Plan("noise", 6, val_every=2, monitor="val")


def taught(learner: Noise, plan: Plan):
    work = fit(learner, plan)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_batches_that_are_added_up_are_one_after_the_other():
    learner = Noise()
    taught(learner, replace(PLAN, accumulate=3))
    assert learner.batches == list(range(18))


def test_two_batches_added_up_are_one_of_twice_the_size():
    class Double(Noise):
        def loss(self, step: int):
            both = [super(Double, self).loss(2 * step + i) for i in range(2)]
            return torch.stack([loss for loss, _ in both]).mean(), {"half": both[0][1]["half"]}

    one, other = Noise(), Double()
    history = taught(one, replace(PLAN, accumulate=2))
    assert [row["loss"] for row in history] == pytest.approx([row["loss"] for row in taught(other, PLAN)])
    for name, value in one.module.state_dict().items():
        torch.testing.assert_close(value, other.module.state_dict()[name])


def test_two_processes_learn_what_one_learns_that_adds_up_their_batches(tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(PROGRAM),
        str(tmp_path),
    ]
    subprocess.run(command, check=True, timeout=200, capture_output=True)
    first, second = (torch.load(tmp_path / f"{number}.pt", weights_only=True) for number in (0, 1))
    alone = Noise()
    history = taught(alone, replace(PLAN, accumulate=2))
    for name, value in alone.module.state_dict().items():
        assert torch.equal(first["state"][name], second["state"][name])
        torch.testing.assert_close(first["state"][name], value)
    assert (first["batches"], second["batches"]) == (list(range(0, 12, 2)), list(range(1, 12, 2)))
    assert first["history"] == second["history"]
    assert [row["val"] for row in first["history"]] == pytest.approx([row["val"] for row in history])
    assert (tmp_path / "checkpoint-0.pt").exists()
    assert not (tmp_path / "checkpoint-1.pt").exists()


def test_without_torchrun_there_is_one_process(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert join() == Ranks(0, 1)
    assert Ranks().tell({"a": 1}) == {"a": 1}
    assert Ranks().decide(True)


def test_torchrun_says_which_process_this_is(monkeypatch):
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert announced() == Ranks(2, 4)
    assert not announced().first
    assert [Ranks(2, 4).draw(batch) for batch in range(3)] == [2, 6, 10]
