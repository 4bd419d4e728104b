"""The outcome of opening real files from many laboratories; skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
pytestmark = pytest.mark.skipif(not (DATA / "odd").is_dir(), reason="the collection of odd movies is not here")

UM = 0.0885
TABLE: list[tuple[str, dict[str, Any], tuple[int, int, int, int], str, str, float | None, float | None]] = [
    ("hela_h2b.tif", {}, (96, 1, 190, 211), "uint8", "TYX", None, None),
    ("mda231_qpi_early.tif", {}, (120, 1, 615, 615), "uint8", "TYX", None, None),
    ("t98g_phase_left.tif", {}, (37, 1, 1000, 465), "uint16", "TYX", None, None),
    ("odd/hela_frames_folder", {}, (30, 1, 190, 211), "uint8", "TZYX", None, None),
    ("odd/drosophila_rgb_frames", {}, (21, 1, 264, 542), "uint8", "TYXS", None, None),
    ("odd/mitosis_multifile_ometiff", {"z": "max"}, (20, 1, 196, 171), "uint16", "TZYX", UM, 1 / 7),
    ("odd/mitosis_multifile_ometiff/mitosis_T07.ome.tif", {"z": "2"}, (20, 1, 196, 171), "uint16", "TZYX", UM, 1 / 7),
    ("odd/mitosis_single_planes", {"z": "max"}, (6, 2, 196, 171), "uint16", "TZCYX", UM, 1 / 7),
    ("odd/mitosis_single_planes", {"z": "0", "channel": 1}, (6, 1, 196, 171), "uint16", "TZCYX", UM, 1 / 7),
    ("odd/mitosis_imagej_tzcyx.tif", {"z": "max"}, (10, 2, 196, 171), "uint16", "TZCYX", UM, 1 / 7),
    ("odd/mitosis_tczyx.ome.tif", {"z": "max", "channel": 0}, (10, 1, 196, 171), "uint16", "TCZYX", UM, None),
    ("odd/membranes_12bit_in_16.tif", {"axes": "TYX"}, (5, 1, 256, 256), "uint16", "TYX", None, None),
    ("odd/golgi_float32_imagej.tif", {}, (30, 1, 137, 147), "float32", "TYX", 0.351435, 59.86),
    ("odd/hela_tcyx.ome.zarr", {}, (16, 1, 190, 211), "uint8", "TCYX", None, None),
    ("odd/hela_tcyx.ome.zarr/0", {"axes": "TCYX"}, (16, 1, 190, 211), "uint8", "TCYX", None, None),
    ("odd/t98g_rgb_mjpeg.avi", {}, (20, 1, 200, 200), "uint8", "TYX", None, None),
    ("odd/t98g_rgb_png.avi", {"interval_s": 600}, (20, 1, 200, 200), "uint8", "TYX", None, 600),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("odd/membranes_12bit_in_16.tif", {}, r"unknown: 3 dimensions \(5, 256, 256\); say --axes TYX if the first is time"),
    ("odd/mitosis_imagej_tzcyx.tif", {}, r"has depth: 5 z planes .* say --z 2 for one plane \(0 to 4\) or --z max"),
    ("odd/mitosis_tczyx.ome.tif", {}, "has depth: 5 z planes"),
    ("odd/mitosis_single_planes", {}, "has depth: 5 z planes"),
    ("odd/mitosis_multifile_ometiff", {}, "has depth: 5 z planes"),
    ("odd/mitosis_imagej_tzcyx.tif", {"z": "max", "channel": 2}, "--channel 2 does not exist: .* channels 0 to 1"),
    ("odd/hela_tcyx.ome.zarr/0", {}, r"unknown: 4 dimensions \(16, 1, 190, 211\); say --axes TCYX"),
    ("odd", {}, r"alone holds \(\d+.*; open it as a file"),
]


@pytest.mark.parametrize(("name", "settings", "shape", "dtype", "axes", "pixel_um", "interval_s"), TABLE)
def test_it_opens(
    name: str,
    settings: dict[str, Any],
    shape: tuple[int, ...],
    dtype: str,
    axes: str,
    pixel_um: float | None,
    interval_s: float | None,
) -> None:
    if name.endswith(".avi"):
        pytest.importorskip("av")
    movie = open_movie(DATA / name, MovieSettings(**settings))
    assert (movie.shape, movie.dtype, movie.file_axes) == (shape, np.dtype(dtype), axes)
    assert movie.pixel_size_um == (pytest.approx(pixel_um, rel=1e-4) if pixel_um else None)
    assert movie.interval_s == (pytest.approx(interval_s, rel=1e-4) if interval_s else None)
    for t in (0, movie.n_frames - 1):
        frame = movie.frame(t)
        assert (frame.shape, frame.dtype) == (shape[1:], movie.dtype)
        assert frame.min() < frame.max()


@pytest.mark.parametrize(("name", "settings", "sentence"), REFUSED)
def test_it_is_refused_with_a_sentence(name: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MovieError, match=sentence):
        open_movie(DATA / name, MovieSettings(**settings))


def test_the_same_planes_come_out_of_every_packing() -> None:
    """ImageJ and OME-TIFF hold t025 to t034 of the movie of which the folder holds t028 to t033."""
    settings = MovieSettings(z="max")
    imagej, ome, folder = (
        open_movie(DATA / "odd" / n, settings)
        for n in ("mitosis_imagej_tzcyx.tif", "mitosis_tczyx.ome.tif", "mitosis_single_planes")
    )
    np.testing.assert_array_equal(imagej.as_array(), ome.as_array())
    np.testing.assert_array_equal(imagej.as_array()[3:9], folder.as_array())
    assert imagej.content_hash() == ome.content_hash()


def test_the_same_hela_frames_come_out_of_folder_and_zarr() -> None:
    whole = open_movie(DATA / "hela_h2b.tif").as_array()
    np.testing.assert_array_equal(open_movie(DATA / "odd/hela_frames_folder").as_array(), whole[:30])
    np.testing.assert_array_equal(open_movie(DATA / "odd/hela_tcyx.ome.zarr").as_array(), whole[28:44])


def test_missing_files_and_colours_are_noted() -> None:
    notes = open_movie(DATA / "odd/mitosis_multifile_ometiff", MovieSettings(z="max")).notes
    assert notes[0] == "The files of 31 of the 51 announced frames are missing; the first 20 were read."
    assert "luminance" in open_movie(DATA / "odd/drosophila_rgb_frames").notes[0]
