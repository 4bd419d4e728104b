"""AVI and MP4 as stacks, through PyAV; colours become luminance."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.stack import Stack, luminance
from napari_tap_events.movies.tiff import Index

_LOSSLESS = {"png", "ffv1", "rawvideo", "huffyuv", "ffvhuff", "utvideo", "qtrle"}


@dataclass
class VideoFrames:
    """Frames of a video, decoded one after another; going back or far ahead starts from the key frame before.

    Attributes
    ----------
    path : Path
    shape : (T, Y, X)
    stamps : tuple of int
        Presentation time of every frame, in order; empty where the file has none that can be trusted.
    """

    path: Path
    shape: tuple[int, int, int]
    stamps: tuple[int, ...]
    pixel_format: str
    dtype: np.dtype[Any]
    _reading: Lock = field(default_factory=Lock, repr=False)
    _position: int = field(default=0, repr=False)
    _frames: Iterator[Any] | None = field(default=None, repr=False)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Return one frame (Y, X), or a part of it; the first index is the frame's number."""
        t = index[0]
        if not isinstance(t, int):
            raise TypeError("a video is read frame by frame")
        with self._reading:
            return self._decoded(t)[index[1:]]

    def _decoded(self, t: int) -> NDArray[Any]:
        import av

        try:
            if self._frames is None or not self._position <= t <= self._position + 32:
                self._start_at(t)
            for frame in self._frames or ():
                number = self._position
                self._position += 1
                if number == t:
                    return _grey(frame, self.pixel_format, self.dtype)
        except (av.FFmpegError, ValueError) as error:
            self.close()
            raise MovieError(f"frame {t} of '{self.path.name}' cannot be decoded ({error}); convert it again.") from None
        self.close()
        raise MovieError(f"frame {t} of '{self.path.name}' is missing, the video is cut short; convert it again.")

    def _start_at(self, t: int) -> None:
        """Begin decoding at the key frame before frame `t`."""
        self.close()
        self._frames = self._decoding(t)
        first = next(self._frames)
        self._position = int(first)

    def _decoding(self, t: int) -> Iterator[Any]:
        """Yield the number of the first frame, then frames from there on."""
        import av

        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            if self.stamps and t > 0:
                container.seek(self.stamps[t], stream=stream, backward=True)
            frames = container.decode(stream)
            first = next(frames, None)
            yield self.stamps.index(first.pts) if self.stamps and first is not None and first.pts in self.stamps else 0
            if first is not None:
                yield first
                yield from frames

    def close(self) -> None:
        """Let go of the file; reading opens it again."""
        if self._frames is not None:
            self._frames.close()  # type: ignore[attr-defined]
            self._frames = None


def open_video(path: Path) -> Stack:
    """Open a video; its packets are counted, its pixels are not decoded.

    Raises
    ------
    MovieError
        When PyAV is not installed, or the file holds no video.
    """
    try:
        import av
    except ImportError:
        raise MovieError(f"'{path.name}' is a video; to read it: pip install napari-tap-events[video].") from None
    logging.getLogger("libav").addHandler(logging.NullHandler())
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MovieError(f"'{path.name}' holds no pictures; export it again.")
            stream = container.streams.video[0]
            about = stream.codec_context
            shape, pixel_format, codec = (about.height, about.width), about.pix_fmt or "", about.name
            rate = float(stream.average_rate or 0)
            stamps = [packet.pts for packet in container.demux(stream) if packet.size]
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MovieError(f"'{path.name}' is no video that can be read ({error}); export it again.") from None
    kept, dtype = _target_format(pixel_format)
    known = all(p is not None for p in stamps) and len(set(stamps)) == len(stamps)
    order = tuple(sorted(p for p in stamps if p is not None)) if known else ()
    frames = VideoFrames(path, (len(stamps), *shape), order, kept, dtype)
    return Stack(path.name, str(path), frames, "TYX", notes=tuple(_notes(codec, pixel_format, rate)))


def _notes(codec: str, pixel_format: str, rate: float) -> Iterator[str]:
    if not pixel_format.startswith("gray"):
        yield "The colours of the video were read as luminance."
    if codec not in _LOSSLESS:
        yield f"The video is compressed with loss ({codec}); compression may mark the order of frames: prefer the raw images."
    if rate:
        yield f"The {rate:g} frames/s of the video are its speed of display; say --interval-s for the true time between frames."


def _target_format(pixel_format: str) -> tuple[str, np.dtype[Any]]:
    """Return the form that frames are decoded to: grey or RGB, of 8 or 16 bits."""
    deep = any(mark in pixel_format for mark in ("16", "14", "12le", "12be", "10le", "10be", "48", "64"))
    coloured = pixel_format.startswith(("rgb", "bgr", "gbr", "pal8", "argb", "abgr", "0rgb", "0bgr"))
    if coloured:
        return ("rgb48le", np.dtype("uint16")) if deep else ("rgb24", np.dtype("uint8"))
    return ("gray16le", np.dtype("uint16")) if deep else ("gray", np.dtype("uint8"))


def _grey(frame: Any, pixel_format: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    pixels = np.asarray(frame.to_ndarray(format=pixel_format)).astype(dtype, copy=False)
    return luminance(pixels) if pixels.ndim == 3 else pixels
