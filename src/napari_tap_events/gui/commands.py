"""What the menus and the command palette run: each asks for what it needs, then calls the room that does it."""

from __future__ import annotations

import napari.viewer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.result_folder import read_result
from napari_tap_events.gui.result_layers import open_results


def open_results_dialog(viewer: napari.viewer.Viewer) -> None:
    """Ask for a result folder and open it; ask for the movie too where it has been moved."""
    ask_and_open_results(viewer, parent=None)


def ask_and_open_results(viewer: napari.viewer.Viewer, parent: QWidget | None) -> None:
    """Ask for a result folder with a dialog over `parent`, and open it.

    What a user can put right is said in one notification.
    """
    folder = QFileDialog.getExistingDirectory(parent, "Open TAP Events results: choose the folder with result.json")
    if not folder:
        return
    try:
        movie_path = None
        if "movie" not in read_result(folder).files:
            movie_path = _ask_for_movie(parent, read_result(folder).movie_name)
        open_results(viewer, folder, movie_path)
    except TapEventsError as error:
        show_error(str(error))


def _ask_for_movie(parent: QWidget | None, then: str) -> str | None:
    path, _ = QFileDialog.getOpenFileName(parent, f"The movie has moved. Where is '{then}' now?")
    return path or None
