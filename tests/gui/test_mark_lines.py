"""Lines of the list: one for every mark, and one that nothing touched stays the same."""

from __future__ import annotations

import numpy as np

from napari_tap_events.gui.mark_lines import MarkLines
from napari_tap_events.gui.mark_table import ONE_FRAME
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import MarkPoint, PointMark, SetKinds
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind

DIVISION, DEATH = DEFAULT_KINDS


def marked() -> Annotations:
    a = Annotations((6, 60, 80))
    a.do(marking.stamp(a, DIVISION, 1, 20.0, 30.0, 4.0))
    a.do(marking.stamp(a, DEATH, 3, 40.0, 60.0, 4.0))
    return a


def test_every_event_and_every_point_has_a_line():
    a = marked()
    a.do(MarkPoint(None, PointMark(1, 2, 5.0, 6.0, 3.0, "uncertain")))
    told = [(line.t, line.what, line.note) for line in MarkLines().of(a)]
    assert told == [(1, "division", ""), (3, "death", ""), (2, "uncertain", "")]


def test_a_line_whose_mark_nothing_touched_is_made_once():
    a, lines = marked(), MarkLines()
    division, death = lines.of(a)
    a.do(marking.stamp(a, DEATH, 4, 10.0, 70.0, 4.0))
    assert lines.of(a)[:2] == [division, death]
    a.undo()
    a.undo()
    assert lines.of(a) == [division]


def test_a_kind_with_another_name_has_other_lines():
    a, lines = marked(), MarkLines()
    lines.of(a)
    a.do(SetKinds(a.kinds, (Kind("mitosis", DIVISION.value, DIVISION.key), DEATH)))
    assert [line.what for line in lines.of(a)] == ["mitosis", "death"]


def test_an_event_of_one_frame_says_so():
    a = Annotations((6, 60, 80))
    a.do(marking.fill(a, DIVISION, {2: np.arange(100, 110)}))
    assert [line.note for line in MarkLines().of(a)] == [ONE_FRAME]
