"""The games `masked`, `future` and `motionmask`: their losses and targets by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.future import Future
from napari_tap_events.pretext.masked import LEAST_SPREAD, Masked, hidden_blocks, hidden_l1
from napari_tap_events.pretext.motionmask import Motionmask, changes
from napari_tap_events.settings.game_settings import MaskedSettings, MotionmaskSettings, NoSettings

from .arena import CPU, settings


def rules(kind, own):
    torch.manual_seed(0)
    return kind(settings("any", augmentation=0), own, Encoder(1, settings("any")))


def no_features(crops: torch.Tensor) -> torch.Tensor:
    return torch.zeros(*crops.shape[:-3], 8, *crops.shape[-2:])


def test_the_loss_of_hidden_pixels_by_hand():
    rng = np.random.default_rng(0)
    guess, whole = rng.random((2, 2, 1, 4, 4))
    whole[1, 0, :2, :2] = 0.5
    hidden = np.zeros((2, 1, 4, 4), bool)
    hidden[0, 0, :2, 2:] = hidden[1, 0, :2, :2] = True
    one = np.abs(guess - whole)[0, 0, :2, 2:] / whole[0, 0, :2, 2:].std()
    flat = np.abs(guess - whole)[1, 0, :2, :2] / LEAST_SPREAD
    ours = hidden_l1(*(torch.tensor(x) for x in (guess, whole, hidden)), 2)
    assert float(ours) == pytest.approx((one.sum() + flat.sum()) / 8, rel=1e-6)


def test_the_share_of_blocks_is_hidden_whole():
    hidden = hidden_blocks(20, 20, 8, 0.75, CPU.generator(0))
    assert hidden.shape == (20, 1, 20, 20)
    corners = hidden[:, 0, ::8, ::8]
    assert (corners.sum((1, 2)) == 7).all()
    assert torch.equal(hidden, corners.repeat_interleave(8, 1).repeat_interleave(8, 2)[:, None, :20, :20])
    for share in (0.05, 0.95):
        few = hidden_blocks(4, 16, 8, share, CPU.generator(1))
        assert few.any((1, 2, 3)).all()
        assert not few.all(-1).all(-1).any()


def test_what_is_hidden_is_not_shown():
    game = rules(Masked, MaskedSettings(hidden=0.5))
    windows = torch.rand(4, 2, 1, 16, 16)
    batch = game.views(windows, CPU.generator(0), 0.0)
    hidden = batch["hidden"]
    changed = {**batch, "whole": torch.where(hidden, torch.rand(1), batch["whole"])}
    assert torch.equal(batch["seen"][~hidden], batch["whole"][~hidden])
    assert batch["seen"][0][hidden[0]].unique().numel() == 1
    assert game.loss(no_features, changed).total != game.loss(no_features, batch).total


@pytest.mark.parametrize(("kind", "own", "frames"), [(Masked, MaskedSettings(), 2), (Future, NoSettings(), 4)])
def test_at_first_the_frame_before_is_copied(kind, own, frames):
    game = rules(kind, own)
    told = game.loss(no_features, game.views(torch.rand(4, frames, 1, 16, 16), CPU.generator(0), 0.0))
    assert float(told.metrics["against_copying"]) == pytest.approx(1, abs=0.02)


def test_the_loss_of_the_next_frame_by_hand():
    game = rules(Future, NoSettings())
    windows = torch.arange(4.0).square().view(1, 4, 1, 1, 1).expand(2, 4, 1, 16, 16)
    torch.nn.init.zeros_(game.foresee[-1].weight)
    torch.nn.init.constant_(game.foresee[-1].bias, 4.5)
    told = game.loss(no_features, game.views(windows, CPU.generator(0), 0.0))
    assert told.total.item() == pytest.approx(abs(4 + 4.5 - 9), abs=1e-6)
    assert float(told.metrics["against_copying"]) == pytest.approx(0.5 / 5, abs=1e-6)


def test_what_changes_is_marked_and_noise_is_not():
    first = torch.full((2, 1, 32, 32), 0.2) + 0.01 * torch.randn(2, 1, 32, 32, generator=CPU.generator(0))
    second = torch.full((2, 1, 32, 32), 0.2) + 0.01 * torch.randn(2, 1, 32, 32, generator=CPU.generator(1))
    second[0, 0, 8:16, 8:16] += 0.5
    marked = changes(first, second, 0.05)
    assert marked[0, 0, 9:15, 9:15].float().mean() > 0.9
    assert marked[0].sum() < 90
    assert marked[1].float().mean() < 0.02


def test_pixels_that_change_weigh_as_much_as_all_others():
    game = rules(Motionmask, MotionmaskSettings())
    changing = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    changing[..., :2, :2] = True
    torch.nn.init.zeros_(game.mark[-1].weight)
    torch.nn.init.constant_(game.mark[-1].bias, 2.0)
    told = game.loss(no_features, {"crop": torch.zeros(1, 1, 16, 16), "changing": changing})
    by_hand = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(2.0))) / 2
    assert told.total.item() == pytest.approx(by_hand, rel=1e-5)
    assert float(told.metrics["accuracy"]) == 0.5
