"""Movies to OME-TIFF, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.movie import Movie

_IN_OME = {"int64": "float64", "uint64": "float64", "float16": "float32"}
"""Types of pixels that OME does not know, and what they become."""


def write_ome_tiff(path: Path, frames: Iterable[NDArray[Any]], shape: tuple[int, int, int, int], movie: Movie) -> Iterator[int]:
    """Write frames as a TIFF that tells its axes, pixel size, frame interval and channels; not compressed, so that it reads fast.

    Parameters
    ----------
    path : Path
        An older file of this name is replaced.
    frames : iterable of (C, Y, X)
    shape : (T, C, Y, X)
    movie : Movie
        Whose type of pixels, scale and channel names are written.

    Yields
    ------
    int
        How many frames are written.
    """
    import tifffile

    name = np.dtype(movie.dtype).newbyteorder("=").name
    written = tifffile.memmap(
        path,
        shape=shape,
        dtype=np.dtype(_IN_OME.get(name, name)),
        ome=True,
        photometric="minisblack",
        metadata=_described(movie),
    )
    for t, frame in enumerate(frames):
        written[t] = frame
        yield t + 1
    written.flush()


def _described(movie: Movie) -> dict[str, Any]:
    about: dict[str, Any] = {"axes": "TCYX"}
    if movie.pixel_size_um is not None:
        about |= {f"PhysicalSize{axis}": movie.pixel_size_um for axis in "XY"}
        about |= {f"PhysicalSize{axis}Unit": "µm" for axis in "XY"}
    if movie.interval_s is not None:
        about |= {"TimeIncrement": movie.interval_s, "TimeIncrementUnit": "s"}
    if movie.channel_names:
        about["Channel"] = {"Name": list(movie.channel_names)}
    return about
