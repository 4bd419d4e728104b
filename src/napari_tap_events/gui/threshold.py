"""The threshold: from which probability on a candidate is shown as an event; the points follow while the slider moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from napari.layers import Points
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from napari_tap_events.events.listed import LISTED_FROM, are_listed, probabilities, statuses
from napari_tap_events.events.over_time import BY_A_PERSON, RANKS_ONLY

THRESHOLD = "tap_events_threshold"
"""Key in the metadata of a layer of candidates: from which probability on they are shown."""
STEPS = 1000
TIP = "Candidates of at least this probability are shown as events. The mark of the start is the threshold chosen on held-out frames."
ORDER = "Their order tells more than their number."
SUITS = f"A threshold of {LISTED_FROM:g} suits simulated movies; move it to suit yours."


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
        self._threshold = 0.0
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
        return self._threshold

    def setValue(self, threshold: float) -> None:
        """Set the threshold, 0 to 1; the number shows three decimals of it, and events are counted by all."""
        self.number.blockSignals(True)
        self.number.setValue(threshold)
        self.number.blockSignals(False)
        self._apply(threshold)

    def rule(self, layers: tuple[Points, ...]) -> None:
        """Show and hide the points of these layers, whose features hold a probability; the last one is counted."""
        self._layers = layers
        self._apply(self.value())

    def events(self) -> int | None:
        """Return how many events are listed; None where there are no points."""
        return int(are_listed(self._layers[-1].features, self.value()).sum()) if self._layers else None

    def _apply(self, threshold: float) -> None:
        self._threshold = threshold
        self.slider.blockSignals(True)
        self.slider.setValue(round(threshold * STEPS))
        self.slider.blockSignals(False)
        for layer in self._layers:
            layer.metadata[THRESHOLD] = threshold
            layer.shown = are_listed(layer.features, threshold)
        if self._layers:
            self.words.setText(_in_words(self._layers[-1].features, threshold))
        self.valueChanged.emit(threshold)


def _in_words(events: pd.DataFrame, threshold: float) -> str:
    status, likely = statuses(events), probabilities(events)
    sure = np.count_nonzero(np.isin(status, BY_A_PERSON))
    rejected = np.count_nonzero((status == "rejected") & (likely >= threshold))
    found = f"{_many(int(are_listed(events, threshold).sum()), 'event')} of {_many(len(events), 'candidate')}"
    sources = set(events.get("source", ()))
    sentences = [f"{found}.", ORDER] if sources & set(RANKS_ONLY) else [f"{found}; {_expected(status, likely):.1f} expected."]
    if "simulated" in sources:
        sentences.append(SUITS)
    if sure:
        sentences.append(f"You confirmed or marked {sure} of the events.")
    if rejected:
        sentences.append(f"{rejected} that you rejected {'is' if rejected == 1 else 'are'} left out.")
    return " ".join(sentences)


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"


def _expected(status: NDArray[np.object_], likely: NDArray[np.float64]) -> float:
    """Return the expected number of events: what a person is sure of, and the sum of the probabilities of what nobody judged."""
    return float(np.count_nonzero(np.isin(status, BY_A_PERSON)) + likely[status == "proposed"].sum())
