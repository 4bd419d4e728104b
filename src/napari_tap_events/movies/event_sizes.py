"""How far marked events reach, and which sizes of crops and distances fit them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import floor

import numpy as np

from napari_tap_events.movies.mask_events import groups_in
from napari_tap_events.movies.masks import EventMasks

TYPICAL = 75
"""Percentile of the reaches that sizes follow: a crop shall hold most events whole, and the odd large one need not fit."""
CROP_STEP_PX = 8
"""Windows lie on a grid that divides the side of a crop."""
CROP_PX, LEAST_RADIUS_PX = (16, 512), 2.0
FAR_OFF = 1.5
"""A size is far off where it differs from a fitting one by more than this factor."""
REACH_OF_CELL = 0.7
"""Reach of an event over the diameter of a cell: 0.6 where nuclei are seen, 0.8 where whole cells are, in simulated movies."""
PATCH_CELLS = 3.0
CROP_REACHES, RADIUS_REACHES, AREA_REACHES = 2.0, 1.2, 0.3


@dataclass(frozen=True)
class FittingSizes:
    """Sizes that fit the events of a mask.

    Attributes
    ----------
    reach_px : float
        From the middle of an event to the far edge of its bodies, typically: half the breadth of two daughters together.
    crop_px : int
        Twice the reach, to the nearest multiple of 8: a crop holds an event whole.
    radius_px : float
        1.2 times the reach: two daughters are one event, and neighbours are two.
    area_px : int
        0.3 times the square of the reach: so much of an event makes a crop one.
    """

    reach_px: float
    crop_px: int
    radius_px: float
    area_px: int

    def chosen(self) -> dict[str, float]:
        """Return the settings alone, by name."""
        return {name: value for name, value in asdict(self).items() if name != "reach_px"}

    def misfit(self, crop_px: float, radius_px: float) -> str:
        """Return a sentence where sizes that somebody chose are far off; empty where they are not."""
        ratios = crop_px / self.crop_px, radius_px / self.radius_px
        if max(*ratios, *(1 / ratio for ratio in ratios)) <= FAR_OFF:
            return ""
        return (
            f"your marks reach {self.reach_px:g} px from the middle of an event: crops of {self.crop_px} px and a radius of "
            f"{self.radius_px:g} px would fit them, not {crop_px:g} and {radius_px:g}."
        )


def fitting_sizes(masks: EventMasks) -> FittingSizes | None:
    """Return the sizes that fit the events of a mask; None where none is marked."""
    groups = groups_in((masks.frame(t) for t in range(masks.shape[0])), masks.kinds)
    return sizes_for(float(np.percentile([group.reach_px for group in groups], TYPICAL))) if groups else None


def sizes_of_cell(cell_px: float) -> FittingSizes:
    """Return the sizes that fit cells of a diameter, before any event is marked."""
    return sizes_for(REACH_OF_CELL * cell_px)


def patch_of_cell(cell_px: float) -> int:
    """Return the side of crops for pretraining: three cells."""
    return side_near(PATCH_CELLS * cell_px)


def side_near(side_px: float) -> int:
    """Return the nearest side that suits a crop: a multiple of 8, 16 to 512."""
    return int(np.clip(CROP_STEP_PX * floor(side_px / CROP_STEP_PX + 0.5), *CROP_PX))


def sizes_for(reach_px: float) -> FittingSizes:
    """Return the sizes that fit events of a typical reach, in pixels."""
    radius = float(max(LEAST_RADIUS_PX, round(RADIUS_REACHES * reach_px)))
    area = max(1, round(AREA_REACHES * reach_px**2))
    return FittingSizes(round(reach_px, 1), side_near(CROP_REACHES * reach_px), radius, area)
