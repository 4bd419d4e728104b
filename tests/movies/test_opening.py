"""Every format gives (T, C, Y, X) with the pixels that were written, lazily."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

from napari_tap_events.movies.axes import UnknownAxesError
from napari_tap_events.movies.opening import describe_file, open_movie
from napari_tap_events.settings import MovieSettings

SHAPES = {"TYX": (4, 12, 14), "TCYX": (4, 2, 12, 14), "TZYX": (4, 3, 12, 14), "TZCYX": (4, 3, 2, 12, 14)}


def pixels(axes: str = "TYX", dtype: str = "uint16") -> NDArray[Any]:
    shape = SHAPES[axes]
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def write(path: Path, array: NDArray[Any], **how: Any) -> None:
    tifffile.imwrite(path, array, photometric="minisblack", **how)


def tczyx_of(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """Bring an array into (T, C, Z, Y, X) by an independent route."""
    order = [a for a in "TCZYX" if a in axes]
    array = array.transpose([axes.index(a) for a in order])
    for i, a in enumerate("TCZYX"):
        if a not in order:
            array = np.expand_dims(array, i)
    return array


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32", "float64"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_every_pixel_type_and_byte_order_arrives_unchanged(tmp_path: Path, dtype: str, byteorder: str) -> None:
    wanted = pixels(dtype=dtype)
    write(tmp_path / "a.tif", wanted, byteorder=byteorder, metadata={"axes": "TYX"})
    movie = open_movie(tmp_path / "a.tif")
    assert movie.dtype == np.dtype(dtype)
    assert movie.frame(2).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(movie.as_array()[:, 0], wanted)


@pytest.mark.parametrize("axes", ["TYX", "TCYX", "TZYX", "TZCYX"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["imagej", "ome", "shaped", "tiles"])
def test_tiff_gives_its_planes(tmp_path: Path, axes: str, compression: str | None, kind: str) -> None:
    if kind == "imagej" and compression:
        pytest.skip("ImageJ files are not compressed")
    wanted = pixels(axes)
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    tile = (16, 16) if kind == "tiles" else None
    tifffile.imwrite(
        path,
        wanted,
        imagej=kind == "imagej",
        compression=compression,
        tile=tile,
        metadata={"axes": axes},
        photometric="minisblack",
    )
    five = tczyx_of(wanted, axes)
    if "Z" in axes:
        for z in (0, 2):
            np.testing.assert_array_equal(open_movie(path, MovieSettings(z=str(z))).as_array(), five[:, :, z])
        np.testing.assert_array_equal(open_movie(path, MovieSettings(z="max")).as_array(), five.max(axis=2))
    else:
        np.testing.assert_array_equal(open_movie(path).as_array(), five[:, :, 0])
    if "C" in axes:
        one = open_movie(path, MovieSettings(z="max", channel=1))
        np.testing.assert_array_equal(one.as_array(), five[:, 1:2].max(axis=2))


def test_axes_that_the_user_says_win_and_may_be_in_any_order(tmp_path: Path) -> None:
    wanted = pixels("TCYX")
    write(tmp_path / "a.tif", wanted.transpose(3, 0, 2, 1), metadata={"axes": "QQQQ"})
    movie = open_movie(tmp_path / "a.tif", MovieSettings(axes="XTYC"))
    np.testing.assert_array_equal(movie.as_array(), wanted)


def test_unknown_axes_are_offered_not_guessed(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", pixels())
    with pytest.raises(
        UnknownAxesError, match=r"the axes of 'a.tif' are unknown: 3 dimensions \(4, 12, 14\); say --axes TYX"
    ) as e:
        open_movie(tmp_path / "a.tif")
    assert (e.value.shape, e.value.suggestion) == ((4, 12, 14), "TYX")
    about = describe_file(tmp_path / "a.tif")
    assert (about.axes, about.suggestion, about.shape, about.dtype) == ("?YX", "TYX", (4, 12, 14), "uint16")
    np.testing.assert_array_equal(
        open_movie(tmp_path / "a.tif", MovieSettings(axes=about.suggestion)).as_array()[:, 0], pixels()
    )


def test_depth_without_time_may_be_time(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", pixels(), imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(UnknownAxesError, match=r"has no time axis: it says ZYX .* if depth is really time, say --axes TYX"):
        open_movie(tmp_path / "a.tif")
    assert open_movie(tmp_path / "a.tif", MovieSettings(axes="tyx")).shape == (4, 1, 12, 14)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb_becomes_luminance_and_grey_stays_exact(tmp_path: Path, dtype: str, planar: Any) -> None:
    grey = pixels(dtype=dtype)
    rgb = np.stack([grey] * 3, axis=-1 if planar == "contig" else 1)
    tifffile.imwrite(
        tmp_path / "a.tif",
        rgb,
        photometric="rgb",
        planarconfig=planar,
        metadata={"axes": "TYXS" if planar == "contig" else "TSYX"},
    )
    movie = open_movie(tmp_path / "a.tif")
    np.testing.assert_array_equal(movie.as_array()[:, 0], grey)
    assert any("luminance" in note for note in movie.notes)


def test_one_colour_can_be_chosen(tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (3, 8, 9, 3)).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb", metadata={"axes": "TYXS"})
    np.testing.assert_array_equal(open_movie(tmp_path / "a.tif", MovieSettings(channel=1)).as_array()[:, 0], rgb[..., 1])


@pytest.mark.parametrize(
    ("metadata", "resolution", "pixel_um", "interval_s"),
    [
        ({"unit": "um", "finterval": 900.0}, (2.0, 2.0), 0.5, 900.0),
        ({"unit": "micron", "finterval": 15.0, "tunit": "min"}, (2.0, 2.0), 0.5, 900.0),
        ({"unit": "nm"}, (0.002, 0.002), 0.5, None),
        ({"unit": "pixel"}, (1.0, 1.0), None, None),
        ({}, (1.0, 1.0), None, None),
    ],
)
def test_imagej_scale(
    tmp_path: Path, metadata: dict[str, Any], resolution: tuple[float, float], pixel_um: float | None, interval_s: float | None
) -> None:
    write(tmp_path / "a.tif", pixels(), imagej=True, resolution=resolution, metadata={"axes": "TYX", **metadata})
    movie = open_movie(tmp_path / "a.tif")
    assert movie.pixel_size_um == (pytest.approx(pixel_um, rel=1e-6) if pixel_um else None)
    assert movie.interval_s == (pytest.approx(interval_s) if interval_s else None)


def test_ome_scale_and_channel_names(tmp_path: Path) -> None:
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 325.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 325.0,
        "PhysicalSizeYUnit": "nm",
        "TimeIncrement": 15.0,
        "TimeIncrementUnit": "min",
        "Channel": {"Name": ["H2B", "Phase"]},
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels("TCYX"), metadata=metadata, photometric="minisblack")
    movie = open_movie(tmp_path / "a.ome.tif")
    assert (movie.pixel_size_um, movie.interval_s) == (pytest.approx(0.325), pytest.approx(900.0))
    assert movie.channel_names == ("H2B", "Phase")
    assert open_movie(tmp_path / "a.ome.tif", MovieSettings(channel=1)).channel_names == ("Phase",)


def test_ome_interval_from_the_time_stamps_of_planes(tmp_path: Path) -> None:
    metadata = {"axes": "TYX", "Plane": {"DeltaT": [0.0, 61.0, 119.0, 180.0], "DeltaTUnit": ["s"] * 4}}
    write(tmp_path / "a.ome.tif", pixels(), metadata=metadata)
    assert open_movie(tmp_path / "a.ome.tif").interval_s == pytest.approx(60.0)


@pytest.mark.parametrize(("resolution", "unit", "pixel_um"), [((1e4, 1e4), "CENTIMETER", 1.0), ((72, 72), "INCH", None)])
def test_resolution_tags_count_only_where_they_can_be_meant(
    tmp_path: Path, resolution: tuple[float, float], unit: str, pixel_um: float | None
) -> None:
    write(tmp_path / "a.tif", pixels(), resolution=resolution, resolutionunit=unit, metadata={"axes": "TYX"})
    assert open_movie(tmp_path / "a.tif").pixel_size_um == pixel_um


def test_settings_win_over_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", pixels(), imagej=True, resolution=(2.0, 2.0), metadata={"axes": "TYX", "unit": "um"})
    movie = open_movie(tmp_path / "a.tif", MovieSettings(pixel_size_um=0.7, interval_s=60))
    assert (movie.pixel_size_um, movie.interval_s) == (0.7, 60)


def test_pixels_that_are_not_square_are_told(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", pixels(), imagej=True, resolution=(2.0, 1.0), metadata={"axes": "TYX", "unit": "um"})
    movie = open_movie(tmp_path / "a.tif")
    assert movie.pixel_size_um == pytest.approx(0.75)
    assert any("not square" in note for note in movie.notes)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_opening_a_large_movie_reads_no_pixels(tmp_path: Path, compression: str | None) -> None:
    n, side = (96, 2048) if compression is None else (40, 1024)
    if compression is None:  # 805 MB that take no room on disk: only the header and the end are written
        tifffile.imwrite(tmp_path / "a.tif", shape=(n, side, side), dtype="uint16", metadata={"axes": "TYX"})
    else:
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((n, side, side), "uint16"), compression="zlib", metadata={"axes": "TYX"})
    open_movie(tmp_path / "a.tif")
    began = time.perf_counter()
    movie = open_movie(tmp_path / "a.tif")
    assert time.perf_counter() - began < 1.0
    assert movie.shape == (n, 1, side, side)
    assert movie.frame(n - 1).shape == (1, side, side)


@pytest.mark.parametrize("kind", ["tiff", "block", "folder", "zarr"])
def test_frames_can_be_read_from_several_threads(tmp_path: Path, kind: str) -> None:
    wanted = np.random.default_rng(0).integers(0, 200, (40, 30, 31)).astype("uint8")
    path = tmp_path / ("a.zarr" if kind == "zarr" else "frames" if kind == "folder" else "a.tif")
    if kind == "zarr":
        array = zarr.create_array(
            str(path), shape=wanted.shape, dtype="uint8", chunks=(1, 30, 31), dimension_names=("t", "y", "x")
        )
        array[:] = wanted
    elif kind == "folder":
        path.mkdir()
        for t, frame in enumerate(wanted):
            tifffile.imwrite(path / f"f{t}.tif", frame)
    else:
        tifffile.imwrite(path, wanted, compression="zlib" if kind == "tiff" else None, metadata={"axes": "TYX"})
    movie = open_movie(path)
    order = np.random.default_rng(1).integers(0, 40, 200)
    with ThreadPoolExecutor(8) as pool:
        for t, frame in zip(order, pool.map(movie.frame, order), strict=True):
            np.testing.assert_array_equal(frame[0], wanted[t])
