"""Exemplar: two views of one crop, shifted, scaled, turned and lit apart; find the partner among those of other crops.

Dosovitskiy et al. 2014 (arXiv 1406.6909; the ranges of its section 3.1), with one class for each crop of a batch in place of a fixed list:
instance discrimination by NT-Xent (Chen et al. 2020, equation 1). How far the light differs goes by `augmentation`: at 1 as published,
and takes many steps to see through. Crops are drawn where gradients are strong, out of twice as many.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import layered, nt_xent, pooled
from napari_tap_events.pretext._turning import mirrored, resampled, uniform
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import ExemplarSettings
from napari_tap_events.settings.games import GAMES

SHIFT, SCALES, TURN = 0.2, (0.7, 1.4), math.radians(20)
POWERS, GAINS, OFFSET = (0.25, 4.0), (0.7, 1.4), 0.1
HIDDEN, SIZE = 128, 64
RICH = 2
"""So many crops are drawn for each that is kept: the one with the strongest gradients."""


class Exemplar(Game):
    """The rules of `exemplar`."""

    facts = GAMES["exemplar"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(ExemplarSettings, own)
        self.project = layered(3 * self.features, HIDDEN, SIZE)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses among the other views of a group."""
        return 1 / (2 * self.own.group - 1)

    def sample(self) -> Sample:
        """One frame, with room to turn, to shrink and to shift; of two places one is kept, and seen twice."""
        reach = self.patch_px * (SCALES[1] * (math.cos(TURN) + math.sin(TURN)) + 2 * SHIFT)
        return Sample(((0,),), math.ceil(reach) + 2, self.patch_px**2 * 2 // RICH, RICH * self.own.group)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Keep the richer one of two, and show it twice."""
        rich = richer(windows[:, 0], self.patch_px)
        once = mirrored(rich, generator)
        return {"crops": torch.stack([self._view(once, generator) for _ in range(2)], 1)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the loss of finding partners."""
        vectors = self.project(pooled(encode(batch["crops"])))
        group = torch.arange(len(vectors), device=vectors.device) // self.own.group
        loss, found = nt_xent(torch.cat(vectors.unbind(1)), group, self.own.temperature)
        return Loss(loss, {"accuracy": found})

    def _view(self, windows: Tensor, generator: torch.Generator) -> Tensor:
        count = len(windows)
        angle = uniform(generator, count, -TURN, TURN)
        scale = uniform(generator, count, *map(math.log, SCALES)).exp()
        shift = torch.stack([uniform(generator, count, -SHIFT, SHIFT) for _ in range(2)], 1) * self.patch_px
        crops = resampled(windows, self.patch_px, angle, scale, shift)
        light = self.settings.augmentation  # held-out views, too: that the light differs is part of the game
        power, gain = ((light * uniform(generator, count, *map(math.log, e))).exp().view(-1, 1, 1, 1) for e in (POWERS, GAINS))
        bent = crops.sign() * crops.abs().clamp(1e-6, 8) ** power
        return bent * gain + light * uniform(generator, count, -OFFSET, OFFSET).view(-1, 1, 1, 1)


def richer(windows: Tensor, side: int) -> Tensor:
    """Keep of each two successive windows (2 N, C, w, w) the one whose middle has the stronger gradients."""
    start = (windows.shape[-1] - side) // 2
    seen = windows[..., start : start + side, start : start + side]
    strength = (seen.diff(dim=-1).abs().mean((1, 2, 3)) + seen.diff(dim=-2).abs().mean((1, 2, 3))).view(-1, RICH)
    best = strength.argmax(1) + RICH * torch.arange(len(strength), device=windows.device)
    return windows[best]
