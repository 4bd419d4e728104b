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
        self._defaults: dict[str, Any] = {name: declared[name].default for name in names}
        self._last = dict(self._defaults)

    def following(self) -> tuple[str, ...]:
        """Return the settings that follow: all as long as nobody has chosen one of them, then none."""
        return tuple(self._last) if self._shown() == self._last else ()

    def forget(self) -> None:
        """Begin anew: what is at its default from now on, nobody has chosen."""
        self._last = dict(self._defaults)

    def fit(self, values: Mapping[str, Any]) -> bool:
        """Show values that fit, unless somebody has chosen others; say whether any has changed."""
        fitting = {name: values[name] for name in self._last}
        if fitting == self._last or self._shown() != self._last:
            return False
        self._last = fitting
        changed = [
            one.model_copy(update={n: v for n, v in fitting.items() if n in one.declared()}) for one in self._form.value()
        ]
        self._form.setValue(*changed)
        return True

    def _shown(self) -> dict[str, Any] | None:
        """Return what stands in the form; None where something in it will not do."""
        try:
            settings = self._form.value()
        except SettingsError:
            return None
        return {name: getattr(one, name) for one in settings for name in one.declared() if name in self._last}
