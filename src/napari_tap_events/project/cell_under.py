"""The cell under the cursor: a bright or a dark object on its background, found by a local threshold."""

from __future__ import annotations

from math import ceil, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEVELS = 8
"""So many thresholds are tried, from the one between object and background up to the brightness of the pixel itself."""
_LEAST_SHARE = 0.03
"""An object smaller than this share of the largest allowed area is a speck."""
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
    rows, columns = np.nonzero(_object(window, (row - top, column - left), most_px, cut))
    return np.asarray((rows + top) * frame.shape[1] + columns + left, np.int64)


def _object(window: NDArray[np.float32], place: tuple[int, int], most_px: int, cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the object at a place of a window, (y, x) bool; one that goes on beyond `cut` pixels is background."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    nothing = np.zeros(window.shape, bool)
    smooth = ndimage.gaussian_filter(window, 1.0)
    if smooth.min() == smooth.max():
        return nothing
    level = float(threshold_otsu(smooth))  # type: ignore[no-untyped-call]
    if smooth[place] <= level:
        smooth, level = -smooth, -level
    for threshold in np.linspace(level, float(smooth[place]), _LEVELS, endpoint=False):
        parts, _ = ndimage.label(smooth > threshold)
        inside = ndimage.binary_fill_holes(parts == parts[place])
        area = int(inside.sum())
        if area < _LEAST_SHARE * most_px:
            return nothing
        if area <= most_px and not (inside & cut).any():
            return inside if _stands_out(window, inside) else nothing
    return nothing


def _stands_out(window: NDArray[np.float32], inside: NDArray[np.bool_]) -> bool:
    from scipy import ndimage

    near, far = (ndimage.binary_dilation(inside, iterations=n) for n in (1, 4))
    ring = far & ~near
    noise = 1.05 * float(np.median(np.abs(np.diff(window, axis=1))))  # of a normal distribution, difference of two
    contrast = abs(float(np.mean(window[inside])) - float(np.median(window[ring])))
    return contrast > max(_LEAST_CONTRAST * noise, 1e-6)
