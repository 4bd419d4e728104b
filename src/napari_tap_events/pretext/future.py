"""Future: from the frames t - 2, t - 1, t of a place, predict t + 1.

Srivastava et al. 2015 (arXiv 1502.04681); Mathieu et al. 2016 (arXiv 1511.05440), whose L1 loss blurs less than a squared one. The head
predicts the change from frame t on, from the features of all three, pixel by pixel. `against_copying` is the loss over that of saying
that nothing changes: below 1, something was foreseen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import faint, pixelwise
from napari_tap_events.pretext._turning import lit, mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.games import GAMES

PAST = 3


class Future(Game):
    """The rules of `future`."""

    facts = GAMES["future"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.foresee = faint(pixelwise(PAST * self.features, 2 * self.features, self.channels))

    def sample(self) -> Sample:
        """Four frames in a row, of which three go through the encoder."""
        return Sample((tuple(range(PAST + 1)),), self.patch_px, PAST * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Mirror all frames alike; the last one is what is asked for."""
        crops = lit(mirrored(windows, generator), generator, strength)
        return {"past": crops[:, :PAST], "next": crops[:, PAST]}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the L1 distance of the predicted frame from the true one."""
        now = batch["past"][:, -1]
        change = self.foresee(encode(batch["past"]).flatten(1, 2))
        missed = (now + change - batch["next"]).abs().mean()
        copied = (now - batch["next"]).abs().mean()
        return Loss(missed, {"against_copying": missed.detach() / copied.clamp(min=1e-6)})
