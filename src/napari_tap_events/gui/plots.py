"""Small plots in the colours of napari's theme; where pyqtgraph is not installed, a sentence stands in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGraphicsView, QLabel, QWidget

from napari_tap_events.gui.colours import ORANGE, SKY_BLUE

HEIGHT_PX = 190
MISSING = "To see the plot, install pyqtgraph: pip install 'napari-tap-events[plots]'."
DASHED, SOLID, DOTTED = Qt.PenStyle.DashLine, Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
FAINT = 130
"""Opacity of what too little is known of, of 255."""
TOP = 0.85
"""What is written above a place higher than this would be cut off."""
EDGE = 0.06
"""What is written nearer than this to the left or right end stands beside its place, not over it: it would be cut off."""
COLOURS = (ORANGE, SKY_BLUE)


def see_through(view: Any) -> Any:
    """Let a plot show the panel behind it as it is now: pyqtgraph keeps the ground of the theme in which it was first drawn."""
    view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
    return view


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
    widget = see_through(pyqtgraph.PlotWidget(background=None))
    widget.setMinimumHeight(HEIGHT_PX)
    widget.setMenuEnabled(False)
    widget.hideButtons()
    for side, words in (("bottom", across), ("left", up)):
        axis = widget.getAxis(side)
        axis.setPen(ink(dark))
        axis.setTextPen(ink(dark))
        axis.enableAutoSIPrefix(False)
        widget.setLabel(side, words, color=ink(dark))
    _legend_above(widget, ink(dark))
    if ranges:
        widget.getViewBox().setRange(xRange=ranges, yRange=ranges, padding=0.02)
    widget.setMouseEnabled(x=False, y=False)
    return widget


def ink(dark: bool) -> str:
    """Return the colour of what is written on a theme."""
    return "#D0D0D0" if dark else "#303030"


def _legend_above(widget: Any, colour: str) -> None:
    """Let the legend stand above the axes, where no curve can run under it."""
    inside = widget.getPlotItem()
    legend = widget.addLegend(labelTextColor=colour, colCount=2, verSpacing=0, horSpacing=12)
    legend.setParentItem(inside)
    legend.layout.setContentsMargins(0, 0, 0, 0)
    legend.anchor((0.5, 0), (0.5, 0), offset=(0, 0))
    inside.layout.setRowFixedHeight(0, 1.9 * widget.fontMetrics().height())


def dots(widget: QWidget, x: Any, y: Any, colour: str, symbol: str) -> None:
    """Draw hollow, faint dots, for what too little is known of."""
    if isinstance(widget, QLabel):
        return
    import pyqtgraph

    faint = pyqtgraph.mkColor(colour)
    faint.setAlpha(FAINT)
    pen = pyqtgraph.mkPen(faint, width=1.5)
    widget.plot(x, y, pen=None, symbol=symbol, symbolBrush=None, symbolPen=pen, symbolSize=7)  # type: ignore[attr-defined]


def on_click(widget: QWidget, go: Callable[[float], object]) -> None:
    """Call `go` with the place along the lower axis that somebody clicks on; nothing where a sentence stands in place of the plot."""
    if isinstance(widget, QLabel):
        return
    inside = widget.getPlotItem().vb  # type: ignore[attr-defined]

    def clicked(event: Any) -> None:
        if inside.sceneBoundingRect().contains(event.scenePos()):
            go(float(inside.mapSceneToView(event.scenePos()).x()))

    widget.scene().sigMouseClicked.connect(clicked)  # type: ignore[attr-defined]


def write(widget: QWidget, x: Any, y: Any, words: Sequence[str], dark: bool) -> None:
    """Write a word or two above each of some places of a plot from 0 to 1, and below those at its top."""
    if isinstance(widget, QLabel):
        return
    import pyqtgraph

    for at, high, word in zip(x, y, words, strict=True):
        along = 0.0 if at < EDGE else 1.0 if at > 1 - EDGE else 0.5
        text = pyqtgraph.TextItem(word, color=ink(dark), anchor=(along, 1.1 if high < TOP else -0.3))
        text.setPos(float(at), float(high))
        widget.addItem(text)  # type: ignore[attr-defined]


def line(widget: QWidget, x: Any, y: Any, name: str | None, colour: str, style: Any = SOLID, symbol: str | None = None) -> None:
    """Draw a line into a plot, with gaps at None and NaN; nothing where a sentence stands in its place or no value is known."""
    across, up = np.array(x, dtype=float), np.array(y, dtype=float)
    if isinstance(widget, QLabel) or not (np.isfinite(across) & np.isfinite(up)).any():
        return
    import pyqtgraph

    pen = pyqtgraph.mkPen(colour, width=2, style=style)
    options = {"symbol": symbol, "symbolBrush": colour, "symbolPen": colour, "symbolSize": 7} if symbol else {}
    widget.plot(across, up, pen=pen, name=name, connect="finite", **options)  # type: ignore[attr-defined]
