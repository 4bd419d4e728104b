"""The games `selfee`, `count`, `weak` and `deep_clusters`: their losses by hand, and what their parts promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._teacher import Teacher
from napari_tap_events.pretext.count import adds_up
from napari_tap_events.pretext.deep_clusters import _without_empty, clusters, whitening
from napari_tap_events.pretext.selfee import TURBO, Selfee, cld, k_means, simsiam, turbo
from napari_tap_events.pretext.weak import Weak, both_alike, bursts
from napari_tap_events.settings.game_settings import SelfeeSettings, WeakSettings

from .arena import CPU, learner, lively, settings


def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(1, settings("any"))


def test_simsiam_by_hand_and_the_other_view_gets_no_gradient():
    guess, other = torch.tensor([[3.0, 4.0]]).requires_grad_(), torch.tensor([[1.0, 0.0]]).requires_grad_()
    loss = simsiam(guess, other)
    assert loss.item() == pytest.approx(-0.6)
    loss.backward()
    assert guess.grad is not None
    assert other.grad is None


def test_the_loss_between_groups_by_hand():
    """Two clusters, cleanly apart in both views: each vector against the centres of the other view, at temperature 0.07."""
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    second = F.normalize(torch.tensor([[1.0, 0.2], [0.2, 1.0], [1.0, 0.2], [0.2, 1.0]]), dim=1)
    own, cross = float(first[0] @ second[0]), float(first[0] @ second[1])
    by_hand = math.log(1 + math.exp((cross - own) / 0.07))
    assert cld(first, second, 2).item() == pytest.approx(by_hand, rel=1e-2)
    assert cld(first, second.flip(0), 2).item() > 5


def test_k_means_finds_what_is_apart():
    torch.manual_seed(0)
    ends = F.normalize(torch.randn(3, 16), dim=1)
    vectors = F.normalize(ends.repeat(10, 1) + 0.05 * torch.randn(30, 16), dim=1)
    centres, labels = k_means(vectors, 3)
    assert all(len(labels[n::3].unique()) == 1 for n in range(3))
    assert torch.allclose(centres.norm(dim=1), torch.ones(3))


def test_turbo_is_the_published_map():
    """The three frames of a view are its red, green and blue."""
    colormaps = pytest.importorskip("matplotlib").colormaps
    grey = torch.linspace(0, 1, 50)
    seen = turbo(grey.view(1, 1, -1).expand(1, 3, -1))[0].T
    away = np.abs(seen.numpy() - colormaps["turbo"](grey.numpy())[:, :3])
    assert away.max() < 0.13, "the polynomials are farthest away at the ends"
    assert away.mean() < 0.03
    assert len(TURBO) == 3


def test_without_a_turn_of_the_light_both_views_show_the_same_grey_values():
    game = Selfee(settings("selfee"), SelfeeSettings(turbo=1.0), encoder())
    windows = torch.full((4, 3, 1, 26, 26), 0.4)
    assert torch.allclose(game.views(windows, CPU.generator(0), 0.0)["views"], torch.tensor(0.4))
    assert not torch.allclose(game.views(windows, CPU.generator(0), 1.0)["views"], torch.tensor(0.4))


def test_counts_that_add_up_cost_nothing_and_those_of_another_crop_must_differ():
    whole, parts = torch.tensor([[1.0, 2.0], [4.0, 0.0]]), torch.tensor([[1.0, 2.0], [4.0, 1.0]])
    own = [0.0, 1.0]
    other = [(4 - 1) ** 2 + (0 - 2) ** 2, (1 - 4) ** 2 + (2 - 1) ** 2]
    by_hand = sum(a + max(0, 12 - b) for a, b in zip(own, other, strict=True)) / 2
    told = adds_up(whole, parts, 12.0)
    assert told.total.item() == pytest.approx(by_hand)
    assert float(told.metrics["accuracy"]) == 1.0
    assert float(adds_up(whole[:1], parts[:1], 12.0).metrics["accuracy"]) == 0.5


def test_a_burst_is_found_and_noise_is_not():
    noise = 0.02 * torch.randn(2, 2, 1, 32, 32, generator=CPU.generator(0))
    noise[0, 1, 0, 10:16, 10:16] += 0.6
    found = bursts(noise[:, 0], noise[:, 1], 0.05)
    assert found[0, 0, 11:15, 11:15].all()
    assert found[0].sum() <= 0.06 * 32 * 32
    assert found[1].float().mean() < 0.005


def test_the_detector_is_trusted_less_in_the_second_half():
    """Soft bootstrapping: the target of a pixel is (1 - w) burst + w own opinion."""
    game = Weak(settings("weak", steps=10), WeakSettings(own_opinion=0.4), encoder())
    torch.nn.init.zeros_(game.find[-1].weight)
    torch.nn.init.constant_(game.find[-1].bias, 1.5)
    burst = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    burst[..., :4, :4] = True
    batch = {"crops": torch.zeros(1, 2, 1, 16, 16), "burst": burst}
    for step, weight in ((4, 0.0), (5, 0.4)):
        game.before_step(encoder(), None, step)
        told = game.loss(lambda crops: torch.zeros(1, 2, 8, 16, 16), batch).total.item()
        p = 1 / (1 + math.exp(-1.5))
        sides = [(1 - weight) * value + weight * p for value in (1.0, 0.0)]
        by_hand = sum(-t * math.log(p) - (1 - t) * math.log(1 - p) for t in sides) / 2
        assert told == pytest.approx(by_hand, rel=1e-5)


def test_both_sorts_of_pixels_weigh_alike():
    values, there = torch.tensor([1.0, 2.0, 2.0, 2.0]), torch.tensor([True, False, False, False])
    assert both_alike(values, there).item() == pytest.approx(1.5)
    assert both_alike(values, torch.zeros(4, dtype=torch.bool)).item() == pytest.approx(1.75)


def test_whitened_vectors_are_uncorrelated_and_of_variance_one():
    vectors = torch.tensor(np.random.default_rng(0).normal(size=(500, 3)) @ [[2, 1, 0], [0, 1, 0.5], [0, 0, 0.3]])
    centred = vectors - vectors.mean(0)
    np.testing.assert_allclose(np.cov((centred @ whitening(centred)).T.numpy()), np.eye(3), atol=0.02)


def test_an_empty_cluster_takes_half_of_another():
    labels = _without_empty(torch.zeros(10, dtype=torch.long), 3, CPU.generator(0))
    assert torch.bincount(labels, minlength=3).min() >= 2
    centres, sizes = clusters(F.normalize(torch.randn(40, 4), dim=1), 5, CPU.generator(1))
    assert sizes.min() > 0
    assert int(sizes.sum()) == 40
    assert torch.allclose(centres.norm(dim=1), torch.ones(5), atol=1e-5)


def test_the_loss_of_the_clusters_by_hand():
    """A flat map is described by (1, 1, 0), one with a peak by (0, 1, 2/3); the first centre holds three times as many as the second."""
    game = learner("deep_clusters", lively()).game
    game.teacher, game.mean, game.whitening = torch.nn.Identity(), torch.zeros(3), torch.eye(3)
    game.centres, game.sizes = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), torch.tensor([3.0, 1.0])
    flat, peak = torch.ones(1, 2, 2), torch.tensor([[[1.0, -1 / 3], [-1 / 3, -1 / 3]]])
    plain = torch.stack([flat, peak])
    shown = torch.stack([torch.stack([flat, flat]), torch.stack([peak, flat])])  # the second place has changed a frame later
    loss = game.loss(lambda crops: crops, {"crops": shown, "plain": plain})
    of_flat, of_peak = 1 / math.sqrt(2) / 0.1, (2 / 3) / math.sqrt(1 + 4 / 9) / 0.1
    missed = [math.log(1 + math.exp(-of_flat))] * 2 + [
        math.log(1 + math.exp(-of_peak)),
        of_flat + math.log(1 + math.exp(-of_flat)),
    ]
    weights = [1 / 3, 1 / 3, 1, 1]
    by_hand = sum(w * m for w, m in zip(weights, missed, strict=True)) / sum(weights)
    assert loss.total.item() == pytest.approx(by_hand, rel=1e-4)
    assert loss.metrics["accuracy"].item() == pytest.approx((1 / 3 + 1 / 3 + 1) / sum(weights))


def test_clusters_are_made_anew_at_the_start_of_an_epoch_alone():
    task = learner(
        "deep_clusters",
        lively(),
        batch=8,
        pairs_per_epoch=16,
        game_settings=("deep_clusters.crops=32", "deep_clusters.clusters=4"),
    )
    seen = []
    for step in range(4):
        task.loss(step)
        seen.append(task.game.centres.clone())
        with torch.no_grad():
            for weight in task.encoder.parameters():
                weight.mul_(1.5)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])
    assert torch.equal(seen[2], seen[3])


def test_a_teacher_follows_and_is_never_taught():
    taught = encoder()
    teacher = Teacher(taught).train()
    before = teacher.encoder.unet.out.weight.clone()
    with torch.no_grad():
        taught.unet.out.weight.add_(1.0)
    teacher.follow(taught, 0.75)
    torch.testing.assert_close(teacher.encoder.unet.out.weight, before + 0.25)
    assert not any(module.training for module in teacher.modules())
    assert not any(weight.requires_grad for weight in teacher.parameters())
