"""Relative rotation: two successive crops of a place, one of them turned by k more quarters than the other; which k?

Rotation prediction: Gidaris, Singh, Komodakis 2018 (RotNet, arXiv 1803.07728); of clips: Jing et al. 2018 (arXiv 1811.11387). By itself
it is ill-posed here, a dish has no "up"; against another frame it is not. Both crops are turned by the same free angle first, resampled
in the same way, and the quarters are exact, so that no trace of interpolation tells them apart; corners are cut off.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import accuracy, layered
from napari_tap_events.pretext._turning import disc, lit, mirrored, quarter_turned, resampled, uniform
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.games import GAMES

GRID = 4
"""Features are compared on a grid of 4 x 4 places."""
HIDDEN = 64


class Relrot(Game):
    """The rules of `relrot`."""

    facts = GAMES["relrot"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.judge = layered(2 * GRID * GRID, HIDDEN, 1)
        self.embed = torch.nn.Conv2d(self.features, self.features, 1)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses."""
        return 0.25

    def sample(self) -> Sample:
        """Two frames of a place, with room to turn."""
        return Sample(
            tuple((0, delta) for delta in self.settings.deltas),
            math.ceil(self.patch_px * math.sqrt(2)) + 2,
            2 * self.patch_px**2,
        )

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Turn both frames by one free angle, and the second by k quarters more; the target is k."""
        count, frames = windows.shape[:2]
        angle = uniform(generator, count, -math.pi, math.pi).repeat_interleave(frames)
        free = resampled(mirrored(windows, generator).flatten(0, 1), self.patch_px, angle).unflatten(0, (count, frames))
        target = torch.randint(4, (count,), generator=generator, device=windows.device)
        turned = torch.stack([free[:, 0], quarter_turned(free[:, 1], target)], 1)
        return {"crops": lit(turned, generator, strength) * disc(self.patch_px, windows.device), "target": target}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the true number of quarters."""
        logits, target = self.logits(encode(batch["crops"])), batch["target"]
        return Loss(F.cross_entropy(logits, target), {"accuracy": accuracy(logits, target)})

    def logits(self, z: Tensor) -> Tensor:
        """Return how well the second crop, turned back by k quarters, goes with the first (B, 4), of features z (B, 2, F, P, P).

        Turning the second crop by one more quarter shifts the four answers by one.
        """
        coarse = F.adaptive_avg_pool2d(z.flatten(0, 1), GRID)
        first, second = self.embed(coarse).unflatten(0, z.shape[:2]).unbind(1)
        back = torch.stack([second.rot90(-k, (-2, -1)) for k in range(4)], 1)
        alike = F.cosine_similarity(first[:, None], back, dim=2).flatten(2)
        apart = (first[:, None] - back).square().mean(2).flatten(2)
        answer: Tensor = self.judge(torch.cat([alike, apart], 2))[..., 0]
        return answer
