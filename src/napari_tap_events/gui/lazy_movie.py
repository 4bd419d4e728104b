"""One channel of a movie as napari wants an array to be: it has a shape, and reads a frame when that frame is looked at."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.gui.frame_array import FrameArray
from napari_tap_events.movies.movie import Movie

FRAMES_KEPT = 4


class LazyMovie(FrameArray):
    """Array-like (T, Y, X) view of one channel of a movie; frames are read one by one, the last few are kept.

    A frame that cannot be read is black, and a warning says why: an error while napari draws would help nobody.

    Parameters
    ----------
    movie : Movie
        (T, C, Y, X).
    channel : int
        Which channel, counted from 0.
    """

    def __init__(self, movie: Movie, channel: int = 0) -> None:
        self.movie = movie
        self.channel = channel
        self._read = lru_cache(maxsize=FRAMES_KEPT)(self._read_frame)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, Y, X)."""
        return self.movie.n_frames, self.movie.height, self.movie.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, in this machine's byte order."""
        return self.movie.dtype.newbyteorder("=")

    def __getitem__(self, key: Any) -> NDArray[Any]:
        time, *place = _expanded(key)
        if isinstance(time, Integral):
            frame = self._read(range(len(self))[int(time)])
            return np.asarray(frame[tuple(place)])
        chosen = [self._read(int(t)) for t in np.arange(len(self))[time]]
        frames: NDArray[Any] = np.stack(chosen) if chosen else np.empty((0, *self.shape[1:]), self.dtype)
        return np.asarray(frames[(slice(None), *place)])

    def _read_frame(self, t: int) -> NDArray[Any]:
        try:
            frame = np.asarray(self.movie.frame(t)[self.channel], dtype=self.dtype).view()
        except MovieError as error:
            show_warning(str(error))
            frame = np.zeros(self.shape[1:], self.dtype)
        frame.flags.writeable = False
        return frame


def _expanded(key: Any) -> list[Any]:
    """Write an index out as (t, y, x), with full slices where it says nothing."""
    parts = list(key) if isinstance(key, tuple) else [key]
    dots = [i for i, part in enumerate(parts) if part is Ellipsis]
    missing = [slice(None)] * (3 - len(parts) + len(dots))
    if dots:
        return [*parts[: dots[0]], *missing, *parts[dots[0] + 1 :]]
    return [*parts, *missing]
