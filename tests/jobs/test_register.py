"""A movie that shook is written anew, and holds still; nothing else of it changes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_tap_events.errors import JobStopped, MovieError, OutputError
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.register import register
from napari_tap_events.jobs.summary import summary_text
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.tiff_writing import write_ome_tiff
from napari_tap_events.settings import MovieSettings, RegisterSettings

SIDE, N = 120, 8


@pytest.fixture(scope="module")
def shaken():
    """Return frames (N, 2, SIDE, SIDE) uint16 of two channels, windows into one large picture, and where they lie in it."""
    rng = np.random.default_rng(0)
    from scipy import ndimage

    picture = rng.random((2, 220, 220)) > 0.995
    large = 1000 + (40_000 * ndimage.gaussian_filter(picture.astype(float), (0, 3, 3))).round()
    places = rng.integers(-9, 10, (N, 2))
    cut = [large[:, 50 - y : 50 - y + SIDE, 50 - x : 50 - x + SIDE] for y, x in places]
    return np.stack(cut).astype(np.uint16), places - places[0]


def written(path, frames):
    about = {
        "axes": "TCYX",
        "PhysicalSizeX": 0.5,
        "PhysicalSizeY": 0.5,
        "TimeIncrement": 300.0,
        "Channel": {"Name": ["red", "green"]},
    }
    tifffile.imwrite(path, frames, ome=True, photometric="minisblack", metadata=about)
    return path


@pytest.mark.parametrize("keep", ["all", "common", "first"])
def test_a_shaken_movie_holds_still_and_keeps_type_scale_and_channels(tmp_path, finish, shaken, keep):
    frames, places = shaken
    source = written(tmp_path / "shaken.ome.tif", frames)
    out = finish(register(source, RegisterSettings(field=keep), Run(tmp_path / "out")))
    result = json.loads((out / "result.json").read_text())
    assert result["files"] == {"movie": "shaken-registered.ome.tif", "shifts": "shifts.csv"}
    movie = open_movie(out / result["files"]["movie"])
    assert (movie.dtype, movie.pixel_size_um, movie.interval_s, movie.channel_names) == ("uint16", 0.5, 300.0, ("red", "green"))
    corners = pd.read_csv(out / "shifts.csv")
    assert (np.diff(corners[["y", "x"]].to_numpy(), axis=0) == -np.diff(places, axis=0)).all()
    y, x = (slice(corners[a].max(), corners[a].min() + SIDE) for a in "yx")
    inner = movie.as_array()[:, :, max(0, y.start) : y.stop, max(0, x.start) : x.stop]
    if keep != "first":
        assert (inner == inner[0]).all(), "what every frame shows is the same in every frame"
    if keep == "common":
        assert inner.shape == movie.shape
    if keep == "first":
        assert movie.shape == frames.shape
        np.testing.assert_array_equal(movie.frame(0), frames[0])
    assert "It stays where it is now" in summary_text(out)


def test_the_channel_that_is_chosen_tells_the_shifts_and_all_of_them_are_written(tmp_path, finish, shaken):
    frames, places = shaken
    frames = frames.copy()
    frames[:, 0] = frames[0, 0]  # the other channel stands still, and must not have a say
    source = written(tmp_path / "shaken.ome.tif", frames)
    run = Run(tmp_path / "out", movie=MovieSettings(channel=1))
    out = finish(register(source, RegisterSettings(), run))
    movie = open_movie(out / "shaken-registered.ome.tif")
    assert (movie.n_frames, movie.n_channels, movie.channel_names) == (N, 2, ("red", "green"))
    assert (np.diff(pd.read_csv(out / "shifts.csv")[["y", "x"]].to_numpy(), axis=0) == -np.diff(places, axis=0)).all()
    assert (movie.as_array()[:, 1] == movie.frame(0)[1]).all()


def test_nothing_is_made_up_unless_that_is_wanted(tmp_path, finish, shaken):
    source = written(tmp_path / "shaken.ome.tif", shaken[0])
    out = finish(register(source, RegisterSettings(), Run(tmp_path / "out")))
    _, _, height, width = open_movie(out / "shaken-registered.ome.tif").shape
    wander = np.ptp(shaken[1], axis=0)
    assert (height, width) == tuple(SIDE - wander), "only what all frames show"


def test_what_stands_still_is_not_touched(tmp_path, finish, shaken):
    still = np.repeat(shaken[0][:1, :1], 4, axis=0)
    tifffile.imwrite(tmp_path / "still.tif", still[:, 0], metadata={"axes": "TYX"}, photometric="minisblack")
    out = finish(register(tmp_path / "still.tif", RegisterSettings(), Run(tmp_path / "out")))
    np.testing.assert_array_equal(open_movie(out / "still-registered.ome.tif").as_array(), still)


@pytest.mark.parametrize("stage", ["shifts", "write"])
def test_a_stopped_run_leaves_no_movie_behind(tmp_path, shaken, stage):
    source = written(tmp_path / "shaken.ome.tif", shaken[0])
    run = Run(tmp_path / "out")

    def stop_in_the_middle():
        for report in register(source, RegisterSettings(), run):
            run.control.stopping |= report.stage == stage and report.done >= 3

    with pytest.raises(JobStopped, match="start again with --overwrite"):
        stop_in_the_middle()
    assert not list(run.out.glob("*.tif"))
    assert not (run.out / "result.json").exists()


def test_a_picture_that_goes_too_far_is_refused_before_anything_is_written(tmp_path, finish, shaken):
    frames = np.stack([np.roll(shaken[0][0], 14 * t, axis=2) for t in range(30)])
    source = written(tmp_path / "far.ome.tif", frames)
    with pytest.raises(MovieError, match=r"wanders over 0 x .* choose --field first or common"):
        finish(register(source, RegisterSettings(field="all"), Run(tmp_path / "out")))
    assert not list((tmp_path / "out").glob("*.tif"))


def test_a_full_disk_is_said_in_one_sentence(tmp_path, finish, shaken, monkeypatch):
    source = written(tmp_path / "shaken.ome.tif", shaken[0])

    def full(*given, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "memmap", full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device; make room, or change --out"):
        finish(register(source, RegisterSettings(), Run(tmp_path / "out")))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64", "int64", "float16", ">u2"])
def test_every_type_of_pixels_can_be_written_and_read(tmp_path, dtype):
    frames = (np.arange(2 * 20 * 24).reshape(2, 1, 20, 24) % 100).astype(dtype)
    movie = movie_from_array(frames)
    path = tmp_path / "some.ome.tif"
    assert list(write_ome_tiff(path, iter(frames), movie.shape, movie)) == [1, 2]
    np.testing.assert_array_equal(open_movie(path, MovieSettings(axes="TYX")).as_array(), frames)
