"""Event heads: small networks that read a pair of feature maps and answer for every window at once.

Each head is written as convolutions without padding, so that the answer for a window within a large map is exactly the answer for the
same window cut out, with `margin` pixels of features around it. `linear` and `resnet` are those of Chen, Namboodiri, Sero 2024;
`evidence` pools a per-pixel evidence map, which needs no fixed crop and shows where the event is.

Where kinds are told apart, the answers for them learn beside the one for any event and never move what that one reads: it is learned as if
there were no others.

Each is three steps, so that a frame, which belongs to two frame pairs, is read once, and a large frame in bands: what a frame says by
itself (`frame_part`), what a frame pair says (`pair_part`), and what that means for each window (`windows`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_tap_events.events.flatten_linear import FlattenLinear

Floats = NDArray[np.float32]

HIDDEN = {"evidence": 16, "resnet": 64, "linear": 0}
REFERENCE_AREA_PX = 100
"""Evidence is summed per so many pixels of the movie: about the area of a small dividing nucleus."""


def answers_for(kinds: Sequence[str]) -> int:
    """Return how many logits a head for these kinds has: of any event and, from two kinds on, one for each."""
    return 1 + len(kinds) if len(kinds) > 1 else 1


@dataclass(frozen=True)
class HeadShape:
    """What a head is made for.

    Attributes
    ----------
    features, image_channels, pair_channels : int
        Channels that it reads: features and image of a frame, maps of a frame pair.
    kinds : int
        Number of logits K: of an event of any kind and, where kinds are told apart, one for each; see `answers_for`.
    crop, stride : int
        Side of the windows and their distance, in pixels of the maps.
    map_stride_px : int
        Pixels of the movie per pixel of the maps.
    guides : int
        How many of the pair channels, the last ones, are what a pair head says of each kind of event; see `guided`.
    """

    features: int
    image_channels: int
    pair_channels: int
    kinds: int
    crop: int
    stride: int
    map_stride_px: int
    guides: int = 0

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
    opinions : int
        From how many opinions its answers are weighed.
    """

    margin: int = 0
    opinions: int = 1

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

    def at_stride(self, frames: Tensor, pairs: Tensor, stride: int) -> Tensor:
        """As `forward`, for windows at another distance."""
        step = math.gcd(stride, self.shape.crop)
        parts = self.frame_part(frames.flatten(0, 1), step).unflatten(0, frames.shape[:2])
        logits = self.windows(self.pair_part(parts[:, 0], parts[:, 1], pairs, step), step)
        return logits[..., :: stride // step, :: stride // step]

    def explained(self, frames: Tensor, pairs: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the layers that Grad-CAM explains, and what comes of them, so that gradients reach them.

        Parameters
        ----------
        frames : (2, F, h, w)
            Maps of the frames t and t + 1, with the margin around.
        pairs : (A, h, w)
            Maps of the frame pair.

        Returns
        -------
        layers : list of (B, C, rows, columns)
            The maps of the frames, or of the pair where there are none.
        logits : (1, K, rows, columns)
        """
        z, both = leaf(frames), leaf(pairs[None])
        return [z if z.shape[1] else both], self(z[None], both)

    @abstractmethod
    def frame_part(self, maps: Tensor, step: int) -> Tensor:
        """Return what frames say by themselves, whichever pair they are in.

        Parameters
        ----------
        maps : (B, F, h, w)
            Maps of single frames, with the margin around.
        step : int
            Distance of the windows, a divisor of the crop.

        Returns
        -------
        (B, parts, rows, columns)
        """

    @abstractmethod
    def pair_part(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        """Return what frame pairs say, for any piece of a frame: answers to neighbouring pieces add up.

        Parameters
        ----------
        first, second : (B, parts, rows, columns)
            What the frames t and t + 1 say by themselves.
        pairs : (B, A, h, w)
            Maps of the frame pair, with the margin around.
        step : int

        Returns
        -------
        (B, K, rows, columns)
            To put below each other, the last `overlap(step)` rows of a piece upon the first of the next.
        """

    @abstractmethod
    def windows(self, said: Tensor, step: int) -> Tensor:
        """Return the logits (B, K, rows, columns) of all complete windows from what `pair_part` said of a whole frame."""

    def window_opinions(self, said: Tensor, step: int) -> Tensor:
        """Return each opinion of all complete windows, (B, opinions, K, rows, columns); `weighed` makes the logits of them."""
        return self.windows(said, step)[:, None]

    def weighed(self, opinions: Floats) -> Floats:
        """Turn opinions (opinions, ...) into one score, (...)."""
        return cast(Floats, opinions[0])

    def overlap(self, step: int) -> int:
        """Return how many rows of `pair_part` two neighbouring pieces of a frame share."""
        return 0

    @abstractmethod
    def widest(self, step: int) -> int:
        """Return how many numbers are held at most per map pixel, which says how large a piece can be."""

    def extent(self, windows: int) -> int:
        """Return the side of the maps that so many windows in a row need, in map pixels."""
        return (windows - 1) * self.shape.stride + self.shape.crop + 2 * self.margin

    def inner(self, maps: Tensor) -> Tensor:
        """Cut the margin off."""
        m = self.margin
        return maps[..., m:-m, m:-m] if m else maps


def leaf(values: Tensor) -> Tensor:
    """Return values from which a graph begins."""
    return values.detach().requires_grad_(True)


class _PerFrame(nn.Module):
    """3 x 3 convolution, BatchNorm, ReLU, and one basic residual block, all without padding: 3 pixels are lost on each side."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, hidden, 3, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(hidden, hidden, 3, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True))
        self.third = nn.Sequential(nn.Conv2d(hidden, hidden, 3, bias=False), nn.BatchNorm2d(hidden))

    def forward(self, maps: Tensor) -> Tensor:
        x = self.first(
            maps.contiguous(memory_format=torch.channels_last)
        )  # faster by a third, and `FlattenLinear` by much more
        return torch.relu_(x[..., 2:-2, 2:-2] + self.third(self.second(x)))


class _SummedHead(EventHead):
    """A head whose answer is a sum: what it says of each frame, what it says of the maps of the pair, and a bias."""

    flat: FlattenLinear

    def windows(self, said: Tensor, step: int) -> Tensor:
        """Return the logits of the complete windows."""
        above = self.overlap(step)
        return said[..., above : said.shape[-2] - above, :] + self.flat.bias[:, None, None]

    def overlap(self, step: int) -> int:
        """Return how many rows of windows begin in one piece of a frame and end in the next."""
        return self.shape.crop // step - 1

    def widest(self, step: int) -> int:
        """Return the greater of the channels that are flattened, and of what is said of each block."""
        return max(self.flat.weight.shape[1], self.shape.kinds * (self.shape.crop // step) ** 2 // step**2)


class LinearHead(_SummedHead):
    """All features of both frames, flattened, to one logit an answer."""

    def __init__(self, shape: HeadShape) -> None:
        super().__init__(shape)
        self.flat = FlattenLinear(2 * shape.frame_channels + shape.pair_channels, shape.kinds, shape.crop)

    def frame_part(self, maps: Tensor, step: int) -> Tensor:
        """Return what each frame adds to the windows as the first of a pair, and as the second, (B, 2K, rows, columns)."""
        f = self.shape.frame_channels
        return torch.cat([self.flat(maps, step, slice(0, f)), self.flat(maps, step, slice(f, 2 * f))], dim=1)

    def pair_part(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        """Return the sums over windows, (B, K, rows, columns)."""
        kinds = self.shape.kinds
        own = self.flat(pairs, step, slice(2 * self.shape.frame_channels, None))
        return cast(Tensor, first[:, :kinds] + second[:, kinds:] + own)


class ResNetHead(_SummedHead):
    """A residual block per frame, the mean over both frames, flattened, to one logit an answer; blind to the order of frames."""

    margin = 3

    def __init__(self, shape: HeadShape) -> None:
        super().__init__(shape)
        hidden = HIDDEN["resnet"]
        self.per_frame = _PerFrame(shape.frame_channels, hidden)
        self.flat = FlattenLinear(hidden + shape.pair_channels, shape.kinds, shape.crop)

    def frame_part(self, maps: Tensor, step: int) -> Tensor:
        """Return what the residual block of each frame adds to the windows, (B, K, rows, columns)."""
        seen, own = self.per_frame(maps), slice(0, HIDDEN["resnet"])
        said = self.flat(seen, step, own)
        if self.training and self.shape.kinds > 1:
            said = torch.cat([said[:, :1], self.flat(seen.detach(), step, own)[:, 1:]], dim=1)
        return cast(Tensor, said)

    def pair_part(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        """Return the sums over windows, (B, K, rows, columns): the layer is linear, so the mean may come after it."""
        return cast(Tensor, (first + second) / 2 + self.flat(self.inner(pairs), step, slice(HIDDEN["resnet"], None)))


def window_means(maps: Tensor, crop: int, step: int) -> Tensor:
    """Return the means of all complete windows of maps (B, C, h, w), (B, C, rows, columns), `step`, a divisor of the crop, apart.

    Blocks of a step are averaged first, then down, then across: a fraction of the sums of all windows at once.
    """
    blocks, many = F.avg_pool2d(maps, step), crop // step
    return F.avg_pool2d(F.avg_pool2d(blocks, (many, 1), 1), (1, many), 1)


def _beside(*maps: Tensor) -> Tensor:
    """Join maps (B, C, h, w) along their channels, all laid out in memory as the first that has channels, lest it be undone."""
    parts = [part for part in maps if part.shape[1]] or list(maps)
    if parts[0].is_contiguous(memory_format=torch.channels_last):
        parts = [part.contiguous(memory_format=torch.channels_last) for part in parts]
    return torch.cat(parts, dim=1)


def _evidence_of(channels: int, hidden: int, answers: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, answers, 1))


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
        self.join = _evidence_of(joined, hidden, 1)
        self.naming = _evidence_of(joined, hidden, shape.kinds - 1) if shape.kinds > 1 else None
        self.bias = nn.Parameter(torch.full((shape.kinds,), -2.0))

    def frame_part(self, maps: Tensor, step: int) -> Tensor:
        """Return the features of each frame, and its image as the convolutions see it, (B, channels, h, w) without the margin."""
        features = self.inner(maps[:, : self.shape.features])
        if self.per_image is None:
            return features
        return _beside(features, self.per_image(maps[:, self.shape.features :]))

    def pair_part(self, first: Tensor, second: Tensor, pairs: Tensor, step: int) -> Tensor:
        """Return the evidence per pixel, (B, K, h, w) without the margin, never negative."""
        both = (first + second) / 2 if self.order == "mean" else torch.cat([first, second], dim=1)
        seen = self.norm(_beside(both, self.inner(pairs)))
        said = self.join(seen)
        if self.naming is not None:
            said = torch.cat([said, self.naming(seen.detach())], dim=1)
        return F.softplus(said - 2.0)

    def explained(self, frames: Tensor, pairs: Tensor) -> tuple[list[Tensor], Tensor]:
        """As for every head; the layer is what each frame says by itself, an image as the convolutions see it."""
        with torch.no_grad():
            said = self.frame_part(frames, 1)
        layer, both = leaf(said), leaf(pairs[None])
        logits = self.windows(self.pair_part(layer[:1], layer[1:], both, 1), math.gcd(self.shape.stride, self.shape.crop))
        return [layer if layer.shape[1] else both], logits

    def windows(self, said: Tensor, step: int) -> Tensor:
        """Turn an evidence map into the logits of its windows."""
        area = (self.shape.crop * self.shape.map_stride_px) ** 2 / REFERENCE_AREA_PX
        mean = window_means(said, self.shape.crop, step)
        return area * mean + self.bias[:, None, None]

    def spot_opinions(self, smooth: Floats) -> Floats:
        """Turn smoothed maps of what `pair_part` says, (K, h, w), into opinions of every place, (opinions, K, h, w)."""
        return smooth[None]

    def evidence(self, said: Floats) -> Floats:
        """Return the evidence (K, h, w) in what `pair_part` says, without the first axis."""
        return said

    def widest(self, step: int) -> int:
        """Return the channels of both frames together."""
        return self.norm.num_features
