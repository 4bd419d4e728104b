"""Time contrast: a place looks like itself a moment later, and unlike other places of that frame and unlike itself much later.

Wang, Gupta 2015 (arXiv 1505.00687) learn from tracked patches, here the same place stands in for the track; NT-Xent: Chen et al. 2020
(SimCLR, arXiv 2002.05709, equation 1). Others to tell apart come from the same frame, so that no clock in the picture helps; the same
place at another time is one more of them, which makes features heed what happens there. `rank`: near frames are closer than far ones,
as in the ranking loss of Wang and Gupta, section 4, in its smooth form.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import layered, nt_xent, pooled
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import TimecontrastSettings
from napari_tap_events.settings.games import GAMES

HIDDEN, SIZE = 128, 64
NEAR_FRAMES = 1


class Timecontrast(Game):
    """The rules of `timecontrast`."""

    facts = GAMES["timecontrast"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(TimecontrastSettings, own)
        self.project = layered(3 * self.features, HIDDEN, SIZE)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses: the partner among 2 g - 1 others, or near against far."""
        return 0.5 if self.own.mode == "rank" else 1 / (2 * self.own.group - 1)

    def sample(self) -> Sample:
        """Three frames of a place: one, the next, and one far away, before or after."""
        far = self.own.far_frames
        offsets = ((0, NEAR_FRAMES, NEAR_FRAMES + far),)
        return Sample(offsets, self.augmented_window_px(), 3 * self.patch_px**2, self.own.group)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show the three frames, in either direction of time; both near ones can stand nearer to the far one."""
        crops = self.augmented(windows, generator, strength)
        swapped = torch.rand(len(crops), generator=generator, device=crops.device) < 0.5
        near = torch.where(swapped[:, None, None, None, None], crops[:, [1, 0]], crops[:, :2])
        return {"crops": torch.cat([near, crops[:, 2:]], 1)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the loss of telling partners apart, or of ranking near before far."""
        vectors = self.project(pooled(encode(batch["crops"])))
        one, other, far = vectors.unbind(1)
        if self.own.mode == "rank":
            return ranked(one, other, far, self.own.temperature)
        group = torch.arange(len(vectors), device=vectors.device) // self.own.group
        loss, found = nt_xent(torch.cat([one, other]), group, self.own.temperature, far)
        return Loss(loss, {"accuracy": found})


def ranked(one: Tensor, near: Tensor, far: Tensor, temperature: float) -> Loss:
    """Return the loss of vectors (B, D) that should be closer (in cosine) to `near` than to `far`; equally close counts half."""
    ahead = (F.cosine_similarity(one, near) - F.cosine_similarity(one, far)) / temperature
    return Loss(F.softplus(-ahead).mean(), {"accuracy": 0.5 * (ahead.sign() + 1).mean()})
