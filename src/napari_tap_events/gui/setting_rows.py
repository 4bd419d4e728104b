"""Settings under each other: a label, an input, a way back to the default, and in words what is wrong and what it is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_tap_events.gui.setting_fields import Declared, field_for

LINES_OF_HELP = 3
HINT = "Go to a setting to read what it does."
SIGN = "⚠"


class SettingRows(QWidget):
    """A row for each setting, and one place for the help on the row that has the focus or is under the mouse.

    Attributes
    ----------
    changed : Signal(str)
        The name of the setting that was changed.
    """

    changed = Signal(str)

    def __init__(self, settings: Sequence[Declared], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = {setting.name: setting for setting in settings}
        self.fields = {name: field_for(setting, self) for name, setting in self.settings.items()}
        self.labels: dict[str, QLabel] = {}
        self.problems: dict[str, QLabel] = {}
        self.resets: dict[str, QToolButton] = {}
        self._build(_labels(settings))

    def value(self) -> dict[str, Any]:
        """Return what stands in the inputs, by name; it may be wrong."""
        return {name: field.value() for name, field in self.fields.items()}

    def setValue(self, values: Mapping[str, Any]) -> None:
        """Show values, by name; names that have no row are passed over."""
        for name, field in self.fields.items():
            if name in values:
                field.setValue(values[name])
                self._show_reset(name)

    def show_row(self, name: str, shown: bool) -> None:
        """Show a row, or leave it out."""
        reset = self.resets[name]
        keep = reset.sizePolicy()
        keep.setRetainSizeWhenHidden(shown)
        reset.setSizePolicy(keep)
        for widget in (self.labels[name], self.fields[name]):
            widget.setVisible(shown)
        self._show_reset(name)

    def say(self, name: str, problem: str) -> None:
        """Show under a row what is wrong with it; nothing where it is right."""
        label = self.problems[name]
        label.setText(f"{SIGN} {problem}")
        label.setVisible(bool(problem))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Explain the row that gets the focus, or over which the mouse goes."""
        if event is not None and event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter):
            name = "" if watched is None else watched.objectName()
            if name in self.settings:
                self.help.setText(self.settings[name].help)
        return bool(super().eventFilter(watched, event))

    def _build(self, labels: Mapping[str, str]) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for row, name in enumerate(self.settings):
            self._add(grid, 2 * row, name, labels[name])
        self.help = QLabel(HINT)
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setMinimumHeight(LINES_OF_HELP * self.help.fontMetrics().lineSpacing())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid)
        column.addWidget(self.help)

    def _add(self, grid: QGridLayout, row: int, name: str, words: str) -> None:
        setting, field = self.settings[name], self.fields[name]
        label, problem, reset = QLabel(words), QLabel(), QToolButton()
        label.setBuddy(field)
        problem.setWordWrap(True)
        problem.hide()
        reset.setText("↺")
        reset.setAutoRaise(True)
        reset.setToolTip(f"Back to {_shown(setting)}")
        reset.setAccessibleName(f"{words}: back to {_shown(setting)}")
        keep = reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(keep)
        reset.hide()
        field.setAccessibleName(words)
        field.setAccessibleDescription(setting.help)
        for widget in (label, field):
            widget.setToolTip(f"<qt>{escape(setting.help)}<br><i>Default: {escape(_shown(setting))}</i></qt>")
            widget.setWhatsThis(setting.help)
            widget.setObjectName(name)
            widget.installEventFilter(self)
        field.changed.connect(lambda: self._tell(name))
        reset.clicked.connect(lambda: field.setValue(setting.default))
        grid.addWidget(label, row, 0)
        grid.addWidget(field, row, 1)
        grid.addWidget(reset, row, 2)
        grid.addWidget(problem, row + 1, 0, 1, 3)
        self.labels[name], self.problems[name], self.resets[name] = label, problem, reset

    def _tell(self, name: str) -> None:
        self._show_reset(name)
        self.changed.emit(name)

    def _show_reset(self, name: str) -> None:
        field, default = self.fields[name], self.settings[name].default
        same = tuple(map(str, default)) if isinstance(default, tuple) else default
        self.resets[name].setVisible(field.value() != same and not field.isHidden())


def _labels(settings: Sequence[Declared]) -> dict[str, str]:
    """Return the labels; where two would be the same, the unit tells them apart."""
    often = Counter(setting.label for setting in settings)
    return {s.name: f"{s.label} in {s.unit}" if often[s.label] > 1 and s.unit else s.label for s in settings}


def _shown(setting: Declared) -> str:
    default = setting.default
    if default is None or default == "":
        return "auto"
    if isinstance(default, bool):
        return "yes" if default else "no"
    text = (
        ",".join(map(str, default)) if isinstance(default, tuple) else f"{default:g}" if setting.kind is float else str(default)
    )
    return f"{text} {setting.unit}".strip()
