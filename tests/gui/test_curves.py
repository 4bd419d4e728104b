"""Curves grow with the reports; where nothing can draw them, their last numbers stand in a table."""

from __future__ import annotations

import math

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_tap_events.gui import curves as module
from napari_tap_events.gui.colours import ORANGE, VERMILION
from napari_tap_events.gui.curves import LEAST_STEPS, MOST_POINTS, PLOTS, Curves

HELD_OUT = {"loss": 0.7, "accuracy": 0.5, "val_accuracy_motion": 0.55, "val_accuracy_uniform": 0.5}


@pytest.fixture
def curves(qtbot):
    curves = Curves()
    qtbot.addWidget(curves)
    curves.show()
    return curves


def drawn(curves, title):
    """What the lines of a plot go through, by name."""
    return {name: [list(axis) for axis in line.getData()] for name, line in curves._plots[title]._lines.items()}


def shown(curves):
    return {title for title, plot in curves._plots.items() if not plot.isHidden()}


def test_a_report_is_drawn_a_moment_later(curves, qtbot):
    curves.add({"loss": 0.7, "accuracy": 0.5, "steps_per_s": 12.0}, 1, 100)
    qtbot.waitUntil(lambda: shown(curves) == {"Accuracy", "Loss"})
    assert drawn(curves, "Loss") == {"loss": [[1.0], [0.7]]}


def test_only_what_has_a_curve_gets_a_plot(curves):
    curves.add({"loss": 0.3}, 5)
    curves.draw()
    assert shown(curves) == {"Loss"}
    curves.clear()
    curves.add({"steps_per_s": 3.0}, 6)
    curves.draw()
    assert shown(curves) == set()


def test_means_over_a_few_steps_since_a_validation_are_left_out(curves):
    curves.add({"loss": 0.9}, 1)
    curves.add({"loss": 0.8} | HELD_OUT, 40)
    curves.add({"loss": 0.1}, 40 + LEAST_STEPS - 1)
    curves.add({"loss": 0.6}, 40 + LEAST_STEPS)
    curves.draw()
    assert drawn(curves, "Loss")["loss"][0] == [1, 40, 40 + LEAST_STEPS]


def test_of_a_long_curve_peaks_and_gaps_are_drawn(curves):
    steps = range(5 * MOST_POINTS)
    for step in steps:
        peak, gap = step % 250 == 10, step == 777
        curves.add({"loss": math.nan if gap else 9.0 if peak else 1.0 + step % 7 / 100}, step)
    at, values = curves.curves["loss"].shape()
    assert MOST_POINTS / 2 <= len(at) <= MOST_POINTS + 1
    assert at == sorted(at)
    assert [step for step, value in zip(at, values, strict=True) if value == 9.0] == [n for n in steps if n % 250 == 10]
    assert sum(math.isnan(value) for value in values) == 1
    assert at[-1] > steps[-10]


def test_what_is_no_number_leaves_a_gap(curves):
    for step, value in enumerate((0.5, math.nan, 0.6)):
        curves.add({"accuracy": value}, step * LEAST_STEPS)
    curves.draw()
    assert math.isnan(drawn(curves, "Accuracy")["accuracy"][1][1])
    assert curves._plots["Accuracy"].view.viewRange()[1][0] == pytest.approx(0.4, abs=0.01)


def test_the_axis_is_as_long_as_the_job_and_low_accuracies_stay_in_sight(curves):
    curves.add({"accuracy": 0.1}, 5, 200)
    curves.draw()
    (left, right), (low, high) = curves._plots["Accuracy"].view.viewRange()
    assert (left, right) == (0, 200)
    assert low <= 0.1
    assert high >= 1.0


def test_curves_are_named_by_stroke_and_words_with_their_last_value(curves):
    curves.add(HELD_OUT, 40)
    curves.draw()
    legend = curves._plots["Accuracy"].legend.text().replace("&nbsp;", " ")
    for words in ("training 0.500", "held out, where cells move 0.550", "held out, anywhere 0.500"):
        assert words in legend
    assert "where cells move 0.550" in curves._plots["Accuracy"].view.accessibleName()
    for looks in PLOTS.values():
        assert len({look.stroke for look in looks.values()}) == len(looks), "colour alone must not tell them apart"


def test_the_theme_is_followed_by_curves_old_and_new(curves):
    curves.set_dark(True)
    curves.add({"loss": 0.7}, 1)
    curves.draw()
    line = curves._plots["Loss"]._lines["loss"]
    assert line.opts["pen"].color().name().upper() == ORANGE
    curves.set_dark(False)
    assert line.opts["pen"].color().name().upper() == VERMILION
    curves.add({"accuracy": 0.7}, 20)
    curves.draw()
    assert curves._plots["Accuracy"]._lines["accuracy"].opts["pen"].color().name().upper() == VERMILION


def test_cleared_curves_come_back_without_the_old_ones(curves):
    curves.add(HELD_OUT, 40)
    curves.draw()
    curves.clear()
    assert shown(curves) == set()
    curves.add({"loss": 0.2}, 3)
    curves.draw()
    assert drawn(curves, "Loss") == {"loss": [[3.0], [0.2]]}
    assert shown(curves) == {"Loss"}


def test_plots_made_beforehand_are_not_seen_before_there_is_something(curves):
    curves.prepare()
    assert shown(curves) == set()
    made = dict(curves._plots)
    curves.add(HELD_OUT, 1)
    curves.draw()
    assert curves._plots == made


def test_the_wheel_is_left_to_what_scrolls(curves):
    curves.add({"loss": 0.7}, 1)
    curves.draw()
    here = QPointF(5, 5)
    wheel = QWheelEvent(
        here, here, QPoint(0, 0), QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(curves._plots["Loss"].view.viewport(), wheel)
    assert not wheel.isAccepted()


def test_without_pyqtgraph_the_last_numbers_stand_in_a_table_with_what_to_do(curves, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    curves.prepare()
    curves.set_dark(False)
    curves.add(HELD_OUT, 40)
    curves.add(HELD_OUT | {"loss": 0.25}, 80)
    curves.draw()
    table = curves._plots["Loss"].table
    assert [table.item(0, column).text() for column in (0, 1)] == ["training", "0.250"]
    sentences = [plot.sentence for plot in curves._plots.values() if not plot.sentence.isHidden()]
    assert len(sentences) == 1
    assert "pip install 'napari-tap-events[plots]'" in sentences[0].text()


def test_other_games_have_plots_of_their_own_with_a_line_at_chance(curves):
    held_out = {"val_order_accuracy_motion": 0.4, "val_order_accuracy_uniform": 0.2, "val_order_loss_motion": 2.0}
    curves.add({"loss": 2.1, "order_loss": 2.1, "order_accuracy": 0.3, "order_chance": 1 / 12} | held_out, 20, 100)
    curves.draw()
    assert shown(curves) == {"Accuracy of order", "Loss of order"}, "the whole loss of one game says nothing more"
    assert drawn(curves, "Accuracy of order")["val_order_accuracy_motion"] == [[20], [0.4]]
    plot = curves._plots["Accuracy of order"]
    assert plot._chance.value() == pytest.approx(1 / 12)
    assert "chance&nbsp;0.083" in plot.legend.text()


def test_an_error_is_drawn_against_that_of_copying(curves):
    curves.add({"loss": 0.4, "masked_loss": 0.4, "masked_against_copying": 0.9, "val_masked_against_copying_motion": 0.8}, 20)
    curves.draw()
    assert shown(curves) == {"Error of masked over that of copying", "Loss of masked"}
