"""Crops turned and told apart: `relrot`, `exemplar`, `slowness`, and the turns themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._turning import disc, mirrored, quarter_turned, resampled
from napari_tap_events.pretext.exemplar import richer
from napari_tap_events.pretext.relrot import Relrot
from napari_tap_events.pretext.slowness import covariance, variance
from napari_tap_events.settings.game_settings import NoSettings

from .arena import CPU, settings


def relrot() -> Relrot:
    torch.manual_seed(0)
    return Relrot(settings("relrot", augmentation=0), NoSettings(), Encoder(1, settings("relrot")))


def test_turning_the_second_crop_once_more_shifts_the_answers_by_one():
    game, z = relrot(), torch.randn(3, 2, 8, 16, 16)
    turned = torch.stack([z[:, 0], z[:, 1].rot90(1, (-2, -1))], 1)
    torch.testing.assert_close(game.logits(turned), game.logits(z).roll(1, 1), atol=1e-5, rtol=1e-5)


def test_the_second_crop_is_the_first_turned_by_the_target():
    windows = torch.rand(12, 1, 1, 25, 25).expand(-1, 2, -1, -1, -1)
    batch = relrot().views(windows, CPU.generator(0), 0.0)
    first, second = batch["crops"].unbind(1)
    torch.testing.assert_close(quarter_turned(first, batch["target"]), second)
    assert len(batch["target"].unique()) == 4
    assert not first[..., 0, 0].any(), "corners are cut off: they would tell the free angle"


class Apart(torch.nn.Module):
    """Says that those go together which are least apart."""

    def forward(self, both):
        return -100 * both[..., 16:].sum(-1, keepdim=True)


def test_one_who_turns_back_is_right():
    game = relrot()
    game.judge = Apart()
    game.embed = torch.nn.Identity()
    windows = torch.rand(12, 1, 1, 25, 25).expand(-1, 2, -1, -1, -1)
    told = game.loss(lambda crops: crops, game.views(windows, CPU.generator(1), 0.0))
    assert float(told.metrics["accuracy"]) == 1.0


def test_resampling_without_a_turn_is_the_middle_and_a_half_turn_is_a_flip():
    windows = torch.rand(2, 1, 21, 21)
    torch.testing.assert_close(resampled(windows, 15, torch.zeros(2)), windows[..., 3:18, 3:18], atol=1e-5, rtol=1e-5)
    half = resampled(windows, 15, torch.full((2,), math.pi))
    torch.testing.assert_close(half, windows[..., 3:18, 3:18].flip(-1, -2), atol=1e-4, rtol=1e-4)
    shifted = resampled(windows, 15, torch.zeros(2), None, torch.tensor([[1.0, -2.0]] * 2))
    torch.testing.assert_close(shifted, windows[..., 4:19, 1:16], atol=1e-5, rtol=1e-5)


def test_all_eight_symmetries_are_drawn_and_frames_stay_together():
    windows = torch.rand(1, 2, 1, 6, 6).expand(400, -1, -1, -1, -1)
    seen = mirrored(windows, CPU.generator(0))
    kinds, counts = seen[:, 0].flatten(1).unique(dim=0, return_counts=True)
    assert len(kinds) == 8
    assert counts.min() > 25
    both = mirrored(windows[:, :1].expand(-1, 2, -1, -1, -1), CPU.generator(1))
    assert torch.equal(both[:, 0], both[:, 1])


def test_the_disc_is_the_largest_circle():
    assert disc(4, CPU.device).tolist() == [[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0]]


def test_of_two_crops_the_richer_one_is_kept():
    flat, edged = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    edged[:, :, 4:] = 1
    kept = richer(torch.stack([flat, edged, edged, flat]), 8)
    assert torch.equal(kept, torch.stack([edged, edged]))


def test_what_keeps_features_apart_by_hand():
    vectors = np.random.default_rng(0).normal(0, (0.5, 2, 1), (50, 3))
    vectors[:, 2] += vectors[:, 1]
    ours = torch.tensor(vectors)
    falls_short = np.maximum(0, 1 - np.sqrt(vectors.var(0, ddof=1) + 1e-4)).mean()
    matrix = np.cov(vectors.T)
    assert float(variance(ours)) == pytest.approx(falls_short, rel=1e-6)
    assert float(covariance(ours)) == pytest.approx((matrix**2).sum() / 3 - (np.diag(matrix) ** 2).sum() / 3, rel=1e-6)
