"""What a journal amounts to."""

from __future__ import annotations

import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.corrections import MarkPoint, PointMark, SetKinds, Together
from napari_tap_events.project.history import Chronicle, History
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS, with_kind

POINT = MarkPoint(None, PointMark(1, 0, 1, 2, 3, "nothing"))
MORE_KINDS = SetKinds(DEFAULT_KINDS, with_kind(DEFAULT_KINDS, "fusion"))


@pytest.mark.parametrize("what", ["undo", "redo", "dance"])
def test_what_does_not_follow_is_told(what: str) -> None:
    with pytest.raises(ProjectError, match=f"entry 1 of the journal, '{what}', does not follow"):
        History().follow({"n": 1, "what": what})


@pytest.mark.parametrize("correction", [MORE_KINDS, Together((POINT, MORE_KINDS))])
def test_kinds_follow_the_journal(correction: SetKinds | Together) -> None:
    journal = Journal()
    chronicle = Chronicle(journal, DEFAULT_KINDS)
    chronicle.record("do", "film", correction)
    assert Chronicle(journal, DEFAULT_KINDS).kinds == chronicle.kinds == MORE_KINDS.after
    chronicle.record("undo", "film")
    assert Chronicle(journal, DEFAULT_KINDS).kinds == chronicle.kinds == DEFAULT_KINDS
    chronicle.record("redo", "film")
    assert Chronicle(journal, DEFAULT_KINDS).kinds == chronicle.kinds == MORE_KINDS.after


def test_only_what_has_a_place_binds_a_movie_to_its_size() -> None:
    chronicle = Chronicle(Journal(), DEFAULT_KINDS)
    chronicle.record("do", "film", MORE_KINDS)
    assert not chronicle.history("film").marks_places
    chronicle.record("do", "film", POINT)
    chronicle.record("undo", "film")
    assert chronicle.history("film").marks_places


def test_the_newest_entry_is_known_by_number_and_time() -> None:
    chronicle = Chronicle(Journal(), DEFAULT_KINDS)
    assert chronicle.now == (0, "")
    assert chronicle.was(0, "")
    chronicle.record("do", "film", POINT)
    n, time = chronicle.now
    assert chronicle.was(n, time)
    assert not chronicle.was(n, "another time")
    assert not chronicle.was(n + 1, time)
