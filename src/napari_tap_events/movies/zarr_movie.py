"""OME-Zarr 0.4 and 0.5, and plain zarr arrays, as stacks; the full resolution is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.stack import Stack
from napari_tap_events.movies.tiff import Index
from napari_tap_events.movies.units import to_seconds, to_um

if TYPE_CHECKING:
    import zarr

Entries = Mapping[str, Any]


@dataclass(frozen=True)
class ZarrPixels:
    """A zarr array whose reading errors are sentences.

    Attributes
    ----------
    name : str
    array : zarr.Array
    """

    name: str
    array: zarr.Array[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return tuple(int(n) for n in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(self.array.dtype)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Return pixels, by integers and full slices."""
        try:
            return np.asarray(self.array[index])
        except (OSError, ValueError, RuntimeError) as error:
            raise MovieError(f"a chunk of '{self.name}' is damaged ({error}); copy or write it again.") from None


def open_zarr(path: Path) -> Stack:
    """Open an OME-Zarr or zarr folder without reading its pixels.

    Raises
    ------
    MovieError
        When it is damaged, a plate, or holds several arrays and no word about them.
    """
    import zarr

    try:
        node = zarr.open(str(path), mode="r")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MovieError(f"'{path.name}' is no zarr that can be read ({reason}); write or copy it again.") from None
    if isinstance(node, zarr.Group):
        return _group_stack(path, node)
    return Stack(path.name, str(path), ZarrPixels(path.name, node), _array_axes(node))


def _group_stack(path: Path, group: zarr.Group) -> Stack:
    attributes = dict(group.attrs)
    about: Any = attributes.get("ome", attributes)
    if "plate" in about:
        raise MovieError(f"'{path.name}' is a plate; open one field of one well in it, for example '{path.name}/A/1/0'.")
    if "multiscales" in about:
        return _multiscale_stack(path, group, about)
    if "bioformats2raw.layout" in about and "0" in group:
        return _group_stack(path, group["0"])  # type: ignore[arg-type]
    arrays = dict(group.arrays())
    if len(arrays) == 1:
        (array,) = arrays.values()
        return Stack(path.name, str(path), ZarrPixels(path.name, array), _array_axes(array))
    inside = ", ".join(sorted(arrays)) or "no arrays"
    raise MovieError(f"'{path.name}' is no OME-Zarr image and holds {inside}; open one array or image inside of it.")


def _multiscale_stack(path: Path, group: zarr.Group, about: Entries) -> Stack:
    try:
        scales: Entries = about["multiscales"][0]
        level: Entries = scales["datasets"][0]
        array: Any = group[level["path"]]
    except (KeyError, IndexError, TypeError) as error:
        raise MovieError(f"the OME-Zarr '{path.name}' is incomplete: {error} is missing; write or copy it again.") from None
    axes = [{"name": a} if isinstance(a, str) else dict(a) for a in scales.get("axes", ())]
    axes = axes or [{"name": a} for a in "tczyx"]
    if len(axes) != array.ndim:
        raise MovieError(f"the OME-Zarr '{path.name}' names {len(axes)} axes for shape {array.shape}; write it again.")
    notes = [f"'{path.name}' holds {len(about['multiscales'])} images; the first was read."] * (len(about["multiscales"]) > 1)
    letters = "".join(_letter(str(a["name"]), str(a.get("type", ""))) for a in axes)
    scale = np.multiply(_scale(level, array.ndim), _scale(scales, array.ndim))
    pixel, interval = _physical(letters, axes, scale, notes)
    return Stack(
        path.name, str(path), ZarrPixels(path.name, array), letters, _channel_names(about), pixel, interval, tuple(notes)
    )


def _letter(name: str, kind: str) -> str:
    """Return the letter of an axis; "?" where neither name nor type tell."""
    by_kind = {"time": "T", "channel": "C"}
    return name.upper() if name.upper() in ("T", "C", "Z", "Y", "X") else by_kind.get(kind, "?")


def _array_axes(array: zarr.Array[Any]) -> str:
    """Return the axes that a bare array names, by zarr 3 or by xarray; "?" for each where it names none."""
    names: Any = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if names:
        letters = [{"time": "T", "channel": "C"}.get(str(n).lower(), str(n).upper()) for n in names]
        return "".join(n if n in ("T", "C", "Z", "Y", "X", "S") else "?" for n in letters)
    return "?" * max(0, array.ndim - 2) + "YX"[-array.ndim :]


def _scale(entry: Entries, ndim: int) -> Sequence[float]:
    for step in entry.get("coordinateTransformations", ()):
        if step.get("type") == "scale" and len(step.get("scale", ())) == ndim:
            return [float(s) for s in step["scale"]]
    return [1.0] * ndim


def _physical(
    letters: str, axes: Sequence[Entries], scale: NDArray[Any], notes: list[str]
) -> tuple[float | None, float | None]:
    """Return pixel size in um and interval in s; a scale without a unit is told, not believed."""
    known: dict[str, float | None] = {}
    for letter, axis, step in zip(letters, axes, scale, strict=True):
        convert = to_seconds if letter == "T" else to_um
        known[letter] = convert(step, axis.get("unit"))
        if letter in "TYX" and known[letter] is None and step != 1:
            notes.append(f"The scale {step:g} of axis {letter} has no unit that is known here; it was left out.")
    y, x = known.get("Y"), known.get("X")
    if x and y and abs(x - y) > 0.01 * max(x, y):
        notes.append(f"Pixels are not square ({y:.4g} um high, {x:.4g} um wide); sizes in um are means of both.")
        return (x + y) / 2, known.get("T")
    return x or y, known.get("T")


def _channel_names(about: Entries) -> tuple[str, ...]:
    channels = about.get("omero", {}).get("channels", ()) if isinstance(about.get("omero"), Mapping) else ()
    labels = tuple(str(c.get("label") or "") for c in channels)
    return labels if all(labels) else ()
