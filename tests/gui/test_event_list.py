"""The list of marks: order, choice, what stays chosen; and how it holds up with thousands."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_tap_events.gui.colours import GREY, ORANGE, SKY_BLUE, KindLook
from napari_tap_events.gui.event_list import EventList
from napari_tap_events.gui.mark_table import KIND, PLACE, ListedMark, clock

LOOKS = {"division": KindLook(ORANGE, "disc"), "death": KindLook(SKY_BLUE, "diamond"), "uncertain": KindLook(GREY, "x")}


def mark(t, y, what="division"):
    return ListedMark(t, y, 5.0, what, LOOKS[what], object())


@pytest.fixture
def marks():
    return [mark(3, 9), mark(1, 7, "death"), mark(3, 2, "uncertain"), mark(8, 4)]


@pytest.fixture
def listed(qtbot, marks):
    listed = EventList()
    qtbot.addWidget(listed)
    listed.setMarks(marks, 600.0)
    return listed


def frames(listed):
    return [line.t for line in listed.model.lines]


def test_marks_come_in_the_order_of_time_and_are_sorted_by_any_column(listed):
    assert frames(listed) == [1, 3, 3, 8]
    listed.table.sortByColumn(KIND, Qt.SortOrder.DescendingOrder)
    assert [line.what for line in listed.model.lines] == ["uncertain", "division", "division", "death"]
    listed.table.sortByColumn(PLACE, Qt.SortOrder.AscendingOrder)
    assert [line.y for line in listed.model.lines] == [2, 4, 7, 9]
    listed.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert frames(listed) == [8, 3, 3, 1]


def test_the_filter_counts_every_kind_and_shows_one(listed):
    offered = [listed.filter.itemText(i) for i in range(listed.filter.count())]
    assert offered == ["All marks (4)", "◆ death (1)", "● division (2)", "✕ uncertain (1)"]
    listed.filter.setCurrentIndex(2)
    assert frames(listed) == [3, 8]


def test_a_filter_whose_kind_is_gone_shows_all_again(listed, marks):
    listed.filter.setCurrentIndex(1)
    listed.setMarks([marks[0]], 600.0)
    assert frames(listed) == [3]
    assert listed.filter.currentText() == "All marks (1)"


def test_choosing_a_line_tells_which_mark(listed, marks):
    heard = []
    listed.valueChanged.connect(heard.append)
    listed.table.selectRow(3)
    assert heard == [marks[3].source]
    assert listed.value() is marks[3].source


def test_what_is_chosen_stays_chosen_without_being_told_again(listed, marks):
    listed.table.selectRow(3)
    heard = []
    listed.valueChanged.connect(heard.append)
    same = ListedMark(8, 4, 5.0, "division", LOOKS["division"], object())
    listed.setMarks([mark(0, 1), *marks[:3], same], 600.0)
    assert listed.value() is same.source
    listed.setValue(marks[0].source)
    assert listed.table.currentIndex().row() == 3
    assert heard == []


def test_next_begins_at_the_frame_that_is_shown_and_stays_at_the_end(listed):
    listed.step(1, frame=2)
    assert listed.model.lines[listed.table.currentIndex().row()].t == 3
    for _ in range(5):
        listed.step(1)
    assert listed.table.currentIndex().row() == 3
    listed.setValue(None)
    listed.step(-1, frame=2)
    assert listed.model.lines[listed.table.currentIndex().row()].t == 1


def test_an_empty_list_can_be_stepped_through(qtbot):
    listed = EventList()
    qtbot.addWidget(listed)
    listed.step(1)
    assert listed.value() is None
    assert listed.table.isColumnHidden(1), "no interval, no time"


def test_two_thousand_marks_are_listed_sorted_and_filtered(listed):
    kinds = ("division", "death")
    listed.setMarks([mark(t % 97, t, kinds[t % 2]) for t in range(2000)], 600.0)
    assert listed.model.rowCount() == 2000
    assert frames(listed) == sorted(frames(listed))
    listed.filter.setCurrentIndex(1)
    assert listed.model.rowCount() == 1000


@pytest.mark.parametrize(
    ("t", "interval_s", "said"), [(0, 600, "0:00:00"), (7, 600, "1:10:00"), (5, 1.5, "0:00:08"), (3, None, "")]
)
def test_times_are_hours_minutes_seconds(t, interval_s, said):
    assert clock(t, interval_s) == said


def test_the_chosen_line_stays_in_sight_when_the_panel_has_less_room(listed, qtbot):
    many = [mark(t, 3) for t in range(30)]
    listed.setMarks(many, 600.0)
    listed.resize(340, 700)
    listed.show()
    listed.setValue(many[20].source)
    listed.resize(340, 220)
    qtbot.waitUntil(lambda: listed.table.viewport().rect().contains(listed.table.visualRect(listed.model.index(20, 0))))
