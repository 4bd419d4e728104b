"""A window of its own for results: what `napari-tap-events open FOLDER` shows."""

from __future__ import annotations

from pathlib import Path

import napari
import napari.viewer
from qtpy.QtWidgets import QApplication

from napari_tap_events.gui.result_layers import open_results
from napari_tap_events.gui.results_panel import ResultsPanel
from napari_tap_events.study.result_folder import read_result_folder

__all__ = ["open_results", "results_viewer", "show"]

PANEL_NAME = "Results (TAP Events)"
"""As napari's Plugins menu calls the dock, so that the menu shows and hides this one."""


def show(folder: str | Path) -> None:
    """Open a window on a result folder, and stay until it is closed.

    Raises
    ------
    OutputError, MovieError
        As `open_results`; no window is opened where the folder holds no result.
    """
    results_viewer(folder)
    napari.run()


def results_viewer(folder: str | Path, size_px: tuple[int, int] = (1400, 900)) -> napari.viewer.Viewer:
    """Open a window on a result folder, with the list of events beside it.

    Parameters
    ----------
    folder : path
        With a `result.json`.
    size_px : (int, int)
        Width and height of the window.
    """
    read_result_folder(folder)
    viewer = napari.Viewer(title=f"TAP Events: {Path(folder).resolve().name}")
    viewer.window.resize(*size_px)  # type: ignore[no-untyped-call]
    viewer.window.add_dock_widget(ResultsPanel(viewer), name=PANEL_NAME, area="right")
    open_results(viewer, folder)
    QApplication.processEvents()  # the docks must have taken their room before the movie is fitted into the rest
    viewer.fit_to_view()
    return viewer
