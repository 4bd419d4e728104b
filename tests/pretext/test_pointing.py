"""The games `clove` and `propagate`: partners by place, pointing, and walking home, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.clove import BIN_PX, Clove, compared
from napari_tap_events.pretext.propagate import (
    SHADES,
    Propagate,
    came_home,
    hidden_shade,
    in_reach,
    pointing,
    quantised,
    walk,
)
from napari_tap_events.settings.game_settings import CloveSettings, PropagateSettings

from .arena import CPU, settings


def rules(kind, own):
    torch.manual_seed(0)
    return kind(settings("any", patch_px=32), own, Encoder(1, settings("any")))


def test_the_loss_of_bins_by_hand():
    rng = np.random.default_rng(0)
    student, teacher = (vectors / np.linalg.norm(vectors, axis=2, keepdims=True) for vectors in rng.normal(size=(2, 1, 3, 4)))
    partners = np.array([[[True, False, False], [True, True, False], [False, False, False]]])
    alike = student[0] @ teacher[0].T
    first = -4 * alike[0, 0] + 2 * (alike[0, 1] + alike[0, 2]) / 2
    second = -4 * (alike[1, 0] + alike[1, 1]) / 2 + 2 * alike[1, 2]
    total, matched, guessed, many = compared(torch.tensor(student), torch.tensor(teacher), torch.tensor(partners))
    assert float(total) == pytest.approx(first + second)
    assert float(many) == 2
    assert float(guessed) == pytest.approx(1 / 3 + 2 / 3)
    assert float(matched) == float(alike[0].argmax() == 0) + float(alike[1].argmax() in (0, 1))


def test_only_the_nine_most_alike_are_pushed_away():
    student, teacher = torch.zeros(1, 1, 2), torch.zeros(1, 30, 2)
    student[..., 0] = 1
    teacher[..., 1] = 1
    teacher[0, 1:10] = torch.tensor([0.6, 0.8])
    teacher[0, 0] = torch.tensor([1.0, 0.0])
    partners = torch.zeros(1, 1, 30, dtype=torch.bool)
    partners[..., 0] = True
    assert float(compared(student, teacher, partners)[0]) == pytest.approx(-4 + 2 * 0.6)


def test_bins_know_where_they_are():
    """Of windows whose pixels say where they are, each bin's mean is its place."""
    game = rules(Clove, CloveSettings())
    size = game.sample().window_px
    line = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    windows = torch.stack(torch.meshgrid(line, line, indexing="ij")).view(1, 1, 2, size, size).expand(3, 2, -1, -1, -1)
    batch = game.views(windows, CPU.generator(0), 0.0)
    for number in range(4):
        pooled = F.avg_pool2d(batch[f"crop_{number}"], BIN_PX)
        torch.testing.assert_close(pooled, batch[f"place_{number}"], atol=1e-3, rtol=1e-3)
        assert batch[f"crop_{number}"].abs().max() <= size / 2
    assert batch["crop_0"].shape[-1] == 32
    assert batch["crop_2"].shape[-1] == 16


def test_the_teacher_stands_still_at_the_end():
    game, encoder = rules(Clove, CloveSettings(momentum=0.5)), Encoder(1, settings("any"))
    game.steps = 10
    game.before_step(encoder, None, 10)
    before = game.teacher.encoder.unet.out.weight.clone()
    game.before_step(encoder, None, 10)
    torch.testing.assert_close(game.teacher.encoder.unet.out.weight, before)
    game.before_step(encoder, None, 0)
    torch.testing.assert_close(game.teacher.encoder.unet.out.weight, (before + encoder.unet.out.weight) / 2)


def test_pointing_by_hand_within_reach():
    targets, sources = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    where = pointing(targets, sources, torch.tensor([[True, True, False]]), 0.5)[0, 0].tolist()
    assert where == pytest.approx([1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2)), 0])


def test_reach_is_in_pixels():
    near = in_reach(4, 4.0)
    assert near.sum(1).view(4, 4).tolist() == [[3, 4, 4, 3], [4, 5, 5, 4], [4, 5, 5, 4], [3, 4, 4, 3]]


def test_a_walk_by_hand_and_one_that_comes_home():
    everywhere = torch.ones(2, 2, dtype=torch.bool)
    apart = F.normalize(torch.eye(2).expand(1, 3, -1, -1), dim=3)
    ends = walk(apart, everywhere, 0.05)
    assert float(came_home(ends).metrics["accuracy"]) == 1.0
    assert came_home(ends).total.item() == pytest.approx(0, abs=1e-4)
    lost = walk(torch.ones(1, 3, 2, 2) / math.sqrt(2), everywhere, 0.05)
    assert torch.allclose(lost, torch.tensor(0.5))
    assert came_home(lost).total.item() == pytest.approx(math.log(2), abs=1e-4)


def test_shades_are_all_as_frequent():
    steps = quantised(torch.rand(2, 3, 8, 8, generator=CPU.generator(0)))
    assert all(torch.bincount(frame.flatten(), minlength=SHADES).tolist() == [4] * 16 for crop in steps for frame in crop)


def test_the_input_does_not_show_the_shade():
    """A brighter and a darker copy of one texture look the same, but for the bend and the inversion of each frame."""
    texture = torch.rand(1, 1, 1, 32, 32, generator=CPU.generator(0))
    both = torch.cat([0.3 * texture, 0.3 * texture + 0.6], 1)
    seen = hidden_shade(both.expand(200, -1, -1, -1, -1), CPU.generator(1))
    assert seen[:, 0].mean().item() == pytest.approx(seen[:, 1].mean().item(), abs=0.03)
    assert 0.4 < (seen[:, 0, 0, 4, 4] > 0.5).float().mean() < 0.6


def test_what_is_copied_from_the_right_place_is_right():
    """Frames that do not change, and features that tell every spot from every other: each spot points to itself."""
    game = rules(Propagate, PropagateSettings())
    windows = torch.rand(2, 1, 1, 32, 32, generator=CPU.generator(2)).expand(-1, 3, -1, -1, -1)
    batch = game.views(windows, CPU.generator(3), 0.0)
    spots = torch.eye(64).expand(2, 3, -1, -1)
    game.tokens = lambda z: spots
    told = game.loss(lambda crops: crops, batch)
    assert float(told.metrics["accuracy"]) == 1.0
    assert told.total.item() < 1e-3
