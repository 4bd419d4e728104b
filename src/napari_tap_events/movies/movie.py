"""A movie: frames in time, read one by one when they are asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError


class FrameSource(Protocol):
    """Anything that gives one frame at a time; safe to read from several threads."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, C, Y, X)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels as the microscope wrote them."""
        ...

    def frame(self, t: int) -> NDArray[Any]:
        """Return frame `t` as (C, Y, X), in the file's own type."""
        ...


@dataclass(frozen=True)
class ArrayFrames:
    """Frames that already lie in memory, or in anything indexed like an array.

    Attributes
    ----------
    array : (T, C, Y, X) array-like
    """

    array: Any

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, C, Y, X)."""
        t, c, y, x = self.array.shape
        return int(t), int(c), int(y), int(x)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(self.array.dtype)

    def frame(self, t: int) -> NDArray[Any]:
        """Return frame `t` as (C, Y, X)."""
        return np.asarray(self.array[t])


@dataclass(frozen=True)
class Movie:
    """A time-lapse movie: (T, C, Y, X), read lazily, with what is known of its scale.

    Attributes
    ----------
    name : str
        Short name for people, usually the file's.
    frames : FrameSource
        Where the pixels come from.
    source : str
        Path or description of the origin; empty for arrays.
    file_axes : str
        The axes as the file has them, e.g. "TYX" or "TZCYX".
    channel_names : tuple of str
        One per channel; empty where the file names none.
    pixel_size_um : float or None
        Side of a pixel in micrometres.
    interval_s : float or None
        Seconds from one frame to the next.
    notes : tuple of str
        What was decided while opening, one sentence each ("RGB read as luminance").
    """

    name: str
    frames: FrameSource
    source: str = ""
    file_axes: str = "TYX"
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    interval_s: float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, C, Y, X)."""
        return self.frames.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels as the microscope wrote them."""
        return self.frames.dtype

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.shape[0]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.shape[1]

    @property
    def height(self) -> int:
        """Rows of a frame, in pixels."""
        return self.shape[2]

    @property
    def width(self) -> int:
        """Columns of a frame, in pixels."""
        return self.shape[3]

    def frame(self, t: int) -> NDArray[Any]:
        """Return frame `t` as (C, Y, X) in the file's own type.

        Raises
        ------
        MovieError
            When there is no such frame.
        """
        if not 0 <= t < self.n_frames:
            raise MovieError(f"frame {t} does not exist: '{self.name}' has frames 0 to {self.n_frames - 1}.")
        return self.frames.frame(t)

    def as_array(self) -> NDArray[Any]:
        """Return the whole movie as (T, C, Y, X) in memory, in the file's own type."""
        return np.stack([self.frame(t) for t in range(self.n_frames)])

    def renamed(self, name: str) -> Movie:
        """Return the same movie under another name."""
        return replace(self, name=name)

    def content_hash(self) -> str:
        """Return a hash of shape, type and every pixel: the same wherever the file lies and however it is packed."""
        digest = hashlib.sha256(f"{self.shape}{self.dtype.newbyteorder('=')}".encode())
        for t in range(self.n_frames):
            frame = self.frame(t)
            digest.update(np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("=")).tobytes())
        return digest.hexdigest()


def movie_from_array(
    array: NDArray[Any], name: str = "array", pixel_size_um: float | None = None, interval_s: float | None = None
) -> Movie:
    """Wrap an array that already lies in memory.

    Parameters
    ----------
    array : (T, Y, X) or (T, C, Y, X)
    name : str
    pixel_size_um, interval_s : float, optional
        The scale, where it is known.

    Raises
    ------
    MovieError
        When the array has another number of dimensions, or a single frame.
    """
    if array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4:
        raise MovieError(f"an array of shape {array.shape} is no movie: give (T, Y, X) or (T, C, Y, X).")
    if array.shape[0] < 2:
        raise MovieError(f"'{name}' has {array.shape[0]} frame(s): a movie needs at least 2 frames.")
    return Movie(name=name, frames=ArrayFrames(array), pixel_size_um=pixel_size_um, interval_s=interval_s)
