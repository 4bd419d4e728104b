"""The arrow of time, asked as the other games are, so that the same probes hold for it: which of two crops came first?"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import ModelError
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.game_settings import NoSettings
from napari_tap_events.settings.games import GAMES


class ArrowGame(Game):
    """The rules of `time_arrow`, with the head that stays with the encoder; for asking, not for learning: `TimeArrow` learns."""

    facts = GAMES["time_arrow"]

    def __init__(self, settings: PretrainSettings, model: ArrowEncoder) -> None:
        super().__init__(settings, NoSettings(), model.encoder)
        if model.arrow is None:
            raise ModelError("this encoder has no arrow head: it was never taught the arrow of time.")
        self.head = model.arrow

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses."""
        return 0.5

    def sample(self) -> Sample:
        """Two frames of a place."""
        return Sample(tuple((0, d) for d in self.settings.deltas), self.augmented_window_px(), 2 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show half of the pairs the other way round; the target is which crop came first."""
        crops = self.augmented(windows, generator, strength)
        target = (torch.rand(len(crops), generator=generator, device=crops.device) < 0.5).long()
        return {"crops": torch.where(target.view(-1, 1, 1, 1, 1) == 1, crops.flip(1), crops), "target": target}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the true order."""
        first = self.head.arrow(encode(batch["crops"])).mean((1, 2))
        sign = 1 - 2 * batch["target"]
        right = 0.5 * ((first * sign).sign() + 1)
        return Loss(torch.nn.functional.softplus(-first * sign).mean(), {"accuracy": right.mean()})
