"""Buttons that take the listed events elsewhere: CSV, GEFF, TrackMate XML, and the report of the whole result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.exports import FORMATS, FormatName, export_events, exported
from napari_tap_events.events.exports.facts import MovieFacts
from napari_tap_events.events.table import write_events
from napari_tap_events.gui.notice import Notice
from napari_tap_events.gui.results_report import ReportJob
from napari_tap_events.jobs.output import write_json
from napari_tap_events.study.result_folder import JUDGED, SAID

REPORT_TIP = "Write report.html into the result folder: scores, curves, pictures, methods, settings. Takes some seconds."
NO_FOLDER = "A report is written of a result folder; these events come from none."


@dataclass(frozen=True)
class Exportable:
    """What can be taken elsewhere.

    Attributes
    ----------
    events : events table
        Those that are listed.
    facts : MovieFacts
    folder : Path or None
        The result folder that they come from.
    judged : events table, optional
        All that a report is to tell of, rejected ones too, where a person has judged what was found; None where nobody has.
    said : dict, optional
        What a person has said of the movie, in numbers; see `review.said`.
    """

    events: pd.DataFrame
    facts: MovieFacts
    folder: Path | None = None
    judged: pd.DataFrame | None = None
    said: dict[str, Any] | None = None


class ResultExports(QWidget):
    """A button for each format and one for the report; below them, what became of it.

    Attributes
    ----------
    taken : Signal(str)
        What was written, in a word or two.
    """

    taken = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: Exportable | None = None
        self._shown: Path | None = None
        self.report = ReportJob(self)
        self.buttons = {form: QPushButton(f"Export {kind.title}") for form, kind in FORMATS.items()}
        self.report_button = QPushButton("Write report")
        self.notice = Notice()
        self._lay_out()
        for form, button in self.buttons.items():
            button.setToolTip(f"Write the events listed, for {FORMATS[form].for_whom}.")
            button.clicked.connect(lambda _checked=False, form=form: self.ask_and_export(form))
        self.report_button.clicked.connect(self.write_report)
        self.report.written.connect(self._report_written)
        self.report.failed.connect(self._report_failed)
        self.notice.button.clicked.connect(self._show)
        self.setValue(None)

    def value(self) -> Exportable | None:
        """Return what would be exported."""
        return self._value

    def setValue(self, value: Exportable | None) -> None:
        """Set what to export; None where there is nothing."""
        self._value = value
        for button in self.buttons.values():
            button.setEnabled(value is not None)
        self._offer_report()

    def ask_and_export(self, form: FormatName) -> None:
        """Ask for a file and write the listed events to it."""
        if self._value is None:
            return
        kind = FORMATS[form]
        start = _free_name(_beside_the_movie(self._value, kind.suffix))
        path, _ = QFileDialog.getSaveFileName(
            self, f"Export events as {kind.title}", str(start), f"{kind.title} (*{kind.suffix})"
        )
        if path:
            self.export(Path(path) if Path(path).suffix else Path(path + kind.suffix), form)

    def export(self, path: Path, form: FormatName) -> None:
        """Write the listed events and say what became of it; the dialog has asked before a file is replaced, a folder stays."""
        if self._value is None:
            return
        try:
            export_events(self._value.events, path, form, self._value.facts, overwrite=not path.is_dir())
        except TapEventsError as error:
            self._say(f"✕ {_sentence(error)}")
            return
        many = len(exported(self._value.events, form))
        self._say(f"✓ {many:,} event{'' if many == 1 else 's'} written to {path.name}", path.parent, "Show folder")
        self.taken.emit(f"{many:,} exported")

    def write_report(self) -> None:
        """Start to write the report of the result folder, with the events as a person has judged them."""
        if self._value is not None and self._value.folder is not None:
            try:
                if self._value.judged is not None:
                    write_events(self._value.folder / JUDGED, self._value.judged)
                if self._value.said is not None:
                    write_json(self._value.folder / SAID, self._value.said)
            except (TapEventsError, OSError) as error:
                self._say(f"✕ {_sentence(error)}")
                return
            self.report.start(self._value.folder)
            self._say("Writing the report…")
            self._offer_report()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        for place, button in enumerate([*self.buttons.values(), self.report_button]):
            grid.addWidget(button, place // 2, place % 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid)
        column.addWidget(self.notice)

    def _offer_report(self) -> None:
        there = self._value is not None and self._value.folder is not None
        self.report_button.setEnabled(there and not self.report.is_running())
        self.report_button.setToolTip(REPORT_TIP if there else NO_FOLDER)

    def _report_written(self, page: Path) -> None:
        self._offer_report()
        self._say(f"✓ {page.name} written to {page.parent.name}", page, "Open report")
        self.taken.emit("report written")

    def _report_failed(self, sentence: str) -> None:
        self._offer_report()
        self._say(f"✕ {sentence}")

    def _say(self, words: str, shown: Path | None = None, button: str = "") -> None:
        self._shown = shown
        self.notice.say(words, button)
        self.notice.setToolTip(str(shown) if shown else "")

    def _show(self) -> None:
        if self._shown is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._shown)))


def _beside_the_movie(value: Exportable, suffix: str) -> Path:
    """Return where a person would look for the events: beside the movie, as far as it is there, else in the result folder or at home."""
    movie = value.facts.path
    if movie is not None and movie.exists():
        return movie.with_name(f"{movie.stem}-events{suffix}")
    return (value.folder or Path.home()) / f"events{suffix}"


def _free_name(path: Path) -> Path:
    """Return the path, with a number where it is taken."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free


def _sentence(error: TapEventsError | OSError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
