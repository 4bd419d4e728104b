"""Where windows lie: the grid of crops that are labelled, judged and mapped.

A window is `crop_px` x `crop_px` pixels of the frames t and t + 1. Windows start at multiples of `stride_px`; the value of a map at
grid place (i, j) belongs to the window whose centre is `offset_px + stride_px * (i, j)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import ScopeError


@dataclass(frozen=True)
class WindowGrid:
    """All complete windows of a frame.

    Attributes
    ----------
    height, width : int
        Size of a frame, pixels.
    crop_px, stride_px : int
        Side of the windows, and their distance.
    """

    height: int
    width: int
    crop_px: int
    stride_px: int

    def __post_init__(self) -> None:
        if min(self.height, self.width) < self.crop_px:
            raise ScopeError(
                f"crops of {self.crop_px} px do not fit into frames of {self.height} x {self.width} px; "
                f"choose --crop-px {min(self.height, self.width) // 2 * 2} or less."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return (self.height - self.crop_px) // self.stride_px + 1, (self.width - self.crop_px) // self.stride_px + 1

    @property
    def offset_px(self) -> float:
        """Centre of the first window, pixels, in y and in x."""
        return (self.crop_px - 1) / 2

    def centre_px(self, row: float, column: float) -> tuple[float, float]:
        """Return the centre (y, x) of a window in pixels."""
        return self.offset_px + self.stride_px * row, self.offset_px + self.stride_px * column

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.int64]:
        """Sum a frame (Y, X) over every window; a frame may be larger than the grid, by rows and columns that no window reaches.

        Returns
        -------
        (rows, columns) int64
        """
        total = np.zeros((self.height + 1, self.width + 1), np.int64)
        total[1:, 1:] = values[: self.height, : self.width].astype(np.int64).cumsum(0).cumsum(1)
        rows, columns = self.shape
        y = np.arange(rows)[:, None] * self.stride_px
        x = np.arange(columns)[None] * self.stride_px
        c = self.crop_px
        return total[y + c, x + c] - total[y, x + c] - total[y + c, x] + total[y, x]
