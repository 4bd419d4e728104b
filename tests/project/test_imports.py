"""Marks need neither a window nor a network, and what is slow to import comes when it is used."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import napari_tap_events.project

ROOM = sorted(f"napari_tap_events.project.{module.name}" for module in pkgutil.iter_modules(napari_tap_events.project.__path__))


def test_opening_a_project_waits_for_nothing_heavy() -> None:
    assert len(ROOM) > 15
    code = f"import sys, {', '.join(ROOM)}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "napari", "qtpy", "pandas", "scipy", "skimage", "zarr", "tifffile"}
