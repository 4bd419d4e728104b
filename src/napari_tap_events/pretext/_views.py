"""Crop pairs from movies that lie on the training device: drawn, cut and augmented as batched tensor operations.

A window larger than the crop is gathered around every centre, continued by reflection where it hangs over the border of the frame, and
one bilinear resampling per frame does flips, rotation, scale, shift and elastic deformation together. So no border ever shows, and the
blur of interpolation is the same kind for both frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import frame_limits

MOTION_STRIDE = 4
"""Motion weights are kept for blocks of 4 x 4 pixels."""


@dataclass(frozen=True)
class DeviceMovie:
    """Some frames of a movie on the training device, in their own integer type.

    Attributes
    ----------
    frames : (T, C, H, W) uint8, int16, int32 or float32 tensor
        Raw counts; uint16 is kept as the int16 of the same bits.
    unsigned : bool
        Whether int16 stands for uint16.
    limits : (T, C, 2) float32 tensor
        Raw values that become 0 and 1, frame by frame.
    pairs : (N, 2) int64 tensor
        Pairs of frames that may be drawn: (t, t + delta).
    """

    frames: Tensor
    unsigned: bool
    limits: Tensor
    pairs: Tensor

    def windows(self, t: Tensor, centre: Tensor, size: int) -> Tensor:
        """Cut normalised windows.

        Parameters
        ----------
        t : (B, S) int64
            Frames.
        centre : (B, 2) int64
            Window centres (y, x), pixels.
        size : int
            Side of the windows.

        Returns
        -------
        (B, S, C, size, size) float32
        """
        span = torch.arange(size, device=t.device) - size // 2
        height, width = self.frames.shape[-2:]
        y = _reflect(centre[:, :1] + span, height)[:, None, :, None]
        x = _reflect(centre[:, 1:] + span, width)[:, None, None, :]
        when = t[:, :, None, None]
        raw = torch.stack([self.frames[:, c][when, y, x] for c in range(self.frames.shape[1])], dim=2)
        if self.unsigned:
            raw = raw.to(torch.int32) & 0xFFFF
        low, high = self.limits[t].unbind(-1)
        return (raw.float() - low[..., None, None]) / (high - low)[..., None, None]


def _reflect(index: Tensor, size: int) -> Tensor:
    """Fold indices outside 0..size-1 back inside, as a mirror on the outermost pixel does."""
    if size == 1:
        return torch.zeros_like(index)
    period = 2 * (size - 1)
    folded = index % period
    return torch.minimum(folded, period - folded)


def device_movie(movie: Movie, frames: range, deltas: Sequence[int], device: torch.device) -> DeviceMovie:
    """Bring a range of frames of a movie to the device.

    Raises
    ------
    MovieError
        When no pair of frames `delta` apart lies within the range.
    """
    raw = np.stack([movie.frame(t) for t in frames])
    limits = np.stack([frame_limits(frame) for frame in raw])
    unsigned = raw.dtype.kind == "u" and raw.dtype.itemsize == 2
    if unsigned:
        raw = raw.astype(np.uint16).view(np.int16)
    elif raw.dtype.kind == "f" or raw.dtype.itemsize > 4 or (raw.dtype.kind == "u" and raw.dtype.itemsize == 4):
        raw = raw.astype(np.float32)
    pairs = [(i, i + d) for d in deltas for i in range(len(raw) - d)]
    if not pairs:
        raise MovieError(f"'{movie.name}': frames {frames.start}:{frames.stop} hold no pair of frames {min(deltas)} apart.")
    native = raw.astype(raw.dtype.newbyteorder("="), copy=False)
    return DeviceMovie(
        torch.from_numpy(native).to(device), unsigned, torch.from_numpy(limits).to(device), torch.tensor(pairs, device=device)
    )


class PairSampler:
    """Draws where crop pairs lie: (frame pair, centre), more often where something moves.

    Parameters
    ----------
    movie : DeviceMovie
    motion_share : float
        Share of centres drawn in proportion to the squared, blurred frame difference; the rest is uniform.
    blur_px : float
        Standard deviation of the blur, pixels.
    """

    def __init__(self, movie: DeviceMovie, motion_share: float, blur_px: float) -> None:
        self.movie = movie
        self.motion_share = motion_share
        self.height, self.width = movie.frames.shape[-2:]
        if motion_share > 0:
            self.weights_shape, self.cumulative = self._cumulative(blur_px)

    def _cumulative(self, blur_px: float) -> tuple[tuple[int, int, int], Tensor]:
        maps = torch.stack([self._motion(pair, blur_px) for pair in self.movie.pairs])
        totals = maps.sum((1, 2), keepdim=True)
        cap = 5 * totals.median().clamp(min=1e-12)
        maps = maps * (cap / totals.clamp(min=1e-12)).clamp(max=1.0)
        if not bool(maps.any()):  # nothing moves: everywhere alike, not always in the first corner
            maps = torch.ones_like(maps)
        shape = (maps.shape[0], maps.shape[1], maps.shape[2])
        return shape, maps.flatten().double().cpu().cumsum(0).to(maps.device, _wide(maps.device))

    def _motion(self, pair: Tensor, blur_px: float) -> Tensor:
        low, high = self.movie.limits[pair].unbind(-1)
        raw = self.movie.frames[pair]
        raw = raw.to(torch.int32) & 0xFFFF if self.movie.unsigned else raw
        frames = (raw.float() - low[..., None, None]) / (high - low)[..., None, None]
        change = (frames[1] - frames[0]).mean(0, keepdim=True)[None]
        coarse = F.avg_pool2d(_blur(change, blur_px).square(), MOTION_STRIDE, ceil_mode=True, count_include_pad=False)
        return coarse[0, 0]

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return frame pairs (B, 2) and centres (B, 2) in pixels, int64, on the device."""
        device = self.movie.frames.device
        u = torch.rand(4, count, generator=generator, device=device)
        pair = (u[0] * len(self.movie.pairs)).long()
        y, x = (u[1] * self.height).long(), (u[2] * self.width).long()
        if self.motion_share > 0:
            moved_pair, moved_y, moved_x = self._draw_motion(count, generator)
            moving = u[3] < self.motion_share
            pair, y, x = (torch.where(moving, a, b) for a, b in ((moved_pair, pair), (moved_y, y), (moved_x, x)))
        return self.movie.pairs[pair], torch.stack([y, x], dim=1)

    def _draw_motion(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        _, rows, columns = self.weights_shape
        device = self.movie.frames.device
        u = torch.rand(3, count, generator=generator, device=device)
        cell = torch.searchsorted(self.cumulative, u[0].to(self.cumulative.dtype) * self.cumulative[-1])
        cell = cell.clamp(max=len(self.cumulative) - 1)
        pair, rest = cell // (rows * columns), cell % (rows * columns)
        y = ((rest // columns + u[1]) * MOTION_STRIDE).long().clamp(max=self.height - 1)
        x = ((rest % columns + u[2]) * MOTION_STRIDE).long().clamp(max=self.width - 1)
        return pair, y, x


def _wide(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def _blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (1, 1, H, W), continued by its border."""
    if sigma <= 0:
        return image
    reach = max(1, math.ceil(3 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=image.device) / sigma) ** 2)
    taps = taps / taps.sum()
    image = F.conv2d(F.pad(image, (reach, reach, 0, 0), mode="replicate"), taps.view(1, 1, 1, -1))
    return F.conv2d(F.pad(image, (0, 0, reach, reach), mode="replicate"), taps.view(1, 1, -1, 1))


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the augmentation of TAP, all times `strength`; each part is applied with probability one half.

    Joint for both frames: flips, rotation by any angle with scale 0.8 to 1.25, elastic deformation (5 x 5 control points, 5 px),
    intensity x 0.8 to 1.25 and +- 0.1. Each frame apart: shift up to 3 % with scale 0.9 to 1.11, intensity x 0.9 to 1.11 and
    +- 0.05, Gaussian noise of sigma up to 0.05.
    """

    strength: float = 1.0

    def window_px(self, crop_px: int) -> int:
        """Return the side of the window from which every view of a crop can be resampled."""
        if self.strength == 0:
            return crop_px
        s = self.strength
        reach: float = crop_px * math.sqrt(2) * 1.25**s * 1.11**s * (1 + 0.06 * s)
        return math.ceil(reach) + 2 * math.ceil(5 * s) + 2

    def __call__(self, windows: Tensor, crop_px: int, generator: torch.Generator) -> Tensor:
        """Turn windows (B, S, C, w, w) into augmented crops (B, S, C, crop_px, crop_px)."""
        if self.strength == 0:
            return windows
        grid = self._grid(windows.shape[0], windows.shape[1], crop_px, windows.shape[-1], generator)
        crops = F.grid_sample(
            windows.flatten(0, 1), grid.flatten(0, 1), mode="bilinear", padding_mode="reflection", align_corners=True
        )
        return self._intensity(crops.unflatten(0, windows.shape[:2]), generator)

    def _grid(self, batch: int, frames: int, crop_px: int, window_px: int, generator: torch.Generator) -> Tensor:
        """Return sampling positions (B, S, P, P, 2) as (x, y) in -1..1 of the window."""
        draw = _Draws(generator, batch, self.strength)
        line = torch.arange(crop_px, device=generator.device) - (crop_px - 1) / 2
        y, x = torch.meshgrid(line, line, indexing="ij")
        flip_y, flip_x = draw.sign(), draw.sign()
        angle, scale = draw.uniform(-math.pi, math.pi, bound_to_strength=False), draw.ratio(1.25)
        y, x = flip_y[:, None, None] * y, flip_x[:, None, None] * x
        cos, sin = (scale * angle.cos())[:, None, None], (scale * angle.sin())[:, None, None]
        place = torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1) + self._elastic(draw, crop_px)
        both = draw.coin()
        own_scale = torch.stack([draw.ratio(1.11, both) for _ in range(frames)], dim=1)[:, :, None, None, None]
        shift = torch.stack([draw.vector(0.03 * crop_px, both) for _ in range(frames)], dim=1)[:, :, None, None, :]
        return (place[:, None] * own_scale + shift) * (2 / (window_px - 1)) + (0 if window_px % 2 else 1 / (window_px - 1))

    def _elastic(self, draw: _Draws, crop_px: int) -> Tensor:
        knots = draw.field(5, 5.0)
        moved = F.interpolate(knots, size=(crop_px, crop_px), mode="bicubic", align_corners=True)
        return moved.permute(0, 2, 3, 1)

    def _intensity(self, crops: Tensor, generator: torch.Generator) -> Tensor:
        batch, frames = crops.shape[:2]
        draw = _Draws(generator, batch, self.strength)
        both = draw.coin()
        gain = torch.stack([draw.ratio(1.11, both) for _ in range(frames)], dim=1) * draw.ratio(1.25)[:, None]
        offset = torch.stack([draw.uniform(-0.05, 0.05, both) for _ in range(frames)], dim=1) + draw.uniform(-0.1, 0.1)[:, None]
        sigma = draw.uniform(0.0, 0.05)
        noise = torch.randn(crops.shape, generator=generator, device=crops.device)
        return crops * gain[:, :, None, None, None] + offset[:, :, None, None, None] + sigma.view(-1, 1, 1, 1, 1) * noise


class _Draws:
    """Random numbers for a batch; each is neutral with probability one half, or where a given coin says so."""

    def __init__(self, generator: torch.Generator, batch: int, strength: float) -> None:
        self.generator, self.batch, self.strength = generator, batch, strength

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(self.batch, *shape, generator=self.generator, device=self.generator.device)

    def coin(self) -> Tensor:
        return (self._rand() < 0.5).float()

    def sign(self) -> Tensor:
        return 1 - 2 * self.coin()

    def uniform(self, low: float, high: float, on: Tensor | None = None, bound_to_strength: bool = True) -> Tensor:
        value = low + (high - low) * self._rand()
        return value * (self.coin() if on is None else on) * (self.strength if bound_to_strength else 1.0)

    def ratio(self, top: float, on: Tensor | None = None) -> Tensor:
        """Draw a factor between 1/top and top, even in its logarithm."""
        return self.uniform(-math.log(top), math.log(top), on).exp()

    def vector(self, reach: float, on: Tensor) -> Tensor:
        return (2 * self._rand(2) - 1) * reach * self.strength * on[:, None]

    def field(self, knots: int, reach: float) -> Tensor:
        values = (2 * self._rand(2, knots, knots) - 1) * reach * self.strength
        return values * self.coin()[:, None, None, None]
