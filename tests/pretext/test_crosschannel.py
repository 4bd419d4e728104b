"""The game `crosschannel`: bins and their weights by hand, and who sees what."""

from __future__ import annotations

import math

import pytest
import torch

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.crosschannel import Crosschannel, binned, by_bin, rebalanced
from napari_tap_events.settings.game_settings import CrosschannelSettings

from .arena import CPU, settings


def game() -> Crosschannel:
    torch.manual_seed(0)
    return Crosschannel(settings("crosschannel"), CrosschannelSettings(bins=4), Encoder(1, settings("crosschannel")))


def test_values_are_binned_at_half_resolution():
    values = torch.tensor([[[0.0, 0.2, 0.5, 0.5], [0.0, 0.2, 0.5, 0.5], [2.0, 2.0, -1.0, -1.0], [2.0, 2.0, -1.0, -1.0]]])
    assert binned(values, 4).tolist() == [[[0, 2], [3, 0]]]


def test_rare_values_weigh_more_by_the_published_formula():
    share = torch.tensor([0.9, 0.1, 0.0, 0.0])
    raw = [1 / (0.5 * p + 0.5 / 4) for p in share.tolist()]
    mean = 0.9 * raw[0] + 0.1 * raw[1]
    assert rebalanced(share, 0.5).tolist() == pytest.approx([w / mean for w in raw])
    assert rebalanced(share, 1.0).tolist() == pytest.approx([1.0] * 4)


def test_the_accuracy_is_the_mean_over_bins():
    bins, right = torch.tensor([0, 0, 0, 2]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert by_bin(right, bins, torch.tensor([3.0, 0.0, 1.0, 0.0])).item() == pytest.approx((2 / 3 + 0) / 2)


def test_one_channel_is_shown_and_another_asked_for():
    levels = torch.tensor([0.1, 0.4, 0.9]).view(1, 1, 3, 1, 1).expand(60, 1, 3, 16, 16)
    batch = game().views(levels, CPU.generator(0), 0.0)
    shown = batch["crop"][:, 0, 0, 0]
    asked = levels[0, 0, :, 0, 0][batch["asked"]]
    assert batch["crop"].shape == (60, 1, 16, 16)
    assert (shown != asked).all()
    assert len({(float(a), float(b)) for a, b in zip(shown, asked, strict=True)}) == 6
    assert torch.equal(batch["bins"][:, 0, 0], (asked * 4).long())


def test_the_loss_by_hand():
    rules = game()
    torch.nn.init.zeros_(rules.guess[-1].weight)
    with torch.no_grad():
        rules.guess[-1].bias.copy_(torch.arange(16.0) / 4)
    bins = torch.zeros(1, 8, 8, dtype=torch.long)
    bins[0, 0, 0] = 3
    batch = {"crop": torch.zeros(1, 1, 16, 16), "asked": torch.tensor([1]), "bins": bins}
    logits = [n / 4 for n in range(4, 8)]
    total = math.log(sum(math.exp(x) for x in logits))
    share = [63 / 64, 0, 0, 1 / 64]
    weight = [1 / (0.5 * p + 0.125) for p in share]
    surprise = [total - x for x in logits]
    by_hand = sum(share[k] * weight[k] * surprise[k] for k in (0, 3)) / sum(share[k] * weight[k] for k in (0, 3))
    told = rules.loss(lambda crops: torch.zeros(1, 8, 16, 16), batch)
    assert told.total.item() == pytest.approx(by_hand, rel=1e-5)
