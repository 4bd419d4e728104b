"""What is known of a movie file, and the fields in which a person says what the file does not."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QWidget

from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import FileDescription
from napari_tap_events.settings import MovieSettings

UNKNOWN = "not known"
CHOOSE = "choose one …"
ALL_DEPTHS = "maximum of all planes"
FILES_OWN = " The file's own value is shown where it has one; 0 says that it is not known."
CELL_HELP = (
    "Diameter of a typical cell, or of its nucleus where nuclei are seen: the sizes of marks, crops and distances in all steps follow it. "
    "The status bar shows the pixel under the mouse. 0 says that it is not known."
)
MOST_CELL_PX = 500


class MovieFacts(QWidget):
    """A form: size (to read), axes, channel, depth, pixel size, frame interval and the size of a cell (to change).

    Attributes
    ----------
    valueChanged : Signal(object)
        The `MovieSettings` that a person has just said.
    cellChanged : Signal(object)
        The diameter of a cell that a person has just said, pixels, or None.
    """

    valueChanged = Signal(object)
    cellChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = MovieSettings()
        self._file = FileDescription("", "", (), "")
        self.size_label = QLabel()
        self.size_label.setWordWrap(True)
        self.axes = QLineEdit()
        self.axes.setToolTip("Order of the file's axes: T time, C channel, Z depth, Y rows, X columns; e.g. TYX or TCYX.")
        self.channel = _choice("The channel in which events are sought.")
        self.plane = _choice("Events are sought in one plane: one of the stack, or the brightest of all at each place.")
        self.pixel_size = _number("Side of a pixel." + FILES_OWN, " µm", decimals=4, most=1000)
        self.interval = _number("Time from one frame to the next." + FILES_OWN, " s", decimals=2, most=1e6)
        self.cell = _number(CELL_HELP, " px", decimals=0, most=MOST_CELL_PX)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (self.size_label, self.axes, self.channel, self.plane, self.pixel_size, self.interval, self.cell)
        words = ("Size", "File's axes", "Channel", "Depth", "Pixel size", "Frame interval", "Cell diameter")
        for word, field in zip(words, rows, strict=True):
            self._form.addRow(word, field)
        self.axes.editingFinished.connect(lambda: self._tell(axes=self.axes.text().strip().upper()))
        self.channel.activated.connect(self._tell_channel)
        self.plane.activated.connect(lambda number: self._tell(z="max" if number == 0 else str(number - 1)))
        self.pixel_size.valueChanged.connect(lambda value: self._tell(pixel_size_um=value or None))
        self.interval.valueChanged.connect(lambda value: self._tell(interval_s=value or None))
        self.cell.valueChanged.connect(lambda value: self.cellChanged.emit(value or None))

    def value(self) -> MovieSettings:
        """Return what was said of the movie beside what its file tells."""
        return self._said

    def shown(self) -> MovieSettings:
        """Return what the form shows, the axes that it suggests included."""
        said = {"axes": self.axes.text().strip().upper() or None}
        if self.channel.currentData() is not None:
            said["channel"] = str(self.channel.currentData())
        if self.plane.count() > 1:
            said["z"] = "max" if self.plane.currentIndex() == 0 else str(self.plane.currentIndex() - 1)
        return MovieSettings.checked(**{**self._said.model_dump(), **said})

    def setValue(self, file: FileDescription, movie: Movie | None, said: MovieSettings, cell_px: float | None = None) -> None:
        """Show a file, the movie that was read from it (None where more must be said first), and what was said so far."""
        self._said, self._file = said, file
        fields = (self.axes, self.channel, self.plane, self.pixel_size, self.interval, self.cell)
        for field in fields:
            field.blockSignals(True)
        axes = said.axes or (movie.file_axes if movie else file.suggestion or file.axes)
        size = " x ".join(str(side) for side in file.shape)
        self.size_label.setText(f"{movie.n_frames} frames of {movie.height} x {movie.width} px" if movie else size)
        self.axes.setText(axes)
        self._offer_channels(_channels(axes, file), said.channel)
        planes = _length(axes, file, "Z")
        plane = int(said.z) + 1 if said.z and said.z.isdigit() else 0
        self._offer(self.plane, [ALL_DEPTHS, *(f"plane {z}" for z in range(planes))] if planes > 1 else [], plane)
        self.pixel_size.setValue((movie.pixel_size_um if movie else file.pixel_size_um) or 0.0)
        self.interval.setValue((movie.interval_s if movie else file.interval_s) or 0.0)
        self.cell.setValue(cell_px or 0.0)
        for field in fields:
            field.blockSignals(False)

    def _offer_channels(self, names: list[str], chosen: int | None) -> None:
        """Offer the channels; none is chosen before a person has done so."""
        self._offer(self.channel, names, chosen or 0)
        for number in range(len(names)):
            self.channel.setItemData(number, number)
        if chosen is None and len(names) > 1:
            self.channel.insertItem(0, CHOOSE)
            self.channel.setCurrentIndex(0)

    def _tell_channel(self, row: int) -> None:
        if self.channel.itemData(row) is not None:
            self._tell(channel=self.channel.itemData(row))

    def _offer(self, choice: QComboBox, names: list[str], chosen: int) -> None:
        choice.clear()
        choice.addItems(names)
        choice.setCurrentIndex(chosen)
        self._form.setRowVisible(choice, len(names) > 1)

    def _tell(self, **said: object) -> None:
        """Announce what a person has changed."""
        if "axes" in said and said["axes"] in ("", self._said.axes or self._file.axes):
            return
        new = MovieSettings.checked(**{**self._said.model_dump(), **said})
        if new != self._said:
            self._said = new
            self.valueChanged.emit(new)


def _length(axes: str, file: FileDescription, letter: str) -> int:
    """Return the length of an axis, 1 where there is none."""
    at = axes.find(letter)
    return file.shape[at] if 0 <= at < len(file.shape) else 1


def _channels(axes: str, file: FileDescription) -> list[str]:
    count = _length(axes, file, "C")
    return [file.channel_names[c] if c < len(file.channel_names) else f"channel {c}" for c in range(count)]


def _choice(help_text: str) -> QComboBox:
    choice = QComboBox()
    choice.setToolTip(help_text)
    return choice


def _number(help_text: str, unit: str, decimals: int, most: float) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setToolTip(help_text)
    field.setDecimals(decimals)
    field.setRange(0, most)
    field.setSuffix(unit)
    field.setSpecialValueText(UNKNOWN)
    field.setKeyboardTracking(False)
    return field
