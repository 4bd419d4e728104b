"""What a microscope may do to a movie that has nothing to do with cells: the stage drifts, a clock is burnt in, much is background."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.pretext._views import DeviceMovie

REGISTERED_PX = 512
"""Side of the middle of a frame by which its drift is measured."""
QUIET_SHARE = 0.125
CALM_PX = 4
FEW_VALUES, LEAST_FRAMES = 4, 12
MOST_BURNT = 0.1
"""Share of a frame beyond which what looks burnt in is not a clock."""
LEAST_BURNT_PX, LEAST_DENSE = 6, 0.2
"""Fewest pixels, and the least share of their box: stray pixels are no writing."""


def normalised(movie: DeviceMovie, t: int) -> Tensor:
    """Return a frame (C, H, W) float32, normalised."""
    height, width = movie.frames.shape[-2:]
    raw = movie.frames[t].to(torch.int32) & 0xFFFF if movie.unsigned else movie.frames[t]
    low, high = movie.limits[t].unbind(-1)
    scaled: Tensor = (raw.float() - low[:, None, None]) / (high - low)[:, None, None]
    return scaled.view(-1, height, width)


def drift(movie: DeviceMovie) -> Tensor:
    """Return by how much each frame has moved since the first, (T, 2) as (y, x), pixels, from phase correlation of successive frames."""
    side = min(REGISTERED_PX, *movie.frames.shape[-2:])
    moved = [torch.zeros(2)]
    before = _spectrum(normalised(movie, 0), side)
    for t in range(1, len(movie.frames)):
        now = _spectrum(normalised(movie, t), side)
        moved.append(moved[-1] + _peak(before, now, side))
        before = now
    return torch.stack(moved).to(movie.frames.device)


def _spectrum(frame: Tensor, side: int) -> Tensor:
    top, left = ((n - side) // 2 for n in frame.shape[-2:])
    middle = frame.mean(0)[top : top + side, left : left + side]
    window = torch.hann_window(side, device=frame.device)
    spectrum: Tensor = torch.fft.rfft2((middle - middle.mean()) * window[:, None] * window)
    return spectrum


def _peak(before: Tensor, now: Tensor, side: int) -> Tensor:
    """Return the whole-pixel shift of the strongest match, found with half of the usual whitening, which noise disturbs less."""
    cross = now * before.conj()
    match: Tensor = torch.fft.irfft2(cross / cross.abs().clamp(min=1e-9).sqrt(), s=(side, side))
    y, x = divmod(int(match.argmax()), side)
    return torch.tensor([(v + side // 2) % side - side // 2 for v in (y, x)], dtype=torch.float32)


def temporal_median(movie: DeviceMovie) -> Tensor:
    """Return the median of all normalised frames, (C, H, W) float32."""
    return torch.stack([normalised(movie, t) for t in range(len(movie.frames))]).median(0).values


def quietest(windows: Tensor) -> Tensor:
    """Return the indices of the `QUIET_SHARE` of windows (B, S, C, w, w) in which there is least to see and least happens."""
    coarse = F.avg_pool2d(windows.flatten(1, 2), CALM_PX, ceil_mode=True, count_include_pad=False).unflatten(
        1, windows.shape[1:3]
    )
    seen = coarse.amax((1, 2, 3, 4)) - coarse.flatten(1).median(1).values
    order: Tensor = seen.argsort()
    return order[: max(1, round(QUIET_SHARE * len(windows)))]


def burnt_in(movie: DeviceMovie) -> Tensor | None:
    """Return the box (top, left, bottom, right) int64 of what is burnt into the frames and changes, or None.

    Burnt-in writing has few grey values: in almost all frames a pixel of it has one of a few exact values, while those of a camera vary.
    """
    frames = movie.frames[:, 0]
    if len(frames) < LEAST_FRAMES:
        return None
    ordered = frames.sort(0).values
    kinds = 1 + (ordered[1:] != ordered[:-1]).sum(0)
    few = min(FEW_VALUES, len(frames) // 6)
    written = (kinds >= 2) & (kinds <= few)
    if not LEAST_BURNT_PX <= int(written.sum()) <= MOST_BURNT * written.numel():
        return None
    places = written.nonzero()
    low, high = places.amin(0), places.amax(0)
    dense = len(places) >= LEAST_DENSE * int((high - low + 1).prod())
    return torch.cat([low, high]) if dense else None


def matched(windows: Tensor) -> Tensor:
    """Give every frame of windows (B, S, C, w, w) the histogram of the first: no brightness or contrast tells them apart."""
    flat = windows.flatten(3)
    ranks = flat.argsort(-1).argsort(-1)
    return flat[:, :1].sort(-1).values.expand_as(flat).gather(-1, ranks).view_as(windows)
