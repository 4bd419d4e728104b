"""The steps of the work under each other: one is open, each says in a word or two how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_tap_events.gui.wheel import WheelGuard


class Progress(StrEnum):
    """How far a step is; the sign says it to those who do not see colours."""

    open = "○"
    running = "◐"
    done = "●"
    wrong = "✕"


@dataclass(frozen=True)
class Step:
    """What a step is called, what it is for, and how the panel that does it is made: that takes its time, and is done when needed."""

    name: str
    title: str
    purpose: str
    make: Callable[[], QWidget]


class StepHeader(QPushButton):
    """The line of a step: its number and title on the left, how far it is on the right."""

    def __init__(self, number: int, step: Step, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setToolTip(step.purpose)
        self.setAccessibleName(f"{number}. {step.title}")
        self.title, self.status = QLabel(f"<b>{number}&nbsp;&nbsp;{step.title}</b>"), QLabel()
        self.status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        for label in (self.title, self.status):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(self.title)
        row.addWidget(self.status, stretch=1)
        self.setMinimumHeight(row.sizeHint().height() + 6)
        self.say(Progress.open, "")

    def say(self, progress: Progress, words: str) -> None:
        """Show how far the step is."""
        self.status.setText(f"{words} {progress.value}".strip())
        self.setAccessibleDescription(words)


class StepList(QWidget):
    """Steps in their order; a click on a line opens its panel and closes the others. A panel is made when it is first needed.

    Attributes
    ----------
    opened : Signal(str)
        The name of the step that was opened.
    """

    opened = Signal(str)

    def __init__(self, steps: tuple[Step, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps = {step.name: step for step in steps}
        self.headers = {step.name: StepHeader(number, step) for number, step in enumerate(steps, 1)}
        self._rooms = {step.name: Room() for step in steps}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        # said to napari, which else puts room below it that is worth more with every dock that was ever opened
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        for name, header in self.headers.items():
            header.clicked.connect(lambda _checked=False, name=name: self.open(name))
            column.addWidget(header)
            column.addWidget(self._rooms[name], stretch=1)
        self.open(steps[0].name)

    def value(self) -> str:
        """Return the name of the open step."""
        return next(name for name, header in self.headers.items() if header.isChecked())

    def panel(self, name: str) -> QWidget:
        """Return the panel of a step; it is made now where it was not needed before."""
        room = self._rooms[name]
        panel = room.widget()
        if panel is None:
            panel = self.steps[name].make()
            room.setWidget(panel)
        return panel

    def made(self, name: str) -> bool:
        """Say whether the panel of a step has been made."""
        return self._rooms[name].widget() is not None

    def open(self, name: str) -> None:
        """Open a step and close the others."""
        self.panel(name)
        for other, header in self.headers.items():
            header.setChecked(other == name)
            self._rooms[other].setVisible(other == name)
        self.opened.emit(name)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Go from the line of the open step into its panel, from top to bottom, and on to the next line.

        Panels are made when they are needed, so that Qt has them behind everything else; what is in them comes and goes.
        """
        header = self.headers[self.value()]
        before: QWidget = header
        for field in _fields(self.panel(self.value())):
            QWidget.setTabOrder(before, field)
            before = field
        for other in list(self.headers.values())[list(self.headers).index(self.value()) + 1 :]:
            QWidget.setTabOrder(before, other)
            before = other
        return bool(super().focusNextPrevChild(forwards))

    def say(self, name: str, progress: Progress, words: str = "") -> None:
        """Show in the line of a step how far it is."""
        self.headers[name].say(progress, words)


def _fields(panel: QWidget) -> list[QWidget]:
    """Return all in a panel that takes the focus, from top to bottom and, in a row, from left to right."""
    there = [
        field
        for field in panel.findChildren(QWidget)
        if field.focusPolicy().value & Qt.FocusPolicy.TabFocus.value and field.focusProxy() is None and field.isVisibleTo(panel)
    ]
    row_px = max(1, panel.fontMetrics().height())
    centres = {field: field.mapTo(panel, field.rect().center()) for field in there}
    return sorted(there, key=lambda field: (centres[field].y() // row_px, centres[field].x()))


class Room(QScrollArea):
    """A frame for a panel: it scrolls up and down, never sideways, so it is as wide as the panel needs, also with larger letters."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the focus, and is scrolled to
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._wheel = WheelGuard(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Grow where the panel needs more room than before; what is new in it leaves the wheel to the scrolling."""
        handled = bool(super().eventFilter(watched, event))
        panel = self.widget()
        changed = event is not None and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show)
        if panel is not None and watched is panel and changed:
            self._fit()
            self._wheel.guard(panel)
        return handled

    def _fit(self) -> None:
        panel, bar = self.widget(), self.verticalScrollBar()
        layout = panel.layout() if panel is not None else None
        if panel is not None and layout is not None and bar is not None:
            self.setMinimumWidth(max(panel.minimumWidth(), layout.minimumSize().width()) + bar.sizeHint().width())
