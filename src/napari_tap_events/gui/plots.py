"""Small plots in the colours of napari's theme; where pyqtgraph is not installed, a sentence stands in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_tap_events.gui.colours import ORANGE, SKY_BLUE

HEIGHT_PX = 190
MISSING = "To see the plot, install pyqtgraph: pip install 'napari-tap-events[plots]'."
DASHED, SOLID, DOTTED = Qt.PenStyle.DashLine, Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
COLOURS = (ORANGE, SKY_BLUE)


def plot(across: str, up: str, dark: bool, ranges: tuple[float, float] | None = (0.0, 1.0)) -> Any:
    """Return an empty plot with named axes, or a sentence where plots cannot be drawn.

    Parameters
    ----------
    across, up : str
        What the axes show.
    dark : bool
        Whether the theme is dark.
    ranges : (low, high), optional
        Of both axes; None lets them follow the data.
    """
    try:
        import pyqtgraph
    except ImportError:
        sentence = QLabel(MISSING)
        sentence.setWordWrap(True)
        return sentence
    ink = "#D0D0D0" if dark else "#303030"
    widget = pyqtgraph.PlotWidget(background=None)
    widget.setMinimumHeight(HEIGHT_PX)
    widget.setMenuEnabled(False)
    widget.hideButtons()
    for side, words in (("bottom", across), ("left", up)):
        axis = widget.getAxis(side)
        axis.setPen(ink)
        axis.setTextPen(ink)
        axis.enableAutoSIPrefix(False)
        widget.setLabel(side, words, color=ink)
    widget.addLegend(offset=(-8, -8) if ranges else (8, 8), labelTextColor=ink, colCount=1)
    if ranges:
        widget.getViewBox().setRange(xRange=ranges, yRange=ranges, padding=0.02)
    widget.setMouseEnabled(x=False, y=False)
    return widget


def line(widget: QWidget, x: Any, y: Any, name: str | None, colour: str, style: Any = SOLID, symbol: str | None = None) -> None:
    """Draw a line into a plot, with gaps at None and NaN; nothing where a sentence stands in its place or no value is known."""
    across, up = np.array(x, dtype=float), np.array(y, dtype=float)
    if isinstance(widget, QLabel) or not (np.isfinite(across) & np.isfinite(up)).any():
        return
    import pyqtgraph

    pen = pyqtgraph.mkPen(colour, width=2, style=style)
    options = {"symbol": symbol, "symbolBrush": colour, "symbolPen": colour, "symbolSize": 7} if symbol else {}
    widget.plot(across, up, pen=pen, name=name, connect="finite", **options)  # type: ignore[attr-defined]
