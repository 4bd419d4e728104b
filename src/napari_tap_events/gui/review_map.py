"""Two maps of a movie as one array: what the head in use says, and of some frames what one says that nobody has proven yet."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.gui.frame_array import FrameArray


class ReviewMap(FrameArray):
    """Array-like (T, Y, X).

    Attributes
    ----------
    proven : zarr.Array
    sketch : zarr.Array or None
        Of the same shape.
    provisional : frozenset of int
        Frames that are read from the sketch.
    """

    def __init__(self, proven: Any) -> None:
        self.proven, self.sketch = proven, None
        self.provisional: frozenset[int] = frozenset()

    sketch: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X)."""
        return tuple(self.proven.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        dtype: np.dtype[Any] = np.dtype(self.proven.dtype)
        return dtype

    def __getitem__(self, key: Any) -> NDArray[Any]:
        t = key[0] if isinstance(key, tuple) else key
        sketched = self.sketch is not None and isinstance(t, Integral) and int(t) in self.provisional
        return np.asarray((self.sketch if sketched else self.proven)[key])
