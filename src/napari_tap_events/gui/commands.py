"""What the menus and the command palette run: each asks for what it needs, then calls the room that does it."""

from __future__ import annotations

import napari.viewer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.result_layers import open_results
from napari_tap_events.study.result_folder import read_result_folder


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
        result = read_result_folder(folder)
        moved = None if "movie" in result.files else _ask_for_movie(parent, result.movie_name)
        open_results(viewer, folder, moved)
    except TapEventsError as error:
        show_error(str(error))


def _ask_for_movie(parent: QWidget | None, then: str) -> str | None:
    path, _ = QFileDialog.getOpenFileName(parent, f"The movie has moved. Where is '{then}' now?")
    return path or None
