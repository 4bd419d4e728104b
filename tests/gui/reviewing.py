"""A review in a real window with a worker that only writes down its orders."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import ClassVar

import numpy as np
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.gui.layers import movie_layers
from napari_tap_events.gui.review_panel import ReviewPanel
from napari_tap_events.project.session import Session
from napari_tap_events.review.proposals import ProposalsOnDisk, review_folder, write_proposals
from napari_tap_events.review.queue import Proposals
from napari_tap_events.settings import HeadSettings, ReviewSettings

SHAPE = (20, 96, 128)
PLACES = [(t, 20.0 + 28 * (n % 3), 24.0 + 40 * (n // 3 % 3)) for n, t in enumerate(range(2, 18))]
"""Candidates, the most probable first, all apart from each other."""
NEAR = HeadSettings(radius_px=6.0, radius_frames=1, crop_px=16)
REVIEW = ReviewSettings(card_px=24, stamp_px=4, audit=0, errors=0, retrain_every=0)


class StubLink:
    """Takes orders and says what a test lets it say."""

    made: ClassVar[list[StubLink]] = []

    def __init__(self, project, movie, arguments):
        self.project, self.movie, self.arguments = project, movie, list(arguments)
        self.orders, self.said = [], deque()
        self.restarts, self.trouble, self.memory_mb, self.alive = 0, "", 321, False
        StubLink.made.append(self)

    def start(self):
        self.alive = True

    def stop(self):
        self.alive = False

    def send(self, order, **values):
        self.orders.append({"order": order, **values})
        return len(self.orders)

    def receive(self):
        came = list(self.said)
        self.said.clear()
        return came


def make_movie(path: Path) -> np.ndarray:
    """Write noise with a bright spot at each place, in the two frames of its event."""
    movie = np.random.default_rng(0).normal(100, 5, SHAPE)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    for t, cy, cx in PLACES:
        movie[t : t + 2] += 120 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 12)
    tifffile.imwrite(path, movie.clip(0, 255).astype(np.uint8), metadata={"axes": "TYX"})
    return movie


def proposals(taught: bool = True) -> Proposals:
    """Return all places, the first with the highest probability."""
    rows = [EventRow(t, y, x, "event", 0.95 - 0.05 * n, source="head") for n, (t, y, x) in enumerate(PLACES)]
    table = events_table(rows)
    return Proposals(table.assign(score=0.0, held_out=table["probability"]), taught)


class Bench:
    """A viewer with the panel beside it, and somebody who answers."""

    def __init__(self, viewer, folder: Path, review: ReviewSettings = REVIEW) -> None:
        StubLink.made.clear()
        self.viewer, self.session = viewer, Session(folder / "unsaved")
        make_movie(folder / "movie.tif")
        viewer.window.resize(1200, 800)  # room for all: a canvas that is resized while layers go can end Mesa
        self.panel = ReviewPanel(viewer, self.session, StubLink)
        self.dock = viewer.window.add_dock_widget(self.panel, name="Review")
        self.session.open_movie(folder / "movie.tif")
        for layer in movie_layers(self.session.movie):
            viewer.add_layer(layer)
        self.panel.start.form.setValue(review, NEAR)
        viewer.window._qt_window.activateWindow()
        QApplication.processEvents()

    @property
    def desk(self):
        return self.panel.desk

    @property
    def reviewer(self):
        return self.panel.desk.reviewer

    @property
    def marks(self):
        return self.session.annotations

    @property
    def link(self):
        return StubLink.made[-1]

    def write_proposals(self, taught: bool = True, head: str = "heads/review-movie-1") -> None:
        told = ProposalsOnDisk(proposals(taught), 0.5, head if taught else "", 0)
        write_proposals(review_folder(self.session.project.path, self.session.entry.name), told)

    def begin(self, taught: bool = True) -> None:
        """Press start where an earlier review has left proposals."""
        self.write_proposals(taught)
        QTest.mouseClick(self.panel.start.button, Qt.MouseButton.LeftButton)
        self.settle()

    def key(self, key, widget=None) -> None:
        QTest.keyClick(widget or self.desk.card, key)
        self.settle()

    def press(self, button) -> None:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.settle()

    def say(self, **message) -> None:
        """Let the worker say something."""
        self.link.said.append({"memory_mb": 321, **message})
        self.panel.work.poll()
        self.settle()

    def ordered(self, order: str) -> int:
        """Return how often the worker was given an order."""
        return [told["order"] for told in self.link.orders].count(order)

    def settle(self) -> None:
        for _ in range(4):
            QApplication.processEvents()

    def answers(self):
        return [(v.answer, v.asked_t) for v in self.marks.verdicts]

    def close(self) -> None:
        self.panel.close()
        self.session.close()
