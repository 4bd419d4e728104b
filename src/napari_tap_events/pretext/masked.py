"""Masked: most blocks of a crop are hidden; fill them in from what is left and from the frame before.

Context encoders: Pathak et al. 2016 (arXiv 1604.07379); two frames, one of them hidden almost wholly: Gupta et al. 2023 (Siamese Masked
Autoencoders, arXiv 2305.14344); intensity normalised block by block: He et al. 2022 (MAE, arXiv 2111.06377, section 4). The head says by
how much a pixel differs from the frame before; the loss is L1 on hidden pixels. `against_copying` is that loss over the loss of copying
the frame before: below 1, something was learned.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import faint, pixelwise
from napari_tap_events.pretext._turning import lit, mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import MaskedSettings
from napari_tap_events.settings.games import GAMES

LEAST_SPREAD = 0.02
"""Of a block, as a share of the range of a frame: in blocks flatter than that there is noise alone."""


class Masked(Game):
    """The rules of `masked`."""

    facts = GAMES["masked"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(MaskedSettings, own)
        self.fill = faint(pixelwise(2 * self.features + 1, 2 * self.features, self.channels))

    def sample(self) -> Sample:
        """Two frames of a place."""
        return Sample(tuple((0, delta) for delta in self.settings.deltas), self.patch_px, 2 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Hide blocks of the second frame; what is hidden is shown as the mean of what is not."""
        crops = lit(mirrored(windows, generator), generator, strength)
        hidden = hidden_blocks(len(crops), self.patch_px, self.own.block_px, self.own.hidden, generator)
        before, whole = crops.unbind(1)
        mean = (whole * ~hidden).sum((-1, -2), keepdim=True) / (~hidden).sum((-1, -2), keepdim=True).clamp(min=1)
        return {"before": before, "whole": whole, "hidden": hidden, "seen": torch.where(hidden, mean, whole)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the L1 distance of hidden pixels, in units of the spread of their block."""
        hidden, whole = batch["hidden"], batch["whole"]
        z = encode(torch.stack([batch["before"], batch["seen"]], 1)).flatten(1, 2)
        filled = batch["before"] + self.fill(torch.cat([z, hidden.float()], 1))
        missed = hidden_l1(filled, whole, hidden, self.own.block_px)
        with torch.no_grad():
            copied = hidden_l1(batch["before"], whole, hidden, self.own.block_px)
        return Loss(missed, {"against_copying": missed.detach() / copied.clamp(min=1e-6)})


def hidden_blocks(count: int, side: int, block: int, share: float, generator: torch.Generator) -> Tensor:
    """Draw which pixels are hidden (count, 1, side, side) bool: exactly the same number of blocks in each crop, at least one, not all."""
    rows = -(-side // block)
    many = min(rows * rows - 1, max(1, round(share * rows * rows))) if rows > 1 else 1
    u = torch.rand(count, rows * rows, generator=generator, device=generator.device)
    chosen = torch.zeros_like(u, dtype=torch.bool).scatter(1, u.topk(many, 1).indices, True)
    blocks = chosen.view(count, 1, rows, rows)
    return blocks.repeat_interleave(block, 2).repeat_interleave(block, 3)[..., :side, :side]


def hidden_l1(guess: Tensor, whole: Tensor, hidden: Tensor, block: int) -> Tensor:
    """Return the mean absolute error of (B, C, P, P) over hidden pixels (B, 1, P, P), each over the spread of its block."""
    spread = block_spread(whole, block)
    wrong = (guess - whole).abs() / spread * hidden
    return wrong.sum() / (hidden.sum() * whole.shape[1]).clamp(min=1)


def block_spread(image: Tensor, block: int) -> Tensor:
    """Return the standard deviation of the block that each pixel of (B, C, P, P) is in, at least `LEAST_SPREAD`."""
    side = image.shape[-1]
    mean, square = (F.avg_pool2d(x, block, ceil_mode=True, count_include_pad=False) for x in (image, image.square()))
    spread = (square - mean.square()).clamp(min=LEAST_SPREAD**2).sqrt()
    return spread.repeat_interleave(block, -2).repeat_interleave(block, -1)[..., :side, :side]
