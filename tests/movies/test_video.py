"""AVI and MP4 through PyAV."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.opening import open_movie

N = 40


def grey_frames() -> np.ndarray:
    """Return (N, 48, 64) uint8: smooth, and brighter from frame to frame, so that loss does not hide the order."""
    y, x = np.mgrid[:48, :64]
    return np.stack([(2 * y + x) // 3 + 4 * t for t in range(N)]).astype("uint8")


def write_video(path: Path, codec: str, pixel_format: str, frames: np.ndarray, **options: str) -> None:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(10), options=options)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixel_format
        stream.bit_rate = 4_000_000
        for frame in frames:
            rgb = av.VideoFrame.from_ndarray(np.stack([frame] * 3, axis=-1), format="rgb24")
            container.mux(stream.encode(rgb.reformat(format=pixel_format)))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(("codec", "pixel_format"), [("png", "rgb24"), ("ffv1", "gray"), ("rawvideo", "bgr24")])
def test_lossless_video_is_exact_in_any_order(tmp_path: Path, codec: str, pixel_format: str) -> None:
    wanted = grey_frames()
    write_video(tmp_path / "a.avi", codec, pixel_format, wanted)
    movie = open_movie(tmp_path / "a.avi")
    assert (movie.shape, movie.dtype, movie.interval_s) == ((N, 1, 48, 64), np.dtype("uint8"), None)
    for t in (0, 1, 2, 39, 5, 4, 4, 17):
        np.testing.assert_array_equal(movie.frame(t)[0], wanted[t])


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mp4", "mpeg4"), ("a.avi", "mjpeg")])
def test_lossy_video_finds_every_frame_and_says_so(tmp_path: Path, name: str, codec: str) -> None:
    av = pytest.importorskip("av")
    if codec not in av.codecs_available:
        pytest.skip(f"no {codec} here")
    wanted = grey_frames()
    write_video(tmp_path / name, codec, "yuvj420p" if codec == "mjpeg" else "yuv420p", wanted)
    movie = open_movie(tmp_path / name)
    assert movie.n_frames == N
    for t in (0, 1, 2, 39, 5, 4, 4, 17, 30, 12):
        off = np.abs(movie.frame(t)[0].astype(int) - wanted[t])
        assert off.mean() < 2, t
    assert any("compressed with loss" in note for note in movie.notes)
    assert any("10 frames/s" in note and "--interval-s" in note for note in movie.notes)


def test_video_frames_from_several_threads(tmp_path: Path) -> None:
    wanted = grey_frames()
    write_video(tmp_path / "a.avi", "ffv1", "gray", wanted)
    movie = open_movie(tmp_path / "a.avi")
    order = np.random.default_rng(0).integers(0, N, 60)
    with ThreadPoolExecutor(4) as pool:
        for t, frame in zip(order, pool.map(movie.frame, order), strict=True):
            np.testing.assert_array_equal(frame[0], wanted[t])


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.avi").write_bytes(b"RIFF")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MovieError, match=r"pip install napari-tap-events\[video\]"):
        open_movie(tmp_path / "a.avi")


def test_a_video_cut_short_is_told(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", "ffv1", "gray", grey_frames())
    whole = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(whole[: len(whole) // 2])
    try:
        movie = open_movie(tmp_path / "a.avi")
    except MovieError:
        return
    assert movie.n_frames < N
