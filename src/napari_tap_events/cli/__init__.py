"""The command line: the same recipes as in the window, with the same names."""

from importlib import import_module

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import main

__all__ = ["app", "main"]

COMMANDS = ("movies", "recipes", "reviewing", "results", "judging", "encoders", "program")
"""The files that add commands, in the order of the help."""

for _name in COMMANDS:
    import_module(f"napari_tap_events.cli.{_name}")
