"""A question runs in a process of its own; its answer, or the sentence it ended with, comes back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tifffile

from napari_tap_events.gui.question import Question


@pytest.fixture
def question(qtbot):
    asked = Question()
    yield asked
    asked.drop()


def test_the_answer_is_read_as_json(question, qtbot, tmp_path):
    tifffile.imwrite(tmp_path / "movie.tif", np.zeros((6, 32, 32), np.uint8), metadata={"axes": "TYX"})
    with qtbot.waitSignal(question.answered, timeout=60_000) as said:
        question.ask(["info", str(tmp_path / "movie.tif"), "--json"])
    assert said.args[0]["shape"] == {"T": 6, "C": 1, "Y": 32, "X": 32}
    assert not question.waiting()


def test_a_mistake_comes_back_as_one_sentence(question, qtbot, tmp_path):
    with qtbot.waitSignal(question.failed, timeout=60_000) as said:
        question.ask(["info", str(tmp_path / "nowhere.tif"), "--json"])
    assert "There is no file or folder" in said.args[0]


def test_a_dropped_question_is_never_answered(question, qtbot, tmp_path):
    with qtbot.assertNotEmitted(question.answered, wait=50), qtbot.assertNotEmitted(question.failed):
        question.ask(["info", str(tmp_path / "nowhere.tif"), "--json"])
        question.drop()
    assert not question.waiting()


def test_a_program_that_cannot_be_started_is_said(question, qtbot, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with qtbot.waitSignal(question.failed, timeout=5_000) as said:
        question.ask(["info"])
    assert "could not be started" in said.args[0]
