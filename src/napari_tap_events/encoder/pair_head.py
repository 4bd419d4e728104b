"""The pair head: features of two successive frames become evidence of each kind of event, for every pixel.

It is taught by the game `simulated`, on movies whose every event is known, and kept: its map finds events without any label. Order
counts: a division read backwards is none. It works at half the resolution of the features, which is that of kept maps, and looks a few
pixels around, because what parts also moves.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EVENT_KINDS = ("division", "death")
"""What the head answers for, in the order of its channels."""
HIDDEN = 32
STRIDE = 2
PRIOR = 0.01
"""Probability of an event that an untaught head gives to every pixel."""


class PairHead(nn.Module):
    """Three 3 x 3 convolutions, the second and third wider apart, and one logit per kind.

    Parameters
    ----------
    features : int
        Feature channels F of a frame.
    kinds : int
        Kinds of events K.
    """

    def __init__(self, features: int, kinds: int = len(EVENT_KINDS)) -> None:
        super().__init__()
        self.kinds = kinds
        self.body = nn.Sequential(
            *_layer(2 * features, HIDDEN, 1),
            *_layer(HIDDEN, HIDDEN, 2),
            *_layer(HIDDEN, HIDDEN, 4),
            nn.Conv2d(HIDDEN, kinds, 1),
        )
        last = cast(nn.Conv2d, self.body[-1])
        nn.init.zeros_(last.weight)
        nn.init.constant_(cast(Tensor, last.bias), -math.log((1 - PRIOR) / PRIOR))

    def logits(self, z: Tensor) -> Tensor:
        """Map features (B, 2, F, H, W) to logits (B, K, H / 2, W / 2), sides rounded up."""
        pooled = F.avg_pool2d(z.flatten(0, 1), STRIDE, ceil_mode=True, count_include_pad=False).unflatten(0, z.shape[:2])
        return self.logits_of_halves(pooled[:, 0], pooled[:, 1])

    def logits_of_halves(self, first: Tensor, second: Tensor) -> Tensor:
        """As `logits`, where the features of each frame, (B, F, h, w), are halved already."""
        return cast(Tensor, self.body(torch.cat([first, second], dim=1)))

    def forward(self, z: Tensor) -> Tensor:
        """Map features (B, 2, F, H, W) to logits (B, K, H, W): each value stands for 2 x 2 pixels."""
        return F.interpolate(self.logits(z), size=z.shape[-2:], mode="nearest")


def evidence(logits: Tensor) -> Tensor:
    """Return evidence, 0 and more: a pixel without an event has probability exp(-evidence)."""
    return F.softplus(logits)


def _layer(before: int, after: int, apart: int) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(before, after, 3, padding=apart, dilation=apart, bias=False)
    nn.init.kaiming_normal_(conv.weight, a=0.01, nonlinearity="leaky_relu")
    return conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.01, inplace=True)


def seen(logits: Tensor) -> Tensor:
    """Return the probability that any kind of event is at a pixel, (B, H, W), of logits (B, K, H, W)."""
    return -torch.expm1(-evidence(logits).sum(1))
