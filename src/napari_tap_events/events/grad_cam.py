"""Grad-CAM: which places in the feature map speak for an event, or for the arrow of time.

Selvaraju et al. 2017, with the feature map z as the target layer: channels are weighted by the gradient of the score averaged over
pixels, for events over those of a window around. Where an evidence head reads the image, the target layer is what its convolutions make of
it: the image itself has one channel, and its Grad-CAM would be its brightness. For events negative sums are cut off; for the arrow of time
the absolute value is shown (Chen, Namboodiri, Sero 2024).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage as ndi
from torch import Tensor

from napari_tap_events.encoder.arrow import ArrowHead
from napari_tap_events.encoder.pair_head import PairHead
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.map_tiles import MapTiles

AROUND_PX = 24
"""Side of the window in which gradients of a pair head are averaged; an event head has its own."""


def event_cam(head: EventHead, tiles: MapTiles, t: int) -> NDArray[np.float32]:
    """Return the Grad-CAM of an event head for the frame pair (t, t + 1).

    The score is the sum of the logits of any event in all windows, each weighted by its own probability, so that windows which the head
    takes for events decide. A frame holds many windows, and what speaks for an event in one of them says nothing of another: a channel
    has its weight from the gradients in a window around the pixel, not from all of the frame.

    Returns
    -------
    (h, w) float32
        At the stride of the maps, mean over both frames, never negative; layers that come of different inputs are added up.
    """
    m = head.margin
    with torch.enable_grad():
        layers, logits = head.explained(*tiles.block(t, (-m, tiles.height + m), (-m, tiles.width + m)))
        score = (logits * torch.sigmoid(logits.detach()))[:, 0].sum()
    cams = [
        _weighted(layer.detach(), _around(gradient, head.shape.crop)).clamp(min=0).mean(0)
        for layer, gradient in zip(layers, torch.autograd.grad(score, layers), strict=True)
    ]
    inner = [head.inner(cam) if cam.shape[0] > tiles.height else cam for cam in cams]
    return np.asarray(torch.stack(inner).sum(0).cpu().numpy(), dtype=np.float32)


def arrow_cam(head: ArrowHead, z: Tensor) -> NDArray[np.float32]:
    """Return the Grad-CAM of the time arrow for features z (2, F, H, W): |sum of weighted channels|, mean over frames, (H, W)."""
    z = z.detach().requires_grad_(True)
    with torch.enable_grad():
        score = head.arrow(z[None]).mean()
    (gradient,) = torch.autograd.grad(score, z)
    return np.asarray(
        _weighted(z.detach(), gradient.mean((-2, -1), keepdim=True)).abs().mean(0).cpu().numpy(), dtype=np.float32
    )


def pair_cam(head: PairHead, z: Tensor) -> NDArray[np.float32]:
    """Return the Grad-CAM of a pair head for features z (2, F, H, W), never negative, mean over frames, (H, W).

    The score is the sum of all logits, each weighted by its own probability, and channels have their weights from around the pixel, as
    for an event head.
    """
    z = z.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = head.logits(z[None])
        score = (logits * torch.sigmoid(logits.detach())).sum()
    (gradient,) = torch.autograd.grad(score, z)
    cam = _weighted(z.detach(), _around(gradient, AROUND_PX))
    return np.asarray(cam.clamp(min=0).mean(0).cpu().numpy(), dtype=np.float32)


def _around(gradient: Tensor, window: int) -> Tensor:
    """Average gradients (B, C, h, w) over a window around each pixel; beyond the border there is nothing to average."""
    reach = window // 2
    return F.avg_pool2d(gradient, 2 * reach + 1, 1, reach, count_include_pad=False)


def _weighted(layer: Tensor, weights: Tensor) -> Tensor:
    """Sum channels of (B, C, h, w), each times its weights, to (B, h, w)."""
    return (weights * layer).sum(1)


@dataclass(frozen=True)
class Inset:
    """A place worth a look.

    Attributes
    ----------
    t : int
        Frame pair (t, t + 1).
    y, x : float
        Pixels of the movie.
    value : float
        Of the map there.
    """

    t: int
    y: float
    x: float
    value: float


FRAMES_APART = 2
CLOSE = 4 * 2 * FRAMES_APART
"""An inset pushes aside four maxima at most in each frame nearby: those of a frame lie half an inset apart from each other."""


class RankedInsets:
    """Keeps the strongest places of a movie's maps, at least half an inset or some frames apart.

    What comes later may push aside what came before, and what that had pushed aside comes back: so more places are kept than shown, as
    many as can matter, and the order of the maps changes nothing.

    Parameters
    ----------
    count : int
        How many to keep.
    inset_px : int
        Side of an inset in pixels of the movie.
    stride_px : int
        Pixels of the movie per pixel of the maps.
    """

    def __init__(self, count: int, inset_px: int, stride_px: int) -> None:
        self.count, self.inset_px, self.stride_px = count, inset_px, stride_px
        self._best: list[Inset] = []

    @property
    def found(self) -> list[Inset]:
        """Return the strongest places of all maps so far, the strongest first; each lies apart from all stronger ones."""
        kept: list[Inset] = []
        for inset in self._best:
            if len(kept) < self.count and all(self._apart(inset, other) for other in kept):
                kept.append(inset)
        return kept

    def look(self, t: int, cam: NDArray[np.float32]) -> None:
        """Take the maxima of one more map (h, w) into account."""
        size = max(3, self.inset_px // self.stride_px // 2 * 2 + 1)
        smooth = ndi.gaussian_filter(cam, size / 8)
        peaks = np.argwhere((smooth == ndi.maximum_filter(smooth, size)) & (smooth > 0))
        centre = (self.stride_px - 1) / 2
        here = [
            Inset(t, centre + self.stride_px * float(y), centre + self.stride_px * float(x), float(smooth[y, x]))
            for y, x in peaks
        ]
        self._best = heapq.nlargest(self.count * (1 + CLOSE), [*self._best, *here], key=lambda inset: inset.value)

    def _apart(self, one: Inset, other: Inset) -> bool:
        far = max(abs(one.y - other.y), abs(one.x - other.x)) >= self.inset_px / 2
        return far or abs(one.t - other.t) > FRAMES_APART
