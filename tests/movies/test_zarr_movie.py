"""OME-Zarr 0.4 and 0.5 and plain zarr arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.axes import UnknownAxesError
from napari_tap_events.movies.opening import describe_file, open_movie
from napari_tap_events.settings import MovieSettings

MOVIE = np.random.default_rng(0).integers(0, 999, (5, 2, 8, 9)).astype("uint16")
UM = {"type": "space", "unit": "micrometer"}


def write_ome(
    path: Path,
    version: str,
    array: np.ndarray = MOVIE,
    axes: list[dict[str, str]] | None = None,
    scale: list[float] | None = None,
) -> None:
    axes = axes or [
        {"name": "t", "type": "time", "unit": "minute"},
        {"name": "c", "type": "channel"},
        {"name": "y", **UM},
        {"name": "x", **UM},
    ]
    scale = scale or [15.0, 1.0, 0.65, 0.65]
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if version == "0.5" else 2)
    for level, data in enumerate((array, array[..., ::2, ::2])):
        group.create_array(str(level), data=data, chunks=(1,) * (array.ndim - 2) + data.shape[-2:])
    levels = [
        {
            "path": str(k),
            "coordinateTransformations": [{"type": "scale", "scale": [*scale[:-2], *(s * 2**k for s in scale[-2:])]}],
        }
        for k in range(2)
    ]
    about: dict[str, Any] = {"multiscales": [{"version": version, "name": "m", "axes": axes, "datasets": levels}]}
    about["omero"] = {"channels": [{"label": "H2B"}, {"label": "phase"}]}
    group.attrs.update({"ome": {"version": version, **about}} if version == "0.5" else about)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_gives_full_resolution_scale_and_names(tmp_path: Path, version: str) -> None:
    write_ome(tmp_path / "m.ome.zarr", version)
    movie = open_movie(tmp_path / "m.ome.zarr")
    assert (movie.file_axes, movie.channel_names) == ("TCYX", ("H2B", "phase"))
    assert (movie.pixel_size_um, movie.interval_s) == (pytest.approx(0.65), pytest.approx(900.0))
    np.testing.assert_array_equal(movie.as_array(), MOVIE)
    np.testing.assert_array_equal(open_movie(tmp_path / "m.ome.zarr", MovieSettings(channel=1)).as_array(), MOVIE[:, 1:])


def test_ome_zarr_with_depth_and_five_axes(tmp_path: Path) -> None:
    axes = [{"name": n, "type": k} for n, k in zip("tczyx", ("time", "channel", "space", "space", "space"), strict=True)]
    five = np.stack([MOVIE, MOVIE + 1], axis=2)
    write_ome(tmp_path / "m.zarr", "0.5", five, axes, [1.0] * 5)
    with pytest.raises(MovieError, match="2 z planes"):
        open_movie(tmp_path / "m.zarr")
    np.testing.assert_array_equal(open_movie(tmp_path / "m.zarr", MovieSettings(z="max")).as_array(), MOVIE + 1)
    assert open_movie(tmp_path / "m.zarr", MovieSettings(z="0")).pixel_size_um is None


def test_a_scale_without_unit_is_told_not_believed(tmp_path: Path) -> None:
    axes = [{"name": n, "type": k} for n, k in zip("tcyx", ("time", "channel", "space", "space"), strict=True)]
    write_ome(tmp_path / "m.zarr", "0.4", axes=axes, scale=[1.0, 1.0, 0.5, 0.5])
    movie = open_movie(tmp_path / "m.zarr")
    assert (movie.pixel_size_um, movie.interval_s) == (None, None)
    assert sum("has no unit" in note for note in movie.notes) == 2


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_plain_array_does_not_tell_its_axes(tmp_path: Path, zarr_format: Any) -> None:
    zarr.create_array(str(tmp_path / "m.zarr"), data=MOVIE, zarr_format=zarr_format)
    with pytest.raises(UnknownAxesError, match=r"unknown: 4 dimensions \(5, 2, 8, 9\); say --axes TCYX") as caught:
        open_movie(tmp_path / "m.zarr")
    movie = open_movie(tmp_path / "m.zarr", MovieSettings(axes=caught.value.suggestion))
    np.testing.assert_array_equal(movie.as_array(), MOVIE)


def test_a_plain_array_may_name_its_dimensions(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "m.zarr"), data=MOVIE, dimension_names=("time", "channel", "y", "x"))
    assert open_movie(tmp_path / "m.zarr").shape == MOVIE.shape


def test_a_group_with_one_array_is_that_array(tmp_path: Path) -> None:
    group = zarr.open_group(str(tmp_path / "m.zarr"), mode="w")
    group.create_array("raw", data=MOVIE[:, :1], dimension_names=("t", "c", "y", "x"))
    assert open_movie(tmp_path / "m.zarr").shape == (5, 1, 8, 9)
    group.create_array("other", data=MOVIE)
    with pytest.raises(MovieError, match="holds other, raw; open one array"):
        open_movie(tmp_path / "m.zarr")
    assert describe_file(tmp_path / "m.zarr" / "other").suggestion == "TCYX"


def test_unknown_dimensions_of_length_one_get_a_letter_in_the_suggestion(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "m.zarr"), data=MOVIE[:, :1])
    assert describe_file(tmp_path / "m.zarr").suggestion == "TCYX"


def test_a_plate_asks_for_a_field(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "m.zarr"), mode="w").attrs["ome"] = {"version": "0.5", "plate": {}}
    with pytest.raises(MovieError, match="is a plate; open one field"):
        open_movie(tmp_path / "m.zarr")


def test_bioformats2raw_layout(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "m.zarr"), mode="w").attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    write_ome(tmp_path / "m.zarr" / "0", "0.5")
    np.testing.assert_array_equal(open_movie(tmp_path / "m.zarr").as_array(), MOVIE)


def test_a_level_that_is_missing_is_told(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "m.zarr"), mode="w").attrs["ome"] = {"multiscales": [{"datasets": [{"path": "0"}]}]}
    with pytest.raises(MovieError, match=r"the OME-Zarr 'm.zarr' is incomplete"):
        open_movie(tmp_path / "m.zarr")


def test_a_damaged_chunk_is_told(tmp_path: Path) -> None:
    write_ome(tmp_path / "m.zarr", "0.5")
    chunk = next(p for p in (tmp_path / "m.zarr" / "0" / "c" / "2").rglob("*") if p.is_file())
    chunk.write_bytes(b"damaged")
    movie = open_movie(tmp_path / "m.zarr")
    movie.frame(1)
    with pytest.raises(MovieError, match=r"a chunk of 'm.zarr' is damaged"):
        movie.frame(2)
