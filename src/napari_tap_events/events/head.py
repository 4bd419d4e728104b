"""Event heads: small networks that read a pair of feature maps and answer for every window at once.

Each head is written as convolutions without padding, so that the answer for a window within a large map is exactly the answer for the
same window cut out, with `margin` pixels of features around it. `linear` and `resnet` are those of Chen, Namboodiri, Sero 2024;
`evidence` pools a per-pixel evidence map, which needs no fixed crop and shows where the event is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN = {"evidence": 16, "resnet": 64, "linear": 0}
REFERENCE_AREA_PX = 100
"""Evidence is summed per so many pixels of the movie: about the area of a small dividing nucleus."""


@dataclass(frozen=True)
class HeadShape:
    """What a head is made for.

    Attributes
    ----------
    features, image_channels, pair_channels : int
        Channels that it reads: features and image of a frame, maps of a frame pair.
    kinds : int
        Number of logits K.
    crop, stride : int
        Side of the windows and their distance, in pixels of the maps.
    map_stride_px : int
        Pixels of the movie per pixel of the maps.
    """

    features: int
    image_channels: int
    pair_channels: int
    kinds: int
    crop: int
    stride: int
    map_stride_px: int

    @property
    def frame_channels(self) -> int:
        """Channels of a frame's maps."""
        return self.features + self.image_channels


class EventHead(nn.Module, ABC):
    """Base of the heads.

    Attributes
    ----------
    margin : int
        Map pixels that are needed around every window.
    """

    margin: int = 0

    def __init__(self, shape: HeadShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, frames: Tensor, pairs: Tensor) -> Tensor:
        """Return the logits of all windows.

        Parameters
        ----------
        frames : (B, 2, F, h, w)
            Maps of the frames t and t + 1, with the margin around.
        pairs : (B, A, h, w)
            Maps of the frame pair.

        Returns
        -------
        (B, K, rows, columns)
        """
        return self.at_stride(frames, pairs, self.shape.stride)

    @abstractmethod
    def at_stride(self, frames: Tensor, pairs: Tensor, stride: int) -> Tensor:
        """As `forward`, for windows at another distance."""

    def extent(self, windows: int) -> int:
        """Return the side of the maps that so many windows in a row need, in map pixels."""
        return (windows - 1) * self.shape.stride + self.shape.crop + 2 * self.margin

    def inner(self, maps: Tensor) -> Tensor:
        """Cut the margin off."""
        m = self.margin
        return maps[..., m:-m, m:-m] if m else maps


class _PerFrame(nn.Module):
    """3 x 3 convolution, BatchNorm, ReLU, and one basic residual block, all without padding: 3 pixels are lost on each side."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, hidden, 3, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(hidden, hidden, 3, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True))
        self.third = nn.Sequential(nn.Conv2d(hidden, hidden, 3, bias=False), nn.BatchNorm2d(hidden))

    def forward(self, maps: Tensor) -> Tensor:
        x = self.first(maps)
        return F.relu(x[..., 2:-2, 2:-2] + self.third(self.second(x)))


class FlattenLinear(nn.Module):
    """A linear layer on flattened windows, for all windows at once: a convolution as large as the window.

    Blocks of `stride` x `stride` pixels are first moved into the channels, so that the convolution has a small kernel.
    """

    def __init__(self, channels: int, shape: HeadShape) -> None:
        super().__init__()
        self.crop = shape.crop
        self.weight = nn.Parameter(torch.empty(shape.kinds, channels, shape.crop, shape.crop))
        self.bias = nn.Parameter(torch.zeros(shape.kinds))
        nn.init.uniform_(self.weight, -1 / (channels * shape.crop**2) ** 0.5, 1 / (channels * shape.crop**2) ** 0.5)

    def forward(self, maps: Tensor, stride: int) -> Tensor:
        """Return logits (B, K, rows, columns) of the windows of maps (B, channels, h, w)."""
        s = stride
        if self.crop % s:
            return F.conv2d(maps, self.weight, self.bias, stride=s)
        height, width = maps.shape[-2] // s * s, maps.shape[-1] // s * s
        blocks = F.pixel_unshuffle(maps[..., :height, :width], s)
        return F.conv2d(blocks, F.pixel_unshuffle(self.weight, s), self.bias)


class LinearHead(EventHead):
    """All features of both frames, flattened, to one logit per kind."""

    def __init__(self, shape: HeadShape) -> None:
        super().__init__(shape)
        self.flat = FlattenLinear(2 * shape.frame_channels + shape.pair_channels, shape)

    def at_stride(self, frames: Tensor, pairs: Tensor, stride: int) -> Tensor:
        """Return logits (B, K, rows, columns)."""
        return cast(Tensor, self.flat(torch.cat([frames.flatten(1, 2), pairs], dim=1), stride))


class ResNetHead(EventHead):
    """A residual block per frame, the mean over both frames, flattened, to one logit per kind; blind to the order of frames."""

    margin = 3

    def __init__(self, shape: HeadShape) -> None:
        super().__init__(shape)
        hidden = HIDDEN["resnet"]
        self.per_frame = _PerFrame(shape.frame_channels, hidden)
        self.flat = FlattenLinear(hidden + shape.pair_channels, shape)

    def at_stride(self, frames: Tensor, pairs: Tensor, stride: int) -> Tensor:
        """Return logits (B, K, rows, columns)."""
        mean = self.per_frame(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]).mean(1)
        return cast(Tensor, self.flat(torch.cat([mean, self.inner(pairs)], dim=1), stride))


class EvidenceHead(EventHead):
    """A map of evidence per pixel; a window's logit is its bias plus the evidence within.

    Features and the arrow map have seen their surroundings, so every pixel of them is read by itself: few weights, hard to overfit on
    few events. The bare image, where it is an input, goes through a residual block of 3 x 3 convolutions first.

    Evidence is never negative: an empty background says nothing, and the map shows where an event was seen. A window's sum of evidence
    is a mean times a constant, that is a box filter.

    Parameters
    ----------
    shape : HeadShape
    pair : {"both", "mean"}
        Whether the frames are kept apart in their order, or averaged (blind to their order, as `resnet`).
    """

    def __init__(self, shape: HeadShape, pair: str = "both") -> None:
        super().__init__(shape)
        hidden = HIDDEN["evidence"]
        self.order, self.margin = pair, 3 if shape.image_channels else 0
        self.per_image = _PerFrame(shape.image_channels, hidden) if shape.image_channels else None
        channels = shape.features + (hidden if shape.image_channels else 0)
        joined = channels * (1 if pair == "mean" else 2) + shape.pair_channels
        self.norm = nn.BatchNorm2d(joined)
        self.join = nn.Sequential(nn.Conv2d(joined, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, shape.kinds, 1))
        self.bias = nn.Parameter(torch.full((shape.kinds,), -2.0))

    def evidence(self, frames: Tensor, pairs: Tensor) -> Tensor:
        """Return the evidence per pixel, (B, K, h, w) without the margin, never negative."""
        x = self.inner(frames[:, :, : self.shape.features])
        if self.per_image is not None:
            image = frames[:, :, self.shape.features :]
            seen = self.per_image(image.flatten(0, 1)).unflatten(0, frames.shape[:2])
            x = torch.cat([x, seen], dim=2)
        both = x.mean(1) if self.order == "mean" else x.flatten(1, 2)
        return F.softplus(self.join(self.norm(torch.cat([both, self.inner(pairs)], dim=1))) - 2.0)

    def at_stride(self, frames: Tensor, pairs: Tensor, stride: int) -> Tensor:
        """Return logits (B, K, rows, columns)."""
        return self.pool(self.evidence(frames, pairs), stride)

    def pool(self, evidence: Tensor, stride: int) -> Tensor:
        """Turn an evidence map into the logits of its windows."""
        area = (self.shape.crop * self.shape.map_stride_px) ** 2 / REFERENCE_AREA_PX
        mean = F.avg_pool2d(evidence, self.shape.crop, stride)
        return area * mean + self.bias[:, None, None]


def make_head(kind: str, shape: HeadShape, pair: str = "both") -> EventHead:
    """Build a head by its name: "evidence", "resnet" or "linear"; `pair` is for the first."""
    if kind == "evidence":
        return EvidenceHead(shape, pair)
    return ResNetHead(shape) if kind == "resnet" else LinearHead(shape)
