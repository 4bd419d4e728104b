"""The lines of the list of events: every order and every choice is right, for many events too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt

from napari_tap_events.gui.results_table import FRAME, KIND, PROBABILITY, TIME, EventTable, Wanted

UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def table(t, kinds, probabilities, counting=None):
    events = pd.DataFrame({"t": t, "kind": kinds, "probability": np.array(probabilities, dtype=float), "y": 1.0, "x": 2.0})
    model = EventTable()
    model.set_events(events, np.ones(len(t), bool) if counting is None else np.array(counting, bool), 600.0)
    return model


def column(model, which):
    return [model.data(model.index(line, which)) for line in range(model.rowCount())]


def test_the_most_probable_come_first_and_those_without_a_probability_last(qapp):
    model = table([5, 1, 9, 3], ["division", "death", "division", "event"], [0.4, np.nan, 0.9, 0.4])
    assert column(model, FRAME) == ["9", "3", "5", "1"]
    assert column(model, PROBABILITY) == ["0.90", "0.40", "0.40", ""]
    model.sort(PROBABILITY, UP)
    assert column(model, FRAME) == ["3", "5", "9", "1"]


def test_a_column_sorts_by_what_it_means_not_by_its_letters(qapp):
    model = table([10, 9, 100], ["a", "c", "b"], [0.1, 0.2, 0.3])
    model.sort(FRAME, UP)
    assert column(model, FRAME) == ["9", "10", "100"]
    assert column(model, TIME) == ["1:30:00", "1:40:00", "16:40:00"]
    model.sort(KIND, DOWN)
    assert column(model, KIND) == ["c", "b", "a"]


def test_only_what_is_wanted_and_counts_is_listed(qapp):
    model = table([0, 1, 2, 3], ["death", "division", "division", "division"], [0.9, 0.2, np.nan, 0.8], [1, 1, 1, 0])
    model.show_only(Wanted("division", 0.5))
    assert list(model.rows) == [2]
    assert model.kind_counts() == {"death": 1, "division": 2}
    assert list(model.listed()["t"]) == [2]
    assert (model.line_of(2), model.line_of(0)) == (0, -1)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.floats(0, 1)), max_size=20), st.floats(0, 1))
def test_every_order_lists_the_same_events_once(qapp, events, least):
    t, kinds, p = (list(values) for values in zip(*events, strict=True)) if events else ([], [], [])
    model = table(t, kinds, p)
    model.show_only(Wanted(least=least))
    expected = {row for row, value in enumerate(p) if value >= least}
    for by in (FRAME, TIME, KIND, PROBABILITY):
        for order in (UP, DOWN):
            model.sort(by, order)
            assert len(model.rows) == len(expected)
            assert set(model.rows.tolist()) == expected
    assert sorted(model.listed()["t"]) == sorted(t[row] for row in expected)


def test_twenty_thousand_events_sort_and_filter(qapp):
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    model = table(rng.integers(0, 999, 20_000), rng.choice(["division", "death"], 20_000), p)
    model.sort(PROBABILITY, UP)
    np.testing.assert_array_equal(p[model.rows], np.sort(p))
    model.show_only(Wanted("death", 0.5))
    assert model.rowCount() == model.listed().shape[0] < 10_000


def test_a_line_tells_all_in_its_tooltip_and_the_head_says_what_sorts(qapp):
    model = table([4], ["division"], [0.5])
    assert "row 1.0, column 2.0" in model.data(model.index(0, KIND), Qt.ItemDataRole.ToolTipRole)
    assert not model.data(model.index(0, KIND), Qt.ItemDataRole.DecorationRole).isNull()
    assert "Click to sort" in model.headerData(0, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize("columns", [[], ["t", "kind"]])
def test_tables_that_tell_little_are_listed_too(qapp, columns):
    model = EventTable()
    events = pd.DataFrame({"t": [1], "kind": ["division"]})[columns]
    model.set_events(events, np.ones(len(events), bool), None)
    assert model.rowCount() == len(events)
    assert not model.has_probabilities()
