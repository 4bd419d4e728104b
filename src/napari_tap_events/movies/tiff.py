"""TIFF movies: plain, ImageJ and OME-TIFF, in one file or many, read page by page."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from math import ceil, prod
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.stack import Stack
from napari_tap_events.movies.tiff_scale import described_scale

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

Index = tuple[int | slice, ...]
_DAMAGE = (OSError, ValueError, RuntimeError, LookupError, TypeError, ArithmeticError, AttributeError, zlib.error, struct.error)
"""What decoding damaged bytes may raise, depending on the codec."""


def open_tiff(path: Path) -> Stack:
    """Open a TIFF file, and with a multi-file OME-TIFF the files beside it, without reading pixels.

    Raises
    ------
    MovieError
        When the file is no TIFF, is cut short, or lacks planes in the middle.
    """
    import tifffile

    try:
        with _heard_complaints() as complaints, tifffile.TiffFile(path) as file:
            stack = _described(path, file)
            cut = _is_cut_short(file)
    except tifffile.TiffFileError as error:
        if "not a TIFF file" in str(error):
            raise MovieError(f"'{path.name}' is no TIFF file, whatever its name says; export it as TIFF again.") from None
        raise MovieError(f"'{path.name}' is damaged or cut short ({error}); copy or export it again.") from None
    except _DAMAGE as error:
        raise MovieError(f"'{path.name}' is damaged and cannot be opened ({error}); copy or export it again.") from None
    if cut or any("page offset" in c or "corrupted" in c for c in complaints):
        raise MovieError(f"'{path.name}' is cut short: pixels are missing at its end; copy or export it again.")
    if any("value offset" in c for c in complaints):
        return replace(
            stack, notes=(*stack.notes, f"Some of what '{path.name}' says of itself cannot be read: it may be cut short.")
        )
    return stack


def _described(path: Path, file: TiffFile) -> Stack:
    if not file.series:
        raise MovieError(f"'{path.name}' holds no image; export it again.")
    series = file.series[0]
    notes = _series_notes(path.name, file)
    shape = _announced_shape(path.name, series, notes)
    scale = described_scale(file, notes)
    array: TiffPlanes | TiffBlock
    if series.dataoffset is not None and not series.is_multifile:
        dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
        array = TiffBlock(path, series.dataoffset, shape, dtype)
    else:
        array = TiffPlanes(path.name, file, series, shape)
    return Stack(path.name, str(path), array, series.axes, notes=tuple(notes), **scale)


def _series_notes(name: str, file: TiffFile) -> list[str]:
    """Say which of several images is read; refuse a pile of pages that do not fit together."""
    if len(file.series) == 1:
        return []
    if file.series[0].kind in ("generic", "uniform"):
        shapes = ", ".join(str(s.shape) for s in file.series[:3])
        raise MovieError(f"'{name}' holds images of differing shape or type: {shapes}; save frames of one shape and type.")
    return [f"'{name}' holds {len(file.series)} images; the first was read."]


def _announced_shape(name: str, series: TiffPageSeries, notes: list[str]) -> tuple[int, ...]:
    """Return the shape of what is there: times whose files are missing at the end of a multi-file OME-TIFF are left out."""
    shape = tuple(int(n) for n in series.shape)
    missing = [i for i, page in enumerate(series.pages) if page is None] if series.is_multifile else []
    if not missing:
        return shape
    per_time = len(series.pages) // shape[0]
    there = ceil(missing[0] / per_time)
    whole = missing[0] % per_time == 0 and len(missing) == len(series.pages) - missing[0]
    if not series.axes.startswith("T") or not whole or there < 2:
        raise MovieError(
            f"'{name}' belongs to a multi-file OME-TIFF of {len(series.pages)} planes of which {len(missing)} are missing, "
            f"the first is plane {missing[0]}; put the missing files into the same folder."
        )
    notes.append(
        f"The files of {shape[0] - there} of the {shape[0]} announced frames are missing; the first {there} were read."
    )
    return (there, *shape[1:])


def _is_cut_short(file: TiffFile) -> bool:
    """Say whether the last page's pixels lie beyond the end of the file."""
    series = file.series[0]
    if series.dataoffset is not None and not series.is_multifile:
        return bool(series.dataoffset + series.nbytes > file.filehandle.size)
    last: Any = file.pages[len(file.pages) - 1]
    ends = [start + count for start, count in zip(last.dataoffsets, last.databytecounts, strict=False)]
    return max(ends, default=0) > file.filehandle.size


@dataclass(frozen=True)
class TiffBlock:
    """Pixels that lie uncompressed and in one piece in a file; the file is open only while they are read.

    Attributes
    ----------
    path : Path
    offset : int
        Where they begin, in bytes.
    shape : tuple of int
    dtype : numpy.dtype
        With the byte order of the file.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Return a copy of pixels, by integers and full slices."""
        try:
            return np.array(np.memmap(self.path, self.dtype, "r", self.offset, self.shape)[index])
        except (OSError, ValueError) as error:
            raise MovieError(f"'{self.path.name}' cannot be read any more ({error}); open it again.") from None


@dataclass(frozen=True)
class TiffPlanes:
    """Pixels that lie in pages, compressed or scattered over files; a file is open only while one of its pages is read.

    Attributes
    ----------
    name : str
    file, series
        As tifffile describes them.
    shape : tuple of int
        May have fewer times than the series announces.
    """

    name: str
    file: TiffFile
    series: TiffPageSeries
    shape: tuple[int, ...]
    _reading: Lock = field(default_factory=Lock, repr=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(self.series.dtype)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Return pixels, by integers and full slices; every page is decoded once."""
        page_shape = self.series.keyframe.shape
        n_lead = self._n_leading(page_shape)
        lead, inner = index[:n_lead], index[n_lead:]
        choices = [range(n) if isinstance(i, slice) else (i,) for i, n in zip(lead, self.shape[:n_lead], strict=True)]
        numbers = [_flat(place, self.shape[:n_lead]) for place in product(*choices)]
        pages = [self._page(number).reshape(self.shape[n_lead:])[inner] for number in numbers]
        kept = [len(c) for c, i in zip(choices, lead, strict=True) if isinstance(i, slice)]
        return np.stack(pages).reshape(*kept, *pages[0].shape)

    def _n_leading(self, page_shape: tuple[int, ...]) -> int:
        """Return how many dimensions run over pages; the rest lie inside of a page."""
        for n in range(len(self.shape) + 1):
            if prod(self.shape[n:]) == prod(page_shape):
                return n
        raise MovieError(f"the pages of '{self.name}', {page_shape}, do not make up its shape {self.shape}; export it again.")

    def _page(self, number: int) -> NDArray[Any]:
        main = self.file.filehandle
        try:
            with self._reading, _opened(main):
                page = self.series.pages[number]
                if page is None:
                    raise MovieError(f"plane {number} of '{self.name}' is missing; put its file into the same folder.")
                with _opened(page.parent.filehandle):
                    return np.asarray(page.asarray())
        except _DAMAGE as error:
            advice = "pip install napari-tap-events[io]" if "imagecodecs" in str(error) else "copy or export it again"
            raise MovieError(f"plane {number} of '{self.name}' cannot be read ({error}); {advice}.") from None


def _flat(place: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(place, shape)) if place else 0


@contextmanager
def _opened(handle: Any) -> Iterator[None]:
    """Open a file of tifffile's for a moment, where it is not open already."""
    if not handle.closed:
        yield
        return
    handle.open()
    try:
        yield
    finally:
        handle.close()


@contextmanager
def _heard_complaints() -> Iterator[list[str]]:
    """Collect what tifffile says of a file, in place of letting it reach the terminal."""
    heard: list[str] = []

    def hear(record: logging.LogRecord) -> bool:
        heard.append(record.getMessage())
        return False

    logger = logging.getLogger("tifffile")
    logger.addFilter(hear)
    try:
        yield heard
    finally:
        logger.removeFilter(hear)
