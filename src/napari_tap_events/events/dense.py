"""A head over whole frames: logits for every window of the grid, and evidence for every pixel."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_tap_events.events.head import EventHead, EvidenceHead
from napari_tap_events.events.map_tiles import MapTiles

STRIP_WINDOWS = 64
"""Rows of windows computed at a time; bounds memory on large frames."""


@torch.no_grad()
def window_logits(head: EventHead, tiles: MapTiles, t: int, stride: int | None = None) -> NDArray[np.float32]:
    """Return the logits of every complete window of the frame pair (t, t + 1).

    Parameters
    ----------
    head : EventHead
        In eval mode.
    tiles : MapTiles
    t : int
    stride : int, optional
        Distance of the windows in map pixels; by default the head's own.

    Returns
    -------
    (K, rows, columns) float32
        The value at a place is what the head says for the window there, cut out with its margin.
    """
    shape, margin = head.shape, head.margin
    stride = stride or shape.stride
    rows = (tiles.height - shape.crop) // stride + 1
    strips = []
    for first in range(0, rows, STRIP_WINDOWS):
        count = min(STRIP_WINDOWS, rows - first)
        top = first * stride - margin
        bottom = (first + count - 1) * stride + shape.crop + margin
        frames, pairs = tiles.block(t, (top, bottom), (-margin, tiles.width + margin))
        with tiles.compute.autocast():
            strips.append(head.at_stride(frames[None], pairs[None], stride)[0].float())
    return torch.cat(strips, dim=1).cpu().numpy()


@torch.no_grad()
def evidence_map(head: EvidenceHead, tiles: MapTiles, t: int) -> NDArray[np.float32]:
    """Return the evidence of every map pixel of the frame pair (t, t + 1), (K, h, w) float32, never negative."""
    m = head.margin
    frames, pairs = tiles.block(t, (-m, tiles.height + m), (-m, tiles.width + m))
    with tiles.compute.autocast():
        return head.evidence(frames[None], pairs[None])[0].float().cpu().numpy()


def any_kind(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of any event (rows, columns) from those of the kinds (K, rows, columns), taken as independent."""
    return np.asarray(1 - np.prod(1 - probabilities, axis=0), dtype=np.float32)
