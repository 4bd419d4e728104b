"""What was said of a movie, in numbers, and the count that is kept."""

from __future__ import annotations

from napari_tap_events.project import marking
from napari_tap_events.project.corrections import Say
from napari_tap_events.project.verdicts import AuditAnswer, AuditDesign, Verdict
from napari_tap_events.review.said import AUDIT, keep_audit, last_audit, what_was_said


def test_marks_answers_and_the_last_count_are_told(marks, tmp_path):
    keep_audit(tmp_path / "review", {"looked": 3, "events": [4.0, 3.0, 5.0]})
    assert what_was_said(marks, tmp_path / "review") == {"marks": {}, "answers": {}, "audit": None}, "no window was looked at"
    marks.do(marking.stamp(marks, marks.kinds[1], 3, 30, 40, 4))
    for number, answer in enumerate(("yes", "no", "no"), 1):
        marks.do(Say(None, Verdict(number, answer, "uncertain", 1, 20, 20, "division", 10, 1)))
    marks.do(Say(None, AuditDesign(marks.shape, (1, 1, 1), (0,), 0)))
    marks.do(Say(None, AuditAnswer(0)))
    assert what_was_said(marks, tmp_path / "review") == {
        "marks": {"death": 1},
        "answers": {"yes": 1, "no": 2},
        "audit": {"looked": 3, "events": [4.0, 3.0, 5.0]},
    }


def test_a_count_that_is_not_there_or_damaged_is_none(tmp_path):
    assert last_audit(tmp_path) is None
    for damaged in ("", "[1]", "null", "{"):
        (tmp_path / AUDIT).write_text(damaged)
        assert last_audit(tmp_path) is None


def test_where_a_count_cannot_be_kept_nothing_is_lost_but_it(tmp_path):
    (tmp_path / "taken").write_text("")
    keep_audit(tmp_path / "taken", {"looked": 1})
    assert (tmp_path / "taken").read_text() == ""
