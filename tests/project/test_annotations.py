"""Marks: whatever is done can be taken back, and what the journal tells is what is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.mask_events import linked_events
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import (
    Correction,
    FramePatch,
    MarkPoint,
    PaintMask,
    PointMark,
    SetKinds,
    SetScope,
    Together,
    correction_from_json,
)
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind, names_of, with_kind

SHAPE = (4, 12, 14)
DIVISION, DEATH = DEFAULT_KINDS


def patch(t: int, values: dict[int, int]) -> FramePatch:
    pixels = np.array(sorted(values), np.int64)
    return FramePatch(t, pixels, np.zeros(len(pixels), np.uint8), np.array([values[p] for p in sorted(values)], np.uint8))


places = st.dictionaries(st.integers(0, SHAPE[1] * SHAPE[2] - 1), st.integers(0, 3), max_size=40)
paints = st.dictionaries(st.integers(0, SHAPE[0] - 1), places, max_size=2).map(
    lambda frames: PaintMask(tuple(patch(t, values) for t, values in frames.items()))
)
points = st.builds(
    PointMark,
    id=st.just(0),
    t=st.integers(0, 3),
    y=st.floats(0, 11),
    x=st.floats(0, 13),
    radius_px=st.floats(1, 9),
    meaning=st.sampled_from(["nothing", "uncertain"]),
)
maybe_points = st.tuples(st.integers(1, 3), st.none() | points).map(
    lambda drawn: MarkPoint(
        PointMark(drawn[0], 0, 0, 0, 1, "nothing"),
        None if drawn[1] is None else PointMark(**{**vars(drawn[1]), "id": drawn[0]}),
    )
)
scopes = st.none() | st.tuples(*[st.integers(0, 12)] * 6).map(lambda n: Scope(range(n[0], n[1]), *n[2:]))
set_scopes = scopes.map(lambda scope: SetScope(None, scope))
set_kinds = st.sampled_from([DEFAULT_KINDS, with_kind(DEFAULT_KINDS, "fusion"), (Kind("death", 1), Kind("round", 3))]).map(
    lambda kinds: SetKinds((), kinds)
)
single = paints | maybe_points | set_scopes | set_kinds
several = st.tuples(paints, maybe_points, set_scopes).map(lambda parts: Together(parts, "import"))
corrections = single | several
steps = st.lists(corrections | st.sampled_from(["undo", "redo"]), max_size=12)


def state(a: Annotations) -> Any:
    return a.labels.tobytes(), a.points, a.scope, a.kinds


def take(a: Annotations, step: Correction | str) -> None:
    if isinstance(step, str):
        a.undo() if step == "undo" else a.redo()
    else:
        a.do(step)


@settings(deadline=None)
@given(corrections)
def test_a_correction_comes_back_from_json(correction: Correction) -> None:
    assert correction_from_json(correction.to_json()) == correction
    assert correction.inverse().inverse() == correction


@settings(deadline=None)
@given(st.lists(corrections, max_size=10))
def test_taking_everything_back_restores_the_marks_and_redoing_makes_them_again(done: list[Correction]) -> None:
    a = Annotations(SHAPE)
    states = [state(a)]
    for correction in done:
        a.do(correction)
        if state(a) != states[-1]:
            states.append(state(a))
    for expected in reversed(states[:-1]):
        assert a.undo() is not None
        assert state(a) == expected
    assert (a.can_undo, a.undo()) == (False, None)
    for expected in states[1:]:
        a.redo()
        assert state(a) == expected
    assert (a.can_redo, a.redo()) == (False, None)


@settings(deadline=None)
@given(steps)
def test_the_journal_tells_what_is_there(taken: list[Correction | str]) -> None:
    chronicle = Chronicle(Journal(), DEFAULT_KINDS)
    live = Annotations(SHAPE, chronicle=chronicle, movie="film")
    for step in taken:
        take(live, step)
    again = Journal()
    for entry in chronicle.journal.entries():
        again.append(entry["what"], entry["movie"], entry.get("correction"))
    replayed = Annotations(SHAPE, chronicle=Chronicle(again, DEFAULT_KINDS), movie="film").replay()
    assert state(replayed) == state(live)
    assert (replayed.undo_words, replayed.redo_words) == (live.undo_words, live.redo_words)
    while live.can_undo:
        live.undo()
        replayed.undo()
        assert state(replayed) == state(live)


@settings(deadline=None)
@given(steps)
def test_events_that_are_kept_up_to_date_are_those_of_the_whole_mask(taken: list[Correction | str]) -> None:
    a = Annotations(SHAPE)
    for step in taken:
        take(a, step)
        assert [region.event for region in a.events] == linked_events(a.labels, names_of(a.kinds))
    for region in a.events:
        for t, pixels in region.blobs:
            assert (a.labels[t].reshape(-1)[pixels] == region.value).all()
    marked = sum(len(pixels) for region in a.events for _, pixels in region.blobs)
    assert marked == np.count_nonzero(a.labels)


def test_an_event_that_nothing_touched_stays_the_same_object() -> None:
    a = Annotations((10, 60, 60))
    a.do(marking.stamp(a, DIVISION, 1, 10, 10, 4))
    (first,) = a.events
    a.do(marking.stamp(a, DEATH, 7, 40, 40, 4))
    a.do(marking.stamp(a, DIVISION, 1, 40, 40, 4))
    assert a.events[0] is first
    assert a.counts() == {"division": 2, "death": 1}


def test_counts_name_kinds_without_events_and_values_without_a_kind() -> None:
    a = Annotations(SHAPE)
    a.do(PaintMask((patch(0, {0: 9}),)))
    assert a.counts() == {"division": 0, "death": 0, "kind 9": 1}


def test_the_event_at_a_place_is_found() -> None:
    a = Annotations((6, 40, 40))
    a.do(marking.stamp(a, DIVISION, 2, 10, 30, 5))
    assert a.event_at(3, 13.4, 30) is a.events[0]
    assert a.event_at(3, 16, 30) is None
    assert a.event_at(4, 10, 30) is None
    assert a.event_at(9, 10, 30) is a.event_at(2, 10, 99) is None


def test_changes_are_announced_with_their_frames() -> None:
    a = Annotations((6, 40, 40))
    told: list[frozenset[int]] = []
    a.changed.connect(told.append)
    a.do(marking.stamp(a, DIVISION, 2, 10, 30, 5))
    a.do(marking.mark_point(a, "nothing", 1, 5, 5, 3))
    a.do(SetKinds(a.kinds, with_kind(a.kinds, "fusion")))
    a.undo()
    a.undo()
    a.undo()
    assert told == [frozenset({2, 3}), *[frozenset()] * 4, frozenset({2, 3})]


def test_what_changes_nothing_is_not_remembered() -> None:
    a = Annotations(SHAPE)
    a.do(PaintMask(()))
    a.do(SetScope(None, None))
    a.do(SetKinds((), a.kinds))
    assert not a.can_undo


def test_a_stroke_that_is_painted_already_is_adopted() -> None:
    a = Annotations(SHAPE)
    a.labels[1, 2, 3] = 2
    a.adopt(PaintMask((patch(1, {2 * 14 + 3: 2}),), "paint death"))
    assert (len(a.events), a.undo_words) == (1, "paint death")
    a.undo()
    assert not a.labels.any()
    assert a.events == ()


def test_the_mask_is_the_same_array_for_life() -> None:
    a = Annotations(SHAPE)
    before = a.labels
    a.do(PaintMask((patch(1, {5: 1}),)))
    a.undo()
    assert a.labels is before


def test_doing_something_new_forgets_what_was_undone() -> None:
    a = Annotations(SHAPE)
    a.do(PaintMask((patch(0, {1: 1}),), "first"))
    a.undo()
    assert (a.redo_words, a.can_redo) == ("first", True)
    a.do(PaintMask((patch(0, {2: 1}),), "second"))
    assert (a.undo_words, a.redo_words, a.can_redo) == ("second", "", False)


def test_a_thousand_steps_can_be_taken_back_after_opening_again_and_once_more_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # thousands of waits for a disk make a slow test

    def opened() -> Annotations:
        chronicle = Chronicle(Journal(tmp_path / "journal.jsonl"), DEFAULT_KINDS)
        return Annotations((5, 800, 800), chronicle=chronicle, movie="film").replay()

    a = opened()
    rng = np.random.default_rng(0)
    for t, y, x in zip(rng.integers(0, 5, 1100), *rng.uniform(0, 800, (2, 1100)), strict=True):
        a.do(marking.stamp(a, DIVISION, int(t), y, x, 2))
    done = len(a.events)
    assert done >= 1000
    again = opened()
    np.testing.assert_array_equal(again.labels, a.labels)
    undone = 0
    while again.undo():
        undone += 1
    assert undone >= done
    assert not again.labels.any()
    last = opened()
    while last.redo():
        undone -= 1
    assert undone == 0
    np.testing.assert_array_equal(last.labels, a.labels)


@pytest.mark.parametrize(
    ("correction", "sentence"),
    [
        (PaintMask((patch(9, {1: 1}),)), "pixels of frame 9 lie outside"),
        (Together((PaintMask((patch(0, {12 * 14: 1}),)),)), "pixels of frame 0 lie outside"),
        (SetKinds((), ()), "there is no kind of event left"),
        (
            MarkPoint(PointMark(1, 0, 0, 0, 1, "nothing"), PointMark(2, 0, 0, 0, 1, "nothing")),
            "the point 1 cannot become the point 2",
        ),
    ],
)
def test_what_cannot_be_made_is_neither_made_nor_journalled(correction: Correction, sentence: str) -> None:
    journal = Journal()
    a = Annotations(SHAPE, chronicle=Chronicle(journal, DEFAULT_KINDS))
    with pytest.raises(ProjectError, match=sentence):
        a.do(correction)
    assert journal.entries() == []
    assert not a.can_undo


def test_kinds_are_the_same_for_all_movies_of_a_project() -> None:
    chronicle = Chronicle(Journal(), DEFAULT_KINDS)
    one, other = (Annotations(SHAPE, chronicle=chronicle, movie=name) for name in ("one", "other"))
    told: list[frozenset[int]] = []
    other.changed.connect(told.append)
    one.do(SetKinds(one.kinds, with_kind(one.kinds, "fusion")))
    assert other.kinds[-1].name == "fusion"
    assert told == [frozenset()]
    assert not other.can_undo
    one.undo()
    assert other.kinds == DEFAULT_KINDS


def test_undo_keeps_to_its_movie() -> None:
    chronicle = Chronicle(Journal(), DEFAULT_KINDS)
    one, other = (Annotations(SHAPE, chronicle=chronicle, movie=name) for name in ("one", "other"))
    one.do(PaintMask((patch(0, {1: 1}),)))
    other.do(PaintMask((patch(0, {2: 1}),)))
    one.undo()
    assert not one.labels.any()
    assert other.labels.any()


def test_numbers_of_any_type_reach_the_journal(tmp_path: Path) -> None:
    chronicle = Chronicle(Journal(tmp_path / "journal.jsonl"), DEFAULT_KINDS)
    a = Annotations(SHAPE, chronicle=chronicle, movie="film")
    a.do(marking.stamp(a, DIVISION, np.int64(1), np.float32(5), np.float64(6), np.float32(2)))  # type: ignore[arg-type]
    a.do(marking.mark_point(a, "nothing", np.int64(1), np.float32(2.5), np.float64(3), np.float32(4)))  # type: ignore[arg-type]
    a.do(SetScope(None, Scope(range(np.int64(0), np.int64(3)), *np.array([0, 5, 0, 5]))))
    again = Annotations(SHAPE, chronicle=Chronicle(Journal(tmp_path / "journal.jsonl"), DEFAULT_KINDS), movie="film").replay()
    assert state(again) == state(a)


def test_a_journal_of_another_movie_is_told(tmp_path: Path) -> None:
    journal = Journal()
    journal.append("do", "film", PaintMask((patch(3, {150: 1}),)).to_json())
    with pytest.raises(ProjectError, match="pixels of frame 3 lie outside"):
        Annotations((3, 12, 14), chronicle=Chronicle(journal, DEFAULT_KINDS), movie="film").replay()


def test_a_damaged_correction_is_told() -> None:
    journal = Journal()
    journal.append("do", "film", PaintMask((patch(0, {1: 1}),)).to_json() | {"patches": [{"t": 0}]})
    with pytest.raises(ProjectError, match="correction 1 of the movie 'film' cannot be read"):
        Annotations(SHAPE, chronicle=Chronicle(journal, DEFAULT_KINDS), movie="film").replay()


def test_an_empty_mask_of_a_large_movie_takes_no_memory() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    a = Annotations((96, 2048, 2048))
    a.do(marking.stamp(a, DIVISION, 3, 1000, 1000, 12))
    assert len(a.events) == 1
    assert process.memory_info().rss - before < 100e6 < a.labels.nbytes
