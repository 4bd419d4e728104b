"""The cell under the cursor: a bright or a dark object on its background, found by a local threshold."""

from __future__ import annotations

from math import ceil, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEVELS = (0.5, 0.6, 0.7, 0.8)
"""Where an object ends: at half of its own height above the background, or higher where it runs into a neighbour."""
_BACKGROUND = 0.3
"""So much of the surroundings of a cell is background at least."""
_LEAST_PX = 12
"""A smaller object is a speck."""
_LEAST_CONTRAST = 1.5
"""An object stands out from its surroundings by so many times the noise of a pixel, at least."""


def cell_under(frame: NDArray[Any], y: float, x: float, most_px: int) -> NDArray[np.int64]:
    """Return the object under a place.

    Parameters
    ----------
    frame : (Y, X)
    y, x : float
        Pixels.
    most_px : int
        Largest area; what is larger is background.

    Returns
    -------
    (N,) int64
        Its pixels, y * width + x, ascending; empty where there is none.
    """
    row, column = round(y), round(x)
    if not (0 <= row < frame.shape[0] and 0 <= column < frame.shape[1]):
        return np.zeros(0, np.int64)
    half = ceil(2.5 * sqrt(most_px / pi)) + 2
    top, left = max(0, row - half), max(0, column - half)
    window = np.asarray(frame[top : row + half + 1, left : column + half + 1], np.float32)
    cut = np.zeros(window.shape, bool)
    cut[0], cut[-1] = top > 0, row + half + 1 < frame.shape[0]
    cut[:, 0] |= left > 0
    cut[:, -1] |= column + half + 1 < frame.shape[1]
    place, wide = (row - top, column - left), half // 5
    found = [_object(side, place, reach, most_px, cut) for side, reach in ((window, 2), (-window, 2), (window, wide))]
    best = max(found, key=lambda inside: _contrast(window, inside) * sqrt(np.count_nonzero(inside)))
    rows, columns = np.nonzero(best)
    return np.asarray((rows + top) * frame.shape[1] + columns + left, np.int64)


def _object(
    window: NDArray[np.float32], place: tuple[int, int], reach_px: int, most_px: int, cut: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the bright object at a place of a window, (Y, X) bool; one that goes on beyond `cut` pixels is background.

    Its height is that of the brightest pixel within `reach_px`: a small reach finds a cell as bright as the place itself, a wide
    one a cell with a bright rim.
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(window, 1.0)
    y, x = place
    height = smooth[max(0, y - reach_px) : y + reach_px + 1, max(0, x - reach_px) : x + reach_px + 1].max()
    ground = np.quantile(smooth, _BACKGROUND)
    for level in _LEVELS if height > ground else ():
        bright = ndimage.binary_fill_holes(smooth > ground + level * (height - ground))
        parts, _ = ndimage.label(bright)
        inside: NDArray[np.bool_] = (parts == parts[place]) & bright
        if _LEAST_PX <= inside.sum() <= most_px and not (inside & cut).any() and _stands_out(window, inside):
            return inside
    return np.zeros(window.shape, bool)


def _stands_out(window: NDArray[np.float32], inside: NDArray[np.bool_]) -> bool:
    noise = 1.05 * float(np.median(np.abs(np.diff(window, axis=1))))  # of a normal distribution, difference of two
    return _contrast(window, inside) > max(_LEAST_CONTRAST * noise, 1e-6)


def _contrast(window: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """Return how far the mean of an object lies from what surrounds it."""
    from scipy import ndimage

    if not inside.any():
        return 0.0
    near, far = (ndimage.binary_dilation(inside, iterations=n) for n in (1, 4))
    return abs(float(np.mean(window[inside])) - float(np.median(window[far & ~near])))
