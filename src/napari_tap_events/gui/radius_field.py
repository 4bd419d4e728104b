"""The radius of a mark: kept in pixels, shown in micrometres or pixels as the user likes."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

LEAST_PX, MOST_PX = 1.0, 250.0
STEP, LEAST_STEP_PX = 0.1, 0.5
"""One step of the keys: a tenth of the radius, but half a pixel at least; a step back undoes it."""


class RadiusField(QWidget):
    """A number with its unit; speaks pixels.

    Attributes
    ----------
    valueChanged : Signal(float)
        The radius in pixels, when the user changes it.
    """

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._px = 10.0
        self._um_per_px: float | None = None
        self.number, self.unit = QDoubleSpinBox(), QComboBox()
        self.number.setDecimals(1)
        self.number.setKeyboardTracking(False)
        self.number.setToolTip("Radius of a mark and of the brush: about that of a cell.")
        self.unit.setToolTip("µm needs the pixel size, which is set in the Movie step.")
        self.unit.addItems(["px"])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Radius"))
        row.addWidget(self.number, stretch=1)
        row.addWidget(self.unit)
        self.number.valueChanged.connect(self._read)
        self.unit.currentIndexChanged.connect(self._show)
        self._show()

    def value(self) -> float:
        """Return the radius in pixels."""
        return self._px

    def setValue(self, radius_px: float) -> None:
        """Set the radius in pixels; says nothing to listeners."""
        self._px = min(max(radius_px, LEAST_PX), MOST_PX)
        self._show()

    def set_pixel_size(self, pixel_size_um: float | None) -> None:
        """Offer micrometres where the side of a pixel is known, and start with them."""
        if pixel_size_um == self._um_per_px:
            return
        self._um_per_px = pixel_size_um
        self.unit.clear()
        self.unit.addItems(["µm", "px"] if pixel_size_um else ["px"])
        self.unit.setEnabled(bool(pixel_size_um))
        self._show()

    def step(self, by: int) -> None:
        """Make the radius `by` steps larger, or smaller where `by` is negative."""
        for _ in range(abs(by)):
            self.setValue(_larger(self._px) if by > 0 else _smaller(self._px))
        self.valueChanged.emit(self._px)

    @property
    def _per_px(self) -> float:
        return self._um_per_px if self._um_per_px and self.unit.currentText() == "µm" else 1.0

    def _read(self, shown: float) -> None:
        self._px = shown / self._per_px
        self.valueChanged.emit(self._px)

    def _show(self) -> None:
        self.number.blockSignals(True)
        self.number.setRange(LEAST_PX * self._per_px, MOST_PX * self._per_px)
        self.number.setSingleStep(max(0.1, round(self._per_px / 2, 1)))
        self.number.setValue(self._px * self._per_px)
        self.number.blockSignals(False)


def _larger(radius_px: float) -> float:
    return radius_px + max(LEAST_STEP_PX, STEP * radius_px)


def _smaller(radius_px: float) -> float:
    return min(radius_px - LEAST_STEP_PX, radius_px / (1 + STEP))
