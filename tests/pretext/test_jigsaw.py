"""The game `jigsaw`: tiles where they are said to be, permutations far apart, answers that follow the tiles."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.jigsaw import TILES, Jigsaw, far_permutations
from napari_tap_events.settings.game_settings import JigsawSettings

from .arena import CPU, settings


def game(**own) -> Jigsaw:
    torch.manual_seed(0)
    return Jigsaw(settings("jigsaw", patch_px=24), JigsawSettings(**own), Encoder(1, settings("jigsaw"))).eval()


def test_each_tile_comes_from_its_own_cell_with_a_gap():
    y, x = torch.meshgrid(torch.arange(72.0), torch.arange(72.0), indexing="ij")
    tiles = game()._tiles(torch.stack([y, x])[None].repeat(30, 1, 1, 1), CPU.generator(0))
    assert tiles.shape == (30, 9, 2, 20, 20)
    for number in range(TILES):
        row, column = divmod(number, 3)
        for axis, cell in ((0, row), (1, column)):
            place = tiles[:, number, axis] - 24 * cell
            assert 0 <= place.min() < place.max() < 24
            assert place[:, 0, 0].unique().numel() > 2


def test_tiles_are_normalised_each_by_itself_and_stand_where_the_target_says():
    windows = 5 + 3 * torch.rand(6, 1, 1, 72, 72, generator=CPU.generator(0))
    rules = game(tile_share=1.0)
    batch = rules.views(windows, CPU.generator(1), 0.0)
    assert batch["tiles"].mean((2, 3, 4)).abs().max() < 1e-4
    assert torch.equal(rules.permutations[batch["target"]], batch["slots"])
    assert batch["slots"].sort(1).values.tolist() == [list(range(9))] * 6


def test_permutations_are_all_different_and_far_apart():
    chosen = far_permutations(32)
    apart = (chosen[:, None] != chosen[None]).sum(2) + 9 * torch.eye(32, dtype=torch.long)
    assert apart.min() >= 7
    assert torch.equal(chosen, far_permutations(32))


def test_shuffling_the_tiles_shuffles_the_places_that_are_told():
    rules, z, order = game(), torch.randn(2, 9, 8, 20, 20), torch.randperm(9)
    plain, _ = rules.answers(z)
    shuffled, _ = rules.answers(z[:, order])
    torch.testing.assert_close(shuffled, plain[:, order], atol=1e-5, rtol=1e-5)


def test_the_loss_is_that_of_places_plus_that_of_the_permutation():
    rules, z = game().requires_grad_(False), torch.randn(2, 9, 8, 20, 20)
    slots, whole = (answer.softmax(-1) for answer in rules.answers(z))
    batch = {"tiles": z, "slots": rules.permutations[[3, 5]], "target": torch.tensor([3, 5])}
    by_hand = -sum(math.log(slots[b, n, batch["slots"][b, n]]) for b in range(2) for n in range(9)) / 18
    by_hand -= sum(math.log(whole[b, t]) for b, t in enumerate((3, 5))) / 2
    assert rules.loss(lambda crops: crops, batch).total.item() == pytest.approx(by_hand, rel=1e-5)
    assert F.one_hot(batch["slots"], 9).sum() == 18
