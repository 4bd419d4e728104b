"""One input for one setting: a number, a choice, yes or no, or a line of text, as the setting is declared."""

from __future__ import annotations

import math
import types
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSizePolicy, QWidget

from napari_tap_events.settings import is_advanced, unit_of

AUTO = "auto"
"""What stands in a field whose value is left to the program."""
WORDS_OF = {None: AUTO, True: "yes", False: "no"}
"""What a choice is called, where not by itself."""
WORDS = {"val": "validation", "um": "µm", "px": "pixels", "z": "Z"}
MOST = 10_000_000
"""Largest number where a setting has no upper limit."""
BUTTONS_PX = 64
"""Room for the buttons of a number in napari's theme."""


@dataclass(frozen=True)
class Declared:
    """What the declaration of a setting says that an input must know.

    Attributes
    ----------
    name, label, unit, help : str
        The label is the name in words; the unit may be empty.
    kind : type
        int, float, bool, str or tuple.
    choices : tuple
        The only values there are; empty where any will do.
    optional : bool
        Whether it may be left to the program: None.
    low, high : float or None
        Inclusive limits.
    default : object
    advanced : bool
    """

    name: str
    label: str
    unit: str
    help: str
    kind: type
    choices: tuple[Any, ...]
    optional: bool
    low: float | None
    high: float | None
    default: Any
    advanced: bool

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Declared:
        """Read a declaration."""
        annotation, optional = _without_none(field.annotation)
        choices = get_args(annotation) if get_origin(annotation) is Literal else ()
        kind = type(choices[0]) if choices else get_origin(annotation) or annotation
        limits = {limit: getattr(one, limit) for one in field.metadata for limit in ("ge", "le") if hasattr(one, limit)}
        unit = WORDS["um"] if unit_of(field) == "um" else unit_of(field) or ""
        return cls(
            name=name,
            label=label_of(name, unit_of(field)),
            unit=unit,
            help=field.description or "",
            kind=kind,
            choices=choices,
            optional=optional,
            low=limits.get("ge"),
            high=limits.get("le"),
            default=field.default,
            advanced=is_advanced(field),
        )


def label_of(name: str, unit: str | None) -> str:
    """Return the name of a setting in words, without the unit at its end: `motion_blur_px` is "Motion blur"."""
    parts = name.split("_")
    if len(parts) > 1 and parts[-1] == unit:
        parts = parts[:-1]
    text = " ".join(WORDS.get(part, part) for part in parts)
    return text[:1].upper() + text[1:]


def field_for(setting: Declared, parent: QWidget | None = None) -> NumberField | ChoiceField | YesNoField | TextField:
    """Make the input that fits a setting."""
    if setting.choices:
        return ChoiceField(setting, parent)
    if setting.kind is bool and setting.optional:
        return ChoiceField(replace(setting, choices=(True, False)), parent)
    if setting.kind is bool:
        return YesNoField(setting, parent)
    if setting.kind in (int, float):
        return NumberField(setting, parent)
    return TextField(setting, parent)


class NumberField(QDoubleSpinBox):
    """A number with its unit; an empty field leaves an optional one to the program."""

    changed = Signal()

    def __init__(self, setting: Declared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setKeyboardTracking(False)
        self._set_limits()
        if setting.unit:
            self.setSuffix(f" {setting.unit}")
        if setting.optional:
            self.setSpecialValueText(AUTO)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(f"00000{self.suffix()}") + BUTTONS_PX)
        self.setValue(setting.default)
        self.valueChanged.connect(lambda _: self.changed.emit())

    def value(self) -> float | int | None:  # type: ignore[override]
        """Return the number, or None where it is left to the program."""
        number = super().value()
        if self._setting.optional and number == self.minimum():
            return None
        return round(number) if self._setting.kind is int else number

    def setValue(self, value: float | None) -> None:
        """Show a number; None is left to the program."""
        super().setValue(self.minimum() if value is None else float(value))

    def textFromValue(self, value: float) -> str:
        """Write a number as people do: 0.001, not 0.00100000000."""
        return str(round(value)) if self._setting.kind is int else f"{value:.6g}"

    def valueFromText(self, text: str | None) -> float:
        """Read a number; a comma is a point."""
        plain = self._plain(text)
        return self.minimum() if self._is_auto(plain) else float(plain)

    def validate(self, text: str | None, pos: int) -> tuple[QValidator.State, str, int]:
        """Say whether this is a number within the limits, or may become one."""
        plain = self._plain(text)
        state = QValidator.State.Acceptable
        try:
            number = self.minimum() if self._is_auto(plain) else self._setting.kind(plain)
            if not self.minimum() <= number <= self.maximum():
                state = QValidator.State.Intermediate
        except ValueError:
            could_be = set(plain.lower()) <= set("0123456789.e+-" if self._setting.kind is float else "0123456789-")
            begun = self._setting.optional and AUTO.startswith(plain)
            state = QValidator.State.Intermediate if could_be or begun else QValidator.State.Invalid
        return state, text or "", pos

    def fixup(self, text: str | None) -> str:
        """Bring a number that is beyond a limit to that limit; a field that is left empty is left to the program."""
        plain = self._plain(text)
        try:
            return self.textFromValue(min(max(float(plain), self.minimum()), self.maximum()))
        except ValueError:
            return AUTO if self._setting.optional else self.textFromValue(super().value())

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn the number only while it has the focus: otherwise the wheel scrolls the form."""
        _turn_or_pass(self, super().wheelEvent, event)

    def _plain(self, text: str | None) -> str:
        return (text or "").removesuffix(self.suffix()).replace(",", ".").strip()

    def _is_auto(self, plain: str) -> bool:
        return self._setting.optional and plain in ("", AUTO)

    def _set_limits(self) -> None:
        """Set range, decimals and step; one value below the range stands for "left to the program"."""
        setting = self._setting
        high = MOST if setting.high is None else setting.high
        low = -MOST if setting.low is None else setting.low
        share = (setting.low, setting.high) == (0, 1)
        whole = setting.kind is int
        step = 1.0 if whole else 0.05 if share else 0.1
        self.setDecimals(0 if whole else _decimals(setting))
        self.setSingleStep(step)
        if high > 1000 or (not whole and not share):
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        if setting.optional:
            low = 0.0 if low > 0 else low - step
        self.setRange(low, high)


class ChoiceField(QComboBox):
    """One of a few values."""

    changed = Signal()

    def __init__(self, setting: Declared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for choice in (*((None,) if setting.optional else ()), *setting.choices):
            self.addItem(WORDS_OF.get(choice, str(choice)), choice)
        self.setValue(setting.default)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        """Return the chosen value."""
        return self.currentData()

    def setValue(self, value: Any) -> None:
        """Choose a value."""
        self.setCurrentIndex(self.findData(value))

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn the choice only while it has the focus: otherwise the wheel scrolls the form."""
        _turn_or_pass(self, super().wheelEvent, event)


class YesNoField(QCheckBox):
    """Yes or no."""

    changed = Signal()

    def __init__(self, setting: Declared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setValue(setting.default)
        self.toggled.connect(lambda _: self.changed.emit())

    def value(self) -> bool:
        """Return whether it is checked."""
        return bool(self.isChecked())

    def setValue(self, value: bool) -> None:
        """Check it, or not."""
        self.setChecked(bool(value))


class TextField(QLineEdit):
    """A line of text; numbers are separated by commas, and an empty line leaves an optional setting to the program."""

    changed = Signal()

    def __init__(self, setting: Declared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("00000") + BUTTONS_PX)
        if setting.optional or setting.default == "":
            self.setPlaceholderText(AUTO)
        self.setValue(setting.default)
        self.textChanged.connect(lambda _: self.changed.emit())

    def value(self) -> str | tuple[str, ...] | None:
        """Return what is written."""
        text = self.text().strip()
        if self._setting.kind is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return None if self._setting.optional and not text else text

    def setValue(self, value: Any) -> None:
        """Write a value."""
        self.setText(",".join(map(str, value)) if isinstance(value, tuple) else str(value or ""))


def _turn_or_pass(widget: QWidget, turn: Any, event: QWheelEvent | None) -> None:
    if event is not None and not widget.hasFocus():
        event.ignore()
    else:
        turn(event)


def _decimals(setting: Declared) -> int:
    """Return how many decimals keep two digits of the smallest sensible value."""
    known = [value for value in (setting.low, setting.default) if isinstance(value, int | float) and value > 0]
    return max(2, math.ceil(-math.log10(min(known, default=0.01))) + 2)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None)), True
    return annotation, False
