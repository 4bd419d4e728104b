"""The game `timecontrast`: NT-Xent counted by hand, who is compared with whom, and the rank."""

from __future__ import annotations

import math

import pytest
import torch

from napari_tap_events.pretext._heads import nt_xent
from napari_tap_events.pretext.timecontrast import ranked

from .arena import CPU, learner, lively


def by_hand(vectors, group, temperature, strangers=None) -> float:
    """NT-Xent in plain Python, pair by pair."""

    def alike(a, b):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.hypot(*a) / math.hypot(*b) / temperature

    n = len(vectors) // 2
    total = 0.0
    for i, own in enumerate(vectors):
        partner = (i + n) % (2 * n)
        others = [j for j in range(2 * n) if j != i and group[j % n] == group[i % n]]
        exps = [math.exp(alike(own, vectors[j])) for j in others]
        if strangers is not None:
            exps.append(math.exp(alike(own, strangers[i % n])))
        total -= math.log(math.exp(alike(own, vectors[partner])) / sum(exps))
    return total / (2 * n)


def test_nt_xent_is_what_the_formula_says_within_groups_and_with_strangers():
    torch.manual_seed(0)
    vectors, strangers, group = torch.randn(12, 3), torch.randn(6, 3), torch.tensor([0, 0, 0, 1, 1, 1])
    for others in (None, strangers):
        ours, _ = nt_xent(vectors, group, 0.5, others)
        told = None if others is None else others.tolist()
        assert float(ours) == pytest.approx(by_hand(vectors.tolist(), group.tolist(), 0.5, told), rel=1e-5)


def test_the_accuracy_is_that_of_finding_the_partner():
    vectors = torch.eye(4).repeat(2, 1)
    assert float(nt_xent(vectors, torch.zeros(4, dtype=torch.long), 0.2)[1]) == 1.0
    assert float(nt_xent(torch.ones(8, 4), torch.zeros(4, dtype=torch.long), 0.2)[1]) == pytest.approx(1 / 7)


def test_the_rank_by_hand():
    one, near, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 2.0]])
    told = ranked(one, near, far, 0.5)
    assert told.total.item() == pytest.approx(math.log(1 + math.exp(-math.sqrt(0.5) / 0.5)), rel=1e-5)
    assert float(told.metrics["accuracy"]) == 1.0
    assert float(ranked(one, near, near, 0.5).metrics["accuracy"]) == 0.5


def test_places_that_are_compared_lie_in_the_same_frames():
    task = learner("timecontrast", lively(frames=20), batch=48)
    frames = task.field_at(0).places(task.count, CPU.generator(0)).frames.view(-1, 8, 3)
    assert (frames == frames[:, :1]).all()
    assert (frames[..., 2] - frames[..., 0] == 5).all()
    assert len(frames[:, 0].unique(dim=0)) > 1
