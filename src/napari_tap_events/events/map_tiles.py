"""Reads blocks of windows from feature maps, with the margin that a head needs around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps

RESIDENT_BYTES = 2**31
"""Maps up to this size are kept on the device as a whole."""


Span = tuple[int, int]
"""First map pixel, and the one after the last."""


class Tiles(Protocol):
    """What a head learns from: blocks of maps, or of what maps are made of."""

    def extent(self, maps: int) -> int:
        """Return the side of a block, in its own pixels, that covers so many map pixels."""
        ...

    def block(self, t: int, rows: Span, columns: Span) -> tuple[Tensor, Tensor]:
        """Return a block of the frame pair (t, t + 1), rows and columns in map pixels: (2, F, h, w) and (A, h, w)."""
        ...


@dataclass(frozen=True)
class Inputs:
    """Which of the maps a head reads.

    Attributes
    ----------
    features, intensity, pairs : bool
        The encoder's features z, the normalised image, the maps of frame pairs (the arrow map).
    simulated : bool
        What a pair head, taught by simulated movies, says of each kind of event.
    """

    features: bool = True
    intensity: bool = False
    pairs: bool = False
    simulated: bool = False

    def frame_slice(self, maps: FeatureMaps) -> slice:
        """Return the channels of a frame's maps that are read."""
        start = 0 if self.features else maps.features
        return slice(start, maps.frames.shape[1] if self.intensity else max(start, maps.features))

    def channels(self, maps: FeatureMaps) -> tuple[int, int, int]:
        """Return how many channels are read: features and image of a frame, maps of a frame pair."""
        image = maps.frames.shape[1] - maps.features
        return maps.features if self.features else 0, image if self.intensity else 0, self.pair_channels(maps)

    def pair_channels(self, maps: FeatureMaps) -> int:
        """Return how many channels of a frame pair are read."""
        chosen = self.pair_slice(maps)
        return len(range(int(maps.pairs.shape[1]))[chosen])

    def pair_slice(self, maps: FeatureMaps) -> slice:
        """Return the channels of a frame pair's maps that are read: those of a pair head come last."""
        every = int(maps.pairs.shape[1])
        others = every - maps.simulated
        return slice(0 if self.pairs else others, every if self.simulated else others)


class MapTiles:
    """Blocks of maps, continued by their border, as float32 tensors on the device.

    Parameters
    ----------
    maps : FeatureMaps
    inputs : Inputs
    compute : Compute
    first : int
        Number of the frame that the maps begin with, where they are those of a part of the movie.
    """

    def __init__(self, maps: FeatureMaps, inputs: Inputs, compute: Compute, first: int = 0) -> None:
        self.maps, self.compute, self.first = maps, compute, first
        self.height, self.width = maps.frames.shape[-2:]
        device = compute.device
        resident = maps.nbytes <= RESIDENT_BYTES
        self._frames = _Stored(maps.frames, inputs.frame_slice(maps), device, resident)
        self._pairs = _Stored(maps.pairs, inputs.pair_slice(maps), device, resident)

    def extent(self, maps: int) -> int:
        """Return the side of a block, in its own pixels, that covers so many map pixels: the same number."""
        return maps

    def block(self, t: int, rows: Span, columns: Span) -> tuple[Tensor, Tensor]:
        """Return maps of the frame pair (t, t + 1).

        Parameters
        ----------
        rows, columns : (start, stop)
            In map pixels; what lies outside the frame repeats its border.

        Returns
        -------
        frames : (2, F, h, w) float32
        pairs : (A, h, w) float32
        """
        return torch.stack([self.frame(at, rows, columns) for at in (t, t + 1)]), self.pair(t, rows, columns)

    def frame(self, t: int, rows: Span, columns: Span) -> Tensor:
        """Return the maps of the frame t alone, (F, h, w) float32."""
        return self._frames.block(t - self.first, rows, columns)

    def pair(self, t: int, rows: Span, columns: Span) -> Tensor:
        """Return what belongs to neither frame of the pair (t, t + 1) alone, (A, h, w) float32."""
        return self._pairs.block(t - self.first, rows, columns)


class _Stored:
    """Some channels of maps, on the device as a whole where they are resident, or read where they lie.

    Parameters
    ----------
    maps : (N, channels, h, w) float16
    channels : slice
    device : torch.device
    resident : bool
    """

    def __init__(self, maps: NDArray[np.float16], channels: slice, device: torch.device, resident: bool) -> None:
        self.maps, self.channels, self.device = maps, channels, device
        self.resident = torch.from_numpy(np.asarray(maps)).to(device) if resident else None

    def block(self, index: int, rows: Span, columns: Span) -> Tensor:
        """Return a block (channels, h, w) float32, continued by the border of the frame."""
        height, width = self.maps.shape[-2:]
        y, x = (slice(max(0, part[0]), min(size, part[1])) for part, size in ((rows, height), (columns, width)))
        around = (x.start - columns[0], columns[1] - x.stop, y.start - rows[0], rows[1] - y.stop)
        return _continued(self._read((index, self.channels, y, x)), around)

    def _read(self, part: tuple[int, slice, slice, slice]) -> Tensor:
        if self.resident is not None:
            return self.resident[part].float()
        return torch.from_numpy(np.ascontiguousarray(self.maps[part])).to(self.device).float()


def _continued(maps: Tensor, around: tuple[int, int, int, int]) -> Tensor:
    left, right, top, bottom = around
    if not any(around):
        return maps
    if not len(maps):  # padding refuses maps without channels
        return maps.new_zeros(0, maps.shape[-2] + top + bottom, maps.shape[-1] + left + right)
    return F.pad(maps, around, mode="replicate")
