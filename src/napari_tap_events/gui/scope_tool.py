"""What was looked at: a rectangle and a range of frames in which every event is marked; outside, nothing is known."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_tap_events.movies.masks import Scope

PURPOSE = (
    "Say where you have marked every event. In there, what is not marked teaches 'no event'; outside, nothing is known and "
    "nothing is learned."
)
NOTHING_SAID = "Nothing is said, so the whole movie counts: an event that is not marked teaches 'no event'."


class ScopeTool(QWidget):
    """Says what was looked at.

    Attributes
    ----------
    valueChanged : Signal(object)
        The scope that the user wants: a Scope, or None for nothing said.
    view_wanted : Signal
        The user wants the rectangle that is in view.
    drawing_wanted : Signal(bool)
        The user wants to draw the rectangle, or not any more.
    """

    valueChanged = Signal(object)
    view_wanted = Signal()
    drawing_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scope: Scope | None = None
        self._shape = (1, 1, 1)
        self._t = 0
        self.said = QLabel(NOTHING_SAID)
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(2 * self.said.fontMetrics().lineSpacing())  # buttons do not move while one is clicked
        self.whole_button = QPushButton("Whole movie")
        self.whole_button.setToolTip("Every event of the whole movie is marked.")
        self.view_button = QPushButton("What I see")
        self.view_button.setToolTip("The rectangle that is in view now: zoom in first.")
        self.draw_button = QPushButton("Draw")
        self.draw_button.setCheckable(True)
        self.draw_button.setToolTip("Draw the rectangle with the mouse.")
        self.clear_button = QPushButton("Clear")
        self.clear_button.setToolTip("Say nothing: then the whole movie counts.")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.from_button, self.to_button = QPushButton(), QPushButton()
        self._lay_out()
        self._listen()
        self.set_movie((1, 1, 1))

    def value(self) -> Scope | None:
        """Return what was looked at, None where nothing is said."""
        return self._scope

    def setValue(self, scope: Scope | None) -> None:
        """Show another scope; says nothing to listeners."""
        self._scope = scope
        self.said.setText(words_of(scope, self._shape))
        frames = scope.frames if scope is not None else range(self._shape[0])
        for box, t in ((self.first, frames.start), (self.last, frames.stop - 1)):
            box.blockSignals(True)
            box.setValue(t)
            box.blockSignals(False)
        self.clear_button.setEnabled(scope is not None)

    def set_movie(self, shape: tuple[int, int, int]) -> None:
        """Take the limits from a movie (T, Y, X)."""
        self._shape = shape
        for box in (self.first, self.last):
            box.blockSignals(True)
            box.setRange(0, shape[0] - 1)
            box.blockSignals(False)
        self.setValue(None)

    def set_frame(self, t: int) -> None:
        """Remember which frame is shown, for "from here" and "to here"."""
        self._t = t

    def set_rectangle(self, rectangle: tuple[int, int, int, int]) -> None:
        """Ask for another rectangle (y0, y1, x0, x1), in the frames of before."""
        frames = self._scope.frames if self._scope is not None else range(self._shape[0])
        scope = Scope(frames, *rectangle).clipped(self._shape)
        self.draw_button.setChecked(False)
        if scope.y1 > scope.y0 and scope.x1 > scope.x0:
            self.valueChanged.emit(scope)

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        for place, wide in enumerate((self.whole_button, self.view_button, self.draw_button, self.clear_button)):
            buttons.addWidget(wide, place // 2, place % 2)
        frames = QGridLayout()
        for row, (word, box, button, title) in enumerate(
            (
                ("First frame", self.first, self.from_button, "From here"),
                ("Last frame", self.last, self.to_button, "To here"),
            )
        ):
            button.setText(title)
            button.setToolTip("Take the frame that is shown.")
            box.setToolTip("Frames are counted from 0, as under the slider.")
            box.setKeyboardTracking(False)
            for place, widget in enumerate((QLabel(word), box, button)):
                frames.addWidget(widget, row, place)
        frames.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.said)
        column.addLayout(buttons)
        column.addLayout(frames)
        self.setToolTip(PURPOSE)

    def _listen(self) -> None:
        self.whole_button.clicked.connect(lambda: self.valueChanged.emit(Scope.whole(self._shape)))
        self.view_button.clicked.connect(self.view_wanted)
        self.draw_button.toggled.connect(self.drawing_wanted.emit)
        self.clear_button.clicked.connect(lambda: self.valueChanged.emit(None))
        self.first.valueChanged.connect(lambda t: self._want_frames(t, max(t, self.last.value())))
        self.last.valueChanged.connect(lambda t: self._want_frames(min(t, self.first.value()), t))
        self.from_button.clicked.connect(lambda: self.first.setValue(self._t))
        self.to_button.clicked.connect(lambda: self.last.setValue(self._t))

    def _want_frames(self, first: int, last: int) -> None:
        old = self._scope if self._scope is not None else Scope.whole(self._shape)
        self.valueChanged.emit(Scope(range(first, last + 1), old.y0, old.y1, old.x0, old.x1))


def words_of(scope: Scope | None, shape: tuple[int, int, int]) -> str:
    """Return a scope as a person would say it."""
    if scope is None:
        return NOTHING_SAID
    if scope == Scope.whole(shape):
        return "The whole movie: all its events are marked."
    frames = "all frames" if scope.frames == range(shape[0]) else f"frames {scope.frames.start} to {scope.frames.stop - 1}"
    whole = (scope.y0, scope.y1, scope.x0, scope.x1) == (0, shape[1], 0, shape[2])
    place = "the whole frame" if whole else f"{scope.y1 - scope.y0} x {scope.x1 - scope.x0} px at y {scope.y0}, x {scope.x0}"
    return f"Looked at: {place}, {frames}."
