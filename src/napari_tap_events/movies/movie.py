"""A movie: frames in time, read one by one when they are asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
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
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

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
        When the array has another number of dimensions, no pixels, a single frame, or pixels that are no real numbers.
    """
    if array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4:
        raise MovieError(f"an array of shape {array.shape} is no movie: give (T, Y, X) or (T, C, Y, X).")
    check_pixels(name, array.shape, array.dtype)
    return Movie(name=name, frames=ArrayFrames(array), pixel_size_um=pixel_size_um, interval_s=interval_s)


def single_channel(movie: Movie, channel: int | None = None) -> Movie:
    """Return the movie with one channel, (T, 1, Y, X).

    Parameters
    ----------
    movie : Movie
    channel : int, optional
        Which, counted from 0; not needed where there is only one.

    Raises
    ------
    MovieError
        When there are several and none is chosen, or the chosen one does not exist.
    """
    n = movie.n_channels
    named = ", ".join(f"{i} ({movie.channel_names[i]})" if i < len(movie.channel_names) else str(i) for i in range(n))
    if channel is None:
        if n == 1:
            return movie
        raise MovieError(f"'{movie.name}' has {n} channels: {named}; say which to use, e.g. --channel 0.")
    if not 0 <= channel < n:
        raise MovieError(f"channel {channel} does not exist: '{movie.name}' has {named}; say e.g. --channel 0.")
    if n == 1:
        return movie
    return replace(movie, frames=_OneChannel(movie.frames, channel), channel_names=movie.channel_names[channel : channel + 1])


@dataclass(frozen=True)
class _OneChannel:
    """One channel of other frames."""

    frames: FrameSource
    channel: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        t, _, y, x = self.frames.shape
        return t, 1, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.frames.dtype

    def frame(self, t: int) -> NDArray[Any]:
        return self.frames.frame(t)[self.channel : self.channel + 1]


def stem_of(name: str) -> str:
    """Return the name of a movie without what tells its format."""
    stem = Path(name).name.split(".ome.")[0]
    return stem if stem != name else Path(name).stem


def check_pixels(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse what cannot be a movie: (T, C, Y, X) without pixels or with one frame, complex or boolean pixels.

    Raises
    ------
    MovieError
        Naming the shape or the type.
    """
    if 0 in shape:
        raise MovieError(f"'{name}' holds no pixels: its shape is {shape}; write the file again.")
    if shape[0] < 2:
        raise MovieError(f"'{name}' has a single frame, shape {shape}; a movie needs at least 2 frames.")
    if np.dtype(dtype).kind not in "uif":
        raise MovieError(f"the pixels of '{name}' are of type {dtype}; convert them to integers or floats, e.g. uint16.")


def check_finite(frame: NDArray[Any], t: int, name: str) -> None:
    """Refuse a frame with pixels that are not a number or infinite.

    Parameters
    ----------
    frame : array of any shape
    t : int
        Its number, for the message.
    name : str
        The movie's.

    Raises
    ------
    MovieError
        Naming the frame and the number of such pixels.
    """
    if frame.dtype.kind != "f":
        return
    bad = int(frame.size - np.count_nonzero(np.isfinite(frame)))
    if bad:
        raise MovieError(
            f"frame {t} of '{name}' has {bad} pixel(s) that are not a number or infinite; "
            "fill them in, or cut them off, and write the movie again."
        )
