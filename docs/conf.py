"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

from napari_tap_events import __version__

project = "napari-tap-events"
author = "The napari-tap-events developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"napari-tap-events {release}"
html_theme_options = {"navigation_with_keys": True}
html_copy_source = False
html_show_copyright = False
