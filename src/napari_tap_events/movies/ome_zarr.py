"""Maps on disk: OME-Zarr 0.5, one chunk per frame, with the grid that they were computed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_tap_events.errors import MovieError, OutputError

if TYPE_CHECKING:
    import zarr

_BLOCK = "napari_tap_events"


@dataclass(frozen=True)
class StoredMap:
    """A map as it lies on disk.

    Value `[i, j, k]` belongs to frame `i + frame_offset` of the movie, at the pixel
    `(offset_px + j * stride_px, offset_px + k * stride_px)`.

    Attributes
    ----------
    array : (T, Y, X) zarr.Array
        Read (and, where opened so, written) chunk by chunk; a chunk is a frame.
    name : str
    stride_px : int
        Pixels of the movie from one value to the next, in y and x.
    offset_px : float
        Place in the movie of the first value, in y and x, pixels from the centre of the first pixel.
    frame_offset : int
        Frame of the movie that the first map frame belongs to.
    pixel_size_um, interval_s : float or None
        Scale of the movie (not of the map), where it is known.
    """

    array: zarr.Array[Any]
    name: str
    stride_px: int = 1
    offset_px: float = 0.0
    frame_offset: int = 0
    pixel_size_um: float | None = None
    interval_s: float | None = None


def create_map(
    path: str | Path,
    shape: tuple[int, int, int],
    dtype: str = "float16",
    *,
    name: str,
    stride_px: int = 1,
    offset_px: float = 0.0,
    pixel_size_um: float | None = None,
    interval_s: float | None = None,
    frame_offset: int = 0,
    overwrite: bool = False,
) -> zarr.Array[Any]:
    """Make an empty map of zeros on disk, to be filled frame by frame.

    Parameters
    ----------
    path : path
        The `.ome.zarr` folder to be made.
    shape : (T, Y, X)
    dtype : str
        A type of the zarr 3 specification: "float16", "float32", "uint8", ...
    name : str
    stride_px, offset_px, pixel_size_um, interval_s, frame_offset
        As in `StoredMap`.
    overwrite : bool
        Replace what lies at `path`.

    Raises
    ------
    OutputError
        When something lies at `path` already, or it cannot be written.
    """
    import zarr
    from zarr.codecs import BloscCodec

    try:
        group = zarr.open_group(str(path), mode="w" if overwrite else "w-", zarr_format=3)
    except FileExistsError:
        raise OutputError(f"'{path}' exists already; remove it or choose another output.") from None
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}; choose another output.") from None
    grid = StoredMap(None, name, stride_px, offset_px, frame_offset, pixel_size_um, interval_s)  # type: ignore[arg-type]
    array = group.create_array(
        "0",
        shape=shape,
        dtype=dtype,
        chunks=(1, max(1, shape[1]), max(1, shape[2])),
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
        dimension_names=("t", "y", "x"),
        fill_value=0,
    )
    group.attrs.update({"ome": _ome(grid), _BLOCK: _block(grid)})
    return array


def open_map(path: str | Path, *, writable: bool = False) -> StoredMap:
    """Open a map that `create_map` made.

    Raises
    ------
    MovieError
        When there is none at `path`.
    """
    import zarr

    if not Path(path).is_dir():
        raise MovieError(f"there is no map at '{path}'; run detect to make one.")
    try:
        group = zarr.open_group(str(path), mode="r+" if writable else "r")
        block: dict[str, Any] = dict(group.attrs[_BLOCK])  # type: ignore[arg-type]
        return StoredMap(array=group["0"], **block)  # type: ignore[arg-type]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise MovieError(f"'{path}' is no map written by napari-tap-events ({error}); run detect to make one.") from None


def _block(grid: StoredMap) -> dict[str, Any]:
    return {key: value for key, value in vars(grid).items() if key != "array"}


def _ome(grid: StoredMap) -> dict[str, Any]:
    """Describe the map by OME-NGFF 0.5: um and s where they are known, else pixels and frames, without a unit."""
    um, seconds = grid.pixel_size_um, grid.interval_s
    time: dict[str, str] = {"name": "t", "type": "time"} | ({"unit": "second"} if seconds else {})
    space = [{"name": n, "type": "space"} | ({"unit": "micrometer"} if um else {}) for n in "yx"]
    pitch = grid.stride_px * (um or 1.0)
    place = grid.offset_px * (um or 1.0)
    transformations = [
        {"type": "scale", "scale": [seconds or 1.0, pitch, pitch]},
        {"type": "translation", "translation": [grid.frame_offset * (seconds or 1.0), place, place]},
    ]
    dataset = {"path": "0", "coordinateTransformations": transformations}
    return {"version": "0.5", "multiscales": [{"name": grid.name, "axes": [time, *space], "datasets": [dataset]}]}
