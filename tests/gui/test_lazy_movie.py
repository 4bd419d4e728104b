"""A lazy movie answers like the array it stands for, and reads no more than it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_tap_events.errors import MovieError
from napari_tap_events.gui.lazy_movie import FRAMES_KEPT, LazyMovie
from napari_tap_events.movies.movie import movie_from_array

PIXELS = np.random.default_rng(1).integers(0, 4000, (7, 2, 5, 6)).astype(">u2")
KEYS = [
    0,
    -1,
    np.int64(3),
    slice(1, 6, 2),
    slice(5, 5),
    ...,
    (2, ...),
    (..., 3),
    (slice(0, 3), slice(1, 4)),
    (4, slice(None), 2),
    (slice(None), 1, 2),
    np.array([0, 3, 3]),
    (slice(2, 4), slice(None), slice(0, 2)),
]


@dataclass
class CountingFrames:
    """Frames that count how often they are read."""

    array: np.ndarray
    read: list[int] = field(default_factory=list)

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return self.array.dtype

    def frame(self, t):
        self.read.append(t)
        return self.array[t]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("channel", [0, 1])
def test_it_indexes_like_the_array(key, channel):
    lazy = LazyMovie(movie_from_array(PIXELS), channel)
    np.testing.assert_array_equal(lazy[key], PIXELS[:, channel][key])


def test_a_frame_that_does_not_exist_is_an_index_error():
    with pytest.raises(IndexError):
        LazyMovie(movie_from_array(PIXELS))[7]


def test_it_has_this_machines_byte_order_whatever_the_file_has():
    lazy = LazyMovie(movie_from_array(PIXELS))
    assert lazy.dtype == np.dtype("uint16")
    assert lazy[0].dtype.isnative
    assert (lazy.shape, lazy.ndim, lazy.size, len(lazy)) == ((7, 5, 6), 3, 210, 7)


def test_it_turns_into_the_whole_array():
    np.testing.assert_array_equal(np.asarray(LazyMovie(movie_from_array(PIXELS), 1)), PIXELS[:, 1])


def test_one_frame_is_read_once_while_it_is_looked_at():
    source = CountingFrames(PIXELS)
    lazy = LazyMovie(replace(movie_from_array(PIXELS), frames=source))
    for _ in range(3):
        _ = lazy[2], lazy[2, 1:3]
    assert source.read == [2]
    for t in range(FRAMES_KEPT + 1):
        _ = lazy[t]
    _ = lazy[2]
    assert source.read.count(2) == 1, "the last frames are kept"


def test_nobody_can_paint_into_the_kept_frames():
    lazy = LazyMovie(movie_from_array(PIXELS.astype(np.uint16)))
    with pytest.raises(ValueError, match="read-only"):
        lazy[0][0, 0] = 1


class DamagedFrames(CountingFrames):
    """Frames of which number 2 cannot be read."""

    def frame(self, t):
        if t == 2:
            raise MovieError("frame 2 is damaged; copy the file again.")
        return super().frame(t)


def test_a_frame_that_cannot_be_read_is_black_and_said_not_raised():
    notification_manager.records.clear()
    lazy = LazyMovie(replace(movie_from_array(PIXELS), frames=DamagedFrames(PIXELS)))
    assert not lazy[2].any()
    assert [note.message for note in notification_manager.records] == ["frame 2 is damaged; copy the file again."]
    np.testing.assert_array_equal(lazy[3], PIXELS[3, 0])
