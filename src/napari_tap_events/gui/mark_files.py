"""Masks and events from files and into files: TIFF, OME-Zarr and CSV; read and written in a thread, so that the window goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.marker import Marker
from napari_tap_events.movies.marked_points import read_marked_points
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project import marking
from napari_tap_events.project.exporting import export_masks, marked_table

TIFF, CSV = "TIFF (*.tif *.tiff)", "Events table (*.csv)"
ZARR_SUFFIX = ".ome.zarr"


@dataclass(frozen=True)
class Exchange:
    """One entry of the menu: how it asks for a file, what it does in a thread, and what it does then in the window."""

    title: str
    ask: Callable[[], Path | None]
    work: Callable[[Path], Any]
    then: Callable[[Any], None]


class MarkFiles(QObject):
    """The entries of the menu "Files", and what they do.

    Parameters
    ----------
    menu : QMenu
        Is filled.
    movie : Movie
    marker : Marker
        Of the marks of this movie.
    parent : QWidget
        Dialogs open over it.
    """

    def __init__(self, menu: QMenu, movie: Movie, marker: Marker, parent: QWidget) -> None:
        super().__init__(parent)
        self._movie = movie
        self._marker = marker
        self._annotations = marker.annotations
        self._parent = parent
        self._busy: Any = None
        self.actions: dict[str, QAction] = {}
        for exchange in self._exchanges():
            if exchange.title.startswith("Export masks as TIFF"):
                menu.addSeparator()
            action = self.actions[exchange.title] = QAction(exchange.title, menu)
            action.triggered.connect(lambda _checked=False, exchange=exchange: self._run(exchange))
            menu.addAction(action)

    def _exchanges(self) -> tuple[Exchange, ...]:
        return (
            Exchange("Import masks from TIFF...", lambda: self._ask_open(TIFF), self._read_masks, self._take_masks),
            Exchange("Import masks from OME-Zarr...", self._ask_folder, self._read_masks, self._take_masks),
            Exchange("Import events from CSV...", lambda: self._ask_open(CSV), read_marked_points, self._take_events),
            Exchange("Export masks as TIFF...", lambda: self._ask_save("masks", ".tif", TIFF), self._write_masks, self._tell),
            Exchange(
                "Export masks as OME-Zarr...", lambda: self._ask_save("masks", ZARR_SUFFIX), self._write_masks, self._tell
            ),
            Exchange("Export events as CSV...", lambda: self._ask_save("events", ".csv", CSV), self._write_csv, self._tell),
        )

    def _run(self, exchange: Exchange) -> None:
        path = exchange.ask()
        if path is None or self._busy is not None:
            return
        len(self._annotations.events)  # events are found here, in the window's thread, where marks may change at any moment
        self._busy = create_worker(tried, exchange.work, path, _start_thread=False)  # type: ignore[arg-type]
        self._busy.returned.connect(lambda outcome: self._end(outcome, exchange.then))
        self._busy.finished.connect(self._finish)
        self._allow(False)
        self._busy.start()

    def _end(self, outcome: tuple[Any, TapEventsError | None], then: Callable[[Any], None]) -> None:
        result, trouble = outcome
        try:
            if trouble is not None:
                raise trouble
            then(result)
        except TapEventsError as error:
            show_error(str(error))

    def _finish(self) -> None:
        self._busy = None
        self._allow(True)

    def _allow(self, allowed: bool) -> None:
        for action in self.actions.values():
            action.setEnabled(allowed)

    def _read_masks(self, path: Path) -> Any:
        return open_masks(path, self._movie).labels

    def _take_masks(self, labels: Any) -> None:
        self._annotations.do(marking.import_masks(self._annotations, labels))

    def _take_events(self, points: Any) -> None:
        self._annotations.do(marking.import_events(self._annotations, points, self._marker.radius_px))

    def _write_masks(self, path: Path) -> Path:
        export_masks(self._annotations, path, self._movie)
        return path

    def _write_csv(self, path: Path) -> Path:
        from napari_tap_events.events.table import write_events  # pandas takes its time

        return write_events(path, marked_table(self._annotations, self._movie))

    def _tell(self, path: Path) -> None:
        show_info(f"Written: {path.name}")

    def _ask_open(self, kinds: str) -> Path | None:
        path, _ = QFileDialog.getOpenFileName(self._parent, "Import", "", kinds)
        return Path(path) if path else None

    def _ask_folder(self) -> Path | None:
        path = QFileDialog.getExistingDirectory(self._parent, "Import: choose the .zarr folder")
        return Path(path) if path else None

    def _ask_save(self, what: str, suffix: str, kinds: str = "") -> Path | None:
        proposed = f"{Path(self._movie.name).stem}-{what}{suffix}"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Export", proposed, kinds)
        if not path:
            return None
        return Path(path) if path.endswith(suffix) else Path(path + suffix)


def tried(work: Callable[[Path], Any], path: Path) -> tuple[Any, TapEventsError | None]:
    """Return what work returns, and what a user can put right about it; napari shows other errors by itself."""
    try:
        return work(path), None
    except TapEventsError as error:
        return None, error
