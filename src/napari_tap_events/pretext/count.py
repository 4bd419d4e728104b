"""Count: numbers that add up. What is counted in a crop, seen at half its size, is the sum of what is counted in its four quarters.

Noroozi, Pirsiavash, Favaro 2017 (arXiv 1708.06734), equation 4: |n(half x) - sum n(quarters of x)|^2, plus a contrast term that keeps
the numbers from all being 0: those of another crop are to be farther away than a margin.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pooled
from napari_tap_events.pretext._turning import lit, mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import CountSettings
from napari_tap_events.settings.games import GAMES

QUARTERS = 4
HIDDEN = 64


class Count(Game):
    """The rules of `count`."""

    facts = GAMES["count"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(CountSettings, own)
        self.number = nn.Sequential(nn.Linear(3 * self.features, 64), nn.ReLU(), nn.Linear(64, self.own.counts), nn.Softplus())

    @property
    def chance(self) -> float:
        """How often the counts of the same crop are nearer than those of another one, for one who guesses."""
        return 0.5

    def sample(self) -> Sample:
        """One frame, two patches wide: four quarters and the whole go through the encoder."""
        return Sample(((0,),), 2 * self.patch_px, (QUARTERS + 1) * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show the crop at half its size, and its quarters."""
        window = lit(mirrored(windows[:, 0], generator), generator, strength)
        side = self.patch_px
        quarters = [window[..., y : y + side, x : x + side] for y in (0, side) for x in (0, side)]
        return {"crops": torch.stack([F.avg_pool2d(window, 2), *quarters], 1)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return how far the counts are from adding up, plus the contrast."""
        numbers = self.number(pooled(encode(batch["crops"])))
        return adds_up(numbers[:, 0], numbers[:, 1:].sum(1), self.own.margin)


def adds_up(whole: Tensor, parts: Tensor, margin: float) -> Loss:
    """Return the loss of counts (B, K) of wholes and of the sums of their parts; the next in the batch is the other crop."""
    own = (whole - parts).square().sum(1)
    other = (whole.roll(1, 0) - parts).square().sum(1)
    nearer = 0.5 * ((other - own).sign() + 1)
    return Loss((own + (margin - other).clamp(min=0)).mean(), {"accuracy": nearer.mean()})
