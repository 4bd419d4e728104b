"""The list of events with its filters: what is chosen stays chosen, and only a person's choice is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_tap_events.gui.results_list import ResultList
from napari_tap_events.gui.results_table import FRAME, PROBABILITY, TIME

EVENTS = pd.DataFrame({"t": [5, 1, 9], "kind": ["division", "death", "division"], "probability": [0.4, 0.7, 0.9]})


@pytest.fixture
def listed(qtbot):
    widget = ResultList()
    qtbot.addWidget(widget)
    widget.setEvents(EVENTS, np.ones(3, bool), 60.0)
    return widget


def test_a_chosen_line_is_told_as_the_row_of_its_event(listed, qtbot):
    with qtbot.waitSignal(listed.valueChanged) as told:
        listed.table.selectRow(1)
    assert told.args == [1]
    assert listed.value() == 1


def test_the_choice_outlives_sorting_and_filtering_and_is_not_told_again(listed, qtbot):
    listed.setValue(0)
    with qtbot.assertNotEmitted(listed.valueChanged):
        listed.table.sortByColumn(FRAME, Qt.SortOrder.AscendingOrder)
        assert listed.table.currentIndex().row() == 1
        listed.least.setValue(0.5)
        assert not listed.table.selectionModel().hasSelection()
        listed.least.setValue(0.0)
        assert listed.table.selectionModel().selectedRows()[0].row() == 1


def test_filters_offer_the_kinds_there_are_with_their_numbers(listed):
    assert [listed.kinds.itemText(i) for i in range(listed.kinds.count())] == ["All kinds (3)", "◆ death (1)", "● division (2)"]
    assert listed.count.text() == "3 events"
    listed.kinds.setCurrentIndex(2)
    listed.least.setValue(0.5)
    assert listed.count.text() == "1 of 3"


def test_a_kind_that_has_gone_lists_all_again(listed, qtbot):
    listed.kinds.setCurrentIndex(1)
    with qtbot.waitSignal(listed.filtered):
        listed.setEvents(EVENTS, np.array([True, False, True]), 60.0)
    assert listed.kinds.currentData() == ""
    assert listed.model.rowCount() == 2


def test_a_click_on_a_header_sorts(listed):
    header = listed.table.horizontalHeader()
    at = header.sectionViewportPosition(FRAME) + header.sectionSize(FRAME) // 2
    listed.show()
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at, 5))
    frames = [listed.model.data(listed.model.index(line, FRAME)) for line in range(3)]
    assert frames in (["1", "5", "9"], ["9", "5", "1"])
    listed.close()


def test_keys_go_down_the_list(listed, qtbot):
    listed.setValue(2)
    listed.table.setCurrentIndex(listed.model.index(0, 0))
    with qtbot.waitSignal(listed.valueChanged):
        QTest.keyClick(listed.table, Qt.Key.Key_Down)
    assert listed.value() == 1


def test_steps_stop_at_the_ends_and_begin_at_the_first(listed):
    seen = []
    for by in (1, 1, 1, 1, -1):
        listed.step(by)
        seen.append(listed.value())
    assert seen == [2, 1, 0, 0, 1]


def test_columns_without_anything_to_say_are_hidden(listed):
    assert not listed.table.isColumnHidden(TIME)
    listed.setEvents(EVENTS.drop(columns="probability"), np.ones(3, bool), None)
    assert listed.table.isColumnHidden(TIME)
    assert listed.table.isColumnHidden(PROBABILITY)
    assert not listed.least.isEnabled()
