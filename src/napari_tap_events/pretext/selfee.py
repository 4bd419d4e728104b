"""Selfee: two views of one live frame, the frames t - d, t, t + d together, are to be described alike.

Jia et al. 2022 (eLife 11:e76218, figure 2): SimSiam (Chen, He 2021, arXiv 2011.10566) on live frames, plus a loss between groups (CLD:
Wang et al. 2021, arXiv 2008.03813), without which it fails on footage of little variety. In the paper the three frames are the colour
channels of one image; here the encoder reads single frames, so each frame goes through it and the head joins their maps. Turbo, the
false colour of the paper, gives its three channels three lookups: on grey frames, one for each of the three frames.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pooled
from napari_tap_events.pretext._turning import mirrored, resampled, uniform
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import SelfeeSettings
from napari_tap_events.settings.games import GAMES

SIDES = (0.7, 1.0)
TURN = math.pi / 4
"""Between the diagonal and the vertical of a square."""
LIGHT = 0.1
HIDDEN, NARROW, GROUP = 512, 128, 128
TEMPERATURE, ITERATIONS = 0.07, 10
TURBO = (
    (0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943),
    (0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604),
    (0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973),
)
"""Polynomials of the Turbo colour map, red, green, blue (Mikhailov, Du 2019)."""


class Selfee(Game):
    """The rules of `selfee`."""

    facts = GAMES["selfee"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(SelfeeSettings, own)
        self.join = nn.Conv2d(3 * self.features, self.features, 1)
        self.project = nn.Sequential(
            *_normed(3 * self.features, HIDDEN), *_normed(HIDDEN, HIDDEN), *_normed(HIDDEN, HIDDEN)[:2]
        )
        self.predict = nn.Sequential(*_normed(HIDDEN, NARROW), nn.Linear(NARROW, HIDDEN))
        self.group = nn.Linear(3 * self.features, GROUP)

    def sample(self) -> Sample:
        """Three frames, seen twice, with room to turn."""
        d = self.own.delta
        return Sample(((0, d, 2 * d),), math.ceil(self.patch_px * math.sqrt(2)) + 2, 6 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show the three frames twice, (B, 2, 3, C, P, P), all three alike in each view."""
        return {"views": torch.stack([self._view(windows, generator, strength) for _ in range(2)], 1)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the loss of SimSiam plus the weighted one between groups."""
        z = encode(batch["views"])
        joined = self.join(z.flatten(2, 3).flatten(0, 1))
        described = pooled(joined)
        vectors = self.project(described)
        first, second = vectors.unflatten(0, z.shape[:2]).unbind(1)
        guess_first, guess_second = self.predict(vectors).unflatten(0, z.shape[:2]).unbind(1)
        alike = simsiam(guess_first, second) + simsiam(guess_second, first)
        groups = F.normalize(self.group(described), dim=1).unflatten(0, z.shape[:2])
        between = cld(groups[:, 0], groups[:, 1], self.own.groups)
        unit = F.normalize(vectors.detach(), dim=1)
        return Loss(
            2 + alike + self.own.group_weight * between,
            {"simsiam": 2 + alike.detach(), "groups": between.detach(), "spread": unit.std(0).mean() * math.sqrt(HIDDEN)},
        )

    def _view(self, windows: Tensor, generator: torch.Generator, strength: float) -> Tensor:
        count, frames = windows.shape[:2]
        scale = torch.stack([uniform(generator, count, *SIDES) for _ in range(2)], 1)
        angle = uniform(generator, count, -TURN, TURN)
        shift = (torch.rand(count, 2, generator=generator, device=windows.device) - 0.5) * (1 - scale) * self.patch_px
        each = (one.repeat_interleave(frames, 0) for one in (angle, scale, shift))
        crops = resampled(mirrored(windows, generator).flatten(0, 1), self.patch_px, *each).unflatten(0, (count, frames))
        false = torch.rand(count, generator=generator, device=windows.device) < self.own.turbo * (strength > 0)
        crops = torch.where(false.view(-1, 1, 1, 1, 1), turbo(crops), crops)
        gain, offset = (uniform(generator, count, -LIGHT, LIGHT).view(-1, 1, 1, 1, 1) * (strength > 0) for _ in range(2))
        mean = crops.mean((1, 2, 3, 4), keepdim=True)
        return (crops - mean) * (1 + gain) + mean * (1 + offset)


def turbo(frames: Tensor) -> Tensor:
    """Show three frames (B, 3, ...) of grey values 0..1 through the red, green and blue of the Turbo map, one each."""
    grey = frames.clamp(0, 1)
    powers = torch.stack([grey**n for n in range(6)], -1)
    weights = torch.tensor(TURBO, device=frames.device).view(1, 3, *[1] * (frames.ndim - 2), 6)
    return (powers * weights).sum(-1).clamp(0, 1)


def simsiam(guess: Tensor, other: Tensor) -> Tensor:
    """Return minus the cosine between guesses and the other view's vectors, which get no gradient."""
    return -F.cosine_similarity(guess, other.detach(), dim=1).mean()


def cld(first: Tensor, second: Tensor, groups: int) -> Tensor:
    """Return the loss between groups (CLD, equation 3): each view is to be in the cluster that the other view is in.

    Parameters
    ----------
    first, second : (B, D)
        Unit vectors of the two views.
    groups : int
        Clusters; at most B / 2.
    """
    count = max(2, min(groups, len(first) // 2))
    (centres_1, labels_1), (centres_2, labels_2) = k_means(first, count), k_means(second, count)
    one = F.cross_entropy(first @ centres_2.T / TEMPERATURE, labels_2)
    other = F.cross_entropy(second @ centres_1.T / TEMPERATURE, labels_1)
    return (one + other) / 2


def k_means(vectors: Tensor, count: int, iterations: int = ITERATIONS) -> tuple[Tensor, Tensor]:
    """Cluster unit vectors (B, D) by cosine; begin with the first ones. Return centres (K, D), unit, and labels (B,); no gradient."""
    vectors = vectors.detach()
    centres = vectors[:count].clone()
    for _ in range(iterations):
        labels = (vectors @ centres.T).argmax(1)
        sums = torch.zeros_like(centres).index_add_(0, labels, vectors)
        empty = torch.bincount(labels, minlength=count) == 0
        centres = torch.where(empty[:, None], centres, F.normalize(sums, dim=1))
    return centres, (vectors @ centres.T).argmax(1)


def _normed(before: int, after: int) -> tuple[nn.Module, ...]:
    return nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU()
