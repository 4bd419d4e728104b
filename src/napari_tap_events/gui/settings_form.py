"""A form for settings, made from their declarations: whoever declares one more gets one more row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.setting_fields import Declared
from napari_tap_events.gui.setting_rows import SettingRows
from napari_tap_events.settings import Settings

ADVANCED = "Advanced settings"


class SettingsForm(QWidget):
    """Inputs for settings of one or more kinds; those that are advanced are folded away.

    Parameters
    ----------
    kinds : type of Settings, or sequence of them
        Settings that have the same name are one input.
    only : collection of str, optional
        The settings to show; by default all.
    hidden : collection of str
        Settings not to show; they keep the value that `setValue` gave them, or their default.

    Attributes
    ----------
    valueChanged : Signal()
        Something was changed; `problem` says whether it may stay so.
    """

    valueChanged = Signal()

    def __init__(
        self,
        kinds: type[Settings] | Sequence[type[Settings]],
        only: Collection[str] | None = None,
        hidden: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.kinds = (kinds,) if isinstance(kinds, type) else tuple(kinds)
        self._hidden_values: dict[str, Any] = {}
        fields = {name: field for kind in self.kinds for name, field in kind.declared().items()}
        order = [name for kind in self.kinds for name in _in_order(kind)]
        shown = [name for name in dict.fromkeys(order) if (only is None or name in only) and name not in hidden]
        declared = [Declared.of(name, fields[name]) for name in shown]
        self.plain = SettingRows([setting for setting in declared if not setting.advanced])
        self.advanced = SettingRows([setting for setting in declared if setting.advanced])
        self._build()

    def value(self) -> tuple[Settings, ...]:
        """Return the settings, one of each kind.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        values = {**self._hidden_values, **self._written()}
        return tuple(
            kind.checked(**{name: value for name, value in values.items() if name in kind.declared()}) for kind in self.kinds
        )

    def setValue(self, *settings: Settings) -> None:
        """Show settings of any of the kinds."""
        values = {name: getattr(one, name) for one in settings for name in one.declared()}
        for rows in self._parts:
            rows.setValue(values)
        shown = self._written()
        self._hidden_values |= {name: value for name, value in values.items() if name not in shown}
        self._check()

    def set_hidden(self, values: Mapping[str, Any]) -> None:
        """Set settings that are not shown, by name: something else in the window stands for them."""
        self._hidden_values |= values
        self.valueChanged.emit()

    def show_rows(self, names: Collection[str], shown: bool) -> None:
        """Show the rows of some settings, or leave them out: something else decides them."""
        for part in self._parts:
            for name in part.fields.keys() & set(names):
                part.show_row(name, shown)

    def hidden_value(self, name: str) -> Any:
        """Return a setting that is not shown."""
        default = next(kind.declared()[name].default for kind in self.kinds if name in kind.declared())
        return self._hidden_values.get(name, default)

    def reset(self) -> None:
        """Show the defaults; what is not shown keeps its value."""
        for rows in self._parts:
            rows.setValue({name: setting.default for name, setting in rows.settings.items()})
        self._check()

    def problem(self) -> str:
        """Return the sentence that says what will not do; empty when all will."""
        try:
            self.value()
        except SettingsError as error:
            return str(error)
        return ""

    def flags(self, only: Collection[str] | None = None) -> list[str]:
        """Return the settings as command-line flags: those that are not as they are by default, of all or of some names.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        chosen = {
            name: getattr(settings, name)
            for settings in self.value()
            for name, field in settings.declared().items()
            if (only is None or name in only) and getattr(settings, name) != field.default
        }
        return [word for name, value in chosen.items() for word in _flag(name, value)]

    @property
    def _parts(self) -> tuple[SettingRows, SettingRows]:
        return self.plain, self.advanced

    def _written(self) -> dict[str, Any]:
        return {**self.plain.value(), **self.advanced.value()}

    def _build(self) -> None:
        self.fold = Fold(ADVANCED, self.advanced)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget, there in ((self.plain, self.plain.fields), (self.fold, self.advanced.fields)):
            widget.setVisible(bool(there))
            column.addWidget(widget)
        column.addStretch()
        for rows in self._parts:
            rows.changed.connect(self._take)

    def _take(self, _name: str) -> None:
        self._check()
        self.valueChanged.emit()

    def _check(self) -> None:
        """Say under each row what is wrong with it; where that is folded away, unfold it."""
        for rows in self._parts:
            for name, value in rows.value().items():
                rows.say(name, self._problem_of(name, value))
        if any(not label.isHidden() for label in self.advanced.problems.values()):
            self.fold.setValue(True)

    def _problem_of(self, name: str, value: Any) -> str:
        kind = next(kind for kind in self.kinds if name in kind.declared())
        try:
            kind.checked(**{name: value})
        except SettingsError as error:
            return _in_place(error)
        return ""


def _in_order(kind: type[Settings]) -> list[str]:
    """Return the names of the settings as a person reads the declaration: those of the first base first, its own last."""
    bases = [name for base in kind.__bases__ if issubclass(base, Settings) for name in _in_order(base)]
    return [*bases, *(name for name in kind.__annotations__ if name in kind.model_fields and name not in bases)]


def _in_place(error: SettingsError) -> str:
    """Return what is wrong with a value, without its name and the advice on flags: who reads it has the field before them."""
    text = str(error).partition("; change --")[0].rstrip(".")
    return (text.partition(" = ")[2] or text) + "."


def _flag(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if value is None:
        return []
    return [f"--{flag}", ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
