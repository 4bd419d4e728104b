"""Slowness: features that change as little as can be from frame to frame, kept from being all the same. A control: it erases events.

Slow feature analysis: Wiskott, Sejnowski 2002; the terms that keep features apart are the variance and covariance terms of VICReg: Bardes,
Ponce, LeCun 2022 (arXiv 2105.04906, equations 1 and 3).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import SlownessSettings
from napari_tap_events.settings.games import GAMES

TINY = 1e-4
COVARIANCE = 0.04
"""Weight of the covariance term against that of the variance, 1 to 25 as published."""
STRIDE = 4


class Slowness(Game):
    """The rules of `slowness`: no head, the features themselves are to be slow."""

    facts = GAMES["slowness"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(SlownessSettings, own)

    def sample(self) -> Sample:
        """Two frames of a place."""
        return Sample(tuple((0, delta) for delta in self.settings.deltas), self.augmented_window_px(), 2 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show both frames, bent and lit."""
        return {"crops": self.augmented(windows, generator, strength)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return how much features change, plus what keeps them apart."""
        z = encode(batch["crops"])
        coarse = torch.nn.functional.avg_pool2d(z.flatten(0, 1), STRIDE).unflatten(0, z.shape[:2])
        first, second = (side.permute(0, 2, 3, 1).flatten(0, 2) for side in coarse.unbind(1))
        fast = (first - second).square().mean()
        apart = sum((variance(side) + COVARIANCE * covariance(side) for side in (first, second)), first.new_zeros(()))
        return Loss(fast + self.own.spread * apart, {"speed": (fast / first.var(0).mean().clamp(min=TINY)).detach()})


def variance(vectors: Tensor) -> Tensor:
    """Return by how much the standard deviation of each column of (N, F) falls short of 1, on average."""
    return (1 - (vectors.var(0) + TINY).sqrt()).clamp(min=0).mean()


def covariance(vectors: Tensor) -> Tensor:
    """Return the sum of the squared covariances between columns of (N, F), over F."""
    centred = vectors - vectors.mean(0)
    matrix = centred.T @ centred / max(1, len(vectors) - 1)
    return (matrix.square().sum() - matrix.diagonal().square().sum()) / vectors.shape[1]
