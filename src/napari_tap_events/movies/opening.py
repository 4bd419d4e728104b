"""Open a movie, whatever it is packed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.axes import KNOWN, suggested_axes
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.stack import Stack, movie_of
from napari_tap_events.settings import MovieSettings

_TIFF = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".lsm", ".stk")
_VIDEO = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm")
_SINGLE_IMAGE = (".png", ".jpg", ".jpeg")
_ZARR_MARKS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
FORMATS = "TIFF, a folder of TIFF or PNG frames, OME-Zarr, AVI and MP4"


@dataclass(frozen=True)
class FileDescription:
    """What a file says of itself, before anything is decided.

    Attributes
    ----------
    name : str
    axes : str
        One letter for each dimension, "?" where it is unknown.
    shape : tuple of int
    dtype : str
    suggestion : str
        The likeliest axes where the file does not tell of time, for a person to accept; else empty.
    channel_names : tuple of str
    pixel_size_um, interval_s : float or None
    notes : tuple of str
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    suggestion: str = ""
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    interval_s: float | None = None
    notes: tuple[str, ...] = ()


def open_movie(path: str | Path, settings: MovieSettings = MovieSettings()) -> Movie:  # noqa: B008 (frozen)
    """Open a movie without reading its pixels.

    Parameters
    ----------
    path : path
        A TIFF, a folder of single frames, a multi-file OME-TIFF (any of its files, or the folder), an OME-Zarr or zarr
        folder, an AVI or MP4.
    settings : MovieSettings
        What the file does not tell, and which channel and depth to take; wins over the file.

    Returns
    -------
    Movie
        (T, C, Y, X), read frame by frame when asked.

    Raises
    ------
    MovieError
        With one sentence that says what is wrong and what to do; `UnknownAxesError` where axes have to be said.
    """
    return movie_of(open_stack(path, settings.axes), settings)


def describe_file(path: str | Path) -> FileDescription:
    """Say what a file holds, also where its axes are unknown, without reading its pixels.

    Raises
    ------
    MovieError
        When it cannot be opened at all.
    """
    stack = open_stack(path)
    told = "T" in stack.axes and set(stack.axes) <= set(KNOWN)
    return FileDescription(
        name=stack.name,
        axes="".join(a if a in KNOWN else "?" for a in stack.axes),
        shape=stack.shape,
        dtype=str(np.dtype(stack.array.dtype).newbyteorder("=")),
        suggestion="" if told else suggested_axes(stack.axes, stack.shape),
        channel_names=stack.channel_names,
        pixel_size_um=stack.pixel_size_um,
        interval_s=stack.interval_s,
        notes=stack.notes,
    )


def open_stack(path: str | Path, given_axes: str | None = None) -> Stack:
    """Open a file or folder as it is, with whatever axes it has.

    Parameters
    ----------
    path : path
    given_axes : str, optional
        Helps a folder of frames to tell what the numbers in the names mean.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise MovieError(f"there is no file or folder '{path}'; check the spelling.")
        if path.is_dir():
            return _zarr(path) if _is_zarr(path) else _folder(path, given_axes)
        return _readable_opener(path)(path)
    except PermissionError:
        raise MovieError(f"'{path}' may not be read; change its permissions, or copy it to a place of yours.") from None
    except OSError as error:
        raise MovieError(f"'{path}' cannot be read: {error.strerror or error}.") from None


def _readable_opener(path: Path) -> Callable[[Path], Stack]:
    """Return what opens a file of this name, once it is sure that it holds something and may be read."""
    suffix = path.suffix.lower()
    if suffix in _SINGLE_IMAGE:
        raise MovieError(f"'{path.name}' is a single image; a movie needs at least 2 frames: open the folder of its frames.")
    if path.name in _ZARR_MARKS:
        raise MovieError(f"'{path.name}' is a part of an OME-Zarr; open the folder '{path.parent.name}'.")
    if suffix not in _TIFF + _VIDEO:
        raise MovieError(f"'{path.name}' is of no format read here ({FORMATS}); export it as OME-TIFF.")
    with path.open("rb") as file:
        if not file.read(1):
            raise MovieError(f"'{path.name}' is empty (0 bytes); copy or export it again.")
    return _tiff if suffix in _TIFF else _video


def _is_zarr(path: Path) -> bool:
    return path.suffix.lower() == ".zarr" or any((path / mark).exists() for mark in _ZARR_MARKS)


def _tiff(path: Path) -> Stack:
    from napari_tap_events.movies.tiff import open_tiff

    return open_tiff(path)


def _folder(path: Path, given_axes: str | None) -> Stack:
    from napari_tap_events.movies.folder import open_folder

    return open_folder(path, given_axes)


def _zarr(path: Path) -> Stack:
    from napari_tap_events.movies.zarr_movie import open_zarr

    return open_zarr(path)


def _video(path: Path) -> Stack:
    from napari_tap_events.movies.video import open_video

    return open_video(path)
