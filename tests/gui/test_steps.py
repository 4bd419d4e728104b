"""The list of steps: one is open, a click opens another, and each line says how far it is."""

from __future__ import annotations

from functools import partial

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_tap_events.gui.steps import Progress, Step, StepList


@pytest.fixture
def steps(qtbot):
    made = StepList(
        tuple(Step(name, name.title(), f"Do {name}.", partial(QLabel, name)) for name in ("movie", "mark", "train"))
    )
    qtbot.addWidget(made)
    made.show()
    return made


def shown(steps):
    return [name for name in steps.steps if steps.made(name) and steps.panel(name).isVisible()]


def test_the_first_step_is_open_at_the_start(steps):
    assert steps.value() == "movie"
    assert shown(steps) == ["movie"]


def test_a_click_on_a_line_opens_its_step_and_closes_the_others(steps, qtbot):
    with qtbot.waitSignal(steps.opened) as said:
        qtbot.mouseClick(steps.headers["train"], Qt.MouseButton.LeftButton)
    assert said.args == ["train"]
    assert shown(steps) == ["train"]


def test_a_panel_is_made_when_its_step_is_first_opened_and_then_kept(steps):
    assert [name for name in steps.steps if steps.made(name)] == ["movie"]
    steps.open("mark")
    panel = steps.panel("mark")
    steps.open("movie")
    steps.open("mark")
    assert steps.panel("mark") is panel
    assert not steps.made("train")


def test_a_panel_that_is_asked_for_is_made_and_stays_out_of_sight(steps):
    assert steps.panel("train").text() == "train"
    assert shown(steps) == ["movie"]


def test_a_click_on_the_open_line_leaves_it_open(steps, qtbot):
    qtbot.mouseClick(steps.headers["movie"], Qt.MouseButton.LeftButton)
    assert shown(steps) == ["movie"]


def test_a_step_says_how_far_it_is_in_words_and_by_a_sign(steps):
    steps.say("mark", Progress.done, "14 marked")
    header = steps.headers["mark"]
    assert header.status.text() == "14 marked ●"
    assert header.accessibleDescription() == "14 marked"


def test_steps_can_be_opened_with_the_keyboard_alone(steps, qtbot):
    steps.headers["mark"].setFocus()
    qtbot.keyClick(steps.headers["mark"], Qt.Key.Key_Space)
    assert steps.value() == "mark"
