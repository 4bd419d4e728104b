"""The threshold: from which probability on a candidate is shown as an event; the points follow while the slider moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from napari.layers import Points
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from napari_tap_events.events.over_time import BY_A_PERSON, RANKS_ONLY

STEPS = 1000
TIP = "Candidates of at least this probability are shown as events. The mark of the start is the threshold chosen on held-out frames."


class ThresholdField(QWidget):
    """A slider and a number from 0 to 1, with the number of events that they leave.

    Attributes
    ----------
    valueChanged : Signal(float)
        The new threshold.
    """

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: tuple[Points, ...] = ()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setToolTip(TIP)
        self.number = QDoubleSpinBox()
        self.number.setRange(0, 1)
        self.number.setDecimals(3)
        self.number.setSingleStep(0.01)
        self.number.setToolTip(TIP)
        self.words = QLabel()
        self.words.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Threshold"))
        row.addWidget(self.slider, stretch=1)
        row.addWidget(self.number)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.words)
        self.slider.valueChanged.connect(lambda step: self.number.setValue(step / STEPS))
        self.number.valueChanged.connect(self._apply)

    def value(self) -> float:
        """Return the threshold, 0 to 1."""
        return float(self.number.value())

    def setValue(self, threshold: float) -> None:
        """Set the threshold, 0 to 1."""
        self.number.setValue(threshold)

    def rule(self, layers: tuple[Points, ...]) -> None:
        """Show and hide the points of these layers, whose features hold a probability; the last one is counted."""
        self._layers = layers
        self._apply(self.value())

    def events(self) -> int | None:
        """Return how many events are listed; None where there are no points."""
        return int(np.count_nonzero(_listed(self._layers[-1], self.value()))) if self._layers else None

    def _apply(self, threshold: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(threshold * STEPS))
        self.slider.blockSignals(False)
        for layer in self._layers:
            layer.shown = _listed(layer, threshold)
        if self._layers:
            self.words.setText(_in_words(self._layers[-1], threshold))
        self.valueChanged.emit(threshold)


def _listed(layer: Points, threshold: float) -> NDArray[np.bool_]:
    """Say which events are shown: what a person has said comes before any threshold."""
    status = _statuses(layer)
    listed: NDArray[np.bool_] = np.isin(status, BY_A_PERSON) | ((_probabilities(layer) >= threshold) & (status != "rejected"))
    return listed


def _statuses(layer: Points) -> NDArray[np.object_]:
    told = layer.features.get("status")
    return np.full(len(layer.data), "proposed", dtype=object) if told is None else np.asarray(told, dtype=object)


def _in_words(layer: Points, threshold: float) -> str:
    status = _statuses(layer)
    sure = np.count_nonzero(np.isin(status, BY_A_PERSON))
    expected = sure + _probabilities(layer)[status == "proposed"].sum()
    counts = not layer.features.get("source", pd.Series(dtype=str)).isin(RANKS_ONLY).any()
    words = f"{np.count_nonzero(_listed(layer, threshold))} events of {len(status)} candidates"
    among = f", the {sure} that you said among them" if sure else ""
    words += f"; {expected:.1f} expected{among}" if counts else f"; their order tells more than the number{among}"
    rejected = np.count_nonzero((status == "rejected") & (_probabilities(layer) >= threshold))
    return f"{words}. {rejected} that you rejected left out." if rejected else words


def _probabilities(layer: Points) -> NDArray[np.float64]:
    told = np.asarray(layer.features["probability"], dtype=np.float64)
    return np.nan_to_num(told, nan=1.0)
