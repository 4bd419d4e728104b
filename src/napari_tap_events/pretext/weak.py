"""Weak: a simple detector says where something sudden happens; a head learns that, and then corrects it by its own opinion.

The detector takes for an event what changes fast against the noise of the pair and of the place: a burst of intensity change. In the
second half of the training the target is a mixture of the detector's answer and the head's own, which smooths out mistakes that the
detector does not make consistently: soft bootstrapping, Reed et al. 2015 (arXiv 1412.6596, equation 6).
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pixelwise
from napari_tap_events.pretext._places import Field
from napari_tap_events.pretext._turning import lit, mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample, batches
from napari_tap_events.pretext.motionmask import MEDIAN_TO_SD
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import WeakSettings
from napari_tap_events.settings.games import GAMES

SMOOTH_PX = 5
NOISES = 4.0


class Weak(Game):
    """The rules of `weak`."""

    facts = GAMES["weak"]
    late: Tensor

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(WeakSettings, own)
        self.find = pixelwise(2 * self.features, self.features, 1)
        self.steps = batches(settings)
        self.register_buffer("late", torch.tensor(False))

    @property
    def chance(self) -> float:
        """Mean share of right pixels among those called events and the others, of one who guesses."""
        return 0.5

    def sample(self) -> Sample:
        """Two frames of a place, in their order."""
        return Sample(tuple((0, d) for d in self.settings.deltas), self.patch_px, 2 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Let the detector look, then show the pair in another light."""
        crops = mirrored(windows, generator)
        return {"crops": lit(crops, generator, strength), "burst": bursts(crops[:, 0], crops[:, 1], self.own.share)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the (corrected) answer of the detector, bursts and the rest weighing alike."""
        logits = self.find(encode(batch["crops"]).flatten(1, 2))
        burst = batch["burst"]
        trust = 1 - self.own.own_opinion * self.late.float()
        target = trust * burst.float() + (1 - trust) * logits.detach().sigmoid()
        surprise = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        right = ((logits > 0) == burst).float()
        return Loss(both_alike(surprise, burst), {"accuracy": both_alike(right, burst)})

    def before_step(self, encoder: Encoder, field: Field, step: int) -> None:
        """Trust the head's own opinion from half of the training on."""
        self.late.fill_(2 * step >= self.steps)


def bursts(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return where frames (B, C, P, P) differ most, as (B, 1, P, P) bool: at most `share`, and only well above the noise."""
    change = F.avg_pool2d(second - first, SMOOTH_PX, 1, SMOOTH_PX // 2, count_include_pad=False).abs().mean(1, keepdim=True)
    flat = change.flatten(1)
    least = torch.maximum(flat.quantile(1 - share, dim=1), NOISES * MEDIAN_TO_SD * flat.median(1).values)
    return change > least.view(-1, 1, 1, 1)


def both_alike(values: Tensor, there: Tensor) -> Tensor:
    """Return the mean over pixels that are there and that over the others, halved; where there is only one sort, its mean."""
    sides = [values[side].mean() for side in (there, ~there) if bool(side.any())]
    return torch.stack(sides).mean()
