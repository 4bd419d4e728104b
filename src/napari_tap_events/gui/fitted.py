"""Settings of a form that follow the movie, until somebody chooses others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.settings_form import SettingsForm


class Fitted:
    """Some settings of a form.

    Parameters
    ----------
    form : SettingsForm
    names : collection of str
        The settings; as long as they are at their defaults, nobody has chosen.
    """

    def __init__(self, form: SettingsForm, names: Collection[str]) -> None:
        self._form = form
        declared = {name: field for kind in form.kinds for name, field in kind.declared().items()}
        self._last: dict[str, Any] = {name: declared[name].default for name in names}

    def fit(self, values: Mapping[str, Any]) -> bool:
        """Show values that fit, unless somebody has chosen others; say whether any has changed."""
        try:
            settings = self._form.value()
        except SettingsError:
            return False
        shown = {name: getattr(one, name) for one in settings for name in one.declared() if name in self._last}
        fitting = {name: values[name] for name in self._last}
        if fitting == self._last or shown != self._last:
            return False
        self._last = fitting
        changed = [one.model_copy(update={n: v for n, v in fitting.items() if n in one.declared()}) for one in settings]
        self._form.setValue(*changed)
        return True
