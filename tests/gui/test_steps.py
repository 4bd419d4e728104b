"""The list of steps: one is open, a click opens another, and each line says how far it is."""

from __future__ import annotations

from functools import partial

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_tap_events.gui.steps import Progress, Room, Step, StepList


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


def test_a_step_is_as_wide_as_its_panel_needs_also_when_it_grows(qtbot):
    button = QPushButton("short")
    panel = QWidget()
    QVBoxLayout(panel).addWidget(button)
    steps = StepList((Step("movie", "Movie", "Open it.", lambda: panel),))
    qtbot.addWidget(steps)
    steps.show()
    button.setText("a button with so many words that it needs more room than it had before, and is not cut off")
    qtbot.waitUntil(lambda: steps.minimumSizeHint().width() > button.minimumSizeHint().width())
    steps.resize(steps.minimumSizeHint())
    qtbot.waitUntil(lambda: button.visibleRegion().boundingRect() == button.rect())


def test_tab_goes_through_the_open_panel_from_top_to_bottom_and_on_to_the_next_step(qtbot):
    def made():
        panel = QWidget()
        column = QVBoxLayout(panel)
        for name in ("a", "b", "c"):
            column.addWidget(QPushButton(name))
        return panel

    steps = StepList(tuple(Step(name, name.title(), f"Do {name}.", made) for name in ("movie", "mark", "train")))
    qtbot.addWidget(steps)
    with qtbot.waitActive(steps):
        steps.show()
        steps.activateWindow()
    steps.open("mark")
    steps.panel("mark").layout().insertWidget(0, QPushButton("came later"))
    QApplication.processEvents()
    steps.headers["mark"].setFocus()
    seen = []
    for _ in range(5):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert [button.text() for button in seen[:4]] == ["came later", "a", "b", "c"]
    assert seen[4] is steps.headers["train"]
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab)
    assert QApplication.focusWidget() is seen[3]


@pytest.mark.parametrize("make", [QSpinBox, QDoubleSpinBox, QComboBox, QSlider])
def test_the_wheel_scrolls_over_a_field_that_nobody_has_chosen(qtbot, make):
    room, panel, field = Room(), QWidget(), make()
    column = QVBoxLayout(panel)
    column.addWidget(field)
    column.addWidget(late := QSpinBox())
    below = QLabel()
    below.setMinimumHeight(2000)
    column.addWidget(below)
    room.setWidget(panel)
    qtbot.addWidget(room)
    room.resize(300, 200)
    if isinstance(field, QComboBox):
        field.addItems(["one", "two", "three"])
    value = field.currentIndex if isinstance(field, QComboBox) else field.value
    with qtbot.waitExposed(room):
        room.show()
    room.activateWindow()
    late.setFocus()
    qtbot.waitUntil(late.hasFocus)
    before, forth = value(), -120 if isinstance(field, QComboBox) else 120
    assert not wheel(field, forth), "so Qt hands it on to what scrolls"
    assert value() == before

    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    assert wheel(field, forth)
    assert value() != before, "a field that was chosen follows the wheel"


def wheel(field, by):
    """Turn the wheel over a field; return whether the field took it."""
    middle = QPointF(field.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(field.mapToGlobal(field.rect().center())),
        QPoint(),
        QPoint(0, by),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, event)
    return event.isAccepted()
