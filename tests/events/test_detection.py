"""Local maxima while maps pass by: those of the whole stack, none too close to another, in any portions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import (
    SUCCESSORS_REACH,
    Candidate,
    MaximaFinder,
    ScoreGrid,
    _disc,
    find_maxima,
    greatest_around,
    in_sequence,
    less_successors,
    score_frame,
    score_grid,
    with_any_kind,
)
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.settings import EventSettings

stacks = st.builds(
    lambda seed, shape, levels: stack_of(seed, shape, levels),
    st.integers(0, 10_000),
    st.tuples(st.integers(1, 9), st.sampled_from([1, 3]), st.integers(4, 14), st.integers(4, 14)),
    st.sampled_from([3, 6, 0]),
)
radii = st.tuples(st.sampled_from([1.0, 4.0, 5.0, 7.5, 11.0]), st.integers(0, 3))
GRID = ScoreGrid(2, 0.5)


def stack_of(seed: int, shape: tuple[int, ...], levels: int) -> np.ndarray:
    """Score maps (T, K, h, w); with few levels there are many ties."""
    drawn = np.random.default_rng(seed).normal(size=shape)
    return (np.round(drawn * levels) / levels if levels else drawn).astype(np.float32)


@pytest.mark.parametrize("shape", [(40, 50), (7, 5), (3, 40), (40, 3), (1, 9)])
@pytest.mark.parametrize("reach", [1, 3, 8, 12])
def test_the_greatest_around_is_that_of_a_filter_with_the_whole_disc(shape, reach):
    scores = np.random.default_rng(reach).normal(size=shape).astype(np.float32)
    whole = ndi.maximum_filter(scores, footprint=_disc(reach), mode="nearest")
    assert np.array_equal(greatest_around(scores, _disc(reach)), whole)


def streamed(scores: np.ndarray, radius_px: float, radius_frames: int, first: int = 0) -> list[Candidate]:
    finder = MaximaFinder(GRID, radius_px, radius_frames)
    found = [c for t, frame in enumerate(scores, first) for c in finder.add(t, frame)]
    return found + finder.rest()


def neighbours(scores: np.ndarray, t: int, y: int, x: int, radius_px: float, radius_frames: int) -> np.ndarray:
    """Every score nearer than the radii, the place itself left out."""
    reach = max(1, int(np.ceil(radius_px / GRID.stride_px)))
    best = scores[:, 0]
    when, rows, columns = np.ogrid[: best.shape[0], : best.shape[1], : best.shape[2]]
    near = (abs(when - t) <= radius_frames) & ((rows - y) ** 2 + (columns - x) ** 2 <= reach**2)
    near[t, y, x] = False
    return best[near]


def index(c: Candidate) -> tuple[int, int, int]:
    return c.t, round((c.y - GRID.offset_px) / GRID.stride_px), round((c.x - GRID.offset_px) / GRID.stride_px)


@given(
    seed=st.integers(0, 10_000),
    radii=radii,
    shape=st.tuples(st.integers(1, 8), st.just(3), st.integers(5, 14), st.integers(5, 14)),
)
def test_streamed_maxima_are_those_of_a_maximum_filter_over_the_whole_stack(seed, radii, shape):
    scores = stack_of(seed, shape, 0)
    best = scores[:, 0]
    expected = {place for place, value in np.ndenumerate(best) if (value > neighbours(scores, *place, *radii)).all()}
    found = streamed(scores, *radii)
    limit = 10
    per_frame = {t: sorted((p for p in expected if p[0] == t), key=lambda p: -best[p])[:limit] for t in range(len(best))}
    assert {index(c) for c in found} == {p for places in per_frame.values() for p in places}
    assert len(found) == len({index(c) for c in found})


@given(scores=stacks, radii=radii)
def test_no_two_maxima_are_nearer_than_the_radii(scores, radii):
    found = streamed(scores, *radii)
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            assert abs(a.t - b.t) > radii[1] or np.hypot(a.y - b.y, a.x - b.x) > radii[0]


@given(scores=stacks, radii=radii)
def test_every_maximum_is_one_and_tells_its_score_and_kind(scores, radii):
    for c in streamed(scores, *radii):
        t, y, x = index(c)
        assert c.score == scores[t, 0, y, x]
        assert c.kind == (scores[t, 1:, y, x].argmax() if scores.shape[1] > 1 else 0)
        assert (c.score >= neighbours(scores, t, y, x, *radii)).all()


@given(scores=stacks, radii=radii)
def test_the_highest_place_of_all_is_always_found(scores, radii):
    assert max(c.score for c in streamed(scores, *radii)) == scores[:, 0].max()


@given(scores=stacks, radii=radii, first=st.integers(0, 50))
def test_maxima_come_once_in_the_order_of_time_whatever_the_first_frame(scores, radii, first):
    found = streamed(scores, *radii, first)
    times = [c.t for c in found]
    assert times == sorted(times)
    plain = streamed(scores, *radii)
    assert [(c.t - first, c.y, c.x, c.score) for c in found] == [(c.t, c.y, c.x, c.score) for c in plain]


@given(scores=stacks, radii=radii, cut=st.integers(0, 9))
def test_what_comes_early_does_not_depend_on_what_comes_later(scores, radii, cut):
    """A maximum is told as soon as it is certain: the same frames followed by others give the same first maxima."""
    finder = MaximaFinder(GRID, *radii)
    certain = [c for t, frame in enumerate(scores[:cut]) for c in finder.add(t, frame)]
    assert streamed(scores, *radii)[: len(certain)] == certain
    assert all(c.t < cut - radii[1] for c in certain)
    assert len(finder.window) <= 2 * radii[1] + 1


def test_a_flat_plateau_is_one_event_in_its_middle():
    scores = np.zeros((3, 1, 21, 21), np.float32)
    scores[1, 0, 8:13, 6:15] = 1.0
    found = [c for c in streamed(scores, 12.0, 1) if c.score > 0]
    assert [index(c) for c in found] == [(1, 10, 10)]


def test_kinds_name_a_maximum_and_make_none():
    scores = np.zeros((1, 3, 15, 15), np.float32)
    scores[0, 0, 7, 7], scores[0, 1, 7, 7], scores[0, 2, 7, 7], scores[0, 1, 2, 2] = 1.0, -3.0, -2.0, 9.0
    found = [c for c in streamed(scores, 6.0, 0) if c.score > 0]
    assert [(index(c), c.score, c.kind) for c in found] == [((0, 7, 7), 1.0, 1)]


def test_of_several_kinds_the_greatest_stands_for_any_event():
    scores = stack_of(0, (2, 5, 6), 0)
    put_before = with_any_kind(scores)
    assert np.array_equal(put_before[0], scores.max(0))
    assert np.array_equal(put_before[1:], scores)
    assert np.array_equal(with_any_kind(scores[:1]), scores[:1])


def tiles_with_a_spot(t: int, y: int, x: int, kind: str):
    """Maps of one feature that is high at one place, and a head that takes the feature for evidence."""
    frames = np.zeros((6, 2, 48, 48), np.float16)
    frames[t : t + 2, 0, y - 2 : y + 3, x - 2 : x + 3] = 4
    torch.manual_seed(0)
    head = make_head(kind, HeadShape(1, 0, 0, 1, 12, 4, 2), "mean").eval()
    if kind == "linear":
        torch.nn.init.constant_(head.flat.weight, 0.05)
    else:
        for parameter in head.parameters():
            torch.nn.init.constant_(parameter, 0.3)
    maps = FeatureMaps(frames, np.zeros((5, 0, 48, 48), np.float16), 1, 2)
    return head, MapTiles(maps, Inputs(), Compute(torch.device("cpu")))


@pytest.mark.parametrize(("kind", "within_px"), [("evidence", 2.0), ("linear", 6.0)])
def test_an_event_is_found_where_and_when_it_is(kind, within_px):
    head, tiles = tiles_with_a_spot(2, 20, 31, kind)
    found = max(find_maxima(head, tiles, range(5), 8.0, 2), key=lambda c: c.score)
    assert abs(found.t - 2) <= 1
    assert np.hypot(found.y - (20 * 2 + 0.5), found.x - (31 * 2 + 0.5)) <= within_px


@pytest.mark.parametrize("kind", ["evidence", "resnet", "linear"])
def test_a_score_map_lies_where_its_grid_says(kind):
    head, tiles = tiles_with_a_spot(2, 20, 31, kind)
    grid = score_grid(head, 2)
    shape = score_frame(DenseHead(head), tiles, 2, 8.0).shape[1:]
    last = grid.offset_px + grid.stride_px * (shape[0] - 1)
    margin = 0 if kind == "evidence" else 12
    assert grid.offset_px == (0.5 if kind == "evidence" else 11.5)
    assert last <= 95 - margin + 1
    assert last + grid.stride_px > 95 - margin


NEAR = EventSettings(radius_px=10, radius_frames=2)


def at(t, score, y=50.0, x=50.0):
    return Candidate(t, y, x, 0, score)


def scores_of(*candidates, near=NEAR):
    return [candidate.score for candidate in in_sequence(candidates, near)]


def test_a_weaker_one_that_a_stronger_one_follows_loses_what_it_is_weaker_by():
    assert scores_of(at(10, 1.0), at(15, 4.0)) == [-2.0, 4.0]
    assert scores_of(at(15, 4.0), at(10, 1.0)) == [4.0, -2.0], "in whatever order they come"
    assert scores_of(at(10, 1.0), at(14, 2.0), at(18, 4.0)) == [-2.0, 0.0, 4.0], (
        "by the strongest, as it was before it lost itself"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (at(10, 4.0), at(15, 1.0)),  # the stronger comes first
        (at(10, 1.0), at(19, 4.0)),  # too late: 4 x 2 frames
        (at(10, 1.0), at(12, 4.0)),  # two events in 2 frames are one: that is for others to tell
        (at(10, 1.0), at(15, 4.0, y=61.0)),  # another place
        (at(10, 1.0), at(15, 1.0)),
    ],
)
def test_whatever_else_is_near_takes_nothing(first, second):
    assert scores_of(first, second) == [first.score, second.score]


def test_with_no_frames_apart_there_is_a_time_after_all():
    assert scores_of(at(10, 1.0), at(12, 3.0), near=EventSettings(radius_px=10, radius_frames=0)) == [-1.0, 3.0]


def test_what_is_no_number_follows_nothing_and_nothing_is_returned_for_nothing():
    place, others = np.array([[10.0, 50, 50]]), np.array([[15.0, 50, 50], [16, 50, 50]])
    assert less_successors(place, np.array([1.0]), others, np.array([np.nan, 2.0]), NEAR).tolist() == [0.0]
    assert less_successors(place, np.array([1.0]), others[:0], np.array([]), NEAR).tolist() == [1.0]
    assert in_sequence([], NEAR) == []


@given(st.integers(0, 1000), st.integers(0, 3), st.floats(1, 30))
def test_successors_are_those_that_a_comparison_of_all_with_all_finds(seed, frames, radius):
    rng = np.random.default_rng(seed)
    near = EventSettings(radius_px=radius, radius_frames=frames)
    found = [at(int(t), float(s), float(y), float(x)) for t, s, y, x in rng.uniform((0, -3, 0, 0), (20, 5, 40, 40), (30, 4))]
    reach = max(1, frames)
    for one, told in zip(found, in_sequence(found, near), strict=True):
        after = [
            c.score
            for c in found
            if reach < c.t - one.t <= SUCCESSORS_REACH * reach and np.hypot(c.y - one.y, c.x - one.x) <= radius
        ]
        expected = one.score - max([0.0, *(score - one.score for score in after)])
        assert told.score == pytest.approx(expected)
        assert (told.t, told.y, told.x) == (one.t, one.y, one.x)
