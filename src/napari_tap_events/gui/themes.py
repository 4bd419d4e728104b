"""Whether the window is dark, for what does not take its colours from napari's style by itself."""

from __future__ import annotations

import napari.viewer
from napari.utils.theme import get_system_theme, get_theme


def is_dark(viewer: napari.viewer.Viewer) -> bool:
    """Say whether the background of the viewer's theme is darker than its text; themes of the user's own count too."""
    name = get_system_theme() if viewer.theme == "system" else viewer.theme
    theme = get_theme(name)
    ground, text = (sum(colour.as_rgb_tuple()[:3]) for colour in (theme.background, theme.text))
    return bool(ground < text)
