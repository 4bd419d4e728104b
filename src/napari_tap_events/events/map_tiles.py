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


class Tiles(Protocol):
    """What a head learns from: blocks of maps, or of what maps are made of."""

    def extent(self, maps: int) -> int:
        """Return the side of a block, in its own pixels, that covers so many map pixels."""
        ...

    def block(self, t: int, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return a block of the frame pair (t, t + 1), rows and columns in map pixels: (2, F, h, w) and (A, h, w)."""
        ...


@dataclass(frozen=True)
class Inputs:
    """Which of the maps a head reads.

    Attributes
    ----------
    features, intensity, pairs : bool
        The encoder's features z, the normalised image, the maps of frame pairs (the arrow map).
    """

    features: bool = True
    intensity: bool = False
    pairs: bool = False

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
        return int(maps.pairs.shape[1]) if self.pairs else 0


class MapTiles:
    """Blocks of maps, continued by their border, as float32 tensors on the device.

    Parameters
    ----------
    maps : FeatureMaps
    inputs : Inputs
    compute : Compute
    """

    def __init__(self, maps: FeatureMaps, inputs: Inputs, compute: Compute) -> None:
        self.maps = maps
        self.channels = inputs.frame_slice(maps)
        self.pair_channels = inputs.pair_channels(maps)
        self.compute = compute
        self.height, self.width = maps.frames.shape[-2:]
        resident = maps.nbytes <= RESIDENT_BYTES
        self._frames = torch.from_numpy(np.asarray(maps.frames)).to(compute.device) if resident else None
        self._pairs = torch.from_numpy(np.asarray(maps.pairs)).to(compute.device) if resident else None

    def extent(self, maps: int) -> int:
        """Return the side of a block, in its own pixels, that covers so many map pixels: the same number."""
        return maps

    def block(self, t: int, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[Tensor, Tensor]:
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
        y = slice(max(0, rows[0]), min(self.height, rows[1]))
        x = slice(max(0, columns[0]), min(self.width, columns[1]))
        around = (x.start - columns[0], columns[1] - x.stop, y.start - rows[0], rows[1] - y.stop)
        frames = self._read(self._frames, self.maps.frames, (slice(t, t + 2), self.channels, y, x))
        pairs = self._read(self._pairs, self.maps.pairs, (slice(t, t + 1), slice(0, self.pair_channels), y, x))
        return _continued(frames, around), _continued(pairs, around)[0]

    def _read(self, resident: Tensor | None, stored: NDArray[np.float16], part: tuple[slice, ...]) -> Tensor:
        if resident is not None:
            return resident[part].float()
        return torch.from_numpy(np.ascontiguousarray(stored[part])).to(self.compute.device).float()


def _continued(maps: Tensor, around: tuple[int, int, int, int]) -> Tensor:
    return F.pad(maps, around, mode="replicate") if any(around) and maps.shape[1] else _grown(maps, around)


def _grown(maps: Tensor, around: tuple[int, int, int, int]) -> Tensor:
    left, right, top, bottom = around
    if not any(around):
        return maps
    shape = (*maps.shape[:-2], maps.shape[-2] + top + bottom, maps.shape[-1] + left + right)
    return maps.new_zeros(shape)
