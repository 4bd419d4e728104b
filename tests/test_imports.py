"""What is imported when: neither the package, nor the window, nor `--help` ever waits for torch."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import napari_tap_events
import napari_tap_events.gui

GUI_MODULES = sorted(f"napari_tap_events.gui.{module.name}" for module in pkgutil.iter_modules(napari_tap_events.gui.__path__))
HEADLESS = os.environ | {"QT_QPA_PLATFORM": "offscreen"}


def modules_after(statement: str) -> set[str]:
    """Run a statement in a fresh Python and return the top-level modules that it has imported."""
    code = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, env=HEADLESS
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_alone_imports_nothing_heavy():
    heavy = {"torch", "napari", "qtpy", "pandas", "scipy", "zarr", "skimage"}
    assert not modules_after("import napari_tap_events") & heavy


def test_the_whole_window_never_imports_torch():
    assert len(GUI_MODULES) >= 10
    assert "torch" not in modules_after(f"import {', '.join(GUI_MODULES)}")


def test_the_workbench_opens_without_tables_and_plots():
    assert not modules_after("import napari_tap_events.gui.workbench") & {"pandas", "pyqtgraph"}


@pytest.mark.parametrize(
    "room",
    [
        "movies.opening",
        "movies.masks",
        "movies.ome_zarr",
        "movies.synthetic",
        "events.table",
        "events.exports",
        "events.over_time",
        "study.result_folder",
        "review.queue",
        "review.audit",
        "review.verdicts",
        "review.proposals",
        "review.gate",
        "review.transfer",
        "jobs.link",
        "project.reading",
    ],
)
def test_reading_movies_and_tables_needs_neither_torch_nor_napari(room):
    assert not modules_after(f"import napari_tap_events.{room}") & {"torch", "napari", "qtpy"}


def test_the_command_line_helps_without_torch_and_napari():
    call = (
        "import napari_tap_events.cli as cli\n"
        "sys.argv = ['napari-tap-events', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert not modules_after(call) & {"torch", "napari", "qtpy"}
