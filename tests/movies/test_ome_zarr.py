"""Maps are valid OME-Zarr 0.5, and remember the grid they were computed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_tap_events.errors import MovieError, OutputError
from napari_tap_events.movies.ome_zarr import create_map, open_map
from napari_tap_events.movies.opening import open_movie


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8", "uint16"])
def test_a_map_comes_back_with_its_grid(tmp_path: Path, dtype: str) -> None:
    wanted = np.random.default_rng(0).integers(0, 9, (4, 10, 12)).astype(dtype)
    array = create_map(
        tmp_path / "p.ome.zarr",
        wanted.shape,
        dtype,
        name="division",
        stride_px=4,
        offset_px=23.5,
        pixel_size_um=0.5,
        frame_offset=1,
    )
    for t in range(3):
        array[t] = wanted[t]
    stored = open_map(tmp_path / "p.ome.zarr")
    assert (stored.name, stored.stride_px, stored.offset_px, stored.frame_offset) == ("division", 4, 23.5, 1)
    assert (stored.pixel_size_um, stored.interval_s) == (0.5, None)
    assert (stored.array.dtype, stored.array.chunks) == (np.dtype(dtype), (1, 10, 12))
    np.testing.assert_array_equal(stored.array[:3], wanted[:3])
    assert not np.any(stored.array[3])


def test_a_map_can_be_filled_later(tmp_path: Path) -> None:
    create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p")
    open_map(tmp_path / "p.ome.zarr", writable=True).array[1] = np.ones((3, 4))
    assert np.asarray(open_map(tmp_path / "p.ome.zarr").array[1]).all()
    with pytest.raises(ValueError, match="read-only"):
        open_map(tmp_path / "p.ome.zarr").array[0] = np.ones((3, 4))


@pytest.mark.parametrize(("um", "seconds"), [(0.5, 900.0), (None, None), (0.5, None), (None, 60.0)])
def test_the_metadata_follow_ome_ngff_0_5(tmp_path: Path, um: float | None, seconds: float | None) -> None:
    """The rules are those of the specification, https://ngff.openmicroscopy.org/0.5."""
    create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p", stride_px=4, offset_px=10.0, pixel_size_um=um, interval_s=seconds)
    group: dict[str, Any] = json.loads((tmp_path / "p.ome.zarr" / "zarr.json").read_text())
    assert (group["zarr_format"], group["node_type"]) == (3, "group")
    ome = group["attributes"]["ome"]
    assert ome["version"] == "0.5"
    (scales,) = ome["multiscales"]
    names, kinds = ([axis[key] for axis in scales["axes"]] for key in ("name", "type"))
    assert (names, kinds) == (["t", "y", "x"], ["time", "space", "space"])
    assert [axis.get("unit") for axis in scales["axes"]] == ["second" if seconds else None] + ["micrometer" if um else None] * 2
    (level,) = scales["datasets"]
    scale, translation = level["coordinateTransformations"]
    assert scale == {"type": "scale", "scale": [seconds or 1.0, 4 * (um or 1.0), 4 * (um or 1.0)]}
    assert translation == {"type": "translation", "translation": [0.0, 10 * (um or 1.0), 10 * (um or 1.0)]}
    array: dict[str, Any] = json.loads((tmp_path / "p.ome.zarr" / level["path"] / "zarr.json").read_text())
    assert array["dimension_names"] == names
    assert array["codecs"][-1]["configuration"]["cname"] == "zstd"


def test_a_map_opens_as_a_movie_too(tmp_path: Path) -> None:
    create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p", stride_px=4, pixel_size_um=0.5, interval_s=60)
    movie = open_movie(tmp_path / "p.ome.zarr")
    assert (movie.shape, movie.pixel_size_um, movie.interval_s) == ((2, 1, 3, 4), 2.0, 60.0)


def test_a_map_is_not_written_over_what_is_there(tmp_path: Path) -> None:
    create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p")[:] = 1
    with pytest.raises(OutputError, match=r"exists already; remove it or choose another output"):
        create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p")
    create_map(tmp_path / "p.ome.zarr", (2, 3, 4), name="p", overwrite=True)
    assert not np.any(open_map(tmp_path / "p.ome.zarr").array[:])
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        create_map(tmp_path / "file" / "p.ome.zarr", (2, 3, 4), name="p")


def test_what_is_no_map_is_told(tmp_path: Path) -> None:
    with pytest.raises(MovieError, match="there is no map at"):
        open_map(tmp_path / "p.ome.zarr")
    zarr.open_group(str(tmp_path / "q.ome.zarr"), mode="w")
    with pytest.raises(MovieError, match="is no map written by napari-tap-events"):
        open_map(tmp_path / "q.ome.zarr")
    (tmp_path / "r").mkdir()
    with pytest.raises(MovieError, match="is no map written by napari-tap-events"):
        open_map(tmp_path / "r")
