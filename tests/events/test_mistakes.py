"""The mistakes of a head: each event stands in the list once, as what went wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_tap_events.events.mistakes import FALSE, MISSED, WRONG_KIND, mistakes_of
from napari_tap_events.events.table import EventRow, events_table, write_events

DIVISION, DEATH = "division", "death"


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A head that found one event, took one for another kind, made one up, and missed two, of which it suspected one."""
    truth = [
        EventRow(1, 10, 10, DIVISION),
        EventRow(9, 40, 40, DEATH),
        EventRow(5, 80, 80, DEATH),
        EventRow(3, 120, 20, DIVISION),
    ]
    found = [
        EventRow(1, 11, 10, DIVISION, 0.9),
        EventRow(9, 41, 40, DIVISION, 0.8),
        EventRow(6, 150, 150, DEATH, 0.7),
        EventRow(2, 160, 30, DIVISION, 0.95),
    ]
    suspected = [*found, EventRow(5, 81, 80, DEATH, 0.2)]
    for name, rows in (("truth", truth), ("events", found), ("candidates", suspected)):
        write_events(tmp_path / f"{name}.csv", events_table(rows))
    return tmp_path


def test_an_event_under_the_wrong_kind_is_one_mistake(head):
    told = [(m.what, m.t, m.kind, m.probability, m.taken_for) for m in mistakes_of(head, 5.0, 1, told_apart=True)]
    assert told == [
        (FALSE, 2, DIVISION, 0.95, ""),
        (FALSE, 6, DEATH, 0.7, ""),
        (WRONG_KIND, 9, DEATH, 0.8, DIVISION),
        (MISSED, 3, DIVISION, None, ""),
        (MISSED, 5, DEATH, 0.2, ""),
    ]


def test_where_kinds_are_merged_only_false_and_missed_ones_are_mistakes(head):
    assert [(m.what, m.t) for m in mistakes_of(head, 5.0, 1)] == [(FALSE, 2), (FALSE, 6), (MISSED, 3), (MISSED, 5)]
