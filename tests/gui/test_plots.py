"""Plots: what is not known is a gap, not an error."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.plots import line, plot, write


def test_none_is_a_gap(qtbot):
    drawn = plot("recall", "precision", dark=True)
    qtbot.addWidget(drawn)
    line(drawn, [0.1, None, 0.3], [1.0, 0.5, None], "curve", "#E69F00")
    (item,) = drawn.getPlotItem().listDataItems()
    x, y = item.getOriginalDataset()
    np.testing.assert_array_equal(x, [0.1, np.nan, 0.3])
    np.testing.assert_array_equal(y, [1.0, 0.5, np.nan])


def test_a_line_of_which_nothing_is_known_is_not_drawn(qtbot):
    drawn = plot("recall", "precision", dark=True)
    qtbot.addWidget(drawn)
    line(drawn, [None, None], [0.5, 0.6], "curve", "#E69F00")
    assert drawn.getPlotItem().listDataItems() == []


def test_what_is_written_at_the_ends_is_not_cut_off(qtbot):
    pyqtgraph = pytest.importorskip("pyqtgraph")
    drawn = plot("probability", "share", dark=True)
    qtbot.addWidget(drawn)
    write(drawn, [0.01, 0.5, 0.99], [0.2, 0.2, 0.2], ["left", "middle", "right"], dark=True)
    drawn.resize(320, 240)
    drawn.show()
    qtbot.waitExposed(drawn)
    texts = [item for item in drawn.getPlotItem().items if isinstance(item, pyqtgraph.TextItem)]
    assert [text.toPlainText() for text in texts] == ["left", "middle", "right"]
    qtbot.waitUntil(lambda: all(_within(text, drawn.getPlotItem().vb.sceneBoundingRect()) for text in texts))


def _within(text, room):
    lies = text.mapRectToScene(text.boundingRect())
    return room.left() - 1 <= lies.left() and lies.right() <= room.right() + 1


def test_a_plot_shows_the_panel_behind_it_after_the_theme_has_changed(qtbot):
    panel = QWidget()
    column = QVBoxLayout(panel)
    made = plot("time", "events", dark=True)
    column.addWidget(made)
    qtbot.addWidget(panel)
    panel.setStyleSheet("background: #101010")
    with qtbot.waitExposed(panel):
        panel.show()
    assert corner(made) == "#101010"
    panel.setStyleSheet("background: #f0f0f0")
    qtbot.waitUntil(lambda: corner(made) == "#f0f0f0")


def corner(widget):
    """Return the colour near a corner of a widget, as it is on screen."""
    picture = widget.grab().toImage()
    return picture.pixelColor(picture.width() - 3, picture.height() - 3).name()
