"""The timeline: where a frame lies, where a click goes, what is drawn."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor

from napari_tap_events.gui.timeline import Lane, Timeline


@pytest.fixture
def timeline(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(300, 40)
    timeline.setMovie(50, range(10, 20))
    timeline.setLanes([Lane("●", "division", "#E69F00", (5, 5, 40)), Lane("◆", "death", "#56B4E9", ())])
    return timeline


@pytest.mark.parametrize("t", [0, 1, 25, 49])
def test_a_frame_is_found_again_where_it_lies(timeline, t):
    assert timeline.frame_at(timeline.x_of(t + 0.5)) == t


def test_beyond_the_ends_are_the_first_and_the_last_frame(timeline):
    assert timeline.frame_at(-50) == 0
    assert timeline.frame_at(9999) == 49


def test_a_click_and_a_drag_tell_the_frame_once_each(timeline, qtbot):
    heard = []
    timeline.valueChanged.connect(heard.append)
    for t in (12, 12, 30):
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(round(timeline.x_of(t + 0.5)), 5))
    assert heard == [12, 30]
    timeline.setValue(3)
    assert heard == [12, 30]


def test_arrow_keys_stop_at_the_ends(timeline, qtbot):
    timeline.setValue(48)
    for _ in range(3):
        qtbot.keyClick(timeline, Qt.Key.Key_Right)
    assert timeline.value() == 49


def test_ticks_are_drawn_in_the_colour_of_their_kind(timeline):
    picture = timeline.grab().toImage()
    ratio = picture.devicePixelRatio()

    def colour_at(t, y):
        return picture.pixelColor(round(timeline.x_of(t + 0.5) * ratio), round(y * ratio))

    assert colour_at(5, 9) == QColor("#E69F00")
    assert colour_at(25, 9) != QColor("#E69F00")
    assert colour_at(15, 9) != colour_at(25, 9), "what was looked at is another shade"


def test_what_is_marked_is_said_in_words_too(timeline):
    assert "3 division" in timeline.toolTip()
