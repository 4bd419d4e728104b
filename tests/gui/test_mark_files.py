"""Masks and events go into files and come back; what does not fit is said in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_tap_events.gui import mark_files
from napari_tap_events.gui.mark_files import MarkFiles
from napari_tap_events.gui.marker import Marker, Place
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.project.annotations import Annotations

SHAPE = (6, 40, 50)


class Desk:
    """The menu of files over the marks of a movie, with a person who always answers `self.answer`."""

    def __init__(self, qtbot, monkeypatch):
        self.qtbot = qtbot
        self.answer = ""
        self.movie = movie_from_array(np.zeros(SHAPE, np.uint8), "cells", 0.5, 300.0)
        self.marker = Marker(Annotations(SHAPE), self.movie.frame)
        self.marker.set_radius(4)
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.files = MarkFiles(QMenu(self.parent), self.movie, self.marker, self.parent)
        self.said = []
        monkeypatch.setattr(mark_files, "show_error", self.said.append)
        monkeypatch.setattr(mark_files, "show_info", self.said.append)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (self.answer, ""))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: self.answer)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (self.answer, ""))

    def choose(self, title, answer):
        self.answer = str(answer)
        action = self.files.actions[title]
        action.trigger()
        self.qtbot.waitUntil(action.isEnabled)

    @property
    def annotations(self):
        return self.marker.annotations


@pytest.fixture
def desk(qtbot, monkeypatch):
    return Desk(qtbot, monkeypatch)


@pytest.fixture
def marked(desk):
    desk.marker.stamp(Place(1, 10, 12))
    desk.marker.set_kind(desk.annotations.kinds[1])
    desk.marker.stamp(Place(3, 30, 40))
    desk.marker.note(Place(2, 20, 25), "uncertain")
    return desk


def events(annotations):
    return [(r.event.t, round(r.event.y), round(r.event.x), r.event.kind) for r in annotations.events]


@pytest.mark.parametrize("form", ["TIFF", "OME-Zarr"])
def test_masks_come_back_as_they_were(marked, qtbot, monkeypatch, tmp_path, form):
    before = marked.annotations.labels.copy()
    name = "masks.tif" if form == "TIFF" else "masks.ome.zarr"
    marked.choose(f"Export masks as {form}...", tmp_path / name.split(".")[0])
    assert (tmp_path / name).exists(), "the ending is added"
    other = Desk(qtbot, monkeypatch)
    other.choose(f"Import masks from {form}...", tmp_path / name)
    np.testing.assert_array_equal(other.annotations.labels, before)
    other.marker.undo()
    assert not other.annotations.labels.any(), "one undo takes an import back"


def test_events_come_back_with_what_is_uncertain(marked, qtbot, monkeypatch, tmp_path):
    marked.choose("Export events as CSV...", tmp_path / "events.csv")
    other = Desk(qtbot, monkeypatch)
    other.choose("Import events from CSV...", tmp_path / "events.csv")
    assert events(other.annotations) == events(marked.annotations) == [(1, 10, 12, "division"), (3, 30, 40, "death")]
    assert [(p.t, p.meaning) for p in other.annotations.points] == [(2, "uncertain")]


def test_a_mask_of_another_movie_is_refused_with_a_sentence(desk, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "other.tif", np.ones((6, 30, 30), np.uint8), metadata={"axes": "TYX"})
    desk.choose("Import masks from TIFF...", tmp_path / "other.tif")
    assert "other.tif" in desk.said[0]
    assert not desk.annotations.can_undo


def test_a_place_that_cannot_be_written_is_said(marked, tmp_path):
    marked.choose("Export events as CSV...", tmp_path / "no folder" / "events.csv")
    assert "cannot be written" in marked.said[0]


def test_no_answer_does_nothing(marked):
    for title in marked.files.actions:
        marked.choose(title, "")
    assert marked.said == []
