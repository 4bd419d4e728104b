"""Plots: what is not known is a gap, not an error."""

from __future__ import annotations

import numpy as np

from napari_tap_events.gui.plots import line, plot


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
