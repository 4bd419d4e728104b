"""Where crops lie: some successive frames of a place, drawn over movies, more often where something moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from napari_tap_events.errors import MovieError
from napari_tap_events.pretext._views import DeviceMovie, PairSampler


@dataclass(frozen=True)
class Places:
    """B places in movies.

    Attributes
    ----------
    movie : (B,) int64
        Which of the movies.
    frames : (B, S) int64
    centre : (B, 2) int64
        Row and column, pixels.
    """

    movie: Tensor
    frames: Tensor
    centre: Tensor

    def __getitem__(self, chosen: Tensor) -> Places:
        return Places(self.movie[chosen], self.frames[chosen], self.centre[chosen])


class Field:
    """Movies on which a game is played.

    Parameters
    ----------
    samplers : sequence of PairSampler
        One for each movie.
    weights : sequence of float
        How often each is drawn from.
    offsets : tuple of tuples of int
        Frames of one place, counted from the first.
    together : int
        So many places in a row have the same frames.

    Raises
    ------
    MovieError
        When no row of frames fits a movie.
    """

    def __init__(
        self, samplers: Sequence[PairSampler], weights: Sequence[float], offsets: tuple[tuple[int, ...], ...], together: int = 1
    ) -> None:
        self.samplers, self.weights, self.together = samplers, weights, together
        self.offsets = [_fitting(sampler.movie, offsets) for sampler in samplers]

    def places(self, count: int, generator: torch.Generator) -> Places:
        """Draw places, `count` a multiple of `together`; the frame pair in which something moves lies among their frames."""
        many = shares(self.weights, count // self.together, generator)
        parts = [self._of_movie(number, n * self.together, generator) for number, n in enumerate(many) if n]
        return Places(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))

    def windows(self, places: Places, size: int) -> Tensor:
        """Cut normalised windows (B, S, C, size, size) float32."""
        if len(self.samplers) == 1:
            return self.samplers[0].movie.windows(places.frames, places.centre, size)
        channels = self.samplers[0].movie.frames.shape[1]
        cut = torch.empty((*places.frames.shape, channels, size, size), device=places.frames.device)
        for number, sampler in enumerate(self.samplers):
            mine = (places.movie == number).nonzero()[:, 0]
            if len(mine):
                cut[mine] = sampler.movie.windows(places.frames[mine], places.centre[mine], size)
        return cut

    def _of_movie(self, number: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        sampler, offsets = self.samplers[number], self.offsets[number]
        pair, centre = sampler.draw(count, generator)
        u = torch.rand(2, count, generator=generator, device=pair.device)
        leader = torch.arange(count, device=pair.device) // self.together * self.together
        row = offsets[(u[0] * len(offsets)).long()[leader]]
        span = row[:, -1]
        back = (u[1][leader] * span).long()
        start = torch.minimum((pair[:, 0][leader] - back).clamp(min=0), len(sampler.movie.frames) - 1 - span)
        return torch.full((count,), number, device=pair.device), start[:, None] + row, centre


def _fitting(movie: DeviceMovie, offsets: tuple[tuple[int, ...], ...]) -> Tensor:
    there = len(movie.frames)
    fitting = [row for row in offsets if row[-1] < there]
    if not fitting:
        least = min(row[-1] for row in offsets) + 1
        raise MovieError(
            f"a run of {there} frames is too short for this game, which looks at {least} in a row; give longer --frames."
        )
    return torch.tensor(fitting, device=movie.frames.device)


def windows(
    samplers: Sequence[PairSampler], weights: Sequence[float], count: int, size: int, generator: torch.Generator
) -> Tensor:
    """Cut windows of frame pairs (B, 2, C, size, size), shared out over the movies by weight."""
    many = shares(weights, count, generator)
    parts = [s.movie.windows(*s.draw(n, generator), size) for s, n in zip(samplers, many, strict=True) if n]
    return torch.cat(parts)


def shares(weights: Sequence[float], count: int, generator: torch.Generator) -> list[int]:
    """Return how many of `count` places come from each movie, drawn by weight."""
    if len(weights) == 1:
        return [count]
    host = torch.Generator().manual_seed(generator.initial_seed())
    drawn = torch.multinomial(torch.tensor(weights, dtype=torch.float64), count, replacement=True, generator=host)
    return cast(list[int], torch.bincount(drawn, minlength=len(weights)).tolist())
