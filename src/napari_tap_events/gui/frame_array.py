"""What napari wants of an array (T, Y, X) that is none: one whose frames are read when they are looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FrameArray(ABC):
    """Array-like (T, Y, X); a subclass tells its shape and the type of its values, and reads them."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X)."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @property
    def ndim(self) -> int:
        """Always 3."""
        return 3

    @property
    def size(self) -> int:
        """Number of values in all frames."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, key: Any) -> NDArray[Any]: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype, copy=copy)
