"""The game `order`: its scores by hand, and its symmetry."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import pytest
import torch

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.order import Order, in_order, orders
from napari_tap_events.settings.game_settings import OrderSettings

from .arena import CPU, learner, lively, settings, trained


def game(**own) -> Order:
    torch.manual_seed(0)
    return Order(settings("order", augmentation=0), OrderSettings(**own), Encoder(1, settings("order")))


class Clock:
    """An encoder that reads the time off a crop whose every pixel holds it."""

    def __call__(self, crops):
        return crops.expand(-1, -1, 8, -1, -1)


def crops_of_time(*times: int) -> torch.Tensor:
    """Windows (8, S, 1, 16, 16) whose pixels say which frame they are of."""
    return torch.tensor(times, dtype=torch.float32).view(1, -1, 1, 1, 1).expand(8, -1, 1, 16, 16)


def test_the_score_of_an_order_is_the_sum_over_its_neighbours():
    follows = torch.tensor([[[0.0, 1, 2, 3], [4, 0, 5, 6], [7, 8, 0, 9], [10, 11, 12, 0]]])
    made = game(directed=True).scores(follows)[0].tolist()
    by_hand = [sum(follows[0, a, b].item() for a, b in pairwise(row)) for row in permutations(range(4))]
    assert made == pytest.approx(by_hand)
    assert len(orders(4, directed=False)) == math.factorial(4) / 2


def test_the_target_is_the_order_that_puts_the_crops_right():
    for directed in (False, True):
        rules = game(directed=directed)
        batch = rules.views(crops_of_time(0, 1, 2, 3), CPU.generator(3), 0.0)
        for crops, target in zip(batch["crops"], batch["target"], strict=True):
            times = [int(crops[i].mean()) for i in rules.orders[target]]
            assert times == [0, 1, 2, 3] or (not directed and times == [3, 2, 1, 0])


def test_showing_the_crops_in_another_order_permutes_the_answers():
    rules = game()
    z = torch.randn(3, 4, 8, 16, 16)
    turned = [2, 0, 3, 1]
    plain, permuted = rules.follows(z), rules.follows(z[:, turned])
    torch.testing.assert_close(permuted, plain[:, turned][:, :, turned], atol=1e-5, rtol=1e-5)


def test_an_order_and_its_reverse_are_one_unless_directed():
    z = torch.randn(2, 4, 8, 16, 16)
    for directed in (False, True):
        follows = game(directed=directed).follows(z)
        assert torch.allclose(follows, follows.transpose(1, 2), atol=1e-6) is not directed


def test_three_crops_are_in_order_when_the_outer_ones_go_together_least():
    follows = torch.tensor([[[0, 3.0, 1], [3, 0, 5], [1, 5, 0]]])
    assert in_order(follows).item() == pytest.approx((3 + 5) / 2 - 1)


def test_one_who_sees_the_time_is_always_right():
    for own in ({}, {"mode": "verify"}, {"mode": "odd"}):
        rules = game(**own)
        rules.follows = lambda z: -50 * (z.mean((2, 3, 4))[:, :, None] - z.mean((2, 3, 4))[:, None]).abs()
        times = (0, 1, 2, 3) if rules.shown == 4 else (0, 1, 2)
        torch.nn.init.constant_(rules.bias, 25.0)
        windows = crops_of_time(*times).repeat(6, 1, 1, 1, 1)
        told = rules.loss(Clock(), rules.views(windows, CPU.generator(1), 0.0))
        assert float(told.metrics["accuracy"]) == pytest.approx(1.0)
        assert told.total.item() < 1e-3


def test_one_in_four_rows_is_in_order_where_that_is_asked():
    target = game(mode="verify")._drawn_target(4000, CPU.generator(0))
    assert float((target == 0).float().mean()) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("mode", ["verify", "odd"])
def test_the_other_modes_can_be_won_too(mode):
    task = learner("order", lively(), lively(10), augmentation=0, game_settings=(f"order.mode={mode}",), val_pairs=128)
    history = trained(task, 60)
    assert history[-1]["val_order_accuracy_motion"] > history[-1]["order_chance"] + 0.15
