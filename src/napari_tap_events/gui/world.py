"""Where pixels and frames lie in napari's world: micrometres and seconds, or pixels and frames where those are unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

AXIS_LABELS = ("t", "y", "x")


@dataclass(frozen=True)
class World:
    """The scale that all layers of one movie share.

    Attributes
    ----------
    pixel_size_um : float or None
        Side of a movie pixel in micrometres.
    interval_s : float or None
        Seconds from one frame to the next.
    """

    pixel_size_um: float | None = None
    interval_s: float | None = None

    @property
    def per_frame(self) -> float:
        """World units from one frame to the next: seconds, or 1 where they are unknown."""
        return self.interval_s or 1.0

    @property
    def per_pixel(self) -> float:
        """World units from one movie pixel to the next: micrometres, or 1 where they are unknown."""
        return self.pixel_size_um or 1.0

    @property
    def units(self) -> tuple[str, str, str]:
        """Names of the units of (t, y, x); `pixel` is napari's word for none."""
        space = "micrometer" if self.pixel_size_um else "pixel"
        return "second" if self.interval_s else "pixel", space, space

    def layer_place(self, stride_px: float = 1.0, offset_px: float = 0.0, frame_offset: int = 0) -> dict[str, Any]:
        """Return scale, translate, units and axis labels of a layer on this movie.

        Parameters
        ----------
        stride_px : float
            Movie pixels from one element of the layer to the next; 1 for the movie itself.
        offset_px : float
            Movie pixel, in y and in x, on which the centre of the layer's element (0, 0) lies.
        frame_offset : int
            Movie frame to which the layer's first belongs.
        """
        step, start = stride_px * self.per_pixel, offset_px * self.per_pixel
        return {
            "scale": (self.per_frame, step, step),
            "translate": (frame_offset * self.per_frame, start, start),
            "units": self.units,
            "axis_labels": AXIS_LABELS,
        }
