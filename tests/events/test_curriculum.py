"""What is taught and what is asked share no frame; the random split does, and the meter says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.curriculum import LabelledMovie, has_events_to_judge, held_sets, make_curriculum, with_folds
from napari_tap_events.events.learning import NO_TILES, check_lessons
from napari_tap_events.settings import SplitSettings
from napari_tap_events.settings.recipes import FEW_EVENTS

CROP, STEP = 24, 8


def movie_of(n_pairs: int = 40, seed: int = 0, events: int = 3, spans: list[tuple[int, int]] | None = None) -> LabelledMovie:
    rng = np.random.default_rng(seed)
    labels = np.zeros((n_pairs, 1, 4, 5), np.int8)
    if spans is None:
        spans = [(int(rng.integers(n_pairs - 2)), 2) for _ in range(events)]
    for start, length in spans:
        labels[start : start + length, 0, rng.integers(4), rng.integers(5)] = 1
    return LabelledMovie(labels, pd.DataFrame({"t": [], "y": [], "x": [], "kind": []}))


def frames(pairs) -> set[int]:
    return {f for t in pairs for f in (t, t + 1)}


def tiles(movies) -> list[str]:
    return [f"tiles of {m}" for m in range(len(movies))]


splits = st.one_of(
    st.builds(SplitSettings, split=st.just("time-blocks"), folds=st.sampled_from([0, 2, 3, 5]), guard_frames=st.integers(0, 4)),
    st.builds(SplitSettings, split=st.just("movies"), folds=st.sampled_from([0, 3]), guard_frames=st.integers(0, 4)),
)


@given(settings=splits, lengths=st.lists(st.integers(30, 60), min_size=3, max_size=4), seed=st.integers(0, 200))
def test_no_frame_is_shared_by_what_is_taught_and_what_is_asked(settings, lengths, seed):
    movies = [movie_of(n, seed + i) for i, n in enumerate(lengths)]
    try:
        curriculum = make_curriculum(movies, settings, 0)
    except ScopeError:
        assume(False)
    for held in [(u,) for u in curriculum.units] + [(0, 1)]:
        taught = {lesson.tiles: lesson.pairs for lesson in curriculum.teaching(held, tiles(movies))}
        for unit in held:
            for m, lesson in curriculum.asking(unit, tiles(movies)):
                shared = frames(taught.get(lesson.tiles, [])) & frames(lesson.pairs)
                assert not shared
                gap = [abs(a - b) for a in frames(taught.get(lesson.tiles, [])) for b in frames(lesson.pairs)]
                assert not gap or min(gap) > settings.guard_frames
                assert lesson.tiles == f"tiles of {m}"
            units = [u for u in curriculum.units if u not in held]
            assert curriculum.leakage(units, unit, CROP, STEP) == 0


@given(folds=st.sampled_from([0, 2, 3, 4]), starts=st.sets(st.integers(0, 11), min_size=1, max_size=6))
def test_no_event_is_cut_in_two_where_there_are_pauses(folds, starts):
    spans = [(5 * start, 3) for start in starts]
    movie = movie_of(60, spans=spans)
    curriculum = make_curriculum([movie], SplitSettings(folds=folds), 0)
    for start, length in spans:
        pairs = set(range(start, start + length))
        units = [u for u in curriculum.units if pairs & set(curriculum.blocks[u][0].pairs)]
        assert len(units) == 1


def test_with_folds_every_pair_is_asked_exactly_once():
    movies = [movie_of(40), movie_of(31, 1)]
    curriculum = make_curriculum(movies, SplitSettings(folds=4), 0)
    asked = [(m, t) for unit in curriculum.units for m, lesson in curriculum.asking(unit, tiles(movies)) for t in lesson.pairs]
    assert sorted(asked) == [(m, t) for m, n in ((0, 40), (1, 31)) for t in range(n)]


def test_without_folds_there_are_train_validation_and_test():
    curriculum = make_curriculum([movie_of(50, events=0, spans=[])], SplitSettings(), 0)
    assert [len(blocks[0].pairs) for blocks in curriculum.blocks] == [30, 10, 10]
    (lesson,) = curriculum.teaching((1, 2), ["tiles"])
    assert list(lesson.pairs) == list(range(30 - 3))


def test_whole_movies_are_on_one_side_only():
    movies = [movie_of(20 + m, m) for m in range(4)]
    curriculum = make_curriculum(movies, SplitSettings(split="movies"), 0)
    taught = [lesson.tiles for lesson in curriculum.teaching((1, 2), tiles(movies))]
    asked = [[lesson.tiles for _, lesson in curriculum.asking(unit, tiles(movies))] for unit in (1, 2)]
    assert taught == ["tiles of 0", "tiles of 1"]
    assert asked == [["tiles of 2"], ["tiles of 3"]]


def test_with_folds_over_movies_each_is_left_out_in_turn():
    movies = [movie_of(20, m) for m in range(3)]
    curriculum = make_curriculum(movies, SplitSettings(split="movies", folds=3), 0)
    for unit in curriculum.units:
        taught = {lesson.tiles for lesson in curriculum.teaching((unit,), tiles(movies))}
        assert taught == {f"tiles of {m}" for m in range(3) if m != unit}


def test_the_random_split_gives_every_window_to_one_side_and_leaks():
    movie = movie_of(30)
    curriculum = make_curriculum([movie], SplitSettings(split="random"), 0)
    (lesson,) = curriculum.teaching((1, 2), ["tiles"])
    asked = [curriculum.asking(unit, ["tiles"])[0][1] for unit in (1, 2)]
    known = [part.labels >= 0 for part in (lesson, *asked)]
    assert np.array_equal(sum(k.astype(int) for k in known), np.ones_like(movie.labels))
    assert [k.mean() for k in known] == pytest.approx([0.6, 0.2, 0.2], abs=0.02)
    assert curriculum.leakage([0], 2, CROP, STEP) > 0.5


def test_labels_that_are_unknown_stay_unknown_in_every_part():
    movie = movie_of(30)
    movie.labels[:, :, 0] = -1
    curriculum = make_curriculum([movie], SplitSettings(split="random"), 0)
    for lesson in (curriculum.teaching((1, 2), ["tiles"])[0], curriculum.asking(2, ["tiles"])[0][1]):
        assert (lesson.labels[:, :, 0] == -1).all()


@pytest.mark.parametrize(
    ("count", "settings", "told"),
    [
        (2, SplitSettings(split="movies"), "needs 3 labelled movies or more, 2 came; use --split time-blocks"),
        (1, SplitSettings(split="random", folds=3), "random split knows no folds"),
        (1, SplitSettings(folds=50), "cannot be cut into 50 blocks"),
    ],
)
def test_a_split_that_cannot_be_is_refused_in_one_sentence(count, settings, told):
    with pytest.raises(ScopeError, match=told):
        make_curriculum([movie_of(40, m) for m in range(count)], settings, 0)


def test_a_crowded_movie_can_be_split_nevertheless():
    """With an event in every frame no boundary is free; the guard keeps the two sides of a boundary apart."""
    movie = movie_of(60, spans=[(t, 2) for t in range(59)])
    for folds in (0, 4):
        curriculum = make_curriculum([movie], SplitSettings(folds=folds), 0)
        for unit in list(curriculum.units)[1:]:
            (lesson,) = curriculum.teaching((unit,) if folds else (1, 2), ["tiles"])
            asked = curriculum.asking(unit, ["tiles"])[0][1]
            assert not frames(lesson.pairs) & frames(asked.pairs)


def marked_at(starts: list[int], n_pairs: int = 80) -> LabelledMovie:
    movie = movie_of(n_pairs, spans=[(t, 2) for t in starts])
    return LabelledMovie(movie.labels, pd.DataFrame({"t": starts, "y": 0.0, "x": 0.0, "kind": "division"}))


@pytest.mark.parametrize(
    ("starts", "split", "folds", "nested"),
    [
        (list(range(2, 76, 8)), "time-blocks", 4, True),
        ([10, 50], "time-blocks", 4, False),  # two of four blocks held out would leave no event to some head
        ([10], "time-blocks", 0, True),
        ([10, 11, 12], "time-blocks", 0, True),
        (list(range(2, 76, 8)), "random", 0, True),
        ([t % 76 for t in range(FEW_EVENTS)], "time-blocks", 0, True),
    ],
)
def test_few_events_all_teach_and_all_judge_where_they_leave_some_to_each_head(starts, split, folds, nested):
    movies = [marked_at(starts)]
    settings = with_folds(movies, SplitSettings(split=split), 0)
    assert (settings.folds, settings.nested) == (folds, nested)
    curriculum = make_curriculum(movies, settings, 0)
    for held in held_sets(curriculum, settings):
        check_lessons(curriculum.teaching(held, [NO_TILES]))


@pytest.mark.parametrize(("starts", "folds"), [([2, 10, 17], 3), ([10, 18], 2), ([1, 6, 12, 17], 4)])
def test_few_events_close_together_judge_in_blocks_that_share_them_out(starts, folds):
    movies = [marked_at(starts)]
    settings = with_folds(movies, SplitSettings(), 0)
    assert (settings.split, settings.folds, settings.nested) == ("event-blocks", folds, False)
    curriculum = make_curriculum(movies, settings, 0)
    for held in held_sets(curriculum, settings):
        check_lessons(curriculum.teaching(held, [NO_TILES]))
    asked = [
        bool((lesson.labels[lesson.pairs] == 1).any())
        for u in curriculum.units
        for _, lesson in curriculum.asking(u, [NO_TILES])
    ]
    assert asked == [True] * folds
    assert has_events_to_judge(movies, settings, 0)


def test_blocks_of_events_that_were_asked_for_are_as_many_as_there_can_be():
    settings = with_folds([marked_at([2, 10, 17])], SplitSettings(split="event-blocks"), 0)
    assert (settings.split, settings.folds) == ("event-blocks", 3)


def test_whether_an_event_judges_is_known_before_anything_is_taught():
    assert has_events_to_judge([marked_at([10, 70])], SplitSettings(folds=0), 0)
    assert not has_events_to_judge([marked_at([10, 20])], SplitSettings(folds=0), 0)


def test_folds_that_were_asked_for_are_kept():
    assert with_folds([marked_at([10])], SplitSettings(folds=5), 0).folds == 5
    assert with_folds([marked_at([10])], SplitSettings(folds=0), 0).folds == 0


def test_few_events_in_several_movies_are_left_out_movie_by_movie():
    movies = [marked_at([10, 40]), marked_at([20])]
    settings = with_folds(movies, SplitSettings(split="movies"), 0)
    assert len(make_curriculum(movies, settings, 0).units) == 2
    assert settings.folds
