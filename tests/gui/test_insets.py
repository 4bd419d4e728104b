"""The strip of insets shows ranked places of the movie and goes where one is clicked."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_tap_events.gui.insets import SIDE_PX, InsetStrip
from napari_tap_events.movies.movie import movie_from_array


@pytest.fixture
def strip(qtbot, tmp_path):
    frames = np.zeros((3, 40, 40), np.uint8)
    frames[2, 10:14, 30:34] = 200
    (tmp_path / "insets.csv").write_text("rank,t,y,x,value\n1,2,11.5,31.5,0.9\n2,0,0,0,0.4\n")
    made = InsetStrip()
    qtbot.addWidget(made)
    made.setValue(tmp_path / "insets.csv", movie_from_array(frames, "TYX"), 12)
    made.show()
    return made


def test_every_ranked_place_has_a_picture_and_says_its_frame(strip):
    assert [strip.item(row).text() for row in range(strip.count())] == ["1. frame 2", "2. frame 0"]


def test_the_place_is_in_the_middle_of_its_picture(strip):
    image = strip.item(0).icon().pixmap(SIDE_PX, SIDE_PX).toImage()
    middle, corner = image.pixelColor(image.width() // 2, image.height() // 2), image.pixelColor(1, 1)
    assert middle.value() > 200
    assert corner.value() < 60


def test_a_click_tells_the_place(strip, qtbot):
    place = strip.visualItemRect(strip.item(1)).center()
    with qtbot.waitSignal(strip.chosen) as said:
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert said.args == [0, 0.0, 0.0]


def test_without_places_there_is_no_strip(strip, tmp_path):
    (tmp_path / "none.csv").write_text("rank,t,y,x,value\n")
    strip.setValue(tmp_path / "none.csv", movie_from_array(np.zeros((3, 40, 40), np.uint8), "TYX"), 12)
    assert strip.isHidden()


def test_beyond_the_edge_of_the_movie_a_picture_is_dark(qtbot, tmp_path):
    frames = np.zeros((2, 40, 40), np.uint8)
    frames[:, 0, :] = 200  # a bright edge would be drawn out upwards
    (tmp_path / "edge.csv").write_text("rank,t,y,x,value\n1,0,2,20,1.0\n")
    strip = InsetStrip()
    qtbot.addWidget(strip)
    strip.setValue(tmp_path / "edge.csv", movie_from_array(frames, "TYX"), 20)
    image = strip.item(0).icon().pixmap(SIDE_PX, SIDE_PX).toImage()
    assert image.pixelColor(image.width() // 2, 1).value() < 30
