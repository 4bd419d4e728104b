"""A user's own keys for marking: kept in napari's Preferences, or in a file where the plugin is not registered there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtGui import QKeySequence

from napari_tap_events.gui.preferences import page
from napari_tap_events.gui.shortcuts import clash_in, default_keys, load_keys, save_keys


class OwnKeys:
    """The key of every deed.

    Parameters
    ----------
    file : Path
        Where they are kept without a page in Preferences.

    Attributes
    ----------
    valueChanged : Signal(dict)
        Somebody has changed them in Preferences. A key that stands for two deeds, or for none that Qt knows, changes nothing.
    """

    valueChanged = Signal(dict)

    def __init__(self, file: Path) -> None:
        self._file = file
        self._page = page("keys")
        self._keys = load_keys(file) if self._page is None else _checked(self._page) or default_keys()
        self._silent = False
        if self._page is not None:
            self._page.events.connect(self._follow)

    def value(self) -> dict[str, str]:
        """Return the key of every deed, as Qt writes it."""
        return dict(self._keys)

    def setValue(self, keys: Mapping[str, str]) -> None:
        """Keep other keys; says nothing to listeners.

        Raises
        ------
        SettingsError
            When two deeds share a key, or the keys cannot be kept.
        """
        self._keys = dict(keys)
        if self._page is None:
            save_keys(self._file, keys)
            return
        self._silent = True
        try:
            for name, key in keys.items():
                setattr(self._page, name, key)
        finally:
            self._silent = False

    def leave(self) -> None:
        """Follow Preferences no longer."""
        if self._page is not None:
            self._page.events.disconnect(self._follow)

    def _follow(self, _event: object) -> None:
        keys = None if self._silent else _checked(self._page)
        if keys is not None and keys != self._keys:
            self._keys = keys
            self.valueChanged.emit(keys)


def _checked(kept: Any) -> dict[str, str] | None:
    """Return the keys of the page as Qt writes them; None where one stands for two deeds, or for none."""
    written = {name: QKeySequence(getattr(kept, name)) for name in default_keys()}
    keys = {name: str(key.toString(QKeySequence.SequenceFormat.PortableText)) for name, key in written.items()}
    typed = all(keys[name] or not getattr(kept, name) for name in keys)
    return keys if typed and not clash_in(keys) else None
