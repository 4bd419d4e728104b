"""The first step: open a movie, see what is known of it, say what is not, and read what in it could mislead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari.viewer
from napari.layers import Image, Layer
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.layers import ROLE, channel_name, movie_layers, world_of
from napari_tap_events.gui.lazy_movie import LazyMovie
from napari_tap_events.gui.movie_facts import MovieFacts
from napari_tap_events.gui.places import go_to_frame
from napari_tap_events.gui.question import Question
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import describe_file
from napari_tap_events.project.session import Session
from napari_tap_events.settings import MovieSettings

if TYPE_CHECKING:
    from napari_tap_events.gui.register_panel import RegisterPanel

FILES = "Movies (*.tif *.tiff *.btf *.avi *.mp4);;All files (*)"
START = "Open a movie, or drop one here: a TIFF, an AVI or MP4, a folder of frames, or an OME-Zarr folder."
LOOKING = "Looking for what could mislead the learning …"
ALL_WELL = "✓ Nothing was found that could mislead the learning."
SEVERAL = "⚠ This movie has {count} channels: choose below the one in which events show. It alone is learned from and searched."
KEEP_SIZES = "ℹ {made} made before keep their sizes; what is made from now on follows the new diameter."
SIGNS = {"warning": "⚠", "note": "ℹ"}


class MoviePanel(QWidget):
    """Buttons to open a movie, a form with what is known of it, the words of the pre-check, and what helps where the stage shook.

    Attributes
    ----------
    registering_made : Signal()
        The panel that registers the movie is there from now on.
    """

    registering_made = Signal()

    def __init__(self, viewer: napari.viewer.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self._path: Path | None = None
        self._layers: list[Layer] = []
        self._register: RegisterPanel | None = None
        self._question = Question(self)
        self._build()
        self._question.answered.connect(self._show_findings)
        self._question.failed.connect(lambda sentence: self.findings.setText(f"The pre-check failed: {sentence}"))
        session.movie_changed.connect(self._follow_session)
        session.movie_leaving.connect(self._take_away)
        viewer.layers.events.inserted.connect(self._meet_inserted)
        self._follow_session()
        self._met = False

    def open(self, path: str | Path, opening: MovieSettings | None = None) -> None:
        """Open a movie for all the steps; where its file does not tell enough, ask for it in the form."""
        self._path = Path(path)
        said = opening or MovieSettings()
        try:
            self._session.open_movie(self._path, said)
        except TapEventsError as error:
            self._ask(self._path, said, str(error))

    @property
    def register(self) -> RegisterPanel | None:
        """The panel that registers the movie; None until it is asked for."""
        return self._register

    def show_registering(self) -> None:
        """Show what registers the movie."""
        if self._register is None:
            from napari_tap_events.gui.register_panel import RegisterPanel

            self._register = RegisterPanel(self._session)
            self._column.insertWidget(self._column.indexOf(self.register_button), self._register)
            self._register.registered.connect(self._open_registered)
            self.registering_made.emit()
        self._register.show()
        self.register_button.hide()

    def close(self) -> bool:
        """Let go of the viewer, and of the pre-check that may still run."""
        self._question.drop()
        if self._register is not None:
            self._register.close()
        self._session.movie_changed.disconnect(self._follow_session)
        self._session.movie_leaving.disconnect(self._take_away)
        self._viewer.layers.events.inserted.disconnect(self._meet_inserted)
        return bool(super().close())

    def showEvent(self, event: QShowEvent | None) -> None:
        """Look, once, at what napari shows already; soon, when the canvas has given way to the dock."""
        super().showEvent(event)
        if not self._met:
            self._met = True
            for layer in self._viewer.layers:
                self._meet_layer(layer)

    def _build(self) -> None:
        self.open_button, self.folder_button = QPushButton("Open movie …"), QPushButton("Open folder …")
        self.open_button.setToolTip("A TIFF (plain, ImageJ, OME), AVI or MP4.")
        self.folder_button.setToolTip("A folder of single frames, or an OME-Zarr folder.")
        self.layer_button = QPushButton()
        self.layer_button.setToolTip("Take the file that this layer of the viewer was read from.")
        self.try_button = QPushButton("Open like this")
        self.try_button.setToolTip("Read the file with the axes, channel and depth that are shown.")
        self.register_button = QPushButton("Register …")
        self.register_button.setToolTip("Hold the picture still where the stage shook or drifted.")
        self.sentence, self.findings, self.name, self.about_cell = QLabel(START), QLabel(), QLabel(), QLabel()
        self.facts = MovieFacts()
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.folder_button)
        column = self._column = QVBoxLayout(self)
        column.addLayout(buttons)
        for label in (self.sentence, self.name, self.about_cell, self.findings):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for widget in (
            self.layer_button,
            self.sentence,
            self.name,
            self.facts,
            self.about_cell,
            self.try_button,
            self.findings,
            self.register_button,
        ):
            column.addWidget(widget)
        column.addStretch()
        self.layer_button.hide()
        self.about_cell.hide()
        self.try_button.hide()
        self.register_button.hide()
        self.register_button.clicked.connect(self.show_registering)
        self.try_button.clicked.connect(lambda: self._open_again(self.facts.shown()))
        self.open_button.clicked.connect(self._choose_file)
        self.folder_button.clicked.connect(self._choose_folder)
        self.layer_button.clicked.connect(self._take_layer)
        self.facts.valueChanged.connect(self._open_again)
        self.facts.cellChanged.connect(self._set_cell_size)

    def _open_again(self, said: MovieSettings) -> None:
        if self._path is not None:
            self.open(self._path, said)

    def _set_cell_size(self, cell_px: float | None) -> None:
        """Keep the diameter, and say what does not follow it any more."""
        self._session.set_cell_size(cell_px)
        project, marks = self._session.project, self._session.annotations
        there = {
            "marks": marks is not None and marks.events,
            "encoders": project is not None and project.encoders(),
            "heads": project is not None and project.heads(),
        }
        made = " and ".join(name for name, any_there in there.items() if any_there).capitalize()
        self.about_cell.setText(KEEP_SIZES.format(made=made))
        self.about_cell.setVisible(bool(made))

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a movie", "", FILES)
        if path:
            self.open(path)

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a folder of frames, or an OME-Zarr folder")
        if path:
            self.open(path)

    def _meet_inserted(self, event: Any) -> None:
        self._meet_layer(event.value)

    def _meet_layer(self, layer: Layer) -> None:
        """Adopt a movie that was dropped onto napari, before or after this panel was made; offer one that napari read by itself."""
        if layer.metadata.get(ROLE) == "movie" and isinstance(layer.data, LazyMovie):
            movie = layer.data.movie
            if movie.source and layer not in self._layers:
                QTimer.singleShot(0, lambda: self._meet_movie(movie, layer.name))  # napari is still busy with the layer
        elif self._session.movie is None and layer.source.path and _read_by_napari(layer, layer.source.path):
            self._offer(layer.source.path, layer.name)

    def _meet_movie(self, movie: Movie, name: str) -> None:
        if self._session.movie is None:
            guessed = describe_file(movie.source).suggestion
            self.open(movie.source, MovieSettings(axes=movie.file_axes) if guessed else None)
        elif self._session.movie.source != movie.source:
            self._offer(movie.source, name)

    def _offer(self, path: str, name: str) -> None:
        self.layer_button.setText(f"Work on '{name}'")
        self.layer_button.setProperty("path", path)
        self.layer_button.show()

    def _take_layer(self) -> None:
        """Open the file of the offered layer; our layers take the place of those that napari made of it, without scale and axes."""
        path = str(self.layer_button.property("path"))
        self.open(path)
        if self._session.movie is not None and Path(self._session.movie.source) == Path(path).absolute():
            for layer in [layer for layer in self._viewer.layers if _read_by_napari(layer, path)]:
                self._viewer.layers.remove(layer)
            for layer in self._layers:
                layer.name = channel_name(self._session.movie, layer.data.channel)  # it had a number while there were two

    def _ask(self, path: Path, said: MovieSettings, sentence: str) -> None:
        """Show why a file cannot be read yet, and the form in which to say what is missing."""
        self._say(sentence)
        try:
            file = describe_file(path)
        except TapEventsError:
            self.try_button.hide()
            self._show_facts()
            return
        self.facts.setValue(file, None, said)
        self.facts.show()
        self.try_button.show()

    def _show_facts(self) -> None:
        """Show what is known of the open movie."""
        movie, entry = self._session.movie, self._session.entry
        self.facts.setVisible(movie is not None)
        if movie is not None and entry is not None:
            self._path = Path(movie.source)
            self.facts.setValue(describe_file(self._path), movie, entry.opening, entry.cell_px)

    def _follow_session(self) -> None:
        movie, entry = self._session.movie, self._session.entry
        self._show_facts()
        self.name.setVisible(movie is not None)
        self.try_button.hide()
        self.about_cell.hide()
        self.findings.clear()
        running = self._register is not None and self._register.recipe.running()
        self.register_button.setVisible(movie is not None and not running)
        if self._register is not None:
            self._register.setVisible(running)
        if movie is None or entry is None:
            self._question.drop()
            self._say(self._session.problem or START)
            return
        self.layer_button.hide()
        several = [SEVERAL.format(count=movie.n_channels)] if movie.n_channels > 1 else []
        self._say(" ".join([*movie.notes, *several]))
        self.name.setText(f"<b>{movie.name}</b>")
        self.name.setToolTip(movie.source)
        self._show_layers()
        self.findings.setText(LOOKING)
        self._question.ask(["info", movie.source, "--json", *movie_flags(entry.opening)])

    def _show_layers(self) -> None:
        """Put the movie's layers below all others, in place of those that showed a movie before; what napari just read is kept."""
        movie, entry = self._session.movie, self._session.entry
        if movie is None or entry is None:
            return
        self._take_away()
        there = [layer for layer in self._viewer.layers if _shows(layer, movie)]
        if _all_channels(there, movie) and entry.opening.channel is None and entry.opening.z is None:
            self._layers = there
        else:
            for layer in there:
                self._viewer.layers.remove(layer)
            self._layers = list(movie_layers(movie))
        for number, layer in enumerate(self._layers):
            if layer in self._viewer.layers:
                self._viewer.layers.move(self._viewer.layers.index(layer), number)
            else:
                self._viewer.layers.insert(number, layer)
        self._viewer.canvas.overlays.scale_bar.visible = movie.pixel_size_um is not None
        self._viewer.dims.axis_labels = ("t", "y", "x")
        go_to_frame(self._viewer, 0, world_of(movie))
        self._viewer.fit_to_view()

    def _take_away(self) -> None:
        """Take away the layers that show the movie; layers of two movies may not have the same units."""
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers = []

    def _show_findings(self, about: dict[str, Any]) -> None:
        lines = [
            f"{SIGNS[found['severity']]} {found['sentence'][:1].upper()}{found['sentence'][1:]}" for found in about["findings"]
        ]
        self.findings.setText("\n\n".join(lines) or ALL_WELL)
        if any(found["code"] == "shake" for found in about["findings"]):
            self.show_registering()

    def _open_registered(self, path: Path) -> None:
        """Open what was made of the open movie: the same channel of it, and its cells are as large as they were."""
        entry = self._session.entry
        cell_px, channel = (None, None) if entry is None else (entry.cell_px, entry.opening.channel)
        self.open(path, MovieSettings(channel=channel))
        if cell_px:
            self._session.set_cell_size(cell_px)
            self._show_facts()

    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))


def _shows(layer: Layer, movie: Movie) -> bool:
    """Say whether a layer shows the file of a movie, however it was opened."""
    return layer.metadata.get(ROLE) == "movie" and isinstance(layer.data, LazyMovie) and layer.data.movie.source == movie.source


def _read_by_napari(layer: Layer, path: str) -> bool:
    """Say whether napari itself made a layer of an image file."""
    return isinstance(layer, Image) and layer.source.path == path and layer.metadata.get(ROLE) is None


def _all_channels(layers: list[Layer], movie: Movie) -> bool:
    """Say whether layers are those that the reader makes of a movie, each of its channels once, and nothing else was said of it."""
    return len(layers) == movie.n_channels and all(
        layer.data.channel == channel and layer.visible and _told(layer.data.movie) == _told(movie)
        for channel, layer in enumerate(layers)
    )


def _told(movie: Movie) -> tuple[Any, ...]:
    """Return all that a file, and the person who opened it, tell of a movie."""
    scale = movie.pixel_size_um, movie.interval_s
    return movie.source, movie.shape, movie.dtype, movie.file_axes, movie.channel_names, scale, movie.notes


def movie_flags(opening: MovieSettings) -> list[str]:
    """Return what was said of a movie as flags of the command line."""
    said = opening.model_dump(exclude_none=True)
    return [part for name, value in said.items() for part in (f"--{name.replace('_', '-')}", str(value))]
