"""What this computer has to compute with: asked once of another process, because only torch knows, and the window never loads it."""

from __future__ import annotations

from typing import Any

import psutil
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_tap_events.gui.question import Question
from napari_tap_events.jobs.speeds import Speeds, load_speeds, save_speeds, speeds_file

ASKING = "Looking what this computer can compute with …"
GIB = 2**30


class ThisComputer(QObject):
    """Knows what `napari-tap-events doctor` says, as soon as somebody has asked.

    Attributes
    ----------
    known : Signal()
        The answer is there, or something new in it.
    speeds : Speeds
        How fast jobs go here; measured once, in another process, and remembered for all projects.
    """

    known = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, Any] = {}
        self.trouble = ""
        self.speeds = load_speeds(speeds_file())
        self._question, self._measurement = Question(self), Question(self)
        self._question.answered.connect(self._take)
        self._question.failed.connect(self._fail)
        self._measurement.answered.connect(self._take_speed)
        application = QApplication.instance()
        if application is not None:
            for question in (self._question, self._measurement):
                application.aboutToQuit.connect(question.drop)

    def ask(self) -> None:
        """Ask, unless that was done already."""
        if not self.facts and not self._question.waiting():
            self._question.ask(["doctor", "--json"])

    def device(self, chosen: str = "auto") -> str:
        """Return the device that a choice stands for, "cpu", "cuda" or "mps"; empty where that is not known yet."""
        return str(self.facts.get("device", "")) if chosen == "auto" else chosen

    def remember(self, speeds: Speeds) -> None:
        """Keep what was learned of the speed of jobs."""
        if speeds != self.speeds:
            self.speeds = speeds
            save_speeds(speeds_file(), speeds)

    def words(self, device: str = "auto") -> str:
        """Say in one sentence what a job will run on, and how much memory is free.

        Parameters
        ----------
        device : str
            The device that was chosen: "auto", "cpu", "cuda" or "mps".
        """
        if self.trouble:
            return f"What this computer can compute with is not known: {self.trouble}"
        if not self.facts:
            return ASKING
        if not self.facts["device"]:
            return f"⚠ torch cannot be loaded ({self.facts['why']}); install torch, or nothing can be computed."
        if "cuda" in (device, self.facts["device"]) and device not in ("cpu", "mps"):
            return _on_gpu(self.facts)
        name = (
            "the Apple GPU" if "mps" in (device, self.facts["device"]) and device != "cpu" else f"the CPU, {_cores(self.facts)}"
        )
        memory = psutil.virtual_memory()
        return f"Runs on {name}. {memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB memory are free."

    def _take(self, facts: dict[str, Any]) -> None:
        self.facts, self.trouble = facts, ""
        if self.device() and self.device() not in self.speeds.pixels_per_s:
            self._measurement.ask(["doctor", "--json", "--speed"])
        self.known.emit()

    def _take_speed(self, facts: dict[str, Any]) -> None:
        if facts["pixels_per_s"]:
            self.remember(self.speeds.with_pace(facts["device"], facts["pixels_per_s"]))
        self.known.emit()

    def _fail(self, sentence: str) -> None:
        self.trouble = sentence
        self.known.emit()


class DeviceLine(QLabel):
    """One line that says what a job will run on; it asks when it is first seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(ASKING, parent)
        self._device = "auto"
        self.setWordWrap(True)
        this_computer().known.connect(self._say)

    def value(self) -> str:
        """Return the chosen device."""
        return self._device

    def setValue(self, device: str) -> None:
        """Say what a job on this device will run on."""
        self._device = device
        self._say()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Ask, and say how much memory is free by now."""
        super().showEvent(event)
        this_computer().ask()
        self._say()

    def _say(self) -> None:
        self.setText(this_computer().words(self._device))


_COMPUTER: list[ThisComputer] = []


def this_computer() -> ThisComputer:
    """Return the one computer there is."""
    if not _COMPUTER:
        _COMPUTER.append(ThisComputer())
    return _COMPUTER[0]


def _on_gpu(facts: dict[str, Any]) -> str:
    if facts["device"] != "cuda":
        return f"⚠ There is no NVIDIA GPU to run on ({facts['why']}); choose device auto."
    return f"Runs on {facts['device_name']}. {facts['device_free_gib']:.1f} of {facts['device_total_gib']:.1f} GiB of its memory were free."


def _cores(facts: dict[str, Any]) -> str:
    return "1 core" if facts["cores"] == 1 else f"{facts['cores']} cores"
