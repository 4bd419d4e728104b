"""The mouse wheel scrolls a panel: it changes no field that happens to pass under the mouse."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QSlider, QTabBar, QWidget

FIELDS = (QAbstractSpinBox, QComboBox, QSlider, QTabBar)


class WheelGuard(QObject):
    """Gives the wheel to what scrolls, unless a field was chosen before, by a click or with the keyboard."""

    def guard(self, panel: QWidget) -> None:
        """Watch all fields that are in a panel now; those that were watched before stay so."""
        for kind in FIELDS:
            for field in panel.findChildren(kind):
                field.installEventFilter(self)
                if field.focusPolicy() == Qt.FocusPolicy.WheelFocus:  # the wheel itself would choose it
                    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let a wheel over a field that has not the focus pass to what is around it."""
        if event is None or event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget) or watched.hasFocus():
            return bool(super().eventFilter(watched, event))
        event.ignore()
        return True
