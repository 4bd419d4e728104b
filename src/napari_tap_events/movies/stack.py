"""A stack: what a file holds, before it is a movie; any order of axes, with depth and colours still in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.axes import settled_axes
from napari_tap_events.movies.movie import Movie, check_finite, check_pixels
from napari_tap_events.settings import MovieSettings

_REC_601 = (0.299, 0.587, 0.114)
_COLOURS = ("red", "green", "blue", "alpha")


@dataclass(frozen=True)
class Stack:
    """Pixels of one file or folder, read lazily, with what it says of itself.

    Attributes
    ----------
    name, source : str
        Short name, and path.
    array : array-like
        Has `shape` and `dtype`, and gives pixels for a tuple of integers and full slices; safe to read from several threads.
    axes : str
        One letter for each dimension; letters outside TZCYXS are unknown.
    channel_names : tuple of str
    pixel_size_um, interval_s : float or None
    notes : tuple of str
        What was decided while opening, one sentence each.
    """

    name: str
    source: str
    array: Any
    axes: str
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    interval_s: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return tuple(int(n) for n in self.array.shape)

    def length(self, axis: str) -> int:
        """Return the length of an axis, 1 where there is none."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


@dataclass(frozen=True)
class StackFrames:
    """Frames of a stack as (C, Y, X): one plane or the maximum of the depth, colours as luminance.

    Attributes
    ----------
    stack : Stack
        With all axes known.
    z : int, "max" or None
        None where the stack has no depth.
    channel : int or None
        The one channel to give; None gives all.
    colour : int or None
        The colour sample to give in place of luminance.
    """

    stack: Stack
    z: int | str | None = None
    channel: int | None = None
    colour: int | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, C, Y, X)."""
        stack = self.stack
        channels = stack.length("C") if self.channel is None else 1
        return stack.length("T"), channels, stack.length("Y"), stack.length("X")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, in this machine's byte order."""
        dtype: np.dtype[Any] = np.dtype(self.stack.array.dtype).newbyteorder("=")
        return dtype

    def frame(self, t: int) -> NDArray[Any]:
        """Return frame `t` as (C, Y, X)."""
        chosen: dict[str, int] = {"T": int(t), "_": 0}
        if isinstance(self.z, int):
            chosen["Z"] = self.z
        if self.channel is not None and "C" in self.stack.axes:
            chosen["C"] = self.channel
        if self.colour is not None:
            chosen["S"] = self.colour
        block = np.asarray(self.stack.array[tuple(chosen.get(a, slice(None)) for a in self.stack.axes)])
        left = "".join(a for a in self.stack.axes if a not in chosen)
        frame = _as_channel_planes(block, left).astype(self.dtype, copy=False)
        check_finite(frame, t, self.stack.name)
        return frame


def _as_channel_planes(block: NDArray[Any], axes: str) -> NDArray[Any]:
    """Bring pixels with any of the axes C, Z, Y, X, S into (C, Y, X)."""
    order = [a for a in "CZYXS" if a in axes]
    block = block.transpose([axes.index(a) for a in order])
    if "Z" in order:
        block = block.max(axis=order.index("Z"))
    if "S" in order:
        block = luminance(block)
    return block if "C" in order else block[None]


def luminance(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the grey value of colours (..., S), S = 3 or 4, as (...), in the same type; a further sample, alpha, is ignored.

    The weights are those of Rec. ITU-R BT.601; grey stays exactly what it was.
    """
    if pixels.shape[-1] < 3:
        return np.ascontiguousarray(pixels[..., 0])
    grey: NDArray[Any] = pixels[..., :3].astype(np.float64) @ np.asarray(_REC_601)
    if pixels.dtype.kind in "ui":
        np.rint(grey, out=grey)
    return grey.astype(pixels.dtype)


def movie_of(stack: Stack, settings: MovieSettings) -> Movie:
    """Make a movie of a stack, by the settings.

    Raises
    ------
    MovieError
        When axes are unknown, depth or channel is not chosen or does not exist, pixels are no numbers, or there is one frame.
    """
    stack = replace(stack, axes=settled_axes(stack.name, stack.axes, stack.shape, settings.axes))
    notes = list(stack.notes)
    frames = StackFrames(stack, z=_chosen_z(stack, settings.z, notes), **_chosen_channel(stack, settings.channel, notes))
    check_pixels(stack.name, frames.shape, frames.dtype)
    names: Sequence[str] = stack.channel_names if len(stack.channel_names) == stack.length("C") else ()
    if frames.channel is not None and names:
        names = (names[frames.channel],)
    return Movie(
        name=stack.name,
        frames=frames,
        source=stack.source,
        file_axes=stack.axes.replace("_", ""),
        channel_names=tuple(names),
        pixel_size_um=settings.pixel_size_um or stack.pixel_size_um,
        interval_s=settings.interval_s or stack.interval_s,
        notes=tuple(notes),
    )


def _chosen_z(stack: Stack, z: str | None, notes: list[str]) -> int | str | None:
    planes = stack.length("Z")
    if planes == 1:
        if z is not None:
            notes.append(f"There is no depth; --z {z} was not needed.")
        return 0 if "Z" in stack.axes else None
    if z is None:
        raise MovieError(
            f"'{stack.name}' has depth: {planes} z planes ({stack.axes} {stack.shape}); "
            f"say --z {planes // 2} for one plane (0 to {planes - 1}) or --z max for their maximum."
        )
    if z.strip().lower() == "max":
        notes.append(f"The maximum of {planes} z planes was taken.")
        return "max"
    if not z.strip().isdecimal() or int(z) >= planes:
        raise MovieError(f"--z {z} will not do: '{stack.name}' has z planes 0 to {planes - 1}; say one of them, or max.")
    notes.append(f"Plane {int(z)} of {planes} z planes was taken.")
    return int(z)


def _chosen_channel(stack: Stack, channel: int | None, notes: list[str]) -> dict[str, int | None]:
    colours = stack.length("S")
    if colours > 1 and "C" not in stack.axes and channel is not None:
        if channel >= colours:
            raise MovieError(f"--channel {channel} does not exist: '{stack.name}' has colours 0 to {colours - 1}.")
        notes.append(f"The {_COLOURS[channel] if channel < 4 else channel} of its colours was taken.")
        return {"colour": channel}
    if colours > 2:
        notes.append("RGB was read as luminance (Rec. 601); --channel 0, 1 or 2 takes red, green or blue alone.")
    if channel is not None and channel >= stack.length("C"):
        raise MovieError(f"--channel {channel} does not exist: '{stack.name}' has channels 0 to {stack.length('C') - 1}.")
    return {"channel": channel}
