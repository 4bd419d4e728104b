"""Every bad file gives one sentence that says what to do."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.movie import Movie, movie_from_array, single_channel
from napari_tap_events.movies.opening import describe_file, open_movie
from napari_tap_events.settings import MovieSettings

FRAMES = np.random.default_rng(0).integers(0, 200, (6, 40, 50)).astype("uint16")


def missing(folder: Path) -> Path:
    return folder / "nothing.tif"


def empty(folder: Path) -> Path:
    (folder / "a.tif").write_bytes(b"")
    return folder / "a.tif"


def text(folder: Path) -> Path:
    (folder / "a.tif").write_text("Dear colleague, here is the movie.")
    return folder / "a.tif"


def header_only(folder: Path) -> Path:
    (folder / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00")
    return folder / "a.tif"


def other_format(folder: Path) -> Path:
    (folder / "a.czi").write_bytes(b"ZISRAWFILE")
    return folder / "a.czi"


def no_suffix(folder: Path) -> Path:
    (folder / "movie").write_bytes(b"II*\x00")
    return folder / "movie"


def single_png(folder: Path) -> Path:
    (folder / "a.png").write_bytes(b"\x89PNG")
    return folder / "a.png"


def part_of_zarr(folder: Path) -> Path:
    (folder / "a.zarr").mkdir()
    (folder / "a.zarr" / "zarr.json").write_text("{}")
    return folder / "a.zarr" / "zarr.json"


def one_frame(folder: Path) -> Path:
    tifffile.imwrite(folder / "a.tif", FRAMES[0])
    return folder / "a.tif"


def one_time(folder: Path) -> Path:
    zarr.create_array(str(folder / "a.zarr"), shape=(1, 5, 6), dtype="uint8", dimension_names=("t", "y", "x"))
    return folder / "a.zarr"


def no_pixels(folder: Path) -> Path:
    zarr.create_array(str(folder / "a.zarr"), shape=(5, 0, 6), dtype="uint8", dimension_names=("t", "y", "x"))
    return folder / "a.zarr"


def complex_pixels(folder: Path) -> Path:
    tifffile.imwrite(folder / "a.tif", FRAMES.astype("complex64"), metadata={"axes": "TYX"})
    return folder / "a.tif"


def boolean_pixels(folder: Path) -> Path:
    tifffile.imwrite(folder / "a.tif", FRAMES > 100, metadata={"axes": "TYX"})
    return folder / "a.tif"


def empty_folder(folder: Path) -> Path:
    (folder / "notes.txt").write_text("no image")
    return folder


def differing_pages(folder: Path) -> Path:
    with tifffile.TiffWriter(folder / "a.tif") as file:
        for side in (20, 20, 30):
            file.write(np.zeros((side, side), "uint8"), metadata=None)
    return folder / "a.tif"


def empty_zarr(folder: Path) -> Path:
    (folder / "a.zarr").mkdir()
    return folder / "a.zarr"


def damaged_zarr(folder: Path) -> Path:
    (folder / "a.zarr").mkdir()
    (folder / "a.zarr" / "zarr.json").write_text("{not json")
    return folder / "a.zarr"


def bad_video(folder: Path) -> Path:
    (folder / "a.avi").write_bytes(b"RIFF" + b"\x00" * 300)
    return folder / "a.avi"


SENTENCES: list[tuple[Callable[[Path], Path], str]] = [
    (missing, "there is no file or folder '.*nothing.tif'; check the spelling"),
    (empty, r"'a.tif' is empty \(0 bytes\); copy or export it again"),
    (text, "'a.tif' is no TIFF file, whatever its name says"),
    (header_only, "'a.tif' .*(cut short|damaged|holds no image)"),
    (other_format, "'a.czi' is of no format read here .*; export it as OME-TIFF"),
    (no_suffix, "'movie' is of no format read here"),
    (single_png, "'a.png' is a single image; .*: open the folder of its frames"),
    (part_of_zarr, "'zarr.json' is a part of an OME-Zarr; open the folder 'a.zarr'"),
    (one_frame, r"'a.tif' is a single image \(40, 50\); a movie needs at least 2 frames"),
    (one_time, r"'a.zarr' has a single frame, shape \(1, 1, 5, 6\)"),
    (no_pixels, r"'a.zarr' holds no pixels: its shape is \(5, 1, 0, 6\)"),
    (complex_pixels, "the pixels of 'a.tif' are of type complex64; convert"),
    (boolean_pixels, "the pixels of 'a.tif' are of type bool; convert"),
    (empty_folder, "the folder '.*' holds no TIFF or PNG images"),
    (differing_pages, "'a.tif' holds images of differing shape or type"),
    (empty_zarr, "'a.zarr' is no zarr that can be read"),
    (damaged_zarr, "'a.zarr' is no zarr that can be read"),
    (bad_video, "'a.avi' is no video that can be read"),
]


@pytest.mark.parametrize(("make", "sentence"), SENTENCES, ids=[make.__name__ for make, _ in SENTENCES])
def test_a_bad_file_gives_one_sentence(tmp_path: Path, make: Callable[[Path], Path], sentence: str) -> None:
    if make is bad_video:
        pytest.importorskip("av")
    with pytest.raises(MovieError, match=sentence) as caught:
        open_movie(make(tmp_path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def cut(folder: Path, kind: str, compression: str | None, share: float) -> Path:
    """Write a TIFF and keep that share of its bytes."""
    path = folder / ("a.ome.tif" if kind == "ome" else "a.tif")
    if kind == "pages":
        with tifffile.TiffWriter(path) as file:
            for frame in FRAMES:
                file.write(frame, compression=compression, metadata=None, contiguous=False)
    else:
        tifffile.imwrite(path, FRAMES, imagej=kind == "imagej", compression=compression, metadata={"axes": "TYX"})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    return path


TIFF_KINDS = [
    ("shaped", None),
    ("shaped", "zlib"),
    ("imagej", None),
    ("ome", None),
    ("ome", "zlib"),
    ("pages", None),
    ("pages", "zlib"),
]


@pytest.mark.parametrize(("kind", "compression"), TIFF_KINDS)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_a_truncated_tiff_is_noticed_at_once(tmp_path: Path, kind: str, compression: str | None, share: float) -> None:
    with pytest.raises(MovieError, match=r"cut short|damaged"):
        open_movie(cut(tmp_path, kind, compression, share), MovieSettings(axes="TYX"))


@pytest.mark.parametrize(("kind", "compression"), TIFF_KINDS)
def test_a_tiff_cut_behind_its_pixels_is_refused_or_whole(tmp_path: Path, kind: str, compression: str | None) -> None:
    path = cut(tmp_path, kind, compression, 0.99)
    with contextlib.suppress(MovieError):
        np.testing.assert_array_equal(open_movie(path, MovieSettings(axes="TYX")).as_array()[:, 0], FRAMES)


def test_damaged_bytes_inside_are_told_when_the_frame_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression="zlib", metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        start = file.pages[3].dataoffsets[0]
    raw = bytearray((tmp_path / "a.tif").read_bytes())
    raw[start : start + 40] = b"\xff" * 40
    (tmp_path / "a.tif").write_bytes(raw)
    movie = open_movie(tmp_path / "a.tif")
    np.testing.assert_array_equal(movie.frame(2)[0], FRAMES[2])
    with pytest.raises(MovieError, match=r"plane 3 of 'a.tif' cannot be read"):
        movie.frame(3)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_goes_away_is_told_when_a_frame_is_read(tmp_path: Path, compression: str | None) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression=compression, metadata={"axes": "TYX"})
    movie = open_movie(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    with pytest.raises(MovieError, match=r"'a.tif' cannot be read"):
        movie.frame(0)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_forbidden_file_is_told(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, metadata={"axes": "TYX"})
    (tmp_path / "a.tif").chmod(0)
    with pytest.raises(MovieError, match="may not be read"):
        open_movie(tmp_path / "a.tif")


def test_permission_errors_become_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    tifffile.imwrite(tmp_path / "a.tif", FRAMES, metadata={"axes": "TYX"})
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MovieError, match="may not be read; change its permissions"):
        open_movie(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"axes": "YX"}, r"the axes 'YX' name 2 dimensions, but 'a.tif' has 4: \(4, 3, 8, 9\)"),
        ({"axes": "TZYQ"}, "the axes 'TZYQ' have the letter Q"),
        ({"axes": "TTYX"}, "name a dimension twice"),
        ({"axes": "CZYX"}, "the axes 'CZYX' lack T"),
        ({}, r"'a.tif' has depth: 3 z planes \(TZYX .*\); say --z 1 for one plane \(0 to 2\) or --z max"),
        ({"z": "3"}, "--z 3 will not do: 'a.tif' has z planes 0 to 2"),
        ({"z": "-1"}, "--z -1 will not do"),
        ({"z": "mean"}, "--z mean will not do"),
        ({"z": "0", "channel": 1}, "--channel 1 does not exist: 'a.tif' has channels 0 to 0"),
    ],
)
def test_settings_that_do_not_fit_are_told(tmp_path: Path, settings: dict[str, object], sentence: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 3, 8, 9), "uint8"), metadata={"axes": "TZYX"}, photometric="minisblack")
    with pytest.raises(MovieError, match=sentence):
        open_movie(tmp_path / "a.tif", MovieSettings.checked(**settings))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_frame_that_is_not_finite_is_named(tmp_path: Path, bad: float) -> None:
    frames = FRAMES.astype("float32")
    frames[4, 3, 2] = bad
    tifffile.imwrite(tmp_path / "a.tif", frames, metadata={"axes": "TYX"})
    movie = open_movie(tmp_path / "a.tif")
    movie.frame(3)
    with pytest.raises(MovieError, match=r"frame 4 of 'a.tif' has 1 pixel\(s\) that are not a number or infinite"):
        movie.frame(4)


def test_several_channels_have_to_be_chosen_from() -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    movie = movie_from_array(array)
    named = Movie("two", movie.frames, channel_names=("H2B", "actin", "phase"))
    with pytest.raises(MovieError, match=r"'two' has 3 channels: 0 \(H2B\), 1 \(actin\), 2 \(phase\); .* --channel 0"):
        single_channel(named)
    with pytest.raises(MovieError, match="channel 3 does not exist"):
        single_channel(named, 3)
    one = single_channel(named, 1)
    assert (one.shape, one.channel_names, one.dtype) == ((2, 1, 4, 5), ("actin",), array.dtype)
    np.testing.assert_array_equal(one.as_array(), array[:, 1:2])
    assert single_channel(one) is one


def test_a_file_can_be_described_even_where_it_is_no_movie(tmp_path: Path) -> None:
    assert describe_file(one_frame(tmp_path)).shape == (40, 50)


def test_a_compression_that_needs_imagecodecs_names_the_extra(tmp_path: Path) -> None:
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression="lzw", metadata={"axes": "TYX"})
    code = (
        "import sys; sys.modules['imagecodecs'] = None\n"
        "from napari_tap_events.movies.opening import open_movie\n"
        f"open_movie({str(tmp_path / 'a.tif')!r}).frame(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert re.search(r"MovieError: plane 0 of 'a.tif' cannot be read .*pip install napari-tap-events\[io\]", done.stderr), (
        done.stderr
    )
