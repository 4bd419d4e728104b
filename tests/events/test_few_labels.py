"""Few labels: windows belong to the event they show, and what is not taught is forgotten, not denied."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.curriculum import LabelledMovie, make_curriculum
from napari_tap_events.events.few_labels import NOBODY, forget, owners
from napari_tap_events.events.learning import NO_TILES
from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.settings import HeadSettings

GRID = WindowGrid(64, 64, 16, 8)


def labelled(frames: int = 24) -> LabelledMovie:
    """An event in every second frame pair, in the upper left or the lower right."""
    truth = events_table([EventRow(t, 12 if t % 4 else 52, 12 if t % 4 else 52, "division") for t in range(0, frames - 1, 2)])
    labels = np.zeros((frames - 1, 1, *GRID.shape), np.int8)
    for row in truth.itertuples():
        labels[row.t, 0, slice(0, 2) if row.y < 30 else slice(5, 7), slice(0, 2) if row.y < 30 else slice(5, 7)] = 1
    return LabelledMovie(labels, truth, owners(labels, truth, GRID))


def test_a_window_belongs_to_the_event_that_it_shows():
    movie = labelled()
    for t, i, j in np.argwhere(movie.labels[:, 0] == 1):
        assert movie.truth["t"][movie.owner[t, i, j]] == t
    assert (movie.owner[movie.labels[:, 0] == 0] == NOBODY).all()


def test_uncertain_events_own_nothing():
    labels = np.ones((1, 1, *GRID.shape), np.int8)
    truth = events_table([EventRow(0, 12, 12, "uncertain"), EventRow(0, 60, 60, "death")])
    assert set(owners(labels, truth, GRID).ravel()) == {1}
    assert set(owners(labels, truth.iloc[:1], GRID).ravel()) == {NOBODY}


def test_forgotten_windows_are_unknown_and_nothing_else_changes():
    movie = labelled()
    kept = forget(movie.labels, movie.owner, [0, 3])
    known = np.isin(movie.owner, [0, 3])[:, None]
    assert (kept[(movie.labels == 1) & known] == 1).all()
    assert (kept[(movie.labels == 1) & ~known] == -1).all()
    assert (kept[movie.labels == 0] == 0).all()


@pytest.mark.parametrize("many", [1, 3])
def test_so_many_events_teach_and_none_of_them_is_held_out(many):
    movie = labelled()
    settings = HeadSettings(folds=3, teaching_events=many, guard_frames=0)
    curriculum = make_curriculum([movie], settings, seed=4)
    for unit in curriculum.units:
        (lesson,) = curriculum.teaching([unit], [NO_TILES])
        shown = set(movie.owner[list(lesson.pairs)][(lesson.labels[list(lesson.pairs)] == 1).any(1)])
        assert len(shown) == many
        held = {int(t) for t in curriculum.blocks[unit][0].pairs}
        assert not {int(movie.truth["t"][event]) for event in shown} & held
        ((_, asked),) = curriculum.asking(unit, [NO_TILES])
        assert np.array_equal(asked.labels, movie.labels)


def test_more_labels_hold_the_fewer_ones():
    def shown(many: int, seed: int) -> set[int]:
        movie = labelled()
        curriculum = make_curriculum([movie], HeadSettings(folds=3, teaching_events=many, guard_frames=0), seed)
        (lesson,) = curriculum.teaching([0], [NO_TILES])
        return {int(event) for event in movie.owner[(lesson.labels == 1).any(1)]}

    assert shown(1, 0) < shown(3, 0) < shown(5, 0)
    assert len({frozenset(shown(2, seed)) for seed in range(8)}) > 1
