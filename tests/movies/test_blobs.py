"""Connected areas, found from their pixels alone, are those of the whole frame."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from napari_tap_events.movies.blobs import Blob, blobs_in, changed_blobs, near_blobs

frames = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 0, 1, 2]))


def blobs_of(frame: NDArray[np.uint8]) -> list[Blob]:
    flat = np.flatnonzero(frame)
    return blobs_in(flat, frame.reshape(-1)[flat], frame.shape[1])


def content(blobs: list[Blob]) -> list[tuple[int, list[int]]]:
    return [(blob.value, blob.flat.tolist()) for blob in blobs]


@settings(deadline=None)
@given(frames)
def test_blobs_are_the_connected_areas_of_each_value(frame: NDArray[np.uint8]) -> None:
    expected = []
    for value in (1, 2):
        labels, n = ndimage.label(frame == value, structure=np.ones((3, 3)))
        expected += [(value, np.flatnonzero(labels == i).tolist()) for i in range(1, n + 1)]
    assert content(blobs_of(frame)) == sorted(expected, key=lambda blob: (blob[0], blob[1][0]))


@settings(deadline=None)
@given(frames)
def test_a_blob_knows_its_place_and_size(frame: NDArray[np.uint8]) -> None:
    for blob in blobs_of(frame):
        y, x = np.divmod(blob.flat, frame.shape[1])
        np.testing.assert_array_equal(blob.pixels, np.stack([y, x], axis=1))
        np.testing.assert_allclose(blob.centre, (y.mean(), x.mean()))
        np.testing.assert_allclose(blob.reach_px, np.hypot(y - y.mean(), x - x.mean()).max(), atol=1e-9)
        assert blob.box == (y.min(), y.max(), x.min(), x.max())


@settings(deadline=None)
@given(frames, st.data())
def test_after_a_change_blobs_are_as_if_found_anew_and_those_far_away_stay_the_same(
    before: NDArray[np.uint8], data: st.DataObject
) -> None:
    blobs = blobs_of(before)
    changed = data.draw(st.lists(st.integers(0, before.size - 1), max_size=5))
    after = before.copy()
    after.reshape(-1)[changed] = data.draw(st.integers(0, 2))
    found = changed_blobs(blobs, after, np.array(changed, np.int64))
    assert content(found) == content(blobs_of(after))
    if not changed:
        assert found == blobs


def test_a_blob_that_a_change_does_not_touch_stays_itself() -> None:
    frame = np.zeros((20, 20), np.uint8)
    frame[2:4, 2:4] = frame[15:18, 15:18] = 1
    near, far = blobs_of(frame)
    frame[4, 4] = 1
    found = changed_blobs([near, far], frame, np.array([4 * 20 + 4]))
    assert found[1] is far
    assert len(found[0].flat) == 5


@settings(deadline=None)
@given(frames, st.data())
def test_blobs_that_are_not_near_are_infinitely_far(one: NDArray[np.uint8], data: st.DataObject) -> None:
    other = data.draw(arrays(np.uint8, one.shape, elements=st.sampled_from([0, 0, 1, 2])))
    some, others = blobs_of(one), blobs_of(other)
    for blob, near in zip(some, near_blobs(some, others), strict=True):
        for i, candidate in enumerate(others):
            gap = blob.gap_px(candidate)
            assert np.isinf(gap) or i in near
            assert (gap == 0) == (blob.value == candidate.value and blob.shares(candidate))
            if np.isfinite(gap):
                assert gap == min(np.hypot(*(p - candidate.pixels).T).min() for p in blob.pixels)
