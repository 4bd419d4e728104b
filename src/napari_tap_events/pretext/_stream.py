"""Movies larger than the memory of the device: a block of frames at a time lies there, and the next one is brought ahead of use.

Which block a step learns from follows from the seed and the step alone, so a run that was stopped and resumed sees what one that was not
would have seen. Every block comes once, in a new order, before any comes again; neighbours share frames, so no pair of frames is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from napari_tap_events.movies.movie import Movie
from napari_tap_events.pretext._views import DeviceMovie, PairSampler, device_movie

STEPS = 40
"""Steps that learn from a block before the next one takes its place."""
AT_ONCE = 2
"""Blocks that are held: the one in use, and the next."""


@dataclass(frozen=True)
class LargeMovie:
    """Frames of a movie that do not go onto the device together.

    Attributes
    ----------
    movie : Movie
    frames : range
    deltas : sequence of int
        Distances of the frames of a pair.
    device : torch.device
    block : int
        Frames that are brought at a time; more than the greatest distance.
    """

    movie: Movie
    frames: range
    deltas: Sequence[int]
    device: torch.device
    block: int

    @property
    def pairs(self) -> range:
        """As many numbers as there are pairs of frames."""
        return range(sum(max(0, len(self.frames) - delta) for delta in self.deltas))

    @property
    def blocks(self) -> list[range]:
        """The frames of each block, all as many; neighbours share as many as the greatest distance, the last two mostly more."""
        apart = max(self.deltas)
        starts = range(self.frames.start, self.frames.stop - apart, self.block - apart)
        last = max(self.frames.start, self.frames.stop - self.block)
        return [range(min(start, last), min(start + self.block, self.frames.stop)) for start in starts]

    def load(self, number: int) -> DeviceMovie:
        """Bring a block to the device."""
        return device_movie(self.movie, self.blocks[number], self.deltas, self.device)


def frames_at_a_time(movie: Movie, frames: range, deltas: Sequence[int], nbytes: int) -> int:
    """Return how many frames may lie on the device at a time, so that two blocks take no more than so many bytes; all where they fit."""
    one = movie.dtype.itemsize * movie.n_channels * movie.height * movie.width
    if len(frames) * one <= nbytes:
        return len(frames)
    return min(len(frames), max(2 * max(deltas) + 1, nbytes // (AT_ONCE * one)))


class Blocks:
    """The samplers of a large movie, block by block.

    Parameters
    ----------
    large : LargeMovie
    sampler : callable
        Makes a sampler of a block.
    seed : int
    """

    def __init__(self, large: LargeMovie, sampler: Callable[[DeviceMovie], PairSampler], seed: int) -> None:
        self.large, self.seed, self._sampler = large, seed, sampler
        self._count = len(large.blocks)
        self._made: dict[int, Future[PairSampler]] = {}
        self._maker: ThreadPoolExecutor | None = None

    def at(self, step: int) -> PairSampler:
        """Return the sampler that a step draws from, and begin to bring the block after it."""
        turn = step // STEPS
        for number in [number for number in self._made if number < turn]:
            del self._made[number]
        for number in (turn, turn + 1):
            if number not in self._made:
                self._maker = self._maker or ThreadPoolExecutor(1, "blocks")
                self._made[number] = self._maker.submit(self._make, number)
        return self._made[turn].result()

    def block_of(self, turn: int) -> int:
        """Return which block has a turn: all once, in an order of their own, then all again."""
        round_, place = divmod(turn, self._count)
        return int(np.random.default_rng((self.seed, 13, round_)).permutation(self._count)[place])

    def _make(self, turn: int) -> PairSampler:
        return self._sampler(self.large.load(self.block_of(turn)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}, "_maker": None}


@dataclass(frozen=True)
class Always:
    """The sampler of a movie that lies on the device as a whole."""

    sampler: PairSampler

    def at(self, _step: int) -> PairSampler:
        """Return it."""
        return self.sampler


def samplers_of(movie: DeviceMovie | LargeMovie, motion_share: float, blur_px: float, seed: int) -> Always | Blocks:
    """Return what gives the sampler of a movie for every step."""

    def make(part: DeviceMovie) -> PairSampler:
        return PairSampler(part, motion_share, blur_px)

    return Blocks(movie, make, seed) if isinstance(movie, LargeMovie) else Always(make(movie))
