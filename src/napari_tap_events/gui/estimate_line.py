"""One line under a start button: how long it will take, and how much memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QWidget

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.this_computer import this_computer
from napari_tap_events.jobs.estimate import Estimate, estimate, learned, network_of, threads_of
from napari_tap_events.jobs.workload import MovieSize, Workload, workload
from napari_tap_events.movies.movie import Movie
from napari_tap_events.settings import ComputeSettings, HeadSettings, Settings

LEFT_FREE = 1
"""Cores that a job leaves to the window."""


@dataclass(frozen=True)
class Material:
    """What a recipe would work on.

    Attributes
    ----------
    movie : Movie
    model : str
        Folder of an encoder or head, or the name of a control; empty for "pretrain".
    events : int
        Marked ones.
    folds : dict
        Of "train": `split`, `folds` and `nested` as the marks decide them, where that is known.
    """

    movie: Movie
    model: str = ""
    events: int = 0
    folds: Mapping[str, Any] = field(default_factory=dict)


class EstimateLine(QLabel):
    """Says what a command will take, as soon as there is a movie and a model; nothing where there is none.

    Parameters
    ----------
    command : str
    settings : callable
        Returns the settings as they are in the form.
    """

    def __init__(self, command: str, settings: Callable[[], Sequence[Settings]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._command, self._settings = command, settings
        self._material: Callable[[], Material | None] = lambda: None
        self._started: tuple[Workload, str, int] | None = None
        self._busy = False
        self.setWordWrap(True)
        self.setVisible(False)
        this_computer().known.connect(self.refresh)

    def ask(self, material: Callable[[], Material | None]) -> None:
        """Learn what the recipe would work on by asking; None where something is missing."""
        self._material = material

    def value(self) -> Estimate | None:
        """Return the estimate; None where nothing can be said."""
        job = self._job()
        return estimate(self._command, *job, this_computer().speeds) if job is not None else None

    def refresh(self) -> None:
        """Say it anew."""
        said = self.value()
        self.setText(f"Takes {said.text}." if said is not None else "")
        self.setToolTip(said.why if said is not None else "")
        self._appear()

    def set_busy(self, busy: bool) -> None:
        """Be silent while a job runs."""
        self._busy = busy
        self._appear()

    def begin(self) -> None:
        """Note what is started now, so that its end tells how good the estimate was."""
        self._started = self._job()

    def learn(self, seconds: float) -> None:
        """Note that what was started has come to its end after some seconds of work."""
        if self._started is not None:
            computer = this_computer()
            computer.remember(learned(computer.speeds, self._command, *self._started, seconds))
        self._started = None
        self.refresh()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Say it anew: the movie or the model may have changed."""
        super().showEvent(event)
        self.refresh()

    def _appear(self) -> None:
        self.setVisible(bool(self.text()) and not self._busy)

    def _job(self) -> tuple[Workload, str, int] | None:
        """Return the work, the device, and the number of threads."""
        material, device = self._material(), ""
        if material is None:
            return None
        try:
            settings = tuple(_decided(one, material.folds) for one in self._settings())
            compute = next((one for one in settings if isinstance(one, ComputeSettings)), ComputeSettings())
            device = this_computer().device(compute.device)
            head = next((one for one in settings if isinstance(one, HeadSettings)), None)
            size = MovieSize(material.movie.shape, material.movie.dtype.itemsize, material.events)
            threads = threads_of(compute, LEFT_FREE)
            work = workload(self._command, size, network_of(material.model, head), settings, threads if device == "cpu" else 1)
        except SettingsError:  # the form says what is wrong
            return None
        return (work, device, threads) if device else None


def _decided(settings: Settings, folds: Mapping[str, Any]) -> Settings:
    return settings.model_copy(update=folds) if isinstance(settings, HeadSettings) else settings
