"""The threshold hides what is less probable, in all layers that it rules, and counts what is left."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.gui.event_points import event_layers
from napari_tap_events.gui.threshold import ThresholdField
from napari_tap_events.gui.world import World


@pytest.fixture
def layers():
    rows = [EventRow(t, 5.0, 5.0, "event", p) for t, p in ((2, 0.9), (4, 0.5), (6, 0.1))]
    return tuple(event_layers(events_table(rows), World(), 10))


@pytest.fixture
def field(qtbot, layers):
    made = ThresholdField()
    qtbot.addWidget(made)
    made.setValue(0.5)
    made.rule(layers)
    return made


def test_only_what_is_probable_enough_is_shown(field, layers):
    assert layers[-1].shown.tolist() == [True, True, False]
    field.setValue(0.6)
    assert layers[-1].shown.tolist() == [True, False, False]


def test_the_marks_beside_an_event_come_and_go_with_it(field, layers):
    field.setValue(0.6)
    beside = layers[0]
    np.testing.assert_array_equal(beside.shown, beside.features["probability"] >= 0.6)
    assert beside.shown.sum() == 2


def test_slider_and_number_go_together_and_one_value_is_told(field, qtbot):
    with qtbot.waitSignal(field.valueChanged) as said:
        field.slider.setValue(250)
    assert said.args == [0.25]
    assert field.value() == 0.25
    field.setValue(0.75)
    assert field.slider.value() == 750


def test_events_are_counted_beside_the_number_that_is_expected(field):
    assert field.words.text() == "2 events of 3 candidates; 1.5 expected."


def test_of_a_ranking_without_labels_no_number_is_expected(field):
    ranked = [EventRow(t, 2.0, 3.0, "division", 0.9 - t / 10, source="simulated") for t in range(4)]
    field.rule(tuple(event_layers(events_table(ranked), World(), 4)))
    assert field.words.text() == (
        "4 events of 4 candidates. Their order tells more than their number. A threshold of 0.45 suits simulated movies; move "
        "it to suit yours."
    )


def test_only_a_ranking_by_simulated_movies_has_a_threshold_of_theirs(field):
    field.rule(tuple(event_layers(events_table([EventRow(1, 2.0, 3.0, "event", 0.9, source="arrow")]), World(), 4)))
    assert field.words.text() == "1 event of 1 candidate. Their order tells more than their number."


def test_what_lies_between_the_threshold_and_its_three_decimals_is_judged_by_the_threshold(field):
    rows = [EventRow(1, 5.0, 5.0, "event", p) for p in (0.2836, 0.2835)]
    field.rule(tuple(event_layers(events_table(rows), World(), 10)))
    field.setValue(0.2836)
    assert (field.number.value(), field.value(), field.events()) == (0.284, 0.2836, 1)


def test_events_without_a_probability_are_always_shown(field, qtbot):
    layers = tuple(event_layers(events_table([EventRow(1, 2.0, 3.0, "division")]), World(), 4))
    field.rule(layers)
    field.setValue(1.0)
    assert layers[-1].shown.all()


def test_what_a_person_has_said_comes_before_the_threshold(field):
    rows = [
        EventRow(1, 5.0, 5.0, "division", 0.2, status="confirmed"),
        EventRow(2, 5.0, 5.0, "event", 0.9, status="rejected"),
        EventRow(3, 5.0, 5.0, "event", 0.7),
        EventRow(4, 5.0, 5.0, "event", 0.1),
        EventRow(5, 5.0, 5.0, "division", status="added"),
    ]
    layers = tuple(event_layers(events_table(rows), World(), 10))
    field.rule(layers)
    assert layers[-1].shown.tolist() == [True, False, True, False, True]
    assert field.words.text() == (
        "3 events of 5 candidates; 2.8 expected. You confirmed or marked 2 of the events. 1 that you rejected is left out."
    )
    assert field.minimumSizeHint().width() < 300, "the sentence wraps in a narrow dock"
    field.setValue(1.0)
    assert layers[-1].shown.tolist() == [True, False, False, False, True]
