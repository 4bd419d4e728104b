"""The reader takes every TIFF that can be read, gives it its scale, and says aloud what it had to assume."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_tap_events.errors import MovieError
from napari_tap_events.gui.lazy_movie import LazyMovie
from napari_tap_events.gui.reader import get_reader, read


@pytest.fixture(autouse=True)
def said():
    """Collect what is said to the user."""
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


def messages(said):
    return [(str(note.severity), note.message) for note in said]


def test_a_file_that_tells_its_axes_and_scale_is_read_lazily_with_them(tmp_path, frames, said):
    path = tmp_path / "told.tif"
    scale = {"axes": "TYX", "unit": "um", "finterval": 300.0}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2, 2), metadata=scale)
    (layer,) = read(str(path))
    assert isinstance(layer.data, LazyMovie)
    np.testing.assert_allclose(layer.scale, (300, 0.5, 0.5))
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert layer.axis_labels == ("t", "y", "x")
    np.testing.assert_array_equal(np.asarray(layer.data), frames)
    assert messages(said) == []


def test_a_file_that_does_not_tell_its_axes_gets_the_first_as_time_and_a_warning(tmp_path, frames, said):
    path = tmp_path / "untold.tif"
    tifffile.imwrite(path, frames, photometric="minisblack")
    (layer,) = read(str(path))
    assert layer.data.shape == frames.shape
    ((severity, message),) = messages(said)
    assert severity == "warning"
    assert "untold.tif" in message
    assert "TYX" in message


@pytest.mark.parametrize(("shape", "n_layers"), [((5, 2, 16, 24), 2), ((2, 5, 16, 24), 5), ((5, 2, 3, 16, 24), 1)])
def test_stacks_with_more_unknown_axes_are_shown(tmp_path, shape, n_layers, said):
    path = tmp_path / "deep.tif"
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    tifffile.imwrite(path, pixels, photometric="minisblack")
    layers = read(str(path))
    assert len(layers) == n_layers
    assert messages(said)[0][0] == "warning"


def test_a_single_image_is_shown_as_a_plain_image(tmp_path, frames, said):
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, frames[0], photometric="minisblack")
    (layer,) = read(str(path))
    np.testing.assert_array_equal(layer.data, frames[0])
    assert layer.axis_labels == ("y", "x")
    assert "plain image" in messages(said)[0][1]


def test_a_colour_picture_is_shown_in_colour(tmp_path):
    path = tmp_path / "photo.tif"
    tifffile.imwrite(path, np.zeros((16, 24, 3), np.uint8), photometric="rgb")
    (layer,) = read(str(path))
    assert layer.rgb


def test_a_file_that_is_no_tiff_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "letter.tif"
    path.write_text("Dear colleague,")
    with pytest.raises(MovieError, match=r"letter\.tif"):
        read(str(path))


def test_a_folder_that_holds_no_movie_is_refused(tmp_path):
    with pytest.raises(MovieError):
        read(str(tmp_path))


def test_lists_of_files_to_be_stacked_are_left_to_others(tmp_path):
    assert get_reader([str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]) is None
    assert get_reader(str(tmp_path / "a.tif")) is read


def test_two_movies_of_different_scale_share_a_viewer_without_complaint(tmp_path, frames):
    viewer = ViewerModel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i, um in enumerate((1.0, 0.5)):
            path = tmp_path / f"{i}.tif"
            scale = {"axes": "TYX", "unit": "um", "finterval": 60.0}
            tifffile.imwrite(path, frames, imagej=True, resolution=(1 / um, 1 / um), metadata=scale)
            for layer in read(str(path)):
                viewer.add_layer(layer)
    assert viewer.dims.axis_labels == ("t", "y", "x")


def test_a_frame_of_a_big_file_is_read_without_the_others(tmp_path):
    path = tmp_path / "big.tif"
    tifffile.imwrite(path, shape=(2000, 512, 512), dtype="uint16", metadata={"axes": "TYX"})
    (layer,) = read(str(path))
    assert layer.data.shape == (2000, 512, 512)
    assert layer.data[1999].shape == (512, 512)


def write_folder_of_frames(path, frames):
    path.mkdir()
    for t, frame in enumerate(frames):
        tifffile.imwrite(path / f"cells_t{t:03d}.tif", frame)


def write_zarr(path, frames):
    from napari_tap_events.movies.ome_zarr import create_map

    create_map(path, frames.shape, "uint16", name="cells", pixel_size_um=0.5, interval_s=300.0)[:] = frames


def write_avi(path, frames):
    import av

    with av.open(str(path), "w") as video:
        stream = video.add_stream("rawvideo", rate=5)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "gray"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray((frame // 16).astype(np.uint8), format="gray")))
        video.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "write"), [("frames", write_folder_of_frames), ("cells.zarr", write_zarr), ("cells.avi", write_avi)]
)
def test_folders_zarr_and_video_are_movies_too(tmp_path, frames, name, write):
    write(tmp_path / name, frames)
    (layer,) = read(str(tmp_path / name))
    assert layer.data.shape == frames.shape
    assert layer.axis_labels == ("t", "y", "x")
    assert layer.data[3].std() > 0
