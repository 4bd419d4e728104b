"""Events over time in the window: drawn, said in words, and gone to with a click; words alone where nothing can draw."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.gui import events_over_time as module
from napari_tap_events.gui.events_over_time import EventsOverTime, TimeSource

EVENTS = events_table([EventRow(t, 0, 0, kind, 0.8, "head") for t, kind in ((3, "division"), (4, "division"), (20, "death"))])


@pytest.fixture
def widget(qtbot):
    widget = EventsOverTime()
    qtbot.addWidget(widget)
    return widget


def drawn(widget, qtbot, source):
    widget.told = None
    widget.set_source(source)
    qtbot.waitUntil(lambda: widget.told is not None)
    return widget.plot.view.getPlotItem()


def test_a_line_and_a_band_for_each_kind_over_the_whole_movie(widget, qtbot):
    item = drawn(widget, qtbot, TimeSource(EVENTS, 40, 600.0))
    lines = [data for data in item.listDataItems() if data.xData is not None and type(data).__name__ == "PlotDataItem"]
    assert len(lines) == 2
    division = widget.told.kinds[1]
    assert any(np.array_equal(line.yData, division.mean) for line in lines)
    assert sum(type(part).__name__ == "FillBetweenItem" for part in item.items) == 2
    assert item.getAxis("bottom").labelText == "hours"
    assert item.viewRange()[0][1] == pytest.approx(40 / 6, rel=0.05)
    assert "death" in widget.legend.text()
    assert "expected number" in widget.meaning.text()


def test_without_an_interval_time_is_frames(widget, qtbot):
    assert drawn(widget, qtbot, TimeSource(EVENTS, 40)).getAxis("bottom").labelText == "frame"


def test_smoothing_is_told_and_makes_the_line_flatter(widget, qtbot):
    drawn(widget, qtbot, TimeSource(EVENTS, 40))
    before = widget.told
    with qtbot.waitSignal(widget.valueChanged) as told:
        widget.setValue(30)
    assert told.args == [30]
    qtbot.waitUntil(lambda: widget.told is not before)
    assert widget.told.window_frames == 30
    assert widget.told.kinds[1].mean.max() < before.kinds[1].mean.max()


@pytest.mark.gl
def test_a_click_goes_to_the_frame_below_it(widget, qtbot):
    item = drawn(widget, qtbot, TimeSource(EVENTS, 40, 600.0))
    widget.resize(340, 320)
    widget.show()
    qtbot.waitExposed(widget)
    view = widget.plot.view
    place = view.mapFromScene(item.vb.mapViewToScene(QPointF(20 / 6, 0.1)))
    with qtbot.waitSignal(widget.chosen) as told:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert abs(told.args[0] - 20) <= 1


def test_the_shown_frame_is_marked(widget, qtbot):
    drawn(widget, qtbot, TimeSource(EVENTS, 40, 600.0))
    widget.set_frame(12)
    assert widget.plot._now.value() == pytest.approx(2.0)


def test_no_events_are_said(widget, qtbot):
    drawn(widget, qtbot, TimeSource(events_table([]), 40))
    assert "no events" in widget.legend.text()


def test_both_themes_have_readable_ink(widget, qtbot):
    item = drawn(widget, qtbot, TimeSource(EVENTS, 40))
    inks = []
    for dark in (True, False):
        widget.set_dark(dark)
        widget.draw()
        inks.append(item.getAxis("left").textPen().color().lightness())
    assert inks[0] > 150 > inks[1]


def test_without_pyqtgraph_a_sentence_says_what_to_install(qtbot, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    widget = EventsOverTime()
    qtbot.addWidget(widget)
    widget.set_source(TimeSource(EVENTS, 40))
    qtbot.waitUntil(lambda: widget.told is not None)
    texts = [label.text() for label in widget.findChildren(module.QLabel)]
    assert any("pip install 'napari-tap-events[plots]'" in text for text in texts)
    assert "expected number" in widget.meaning.text()
