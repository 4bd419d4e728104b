"""Cross-channel: from one channel of a frame, predict another.

Colourisation: Zhang, Isola, Efros 2016 (arXiv 1603.08511), classes of values rather than values, rare ones weighing more (their equations 2
and 4); of each channel from the other: Zhang et al. 2017 (split-brain, arXiv 1611.09842). The encoder reads one channel, as everywhere in
the program, so every channel in turn goes through it; what is asked for are the values of another one, in bins, at half resolution.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pixelwise
from napari_tap_events.pretext._turning import mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import CrosschannelSettings
from napari_tap_events.settings.games import GAMES

STRIDE = 2
MOST_CHANNELS = 4
"""Of a movie with more, the first four are used."""


class Crosschannel(Game):
    """The rules of `crosschannel`."""

    facts = GAMES["crosschannel"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(CrosschannelSettings, own)
        self.guess = pixelwise(self.features, 2 * self.features, MOST_CHANNELS * self.own.bins)

    @property
    def chance(self) -> float:
        """Mean share of right pixels of each bin, of one who guesses."""
        return 1 / self.own.bins

    def sample(self) -> Sample:
        """One frame, with all its channels."""
        return Sample(((0,),), self.patch_px, self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show one channel; the bins of another one are asked for."""
        crops = mirrored(windows[:, 0, :MOST_CHANNELS], generator)
        count, channels = crops.shape[:2]
        shown = torch.randint(channels, (count,), generator=generator, device=crops.device)
        asked = (shown + 1 + torch.randint(channels - 1, (count,), generator=generator, device=crops.device)) % channels
        rows = torch.arange(count, device=crops.device)
        return {"crop": crops[rows, shown][:, None], "asked": asked, "bins": binned(crops[rows, asked], self.own.bins)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the right bin, rare bins weighing more."""
        z = F.avg_pool2d(encode(batch["crop"]), STRIDE)
        logits = self.guess(z).unflatten(1, (MOST_CHANNELS, self.own.bins))
        logits = logits[torch.arange(len(logits), device=logits.device), batch["asked"]]
        bins = batch["bins"]
        often = torch.bincount(bins.flatten(), minlength=self.own.bins).float()
        weight = rebalanced(often / often.sum(), self.own.evenness)
        return Loss(
            F.cross_entropy(logits, bins, weight), {"accuracy": by_bin((logits.argmax(1) == bins).float(), bins, often)}
        )


def binned(values: Tensor, bins: int) -> Tensor:
    """Return the bin of each 2 x 2 pixels of (B, P, P), values 0..1 being shared out evenly: (B, P / 2, P / 2) int64."""
    coarse = F.avg_pool2d(values[:, None], STRIDE)[:, 0]
    return (coarse.clamp(0, 1) * bins).long().clamp(max=bins - 1)


def rebalanced(share: Tensor, evenness: float) -> Tensor:
    """Return the weight of each bin (Zhang et al. 2016, equation 4): 1 over a mixture of its share and an even one, 1 on average."""
    weight = 1 / ((1 - evenness) * share + evenness / len(share))
    return weight / (share * weight).sum()


def by_bin(right: Tensor, bins: Tensor, often: Tensor) -> Tensor:
    """Return the mean over bins that occur of the share of right pixels in each."""
    hits = torch.zeros_like(often).index_add_(0, bins.flatten(), right.flatten())
    there = often > 0
    return (hits[there] / often[there]).mean()
