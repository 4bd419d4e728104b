"""Changed pixels of one frame, and their short form in the journal: stretches of neighbours, packed."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import ProjectError


@dataclass(frozen=True, eq=False)
class FramePatch:
    """Pixels of one frame of a mask, as they were and as they are to be.

    Attributes
    ----------
    t : int
        Frame.
    pixels : (N,) int64
        y * width + x, ascending, each once.
    before, after : (N,) uint8
    """

    t: int
    pixels: NDArray[np.int64]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FramePatch) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[int, bytes, bytes, bytes]:
        return self.t, self.pixels.tobytes(), self.before.tobytes(), self.after.tobytes()

    def inverse(self) -> FramePatch:
        """Return the patch that takes this one back."""
        return FramePatch(self.t, self.pixels, self.after, self.before)

    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse a patch that does not fit a movie (T, Y, X).

        Raises
        ------
        ProjectError
            When it lies outside, or its pixels are not ascending.
        """
        if not len(self.pixels) == len(self.before) == len(self.after) or bool((np.diff(self.pixels) <= 0).any()):
            raise ProjectError(f"the pixels of frame {self.t} are not in order; join the parts of a stroke first.")
        inside = not len(self.pixels) or (self.pixels[0] >= 0 and self.pixels[-1] < shape[1] * shape[2])
        if not (inside and 0 <= self.t < shape[0]):
            raise ProjectError(f"pixels of frame {self.t} lie outside of the movie {shape} (T, Y, X); mark inside of it.")

    def to_json(self) -> dict[str, Any]:
        """Return the patch as JSON values; a disc takes about 200 characters."""
        return {
            "t": int(self.t),
            "pixels": _packed_places(self.pixels),
            "before": _packed_values(self.before),
            "after": _packed_values(self.after),
        }


def patch_from_json(values: Mapping[str, Any]) -> FramePatch:
    """Return the patch that JSON values tell of.

    Raises
    ------
    ValueError, KeyError, TypeError, zlib.error
        When they are damaged.
    """
    pixels = _places(values["pixels"])
    return FramePatch(int(values["t"]), pixels, _values(values["before"], len(pixels)), _values(values["after"], len(pixels)))


def joined_patches(patches: Iterable[FramePatch]) -> tuple[FramePatch, ...]:
    """Join patches that came one after the other, as the parts of one stroke do, into one for each frame.

    A pixel is what it was before the first of them and what it is after the last; pixels that end as they were are left out.
    """
    frames: dict[int, list[FramePatch]] = {}
    for patch in patches:
        frames.setdefault(patch.t, []).append(patch)
    joined = (_joined(t, parts) for t, parts in sorted(frames.items()))
    return tuple(patch for patch in joined if len(patch.pixels))


def _joined(t: int, parts: list[FramePatch]) -> FramePatch:
    pixels = np.concatenate([part.pixels for part in parts]).astype(np.int64)
    before = np.concatenate([part.before for part in parts]).astype(np.uint8)
    after = np.concatenate([part.after for part in parts]).astype(np.uint8)
    unique, first = np.unique(pixels, return_index=True)
    last = len(pixels) - 1 - np.unique(pixels[::-1], return_index=True)[1]
    changed = before[first] != after[last]
    return FramePatch(t, unique[changed], before[first][changed], after[last][changed])


def _packed_places(pixels: NDArray[np.int64]) -> str:
    """Write ascending places as (distance from the end of the stretch before, length) of each stretch."""
    if not len(pixels):
        return ""
    first = np.concatenate([[0], np.flatnonzero(np.diff(pixels) != 1) + 1])
    lengths = np.diff(np.append(first, len(pixels)))
    starts = pixels[first]
    gaps = np.diff(starts, prepend=0) - np.concatenate([[0], lengths[:-1]])
    return _text(np.concatenate([gaps, lengths]).astype("<i4").tobytes())


def _places(text: str) -> NDArray[np.int64]:
    if not text:
        return np.zeros(0, np.int64)
    numbers = np.frombuffer(_bytes(text), "<i4").astype(np.int64)
    gaps, lengths = np.split(numbers, 2)
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(np.cumsum(gaps), lengths)


def _packed_values(values: NDArray[np.uint8]) -> int | str:
    """Write values as one number where all are alike."""
    if len(values) and (values == values[0]).all():
        return int(values[0])
    return _text(values.tobytes())


def _values(packed: int | str, n: int) -> NDArray[np.uint8]:
    if isinstance(packed, int):
        return np.full(n, packed, np.uint8)
    values = np.frombuffer(_bytes(packed), np.uint8)
    if len(values) != n:
        raise ValueError(f"{len(values)} values for {n} pixels")
    return values


def _text(raw: bytes) -> str:
    return b64encode(zlib.compress(raw, 6)).decode("ascii")


def _bytes(text: str) -> bytes:
    return zlib.decompress(b64decode(text, validate=True))
