"""How good a head is on frames that it never saw: the score in words, its mistakes to go to, and its curves."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.mistakes import FALSE, WRONG_KIND, Mistake, mistakes_of
from napari_tap_events.gui.colours import GREY, ORANGE, SKY_BLUE
from napari_tap_events.gui.plots import DASHED, DOTTED, SOLID, dots, line, on_click, plot, write
from napari_tap_events.jobs.summary import NOTHING_TO_JUDGE

LINES = 27
"""As high as so many lines of text: a whole curve is seen at once in a window of 800 pixels."""
SURE_WINDOWS = 20
"""Fewer windows than this say little of how often they are events."""
SIGNS = {FALSE: "✕", WRONG_KIND: "≠"}
MISSED_SIGN = "○"
COLUMNS = ("", "Frame", "Kind", "p")


class HeadScore(QWidget):
    """The score of a head.

    Attributes
    ----------
    chosen : Signal(object)
        The `Mistake` that a person wants to see.
    frame_chosen : Signal(int)
        The frame that a person wants to see.
    """

    chosen = Signal(object)
    frame_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dark = True
        self._head: Path | None = None
        self._mistakes: list[Mistake] = []
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.pages = QTabWidget()
        self.pages.setFixedHeight(LINES * self.fontMetrics().lineSpacing())
        self.pages.setStyleSheet("QTabBar::tab { padding: 3px; }")  # five names beside each other at the least width
        self.table = _table()
        across = self.table.horizontalHeader()
        if across is not None:
            for number in (COLUMNS.index("Frame"), COLUMNS.index("p")):  # room for two kinds beside each other
                across.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        self.table.itemSelectionChanged.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addWidget(self.pages)

    def value(self) -> Path | None:
        """Return the folder of the head that is shown."""
        return self._head

    def set_dark(self, dark: bool) -> None:
        """Follow the theme."""
        self._dark = dark
        if self._head is not None:
            self.setValue(self._head)

    def setValue(self, head: Path) -> None:
        """Show the score of the head in a folder that `train` wrote."""
        self._head = head
        try:
            evaluation = json.loads((head / "evaluation.json").read_text(encoding="utf-8"))
            score = evaluation["score"]
            self._mistakes = mistakes_of(head, score["radius_px"], score["frames"], _told_apart(score))
        except (OSError, ValueError, KeyError, TapEventsError) as error:
            self.words.setText(f"The score of '{head.name}' cannot be read: {error}")
            self.pages.hide()
            return
        self.words.setText(in_words(evaluation))
        self._list_mistakes()
        self._draw(evaluation)

    def _draw(self, evaluation: dict[str, Any]) -> None:
        self.pages.clear()
        self.pages.show()
        for name, page, tip in (
            ("Mistakes", self.table, "What was made up, taken for another kind, or missed; a click goes there."),
            (
                "Precision",
                _precision_recall(evaluation, self._dark),
                "Precision against recall of events, over all thresholds.",
            ),
            (
                "Calibration",
                _reliability(evaluation, self._dark),
                f"How often windows of a probability are events; hollow: fewer than {SURE_WINDOWS} windows.",
            ),
            ("In time", self._in_time(evaluation), "Wrongly judged windows in every frame; a click goes to the frame."),
            ("Windows", _windows(evaluation), "Every crop pair judged by itself, as in the paper."),
        ):
            self.pages.setTabToolTip(self.pages.addTab(page, name), tip)

    def _list_mistakes(self) -> None:
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._mistakes))
        for row, mistake in enumerate(self._mistakes):
            probability = "" if mistake.probability is None else f"{mistake.probability:.2f}"
            kind = f"{mistake.kind}, as {mistake.taken_for}" if mistake.taken_for else mistake.kind
            texts = (f"{SIGNS.get(mistake.what, MISSED_SIGN)} {mistake.what}", str(mistake.t), kind, probability)
            for at, text in enumerate(texts):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                self.table.setItem(row, at, cell)
        self.table.blockSignals(False)

    def _in_time(self, evaluation: dict[str, Any]) -> QWidget:
        """Return the plot of wrongly judged windows over the frames; a click tells which frame it was on."""
        drawn, frames = _in_time(evaluation, self._dark), evaluation["by_time"]["t"]
        if frames:
            on_click(drawn, lambda at: self.frame_chosen.emit(min(max(round(at), frames[0]), frames[-1])))
        return drawn

    def _choose(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._mistakes):
            self.chosen.emit(self._mistakes[row])


def in_words(evaluation: dict[str, Any]) -> str:
    """Say in a few lines how good a head is, and how it was judged (rich text)."""
    score, interval = evaluation["score"], evaluation.get("interval") or {}
    if not score["n_true"]:
        return f"⚠ {NOTHING_TO_JUDGE}"
    found = f"<b>Found {score['tp']} of {score['n_true']} events, with {score['fp']} false alarms</b>, on frames the head never saw."
    low, high = interval.get("f1") or (None, None)
    spread = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    f1 = _number(score["f1"])
    return (
        f"{found}{_by_kind(score)}<br>F1 {f1}{spread} at threshold {_number(evaluation['threshold'])}"
        f"<br>Average precision {_number(score['average_precision'])}"
        f"<br>{_leakage(evaluation.get('leakage') or 0.0)}"
    )


def _by_kind(score: dict[str, Any]) -> str:
    """Say how many events of each kind were found, where there are several (rich text)."""
    kinds = [kind for kind in score.get("kinds") or [] if kind["n_true"]]
    if len(kinds) < 2:
        return ""
    told = ", ".join(f"{html.escape(kind['kind'])} {kind['tp']} of {kind['n_true']}" for kind in kinds)
    return f"<br>Under the right kind: {told}." if _told_apart(score) else f"<br>{told[:1].upper()}{told[1:]}."


def _told_apart(score: dict[str, Any]) -> bool:
    """Say whether the head tells kinds apart."""
    return any(kind["fp"] is not None for kind in score.get("kinds") or [])


def _leakage(share: float) -> str:
    if share:
        return (
            f"⚠ Leakage {max(share, 0.01):.0%}: so many judged windows share pixels with taught ones, and the score flatters."
        )
    return "Leakage 0%: no judged window shares pixels with a taught one."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _precision_recall(evaluation: dict[str, Any], dark: bool) -> QWidget:
    curve, score = evaluation["pr"], evaluation["score"]
    drawn: QWidget = plot("recall", "precision", dark)
    line(drawn, curve["recall"], curve["precision"], "held-out frames", ORANGE)
    if score["recall"] is not None and score["precision"] is not None:
        line(drawn, [score["recall"]], [score["precision"]], "chosen threshold", SKY_BLUE, symbol="d")
    return drawn


def _reliability(evaluation: dict[str, Any], dark: bool) -> QWidget:
    """Plot the share of events over the probability; bins with few windows stand apart, and how many windows is written there."""
    drawn: QWidget = plot("probability (numbers: windows)", "share of events", dark)
    line(drawn, [0, 1], [0, 1], None, GREY, DOTTED)
    for name, colour, style, symbol in (("before", SKY_BLUE, DASHED, "t"), ("after", ORANGE, SOLID, "o")):
        bins = evaluation[f"reliability_{name}"]
        x, y, counts = (np.array(bins[part], dtype=float) for part in ("mean_probability", "observed", "counts"))
        sure, thin = counts >= SURE_WINDOWS, (counts > 0) & (counts < SURE_WINDOWS)
        line(drawn, x[sure], y[sure], f"{name}, error {bins['ece']:.3f}", colour, style, symbol=symbol)
        dots(drawn, x[thin], y[thin], colour, symbol)
        if name == "after":
            there = sure | thin
            write(drawn, x[there], y[there], [few_figures(count) for count in counts[there]], dark)
    return drawn


def few_figures(count: float) -> str:
    """Write a number so that it fits beside a dot: 950, 1.2k, 35k, 2.1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.1f}{letter}" if count < 9.95 * size else f"{count / size:.0f}{letter}"
    return f"{count:.0f}"


def _in_time(evaluation: dict[str, Any], dark: bool) -> QWidget:
    by_time = evaluation["by_time"]
    drawn: QWidget = plot("frame", "windows", dark, None)
    line(drawn, by_time["t"], by_time["false_positive"], "false alarms", ORANGE)
    line(drawn, by_time["t"], by_time["false_negative"], "missed", SKY_BLUE, DASHED)
    return drawn


def _windows(evaluation: dict[str, Any]) -> QTableWidget:
    """Return the confusion matrix of windows, with precision and recall of each class."""
    crop = evaluation["crop_level"]
    (tn, fp), (fn, tp) = crop["confusion"]
    rows = (
        ("no event", f"{tn:,}", f"{fp:,}", _number(crop["recall_0"])),
        ("event", f"{fn:,}", f"{tp:,}", _number(crop["recall"])),
        ("precision", _number(crop["precision_0"]), _number(crop["precision"]), ""),
    )
    table = _table(("true \\ said", "no event", "event", "recall"))
    table.setRowCount(len(rows))
    for r, texts in enumerate(rows):
        for c, text in enumerate(texts):
            table.setItem(r, c, QTableWidgetItem(text))
    return table


def _table(columns: tuple[str, ...] = COLUMNS) -> QTableWidget:
    table = QTableWidget(0, len(columns))
    table.setTabKeyNavigation(False)  # Tab leaves the table, arrows go through it
    table.setHorizontalHeaderLabels(list(columns))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setMinimumHeight(190)
    table.setWordWrap(False)
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None and down is not None:
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        across.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        down.hide()
    return table
