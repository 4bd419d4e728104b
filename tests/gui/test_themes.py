"""Dark and light are told apart, whatever the theme is called."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_tap_events.gui import themes


@pytest.mark.parametrize(("theme", "dark"), [("dark", True), ("light", False)])
def test_a_theme_is_dark_when_its_ground_is_darker_than_its_text(monkeypatch, theme, dark):
    assert themes.is_dark(SimpleNamespace(theme=theme)) is dark
    monkeypatch.setattr(themes, "get_system_theme", lambda: theme)
    assert themes.is_dark(SimpleNamespace(theme="system")) is dark
