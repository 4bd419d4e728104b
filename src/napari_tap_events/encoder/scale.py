"""At which scale an encoder sees frames: one that has learned from simulated movies alone is best where cells are as large as there."""

from __future__ import annotations

STANDARD_RADIUS_PX = 14.0
"""Radius of the events of simulated nuclei of typical size: 16.8 px across, the geometric mean of those that teach."""
AS_IT_IS = 4 / 3
"""Up to this factor above and below nothing is scaled."""
LEAST_SCALE, MOST_SCALE = 0.2, 2.0
"""A frame of twice the sides takes four times the work and memory; more is not done."""


def scale_for(radius_px: float) -> float:
    """Return by how much the sides of frames are multiplied so that events of a radius have the standard one.

    Parameters
    ----------
    radius_px : float
        Distance up to which two places are one event: it follows the size of cells.
    """
    scale = STANDARD_RADIUS_PX / max(radius_px, 1e-3)
    return 1.0 if 1 / AS_IT_IS <= scale <= AS_IT_IS else min(max(scale, LEAST_SCALE), MOST_SCALE)
