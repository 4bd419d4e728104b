"""The Mark step: a person shows where cells divide and die, and everything they do is kept and can be undone."""

from __future__ import annotations

from typing import Any

import napari.viewer
from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.cheat_sheet import CheatSheet
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.leaving import LeavingPanel
from napari_tap_events.gui.mark_desk import MarkDesk
from napari_tap_events.gui.mark_files import MarkFiles
from napari_tap_events.gui.notice import Notice
from napari_tap_events.gui.own_keys import OwnKeys
from napari_tap_events.gui.shortcuts import keys_file
from napari_tap_events.movies.event_sizes import sizes_of_cell
from napari_tap_events.project.session import Session

LEAST_WIDTH_PX = 320
RADIUS_PX = 10.0
"""Of stamps, as long as nobody has said how large cells are, or chosen another."""
NO_MOVIE = "No movie is open. Open one in step 1."
NOT_ACTIVE = "Another layer is active: a click marks nothing."
HIDDEN = "The marks are hidden."
GONE = "The layer of marks was removed; the marks are kept."


class MarkPanel(LeavingPanel):
    """Shows the marks of the movie that is open in a session.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    session : Session

    Attributes
    ----------
    desk : MarkDesk or None
        The controls of the movie that is open. While the panel is not to be seen, as in another step, they hold the tool that
        only moves the picture: a click somewhere else in the work must not mark anything.
    """

    def __init__(self, viewer: napari.viewer.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._keys = OwnKeys(keys_file())
        self._radius_px = self._fitted_px = RADIUS_PX
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._look_around)
        self.desk: MarkDesk | None = None
        self.files: MarkFiles | None = None
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self.empty, self.notice = QLabel(NO_MOVIE), Notice()
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 4, 6, 4)
        for widget in (self.empty, self.notice):
            self._column.addWidget(widget)
        self.notice.button.clicked.connect(self.go_on)
        session.movie_leaving.connect(self._put_away)
        session.movie_changed.connect(self.show_movie)
        session.cell_size_changed.connect(self._fit_radius)
        self._keys.valueChanged.connect(self._bind_keys)
        for signal in (viewer.layers.events.removed, viewer.layers.selection.events.active):
            signal.connect(self._look_soon)
        viewer.layers.events.inserted.connect(self._keep_on_top)
        self.show_movie()

    def show_movie(self) -> None:
        """Show the marks of the movie that is open now, and no others."""
        self._put_away()
        movie, annotations = self._session.movie, self._session.annotations
        self.empty.setText(self._session.problem or NO_MOVIE)
        self.empty.setVisible(movie is None)
        if movie is not None and annotations is not None:
            self.desk = MarkDesk(self._viewer, movie, annotations)
            self.files = MarkFiles(self.desk.files_menu, movie, self.desk.marker, self)
            self._column.addWidget(self.desk, stretch=1)
            self.desk.help_wanted.connect(self.show_keys)
            self.desk.open(self._radius_px, self._keys.value())
            self._fit_radius()
            if self.isVisible():
                self.go_on()
            self.desk.marks.layer.events.visible.connect(self._look_soon)
        self._look_around()

    def _leave(self) -> None:
        self._session.movie_leaving.disconnect(self._put_away, missing_ok=True)
        self._session.movie_changed.disconnect(self.show_movie, missing_ok=True)
        self._session.cell_size_changed.disconnect(self._fit_radius, missing_ok=True)
        layers = self._viewer.layers
        for signal in (layers.events.removed, layers.selection.events.active):
            signal.disconnect(self._look_soon)
        layers.events.inserted.disconnect(self._keep_on_top)
        self._keys.leave()
        self._put_away()

    def _fit_radius(self) -> None:
        """Stamp as large as a cell that divides, unless somebody has chosen another radius."""
        entry = self._session.entry
        if self.desk is None or entry is None or not entry.cell_px or self.desk.marker.radius_px != self._fitted_px:
            return
        self._radius_px = self._fitted_px = float(round(sizes_of_cell(entry.cell_px).reach_px))
        self.desk.marker.set_radius(self._radius_px)
        self.desk.radius.setValue(self._radius_px)

    def show_keys(self) -> None:
        """Show the list of keys, and take over what the user changes there."""
        sheet = CheatSheet(self._keys.value(), self)
        sheet.accepted.connect(lambda: self._take_keys(sheet.value()))
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def _take_keys(self, keys: dict[str, str]) -> None:
        self._bind_keys(keys)
        try:
            self._keys.setValue(keys)
        except SettingsError as error:
            show_error(str(error))

    def _bind_keys(self, keys: dict[str, str]) -> None:
        if self.desk is not None:
            self.desk.bind_keys(keys)

    def _put_away(self) -> None:
        if self.desk is None:
            return
        desk, self.desk, self.files = self.desk, None, None
        self._radius_px = desk.marker.radius_px
        desk.let_go()
        self._column.removeWidget(desk)
        desk.setParent(None)
        desk.deleteLater()

    def go_on(self) -> None:
        """Make the marks visible and active, and take the last tool into the hand."""
        if self.desk is not None:
            self.desk.marks.go_on()

    def expect_answers(self) -> None:
        """Have everything ready that answers of a review will be shown with."""
        if self.desk is not None:
            self.desk.marks.points.put_up()

    def rest(self) -> None:
        """Put the tool down: clicks mark nothing until `go_on`."""
        if self.desk is not None:
            self.desk.marks.rest()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Go on where the person left."""
        super().showEvent(event)
        if event is not None and not event.spontaneous():
            self.go_on()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Rest, unless it is only the whole window that was put away."""
        super().hideEvent(event)
        if event is not None and not event.spontaneous():
            self.rest()

    def _keep_on_top(self, event: Any) -> None:
        """Put a movie that is shown later below the marks, upon the movies that are there."""
        layers, new = self._viewer.layers, event.value
        if self.desk is not None and new.metadata.get(ROLE) == "movie":
            others = [layer for layer in layers if layer.metadata.get(ROLE) == "movie" and layer != new]
            layers.move(layers.index(new), max((layers.index(layer) + 1 for layer in others), default=0))
        self._look_around()

    def _look_soon(self) -> None:
        """Look around when napari is done: while layers come and go, the active one changes to and fro."""
        self._timer.start()

    def _look_around(self) -> None:
        """Say when a click would mark nothing, because the layer is not there, hidden, or not the active one."""
        if self.desk is None:
            self.notice.say("")
            return
        layer, layers = self.desk.marks.layer, self._viewer.layers
        if layer not in layers:
            self.notice.say(GONE, "Show them")
        elif not layer.visible:
            self.notice.say(HIDDEN, "Show them")
        elif layers.selection.active != layer and not self.desk.outline.drawing:
            self.notice.say(NOT_ACTIVE, "Go on marking")
        else:
            self.notice.say("")
