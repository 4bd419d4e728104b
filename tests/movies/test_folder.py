"""A folder of images: names tell the order, all images are alike."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.axes import UnknownAxesError
from napari_tap_events.movies.opening import describe_file, open_movie
from napari_tap_events.settings import MovieSettings

FRAMES = np.random.default_rng(0).integers(0, 200, (12, 9, 10)).astype("uint8")


def test_files_are_frames_in_natural_order(tmp_path: Path) -> None:
    for t, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"scan{t}.tif", frame)
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "._scan0.tif").write_bytes(b"x")
    movie = open_movie(tmp_path)
    assert (movie.name, movie.file_axes) == (tmp_path.name, "TYX")
    np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES)


@pytest.mark.parametrize("pattern", ["m_t{t:03}_z{z}_c{c}", "m_T{t}_Z{z}_ch{c:02}", "c{c}-t{t}-z{z}", "time{t}.z{z}.C{c}.m"])
def test_tokens_in_names_tell_time_depth_and_channel(tmp_path: Path, pattern: str) -> None:
    wanted = np.random.default_rng(1).integers(0, 9999, (11, 2, 3, 5, 6)).astype("uint16")
    for t, c, z in product(range(11), range(2), range(3)):
        tifffile.imwrite(tmp_path / f"{pattern.format(t=t + 7, z=z + 1, c=c + 1)}.tif", wanted[t, c, z])
    assert describe_file(tmp_path).axes == "TZCYX"
    np.testing.assert_array_equal(open_movie(tmp_path, MovieSettings(z="1")).as_array(), wanted[:, :, 1])
    np.testing.assert_array_equal(open_movie(tmp_path, MovieSettings(z="max", channel=1)).as_array(), wanted.max(axis=2)[:, 1:])


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".TIFF"])
def test_png_and_tiff_grey_and_rgb(tmp_path: Path, suffix: str, colour: bool) -> None:
    for t, frame in enumerate(FRAMES):
        image = np.stack([frame] * 3, axis=-1) if colour else frame
        if suffix.lower() == ".png":
            imsave(tmp_path / f"{t}{suffix}", image, check_contrast=False)
        else:
            tifffile.imwrite(tmp_path / f"{t}{suffix}", image, photometric="rgb" if colour else "minisblack")
    np.testing.assert_array_equal(open_movie(tmp_path).as_array()[:, 0], FRAMES)


def test_sixteen_bit_png(tmp_path: Path) -> None:
    for t, frame in enumerate(FRAMES):
        imsave(tmp_path / f"{t}.png", frame.astype("uint16") * 300, check_contrast=False)
    np.testing.assert_array_equal(open_movie(tmp_path).as_array()[:, 0], FRAMES.astype("uint16") * 300)


def test_a_stack_of_depth_in_every_file(tmp_path: Path) -> None:
    for t in range(4):
        tifffile.imwrite(tmp_path / f"t{t}.tif", FRAMES[t : t + 3], imagej=True, metadata={"axes": "ZYX"})
    movie = open_movie(tmp_path, MovieSettings(z="2"))
    np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES[2:6])


@pytest.mark.parametrize(
    ("lead", "written"),
    [((1,), {}), ((1, 1), {}), ((1,), {"compression": "zlib"}), ((1,), {"metadata": {"axes": "TYX"}})],
)
def test_dimensions_of_length_one_in_every_file_are_left_out(tmp_path: Path, lead: tuple[int, ...], written: dict) -> None:
    for t, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"{t}.tif", frame.reshape(*lead, *frame.shape), **written)
    about = describe_file(tmp_path)
    assert (about.axes, about.shape, about.suggestion) == ("TYX", FRAMES.shape, "")
    for axes in (None, "TYX", "TCZYX"[: 1 + len(lead)] + "YX"):
        movie = open_movie(tmp_path, MovieSettings(axes=axes))
        assert movie.file_axes == (axes or "TYX")
        np.testing.assert_array_equal(movie.frame(7)[0], FRAMES[7])
        np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES)


@pytest.mark.parametrize("axes", [None, "TZYX", "TZCYX"])
def test_dimensions_of_length_one_beside_tokens_in_names_are_left_out(tmp_path: Path, axes: str | None) -> None:
    for t, z in product(range(3), range(2)):
        tifffile.imwrite(tmp_path / f"m_t{t}_z{z}.tif", FRAMES[2 * t + z][None])
    movie = open_movie(tmp_path, MovieSettings(axes=axes, z="1"))
    np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES[1:6:2])


def test_files_that_hold_several_unknown_images_are_not_guessed(tmp_path: Path) -> None:
    for t in range(4):
        tifffile.imwrite(tmp_path / f"t{t}.tif", FRAMES[:5])
    with pytest.raises(MovieError, match=r"'t0.tif' alone holds \(5, 9, 10\); open it as a file"):
        open_movie(tmp_path)


def test_saying_tyx_takes_every_file_as_a_frame(tmp_path: Path) -> None:
    for t, z in product(range(3), range(2)):
        tifffile.imwrite(tmp_path / f"m_t{t}_z{z}.tif", FRAMES[2 * t + z])
    np.testing.assert_array_equal(open_movie(tmp_path, MovieSettings(axes="TYX")).as_array()[:, 0], FRAMES[:6])


def test_a_missing_plane_is_named(tmp_path: Path) -> None:
    for t, z in product(range(3), range(2)):
        tifffile.imwrite(tmp_path / f"m_t{t}_z{z}.tif", FRAMES[0])
    (tmp_path / "m_t1_z1.tif").unlink()
    with pytest.raises(MovieError, match="has no file for t 1, z 1"):
        open_movie(tmp_path)


def test_two_positions_in_one_folder_are_told(tmp_path: Path) -> None:
    for t, s in product(range(3), range(2)):
        tifffile.imwrite(tmp_path / f"p{s}_t{t}.tif", FRAMES[0])
    with pytest.raises(MovieError, match=r"two files say t 0: 'p0_t0.tif' and 'p1_t0.tif'; put every position"):
        open_movie(tmp_path)


def test_skipped_times_are_noted(tmp_path: Path) -> None:
    for t in (0, 1, 4, 5):
        tifffile.imwrite(tmp_path / f"t{t}.tif", FRAMES[t])
    assert open_movie(tmp_path).notes == ("The names skip 2 of the times 0 to 5, first 2.",)


@pytest.mark.parametrize("other", [FRAMES[0, :5], FRAMES[0].astype("uint16")])
def test_a_frame_unlike_the_others_is_named(tmp_path: Path, other: np.ndarray) -> None:
    for t, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"{t}.tif", other if t == 5 else frame)
    with pytest.raises(MovieError, match=r"'5.tif' has shape .* other frames \(9, 10\) and uint8; all frames"):
        open_movie(tmp_path)


def test_a_frame_unlike_the_others_is_named_when_it_is_read_at_last(tmp_path: Path) -> None:
    for t in range(200):
        tifffile.imwrite(tmp_path / f"{t}.tif", FRAMES[0] if t != 100 else FRAMES[0].astype("uint16"))
    movie = open_movie(tmp_path)
    with pytest.raises(MovieError, match=r"'100.tif' has shape"):
        movie.as_array()


def test_one_bad_or_lost_file_is_named(tmp_path: Path) -> None:
    for t, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"{t}.tif", frame)
    movie = open_movie(tmp_path)
    (tmp_path / "3.tif").write_bytes(b"")
    (tmp_path / "4.tif").unlink()
    (tmp_path / "5.tif").write_bytes(b"no tiff")
    for t, sentence in ((3, r"'3.tif' is empty"), (4, r"'4.tif' has gone"), (5, r"'5.tif' is no TIFF")):
        with pytest.raises(MovieError, match=sentence):
            movie.frame(t)
    with pytest.raises(MovieError, match=r"'3.tif' is empty"):
        open_movie(tmp_path)


def test_a_folder_of_one_image_is_no_movie(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "0.tif", FRAMES[0])
    with pytest.raises(MovieError, match="has a single frame"):
        open_movie(tmp_path)


def test_times_of_a_movie_in_a_folder_cannot_be_files_with_time(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "0.tif", FRAMES, metadata={"axes": "TYX"})
    with pytest.raises(MovieError, match="open it as a file") as caught:
        open_movie(tmp_path)
    assert not isinstance(caught.value, UnknownAxesError)


def multi_file_ome(folder: Path, n: int = 6, written: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> None:
    """Write an OME-TIFF of one file per frame, whose OME-XML names all of them."""
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="0" FirstZ="0" IFD="0" PlaneCount="1">'
        f'<UUID FileName="m_{t}.ome.tif">urn:uuid:00000000-0000-0000-0000-{t:012}</UUID></TiffData>'
        for t in range(n)
    )
    for t in written:
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:00000000-0000-0000-0000-{t:012}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
            f'Type="uint8" SizeX="10" SizeY="9" SizeZ="1" SizeC="1" SizeT="{n}" PhysicalSizeX="0.5" PhysicalSizeY="0.5">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{data}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / f"m_{t}.ome.tif", FRAMES[t], description=xml, metadata=None, compression="zlib")


@pytest.mark.parametrize("opened", ["", "m_0.ome.tif", "m_4.ome.tif"])
def test_a_multi_file_ome_tiff_opens_by_any_of_its_files_or_the_folder(tmp_path: Path, opened: str) -> None:
    multi_file_ome(tmp_path)
    movie = open_movie(tmp_path / opened)
    assert (movie.file_axes, movie.pixel_size_um, movie.notes) == ("TYX", 0.5, ())
    np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES[:6])


def test_missing_last_files_of_an_ome_tiff_shorten_the_movie(tmp_path: Path) -> None:
    multi_file_ome(tmp_path, written=(0, 1, 2, 3))
    movie = open_movie(tmp_path)
    np.testing.assert_array_equal(movie.as_array()[:, 0], FRAMES[:4])
    assert movie.notes == ("The files of 2 of the 6 announced frames are missing; the first 4 were read.",)


def test_missing_files_amid_an_ome_tiff_are_an_error(tmp_path: Path) -> None:
    multi_file_ome(tmp_path, written=(0, 1, 3, 4, 5))
    with pytest.raises(MovieError, match=r"of 6 planes of which 1 are missing, the first is plane 2; put the missing files"):
        open_movie(tmp_path)
