"""Criteria: pixels are counted kind by kind, and only what was looked at can be a negative."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.events.criteria import CRITERIA, count_positives, kind_labels, label_movie, told_apart
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.movies.masks import EventMasks, Scope, UncertainZone, unknown_frame
from napari_tap_events.settings import LabelSettings

SIDE, CROP, STRIDE = 20, 6, 2
GRID = WindowGrid(SIDE, SIDE, CROP, STRIDE)


def masks_of(seed: int, density: float = 0.1, **more) -> EventMasks:
    rng = np.random.default_rng(seed)
    labels = (rng.random((4, SIDE, SIDE)) < density) * rng.integers(1, 3, (4, SIDE, SIDE))
    return EventMasks(labels.astype(np.uint8), ("division", "death"), more.pop("scope", Scope.whole(labels.shape)), **more)


def by_hand(masks: EventMasks, t: int, criterion: str, area_px: int) -> np.ndarray:
    """Label windows one by one, from the words of the paper."""
    out = np.zeros((2, *GRID.shape), np.int8)
    for (i, j), _ in np.ndenumerate(out[0]):
        part = (slice(i * STRIDE, i * STRIDE + CROP), slice(j * STRIDE, j * STRIDE + CROP))
        for k in (0, 1):
            counts = [int(np.count_nonzero(masks.frame(f)[part] == k + 1)) for f in (t, t + 1)]
            needed = area_px if "size" in criterion else 0
            enough = [count > needed for count in counts]
            out[k, i, j] = all(enough) if "both" in criterion else any(enough)
        if any(unknown_frame(masks, f)[part].any() for f in (t, t + 1)):
            out[:, i, j] = -1
    return out


masks = st.builds(masks_of, seed=st.integers(0, 500), density=st.sampled_from([0.0, 0.02, 0.1, 0.4]))


@pytest.mark.parametrize("criterion", CRITERIA)
@given(masks=masks, t=st.integers(0, 2), area_px=st.integers(0, 9))
def test_every_criterion_equals_counting_by_hand(criterion, masks, t, area_px):
    assert np.array_equal(kind_labels(masks, t, GRID, criterion, area_px), by_hand(masks, t, criterion, area_px))


@given(masks=masks, t=st.integers(0, 2), area_px=st.integers(0, 9))
def test_any_size_asks_less_than_a_size_and_either_less_than_both(masks, t, area_px):
    found = {name: kind_labels(masks, t, GRID, name, area_px) == 1 for name in CRITERIA}
    for which in ("both", "either"):
        assert (found[f"any-{which}"] >= found[f"size-{which}"]).all()
    for size in ("any", "size"):
        assert (found[f"{size}-either"] >= found[f"{size}-both"]).all()


def test_forty_pixels_do_not_qualify_and_forty_one_do():
    labels = np.zeros((2, 48, 48), np.uint8)
    labels[0].flat[:40] = 1
    grid = WindowGrid(48, 48, 48, 8)
    small = EventMasks(labels, ("division",), Scope.whole(labels.shape))
    assert label_movie(small, grid, LabelSettings(criterion="size-either", area_px=40)).item() == 0
    labels[0].flat[40] = 1
    assert label_movie(small, grid, LabelSettings(criterion="size-either", area_px=40)).item() == 1


def test_large_mask_values_count_as_one_pixel_each():
    """A sum of label values taken for an area would make a few pixels of a high value an event."""
    labels = np.zeros((2, 48, 48), np.uint8)
    labels[0].flat[:20] = 5
    kinds = tuple(f"kind {k}" for k in range(1, 6))
    masks = EventMasks(labels, kinds, Scope.whole(labels.shape))
    assert label_movie(masks, WindowGrid(48, 48, 48, 8), LabelSettings(criterion="size-either", area_px=40)).item() == 0


def test_pixels_of_two_kinds_are_not_added_up():
    labels = np.zeros((2, 48, 48), np.uint8)
    labels[0].flat[:30] = 1
    labels[0].flat[30:60] = 2
    masks = EventMasks(labels, ("division", "death"), Scope.whole(labels.shape))
    assert label_movie(masks, WindowGrid(48, 48, 48, 8), LabelSettings(criterion="size-either", area_px=40)).item() == 0


def test_the_first_label_is_of_any_event_and_each_kind_that_is_told_apart_has_its_own():
    masks, settings = masks_of(3), LabelSettings(area_px=2)
    merged, apart = label_movie(masks, GRID, settings), label_movie(masks, GRID, settings, ("fusion", "division", "death"))
    assert (merged.shape[1], apart.shape[1]) == (1, 4)
    assert np.array_equal(merged[:, 0], apart[:, 0])
    assert np.array_equal(apart[:, 0], apart[:, 2:].max(1))
    assert np.array_equal(apart[:, 1], np.minimum(apart[:, 0], 0)), (
        "a kind that the mask lacks has no event, and is unknown where all are"
    )
    of_each = [kind_labels(masks, t, GRID, settings.criterion, 2) for t in range(masks.shape[0] - 1)]
    assert np.array_equal(apart[:, 2:], np.stack(of_each))


def test_kinds_are_told_apart_from_two_of_them_on():
    assert told_apart(["division", "death", "uncertain", "division"], LabelSettings()) == ("death", "division")
    assert told_apart(["division", "uncertain", "event"], LabelSettings()) == ()
    assert told_apart(["division", "death"], LabelSettings(kinds="merged")) == ()


def test_a_window_that_touches_an_unknown_place_is_neither():
    zone = UncertainZone(1, 10.0, 10.0, 3.0)
    masks = masks_of(1, scope=Scope(range(4), 0, SIDE, 4, SIDE), uncertain=(zone,))
    for criterion in CRITERIA:
        labels = kind_labels(masks, 1, GRID, criterion, 2)
        assert np.array_equal(labels, by_hand(masks, 1, criterion, 2))
        assert (labels[:, :, :2] == -1).all()
        assert (labels == -1).sum() < labels.size


def test_frames_outside_of_the_scope_are_unknown():
    masks = masks_of(1, scope=Scope(range(3), 0, SIDE, 0, SIDE))
    labels = label_movie(masks, GRID, LabelSettings(area_px=2))
    assert (labels[2] == -1).all()
    assert (labels[:2] >= 0).all()


def test_a_movie_is_labelled_pair_by_pair_and_its_events_counted():
    masks = masks_of(2)
    labels = label_movie(masks, GRID, LabelSettings(criterion="any-both"))
    assert labels.shape == (3, 1, *GRID.shape)
    counts = count_positives(masks, GRID, 2)
    assert counts["any-both"] == int((labels == 1).sum())
    expected = {c: sum(int((by_hand(masks, t, c, 2).max(0) == 1).sum()) for t in range(3)) for c in CRITERIA}
    assert counts == expected
