"""A head with a guide: its own opinion and that of a pair head, which simulated movies have taught, weighed against each other.

A few events teach a head to tell just these from what surrounds them, and to be sure of it. The guide has seen thousands of simulated
events, and none of this movie. So the head learns as if it were alone, and what each opinion is worth is found out afterwards, on
frames that the head never saw (`stacking`): with few events most weight stays with the guide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from napari_tap_events.encoder.pair_head import EVENT_KINDS, evidence
from napari_tap_events.events.head import REFERENCE_AREA_PX, EvidenceHead, Floats, HeadShape, leaf, window_means

FLOOR = 1e-4
"""Evidence below which the logarithm tells no differences: a guide gives about so much to empty background."""
FIRST_WEIGHTS = (1.5, 0.17)
"""Weights of guide and head before they are weighed: the guide leads, the head parts what the guide takes to be alike."""


class GuidedHead(EvidenceHead):
    """An evidence head, beside it the evidence of a pair head, which are the last channels of the frame pairs' maps.

    While it learns, it answers for itself. After that its logits are the sum of both opinions, each the logarithm of the evidence in a
    window, times its weight: a product of experts.

    Parameters
    ----------
    shape : HeadShape
        With `guides` above 0.
    pair : {"both", "mean"}
        As for `EvidenceHead`.

    Attributes
    ----------
    weights : (2,) Tensor
        Weight of the guide, weight of the head; 0 and more.
    heeds : (K, guides) Tensor
        1 where an answer heeds a channel of the guide, else 0.
    scale : (2,) Tensor
        Slope and shift of the head's own opinion, which make it comparable to that of another.
    """

    opinions = 2
    weights: Tensor
    heeds: Tensor
    scale: Tensor

    def __init__(self, shape: HeadShape, pair: str = "both") -> None:
        super().__init__(replace(shape, pair_channels=shape.pair_channels - shape.guides, guides=0), pair)
        self.shape = shape
        self.register_buffer("weights", torch.tensor(FIRST_WEIGHTS))
        self.register_buffer("heeds", torch.ones(shape.kinds, shape.guides))
        self.register_buffer("scale", torch.tensor([1.0, 0.0]))

    def pair_part(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        """Return the evidence per pixel that the guide gives, then the head's own, (B, 2K, h, w)."""
        return torch.cat([self._guide(pairs), self._own(first, second, pairs, step)], dim=1)

    def _own(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        return super().pair_part(first, second, pairs[:, : -self.shape.guides], step).float()

    def _guide(self, pairs: Tensor) -> Tensor:
        seen = evidence(self.inner(pairs[:, -self.shape.guides :]).float())
        return (seen[:, None] * self.heeds[..., None, None]).amax(2)

    def explained(self, frames: Tensor, pairs: Tensor) -> tuple[list[Tensor], Tensor]:
        """As for every head; the layers are what each frame says by itself, and the evidence that the guide gives."""
        with torch.no_grad():
            said, guided = self.frame_part(frames, 1), self._guide(pairs[None])
        layer, guide = leaf(said), leaf(guided)
        own = self._own(layer[:1], layer[1:], pairs[None], 1)
        logits = self.windows(torch.cat([guide, own], dim=1), math.gcd(self.shape.stride, self.shape.crop))
        return [layer, guide] if layer.shape[1] else [guide], logits

    def windows(self, said: Tensor, step: int) -> Tensor:
        """Return the head's own logits while it learns, then those of both opinions."""
        if self.training:
            return super().windows(said[:, self.shape.kinds :], step)
        return (self.weights[:, None, None, None] * self.window_opinions(said, step)).sum(1)

    def window_opinions(self, said: Tensor, step: int) -> Tensor:
        """Return the logarithm of the evidence in each window, (B, 2, K, rows, columns)."""
        area = (self.shape.crop * self.shape.map_stride_px) ** 2 / REFERENCE_AREA_PX
        pooled = area * window_means(said, self.shape.crop, step)
        guide, own = torch.log(pooled + FLOOR).split(self.shape.kinds, 1)
        return torch.stack([guide, self.scale[0] * own + self.scale[1]], dim=1)

    def spot_opinions(self, smooth: Floats) -> Floats:
        """Return the logarithm of the evidence around every place, (2, K, h, w)."""
        guide, own = np.split(np.log(smooth + np.float32(FLOOR)), 2)
        slope, shift = self.scale.cpu().numpy()
        return np.stack([guide, slope * own + shift])

    def evidence(self, said: Floats) -> Floats:
        """Return the evidence of both together, (K, h, w): their weighted product."""
        return cast(Floats, np.exp(self.weighed(self.spot_opinions(said))))

    def weighed(self, opinions: Floats) -> Floats:
        """Return the weighted sum of opinions (2, ...)."""
        return cast(Floats, np.tensordot(self.weights.cpu().numpy(), opinions, 1))

    def weigh(self, weights: Sequence[float]) -> None:
        """Set the weights of guide and head."""
        self.weights.copy_(torch.tensor(weights))

    def rescale(self, slope: float, shift: float) -> None:
        """Set slope and shift of the head's own opinion."""
        self.scale.copy_(torch.tensor([slope, shift]))

    def heed(self, kinds: Sequence[str], told_apart: Sequence[str] = ()) -> None:
        """Let every answer heed the channels of the guide that have the names of its kinds; the strongest of all where there is none.

        Parameters
        ----------
        kinds : sequence of str
            Of the events that are marked: the first answer, for any event, heeds the channels of all of them.
        told_apart : sequence of str
            Those that have an answer of their own.
        """
        channels = EVENT_KINDS[: self.shape.guides]
        wanted = [set(kinds), *({kind} for kind in told_apart)]
        named = torch.tensor([[float(channel in names) for channel in channels] for names in wanted])
        self.heeds.copy_(torch.where(named.sum(1, keepdim=True) > 0, named, torch.ones_like(named)))
