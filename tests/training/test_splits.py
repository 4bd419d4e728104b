"""Splits: blocks share nothing, guards hold, no event is cut in two, and the leakage meter tells the truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_tap_events.errors import ScopeError
from napari_tap_events.training.splits import (
    SHARES,
    Block,
    apart,
    even_blocks,
    event_blocks,
    leakage,
    random_parts,
    time_blocks,
)

n_pairs = st.integers(12, 200)
crops = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40), st.integers(0, 40)), max_size=12)


def frames(pairs) -> set[int]:
    return {frame for t in pairs for frame in (t, t + 1)}


@given(n=n_pairs, folds=st.integers(2, 6))
def test_blocks_share_out_every_pair_once_in_the_order_of_time(n, folds):
    blocks = even_blocks(n, folds)
    assert [t for block in blocks for t in block.pairs] == list(range(n))
    sizes = [len(block.pairs) for block in blocks]
    assert max(sizes) - min(sizes) <= 1


@given(n=st.integers(20, 200))
def test_a_single_split_has_the_published_shares(n):
    lengths = [len(block.pairs) for block in time_blocks(n, SHARES)]
    assert lengths == pytest.approx([share * n for share in SHARES], abs=1)


@given(n=n_pairs, folds=st.integers(2, 5), events=st.lists(st.tuples(st.integers(0, 199), st.integers(1, 4)), max_size=12))
def test_no_event_is_cut_in_two_where_a_pause_is_near(n, folds, events):
    spans = [range(start, min(n, start + length)) for start, length in events if start < n]
    busy = {t for span in spans for t in span}
    plain, blocks = even_blocks(n, folds), even_blocks(n, folds, busy)
    assert [t for block in blocks for t in block.pairs] == list(range(n))
    reach = (n // folds - 1) // 2
    for block, unmoved in zip(blocks[1:], plain[1:], strict=True):
        edge, wanted = block.start, unmoved.start
        cuts = edge - 1 in busy and edge in busy
        near = range(wanted - reach, wanted + reach + 1)
        assert cuts == all(place - 1 in busy and place in busy for place in near)
        assert abs(edge - wanted) <= reach + 1
        assert not cuts or edge == wanted


def test_a_few_events_are_never_cut():
    for start in range(56):
        blocks = even_blocks(60, 4, range(start, start + 4))
        assert sum(bool(set(range(start, start + 4)) & set(block.pairs)) for block in blocks) == 1


@given(n=n_pairs, start=st.integers(0, 199), length=st.integers(1, 60), guard=st.integers(0, 6))
def test_taught_pairs_keep_the_guard_from_held_out_ones(n, start, length, guard):
    assume(start + length <= n)
    held = Block(start, start + length)
    kept = apart(n, [held], guard)
    distance = [min(abs(a - b) for a in frames([t]) for b in frames(held.pairs)) for t in kept]
    assert all(d > guard for d in distance)
    assert not frames(kept) & frames(held.pairs)
    lost = set(range(n)) - set(kept) - set(held.pairs)
    assert all(min(abs(a - b) for a in frames([t]) for b in frames(held.pairs)) <= guard for t in lost)


def test_several_blocks_are_kept_apart_at_once():
    assert apart(20, [Block(4, 6), Block(12, 13)], 1) == [0, 1, 8, 9, 15, 16, 17, 18, 19]


def test_too_many_blocks_are_refused_in_one_sentence():
    with pytest.raises(
        ScopeError, match="3 frame pairs cannot be cut into 5 blocks; look at more frames, or choose fewer --folds"
    ):
        even_blocks(3, 5)


def test_the_random_split_has_the_published_shares_and_follows_its_seed():
    parts = random_parts(1000, 3)
    assert np.bincount(parts).tolist() == [600, 200, 200]
    assert np.array_equal(parts, random_parts(1000, 3))
    assert not np.array_equal(parts, random_parts(1000, 4))
    assert 0.45 < parts[:500].tolist().count(0) / 500 < 0.75


@given(train=crops, test=crops, crop=st.integers(1, 20))
def test_leakage_equals_counting_shared_pixels_one_by_one(train, test, crop):
    def pixels(t, y, x):
        return {(f, y + i, x + j) for f in (t, t + 1) for i in range(crop) for j in range(crop)}

    seen = set().union(*(pixels(*row) for row in train)) if train else set()
    expected = np.mean([bool(pixels(*row) & seen) for row in test]) if test and train else 0.0
    rows = [np.array(part, np.int64).reshape(-1, 3) for part in (train, test)]
    assert leakage(*rows, crop) == pytest.approx(float(expected))


def test_crops_shared_out_at_random_leak():
    grid = np.stack(np.meshgrid(range(10), range(0, 97, 8), range(0, 97, 8), indexing="ij"), -1).reshape(-1, 3)
    parts = random_parts(len(grid), 0)
    assert leakage(grid[parts == 0], grid[parts == 2], 24) > 0.95


def test_blocks_of_time_do_not_leak():
    grid = np.stack(np.meshgrid(range(40), range(0, 97, 24), range(0, 97, 24), indexing="ij"), -1).reshape(-1, 3)
    for block in even_blocks(40, 4):
        taught = set(apart(40, [block], 1))
        train = grid[[int(t) in taught for t in grid[:, 0]]]
        test = grid[[int(t) in block.pairs for t in grid[:, 0]]]
        assert len(train)
        assert len(test)
        assert leakage(train, test, 24) == 0


def test_blocks_follow_each_other_without_gap():
    assert all(a.stop == b.start for a, b in pairwise(even_blocks(50, 5)))


@given(
    st.integers(20, 120).flatmap(
        lambda n: st.tuples(
            st.just(n), st.sets(st.integers(0, n - 1), min_size=2, max_size=12), st.integers(2, 6), st.integers(0, 3)
        )
    )
)
def test_event_blocks_cut_no_event_and_share_them_out(drawn):
    n_pairs, busy, folds, guard = drawn
    runs = sum(pair - 1 not in busy for pair in busy)
    if runs < folds:
        with pytest.raises(ScopeError, match=f"events at {runs} different times cannot be shared out over {folds} blocks"):
            event_blocks(n_pairs, folds, busy, guard)
        return
    blocks = event_blocks(n_pairs, folds, busy, guard)
    assert [t for block in blocks for t in block.pairs] == list(range(n_pairs))
    held = [sum(pair - 1 not in busy for pair in busy if pair in block.pairs) for block in blocks]
    assert min(held) >= 1
    assert sum(held) == runs, "no event is cut in two"
    assert max(held) <= runs / folds + 2


def test_a_pause_too_short_for_two_guards_is_left_to_the_block_with_fewer_events():
    """Pairs 16, 21 and 23: the only event of the first block teaches while the second judges, and 23 teaches while the first does."""
    first, second = event_blocks(36, 2, [16, 21, 23], guard=2)
    assert 16 in apart(36, [second], 2)
    assert 23 in apart(36, [first], 2)
    late, early = event_blocks(36, 2, [12, 14, 19], guard=2), event_blocks(40, 2, [5, 30], guard=2)
    assert 19 in apart(36, [late[0]], 2)
    assert early[0].stop == (6 + 30) // 2
