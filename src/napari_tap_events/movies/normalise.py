"""Raw counts to float32, frame by frame, so that a global change of brightness cannot tell the time.

Chen, Namboodiri, Sero 2024 and the TAP code normalise each frame by its own percentiles; per-frame limits are part of the method.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOW_PERCENT = 1.0
HIGH_PERCENT = 99.8
SAMPLED_PIXELS = 16_384
"""Pixels sampled for percentiles, at least: every 8th pixel per axis of a 1024 x 1024 frame, more densely on smaller frames."""

NORMALISATION = {"method": "percentiles per frame", "low": LOW_PERCENT, "high": HIGH_PERCENT, "pixels": SAMPLED_PIXELS}
"""What a model card says about it; inference repeats exactly this."""


def frame_limits(frame: NDArray[Any]) -> NDArray[np.float32]:
    """Return the raw values that become 0 and 1.

    Parameters
    ----------
    frame : (C, Y, X)
        Raw pixels of any numeric type.

    Returns
    -------
    (C, 2) float32
        Low and high percentile of each channel; high is above low even where a channel is constant.
    """
    stride = max(1, math.isqrt(frame.shape[1] * frame.shape[2] // SAMPLED_PIXELS))
    sample = frame[:, ::stride, ::stride].reshape(len(frame), -1).astype(np.float32)
    low, high = np.percentile(sample, (LOW_PERCENT, HIGH_PERCENT), axis=1)
    return np.stack([low, np.maximum(high, low + 1e-6 + 1e-6 * np.abs(low))], axis=1).astype(np.float32)


def normalise(frame: NDArray[Any], limits: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Scale a frame so that its percentiles become 0 and 1; nothing is clipped.

    Parameters
    ----------
    frame : (C, Y, X)
        Raw pixels.
    limits : (C, 2) float32, optional
        From `frame_limits`; computed when absent.

    Returns
    -------
    (C, Y, X) float32
    """
    limits = frame_limits(frame) if limits is None else limits
    low, high = limits[:, 0, None, None], limits[:, 1, None, None]
    return np.asarray((frame.astype(np.float32) - low) / (high - low), dtype=np.float32)
