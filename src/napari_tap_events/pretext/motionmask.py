"""Motion mask: from one frame alone, say which pixels are about to change.

Pathak et al. 2017, Learning features by watching objects move (arXiv 1612.06370), with the thresholded difference of the next frame in
place of a segmentation of optical flow. The threshold is drawn so that the share `changing` of each crop's pixels is above it, and never
below three times the noise of the difference, so that a crop in which nothing moves has nothing to find. Cross entropy in which pixels
that change and those that do not weigh alike.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pixelwise
from napari_tap_events.pretext._turning import lit, mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import MotionmaskSettings
from napari_tap_events.settings.games import GAMES

SMOOTH_PX = 3
NOISES = 3.0
MEDIAN_TO_SD = 1.4826


class Motionmask(Game):
    """The rules of `motionmask`."""

    facts = GAMES["motionmask"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(MotionmaskSettings, own)
        self.mark = pixelwise(self.features, self.features, 1, reach=0)

    @property
    def chance(self) -> float:
        """Mean share of right pixels among those that change and those that do not, of one who guesses."""
        return 0.5

    def sample(self) -> Sample:
        """Two frames of a place, of which the first goes through the encoder."""
        return Sample(tuple((0, delta) for delta in self.settings.deltas), self.patch_px, self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show the first frame; where it changes up to the second is asked for."""
        crops = mirrored(windows, generator)
        changing = changes(crops[:, 0], crops[:, 1], self.own.changing)
        return {"crop": lit(crops[:, 0], generator, strength), "changing": changing}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of pixels, changing ones and others weighing alike."""
        logits = self.mark(encode(batch["crop"]))
        there = batch["changing"].float()
        surprise = F.binary_cross_entropy_with_logits(logits, there, reduction="none")
        right = torch.where(logits == 0, 0.5, ((logits > 0) == batch["changing"]).float())
        return Loss(_evenly(surprise, there), {"accuracy": _evenly(right, there)})


def changes(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return which pixels change between frames (B, C, P, P), as (B, 1, P, P) bool."""
    change = F.avg_pool2d(second - first, SMOOTH_PX, 1, SMOOTH_PX // 2, count_include_pad=False).abs().mean(1, keepdim=True)
    flat = change.flatten(1)
    noise = MEDIAN_TO_SD * flat.median(1).values
    least = torch.maximum(flat.quantile(1 - share, dim=1), NOISES * noise)
    return change > least.view(-1, 1, 1, 1)


def _evenly(values: Tensor, there: Tensor) -> Tensor:
    """Return the mean of values over pixels that change and that over the others, halved; where one is missing, the other."""
    sides = [(values * side).sum() / side.sum() for side in (there, 1 - there) if bool(side.any())]
    return torch.stack(sides).mean()
