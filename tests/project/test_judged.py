"""What a person has said stands above what a model has found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Say
from napari_tap_events.project.folder import Project
from napari_tap_events.project.judged import judged
from napari_tap_events.project.verdicts import AuditAnswer, AuditDesign, SeenEvent, Verdict

NEAR = 6.0, 1


@pytest.fixture
def marks(project: Project) -> Annotations:
    """Return marks with one division at frame 1."""
    a = project.annotations("film")
    a.do(marking.stamp(a, a.kinds[0], 1, 20, 20, 4))
    return a


def found(*places: tuple[int, float, float]) -> pd.DataFrame:
    return events_table([EventRow(t, y, x, "event", 0.6, source="head") for t, y, x in places])


def statuses(table: pd.DataFrame) -> list[str]:
    return list(table["status"])


def say_no(a: Annotations, t: int, y: float, x: float) -> None:
    a.do(Say(None, Verdict(1, "no", "uncertain", t, y, x, "division", side_px=10, reach_frames=1)))


def test_a_found_event_at_a_mark_is_confirmed_and_of_its_kind(marks: Annotations) -> None:
    told = judged(found((2, 22, 19), (4, 22, 19), (1, 35, 35)), marks, *NEAR)
    assert statuses(told) == ["confirmed", "proposed", "proposed"]
    assert list(told["kind"]) == ["division", "event", "event"]
    assert list(told["probability"]) == [0.6] * 3


def test_a_confirmed_event_is_when_and_where_the_person_said(marks: Annotations) -> None:
    told = judged(found((2, 22, 19), (4, 22, 19)), marks, *NEAR)
    assert told[["t", "y", "x"]].to_numpy().tolist() == [[1, 20, 20], [4, 22, 19]]


def test_a_mark_that_nothing_was_found_for_is_added(marks: Annotations) -> None:
    told = judged(found((4, 22, 19)), marks, *NEAR)
    assert statuses(told) == ["proposed", "added"]
    assert told["id"].is_unique
    assert np.isnan(told["probability"].iloc[1])
    assert (told["t"].iloc[1], told["kind"].iloc[1], told["source"].iloc[1]) == (1, "division", "person")


def test_where_nothing_was_found_all_marks_are_added(marks: Annotations) -> None:
    assert statuses(judged(found(), marks, *NEAR)) == ["added"]


def test_what_was_answered_with_no_is_rejected(marks: Annotations) -> None:
    say_no(marks, 3, 34, 34)
    told = judged(found((1, 20, 20), (3, 36, 31), (4, 34, 34), (3, 34, 40), (5, 34, 34)), marks, *NEAR)
    assert statuses(told) == ["confirmed", "rejected", "rejected", "proposed", "proposed"]


def test_a_place_marked_as_nothing_is_rejected(marks: Annotations) -> None:
    marks.do(marking.mark_point(marks, "nothing", 3, 34, 34, 5))
    assert statuses(judged(found((1, 20, 20), (3, 36, 36), (3, 34, 40)), marks, *NEAR)) == ["confirmed", "rejected", "proposed"]


def test_an_uncertain_place_is_neither(marks: Annotations) -> None:
    marks.do(marking.mark_point(marks, "uncertain", 3, 34, 34, 5))
    assert statuses(judged(found((1, 20, 20), (3, 34, 34)), marks, *NEAR)) == ["confirmed", "proposed"]


def audited(a: Annotations, window: int, *seen: SeenEvent, unsure: bool = False) -> None:
    """Cut the movie into four windows across, and say what one of them shows."""
    if a.audit_design is None:
        a.do(Say(None, AuditDesign(a.shape, (1, 2, 2), (0, 0, 0, 0), 0)))
    a.do(Say(None, AuditAnswer(window, seen, unsure)))


def test_what_was_seen_in_a_random_window_is_confirmed_or_added_and_of_its_kind(marks: Annotations) -> None:
    y, x = (side - 8.0 for side in marks.shape[1:])
    audited(marks, 3, SeenEvent(2, y, x, "death"), SeenEvent(4, y - 6, x - 8, "division"))
    told = judged(found((1, 20, 20), (2, y + 1, x)), marks, *NEAR)
    assert statuses(told) == ["confirmed", "confirmed", "added"]
    assert list(told["kind"]) == ["division", "death", "division"]
    assert told[["t", "y", "x"]].to_numpy()[1:].tolist() == [[2, y, x], [4, y - 6, x - 8]]


def test_beside_what_was_seen_in_a_random_window_all_is_rejected(marks: Annotations) -> None:
    y, x = (side - 8.0 for side in marks.shape[1:])
    audited(marks, 3, SeenEvent(2, y, x, "death"))
    told = judged(found((1, 20, 20), (2, y, x), (4, y, x), (4, 8, x)), marks, *NEAR)
    assert statuses(told) == ["confirmed", "confirmed", "rejected", "proposed"]


def test_what_was_seen_twice_or_marked_is_one_event(marks: Annotations) -> None:
    audited(marks, 0, SeenEvent(1, 21, 20, "division"))
    audited(marks, 1, SeenEvent(3, 8, marks.shape[2] / 2 + 1, "division"))
    audited(marks, 2, unsure=True)
    audited(marks, 3, SeenEvent(3, 10, marks.shape[2] / 2, "division"))
    assert statuses(judged(found(), marks, *NEAR)) == ["added", "added"]


def test_what_was_called_uncertain_is_so_in_a_random_window_too(marks: Annotations) -> None:
    y, x = (side - 8.0 for side in marks.shape[1:])
    audited(marks, 3)
    marks.do(marking.mark_point(marks, "uncertain", 2, y, x, 5))
    assert statuses(judged(found((2, y, x), (4, y, x)), marks, *NEAR)) == ["proposed", "rejected", "added"]
    say_no(marks, 2, y, x)
    assert statuses(judged(found((2, y, x), (4, y, x)), marks, *NEAR)) == ["rejected", "rejected", "added"]
