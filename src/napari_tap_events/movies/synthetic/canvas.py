"""Patches: small pictures of one body, and the frame that they are laid on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_tap_events.movies.synthetic.life import Pose

Floats = NDArray[np.float32]
TEXELS_PER_CELL = 48
TEXELS = 512
BEARINGS = 256


@dataclass(frozen=True, slots=True)
class Patch:
    """One body, ready to be laid on a frame.

    Attributes
    ----------
    top, left : int
        Row and column of the patch's first pixel in the frame; may be negative.
    layers : (L, h, w) float32
        What it adds to each layer of the canvas, in units of a typical cell.
    cover : (h, w) float32
        0..1, how much of each pixel the body covers.
    """

    top: int
    left: int
    layers: Floats
    cover: Floats


class Painter(Protocol):
    """A look: turns poses into patches."""

    n_layers: int
    reach_cells: float
    """How far a body's picture may stretch from its centre, in cell diameters."""

    def paint(self, pose: Pose) -> Patch | None:
        """Return the picture of one body, or None where there is nothing to see."""
        ...

    def finish(self, canvas: Floats, drift_px: NDArray[np.float64]) -> Floats:
        """Join the layers (L, Y, X) into the specimen's light (Y, X), over a stage that has moved by (y, x) pixels."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixels around a body, in its own directions.

    Attributes
    ----------
    top, left : int
        First row and column.
    u, v : (h, w) float32
        Pixels along and across the body's long axis, from its centre.
    """

    top: int
    left: int
    u: Floats
    v: Floats


def grid_around(pose: Pose, reach_px: float) -> Grid:
    """Return the square of pixels within `reach_px` of a body, at its sub-pixel place."""
    half = int(np.ceil(reach_px))
    top, left = round(pose.y) - half, round(pose.x) - half
    steps = np.arange(2 * half + 1, dtype=np.float32)
    dy, dx = (steps + np.float32(top - pose.y))[:, None], (steps + np.float32(left - pose.x))[None]
    cos, sin = np.float32(np.cos(pose.angle)), np.float32(np.sin(pose.angle))
    return Grid(top, left, cos * dx + sin * dy, cos * dy - sin * dx)


def soft_edge(inside_px: Floats, width_px: float = 1.0) -> Floats:
    """Return 0..1 cover from a signed distance to the outline in pixels, positive inside."""
    cover: Floats = np.clip(inside_px / np.float32(width_px) + np.float32(0.5), 0, 1)
    return cover


def directions() -> NDArray[np.float64]:
    """Return the (BEARINGS,) angles in radians at which outlines are kept, from -pi upwards."""
    return -np.pi + 2 * np.pi * np.arange(BEARINGS) / BEARINGS


def toward(outline: NDArray[np.float64], v: Floats, u: Floats) -> Floats:
    """Look up an outline, (BEARINGS,) radii by direction, in the direction of each pixel (v, u); (h, w)."""
    bearing = ((np.arctan2(v, u) + np.float32(np.pi)) * np.float32(BEARINGS / (2 * np.pi))).astype(np.int32)
    radii: Floats = outline.astype(np.float32).take(bearing & (BEARINGS - 1))
    return radii


class Textures:
    """Two seamless random textures, (TEXELS, TEXELS) float32 of mean 0 and sd 1: coarse lumps and fine grain."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.coarse = _seamless(rng, TEXELS_PER_CELL / 9)
        self.fine = _seamless(rng, TEXELS_PER_CELL / 20)

    def at(self, grid: Grid, cell_px: float, cell: int, fine: bool = False) -> Floats:
        """Return the texture of one body: it moves and turns with it, (h, w)."""
        scale = np.float32(TEXELS_PER_CELL / cell_px)
        # A power of two wraps with a bit mask, which is much faster than a modulus.
        rows = ((grid.v * scale).astype(np.int32) + 97 * cell) & (TEXELS - 1)
        columns = ((grid.u * scale).astype(np.int32) + 61 * cell) & (TEXELS - 1)
        found: Floats = (self.fine if fine else self.coarse).ravel().take(rows * TEXELS + columns)
        return found


def _seamless(rng: np.random.Generator, sigma: float) -> Floats:
    smooth = ndimage.gaussian_filter(rng.standard_normal((TEXELS, TEXELS)), sigma, mode="wrap")
    broad = ndimage.gaussian_filter(smooth, 2.5 * sigma, mode="wrap")
    band: Floats = ((smooth - broad) / (smooth - broad).std()).astype(np.float32)
    return band


def lay(canvas: Floats, patch: Patch) -> None:
    """Add a patch to a canvas (L, Y, X), clipped at its borders."""
    frame, part = _windows(canvas.shape[-2:], patch)
    canvas[(slice(None), *frame)] += patch.layers[(slice(None), *part)]


def _windows(shape: tuple[int, ...], patch: Patch) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a patch lies in a frame, and which part of it lies inside."""
    frame, part = [], []
    for start, length, limit in zip((patch.top, patch.left), patch.cover.shape, shape, strict=True):
        low, high = min(max(start, 0), limit), min(max(start + length, 0), limit)
        frame.append(slice(low, high))
        part.append(slice(low - start, high - start) if high > low else slice(0, 0))
    return (frame[0], frame[1]), (part[0], part[1])


def mark(labels: NDArray[np.uint8], patch: Patch, value: int, allowed: NDArray[np.bool_] | None = None) -> int:
    """Write a body's area into a label frame (Y, X); return how many pixels it has there.

    `allowed` (h, w) keeps the body's pixels to a part of the patch.
    """
    body = patch.cover > 0.4
    if allowed is not None:
        body &= allowed
    frame, part = _windows(labels.shape, patch)
    labels[frame][body[part]] = value
    return int(body[part].sum())
