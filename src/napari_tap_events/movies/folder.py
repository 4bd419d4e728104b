"""A folder of images, one frame or one plane in each file; the names tell their order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.stack import Stack
from napari_tap_events.movies.tiff import Index, TiffPlanes, open_tiff

_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])(t|time|z|c|ch)[-_]?(\d+)(?![A-Za-z0-9])", re.IGNORECASE)
_AXIS = {"t": "T", "time": "T", "z": "Z", "c": "C", "ch": "C"}
_HEADERS_CHECKED = 64


@dataclass(frozen=True)
class FolderPlanes:
    """The images of a folder as one array; a file is opened only while it is read.

    Attributes
    ----------
    files : tuple of Path
        In the order of the leading dimensions, the last of them fastest.
    lead : tuple of int
        Length of the dimensions that run over files.
    inner : tuple of int
        Shape of an image.
    stored : tuple of int
        Shape of an image as its file has it, with further dimensions of length 1 where there are any.
    dtype : numpy.dtype
        Type of the pixels of every file.
    """

    files: tuple[Path, ...]
    lead: tuple[int, ...]
    inner: tuple[int, ...]
    stored: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Dimensions over files, then those inside of a file."""
        return (*self.lead, *self.inner)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Return pixels, by integers and full slices."""
        lead, inner = index[: len(self.lead)], index[len(self.lead) :]
        choices = [range(n) if isinstance(i, slice) else (i,) for i, n in zip(lead, self.lead, strict=True)]
        files = [self.files[int(np.ravel_multi_index(place, self.lead))] for place in product(*choices)]
        kept = [len(c) for c, i in zip(choices, lead, strict=True) if isinstance(i, slice)]
        images = [self._image(file)[inner] for file in files]
        return np.stack(images).reshape(*kept, *images[0].shape)

    def _image(self, file: Path) -> NDArray[Any]:
        if not file.exists():
            raise MovieError(f"'{file.name}' has gone from its folder; put it back, or open the folder again.")
        stack = _image_stack(file)
        _check_alike(file, stack, self.stored, self.dtype)
        return np.asarray(stack.array[(slice(None),) * len(self.stored)]).reshape(self.inner)


def open_folder(path: Path, given_axes: str | None = None) -> Stack:
    """Open a folder of images without reading them.

    The tokens t, z and c in the names (`_t028_z001_c002`) tell frame, plane and channel where every name has them; else the
    files are frames in the natural order of their names (2 before 10).

    Parameters
    ----------
    path : Path
    given_axes : str, optional
        Axes over files, then those inside of a file; "TYX" takes every file as a frame, whatever its name. Time and unknown dimensions
        of length 1 inside of a file are left out, as long as they are not named here.

    Raises
    ------
    MovieError
        When there are no images, they differ in shape or type, or planes are missing.
    """
    files = sorted((f for f in path.iterdir() if f.suffix.lower() in _SUFFIXES and not f.name.startswith(".")), key=_natural)
    if not files:
        raise MovieError(f"the folder '{path.name}' holds no TIFF or PNG images; open the folder that holds the frames.")
    first = _image_stack(files[0])
    if isinstance(first.array, TiffPlanes) and first.array.series.is_multifile:
        return replace(first, name=path.name, source=str(path))
    if not set(_squeezed(first)[0]) <= set("ZCYXS"):
        raise MovieError(f"'{files[0].name}' alone holds {first.shape}; open it as a file, not its folder '{path.name}'.")
    return _arranged(path, files, first, given_axes)


def _arranged(path: Path, files: list[Path], first: Stack, given_axes: str | None) -> Stack:
    notes = list(first.notes)
    axes, values = _tokens(files)
    inner, shape = _squeezed(first)
    if given_axes is not None and given_axes.upper()[: len(given_axes) - len(inner.replace("S", ""))] == "T":
        axes, values = "", []
    lead: tuple[int, ...] = (len(files),)
    if not axes:
        axes = "T"
    else:
        files, lead = _grid(path, axes, files, values, notes)
    if given_axes is not None and len(given_axes.upper().replace("S", "")) > len((axes + inner).replace("S", "")):
        inner, shape = first.axes, first.shape
    for file in _sample(files):
        _check_alike(file, _image_stack(file), first.shape, np.dtype(first.array.dtype))
    planes = FolderPlanes(tuple(files), lead, shape, first.shape, np.dtype(first.array.dtype))
    return replace(first, name=path.name, source=str(path), array=planes, axes=axes + inner, notes=tuple(notes))


def _tokens(files: Sequence[Path]) -> tuple[str, list[tuple[int, ...]]]:
    """Return the axes that every name tells, slowest first, and each file's place; no axes where they do not tell of time."""
    found = [{_AXIS[k.lower()]: int(v) for k, v in _TOKEN.findall(file.name)} for file in files]
    axes = "".join(a for a in "TZC" if all(a in tokens for tokens in found))
    if "T" not in axes:
        return "", []
    return axes, [tuple(tokens[a] for a in axes) for tokens in found]


def _grid(
    path: Path, axes: str, files: Sequence[Path], values: list[tuple[int, ...]], notes: list[str]
) -> tuple[list[Path], tuple[int, ...]]:
    """Order files by what their names tell; every combination of time, plane and channel must be there once."""
    at: dict[tuple[int, ...], list[Path]] = defaultdict(list)
    for file, place in zip(files, values, strict=True):
        at[place].append(file)
    numbers = [sorted({place[i] for place in at}) for i in range(len(axes))]
    for place in product(*numbers):
        named = ", ".join(f"{a.lower()} {n}" for a, n in zip(axes, place, strict=True))
        if len(at[place]) > 1:
            one, other = (f.name for f in at[place][:2])
            raise MovieError(f"two files say {named}: '{one}' and '{other}'; put every position into a folder of its own.")
        if not at[place]:
            raise MovieError(f"the folder '{path.name}' has no file for {named}; add it, or remove what is incomplete.")
    times = numbers[0]
    skipped = sorted(set(range(times[0], times[-1] + 1)) - set(times))
    if skipped:
        notes.append(f"The names skip {len(skipped)} of the times {times[0]} to {times[-1]}, first {skipped[0]}.")
    return [at[place][0] for place in product(*numbers)], tuple(len(n) for n in numbers)


def _image_stack(file: Path) -> Stack:
    """Open one image of the folder."""
    if file.stat().st_size == 0:
        raise MovieError(f"'{file.name}' is empty (0 bytes); copy or export it again.")
    if file.suffix.lower() in (".tif", ".tiff"):
        return open_tiff(file)
    from skimage.io import imread

    try:
        pixels = np.asarray(imread(file))
    except (OSError, ValueError, SyntaxError) as error:
        raise MovieError(f"'{file.name}' is no image that can be read ({error}); export it again.") from None
    return Stack(file.name, str(file), pixels, "YXS"[: pixels.ndim])


def _squeezed(stack: Stack) -> tuple[str, tuple[int, ...]]:
    """Return axes and shape of an image without time and unknown dimensions of length 1."""
    kept = [(a, n) for a, n in zip(stack.axes, stack.shape, strict=True) if a in "ZCYXS" or n > 1]
    return "".join(a for a, _ in kept), tuple(n for _, n in kept)


def _check_alike(file: Path, stack: Stack, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if stack.shape != shape or np.dtype(stack.array.dtype) != dtype:
        raise MovieError(
            f"'{file.name}' has shape {stack.shape} and type {np.dtype(stack.array.dtype)}, other frames {shape} and {dtype}; "
            "all frames of a movie must be alike."
        )


def _sample(files: Sequence[Path]) -> list[Path]:
    """Return the last file and some evenly between; the others are checked when they are read."""
    tiffs = _HEADERS_CHECKED if files[0].suffix.lower() in (".tif", ".tiff") else 3
    return [files[round(i)] for i in np.linspace(0, len(files) - 1, min(tiffs, len(files)))]


def _natural(file: Path) -> list[tuple[int, str]]:
    """Sort key by which frame2 comes before frame10."""
    parts = re.split(r"(\d+)", file.name.lower())
    return [(int(p), "") if p.isdecimal() else (0, p) for p in parts]
