"""Movies larger than the device: blocks take turns, none is left out, and nothing else than the step decides which."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.pretext._stream import AT_ONCE, STEPS, Blocks, LargeMovie, frames_at_a_time, samplers_of
from napari_tap_events.pretext._views import PairSampler, device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import PretrainSettings

CPU = Compute(torch.device("cpu"))


@pytest.fixture
def movie() -> Movie:
    return movie_from_array(np.random.default_rng(0).integers(0, 255, (23, 40, 40), dtype=np.uint8), "noise")


def large(movie: Movie, block: int = 6, deltas: tuple[int, ...] = (1,)) -> LargeMovie:
    return LargeMovie(movie, range(movie.n_frames), deltas, CPU.device, block)


@pytest.mark.parametrize("deltas", [(1,), (1, 3)])
@pytest.mark.parametrize("block", [7, 10, 22])
def test_every_pair_of_frames_lies_in_a_block(movie, deltas, block):
    whole = large(movie, block, deltas)
    held = {(t, t + d) for part in whole.blocks for d in deltas for t in part[:-d]}
    assert held == {(t, t + d) for d in deltas for t in range(movie.n_frames - d)}
    assert len(held) == len(whole.pairs)
    assert max(len(part) for part in whole.blocks) <= block
    assert all(b.start < a.stop for a, b in pairwise(whole.blocks))


def test_every_block_has_its_turn_before_any_has_another(movie):
    blocks = Blocks(large(movie), lambda part: PairSampler(part, 0.0, 0.0), 3)
    turns = [blocks.block_of(turn) for turn in range(15)]
    assert [sorted(turns[i : i + 5]) for i in (0, 5, 10)] == [list(range(5))] * 3
    assert turns[:5] != turns[5:10] or turns[5:10] != turns[10:]


def test_two_blocks_are_held_and_the_next_is_begun_ahead_of_use(movie):
    brought = []

    class Watched(LargeMovie):
        def load(self, number: int):
            brought.append(number)
            return super().load(number)

    whole = Watched(movie, range(23), (1,), CPU.device, 6)
    blocks = Blocks(whole, lambda part: PairSampler(part, 0.0, 0.0), 0)
    for step in range(3 * STEPS):
        sampler = blocks.at(step)
        assert len(sampler.movie.frames) <= 6
        assert len(blocks._made) == AT_ONCE
    for made in blocks._made.values():
        made.result()
    assert brought == [blocks.block_of(turn) for turn in range(4)]


def test_a_run_that_goes_on_in_the_middle_draws_what_one_from_the_beginning_draws(movie):
    settings = PretrainSettings(preset="unet8", patch_px=16, batch=4, val_pairs=8)
    torch.manual_seed(0)
    model = ArrowEncoder(1, settings).eval()
    first, second = (TimeArrow(model, [large(movie)], [], settings, CPU) for _ in range(2))
    for step in (0, STEPS, 2 * STEPS + 1):
        early = first.loss(step)[0]
    with torch.no_grad():
        assert float(second.loss(2 * STEPS + 1)[0]) == pytest.approx(float(early.detach()), abs=1e-6)


def test_what_fits_is_held_as_a_whole(movie):
    one = 40 * 40
    assert frames_at_a_time(movie, range(23), (1,), 23 * one) == 23
    assert frames_at_a_time(movie, range(23), (1,), 22 * one) == 11
    assert frames_at_a_time(movie, range(23), (1, 4), 1) == 9
    whole = device_movie(movie, range(23), (1,), CPU.device)
    assert samplers_of(whole, 0.0, 0.0, 0).at(5).movie is whole


def test_blocks_can_be_copied(movie):
    blocks = Blocks(large(movie), PairSamplers(), 0)
    blocks.at(0)
    assert copy.deepcopy(blocks).block_of(3) == blocks.block_of(3)


class PairSamplers:
    def __call__(self, part):
        return PairSampler(part, 0.0, 0.0)
