"""Answers: what they mark, that they can be taken back and changed, and that the audit's never teach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Say, correction_from_json
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS
from napari_tap_events.project.looked_at import known_of
from napari_tap_events.project.verdicts import AuditAnswer, AuditDesign, SeenEvent, said_from_json
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.cards import Card
from napari_tap_events.review.locked import locked_units
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import Reply, answer_window, change, decide, last_verdicts
from napari_tap_events.settings import EventSettings, QueueSettings, ReviewSettings

SETTINGS, NEAR = ReviewSettings(), EventSettings()
AT_ONCE = ReviewSettings(audit_from=0)
CARD = Card("uncertain", 10, 100.0, 120.0, "event", 0.6, 56.0)


def answer(marks, reply, card=CARD, settings=SETTINGS):
    marks.do(decide(marks, card, reply, settings, NEAR))
    return marks.verdicts[-1]


def test_answers_come_in_the_order_in_which_they_were_said(marks):
    window = Card("audit", 0, 10.0, 10.0, "", None, 20.0, Scope(range(1), 0, 20, 0, 20), 3)
    first = answer(marks, Reply("no"))
    marks.do(answer_window(marks, window, ()))
    second = answer(marks, Reply("unsure"))
    assert marks.answers == (first, AuditAnswer(3), second)
    marks.undo()
    assert marks.answers == (first, AuditAnswer(3))


def test_a_yes_stamps_an_event_where_and_when_the_person_says(marks):
    verdict = answer(marks, Reply("yes", kind="death", nudge=1, tags=("edge",)))
    event = marks.events[0].event
    assert (event.t, event.y, event.x, event.kind) == (11, 100, 120, "death")
    assert verdict.tags == ("edge",)
    assert verdict.asked_t == 10


def test_a_no_marks_nothing_here_and_unsure_an_uncertain_place(marks):
    answer(marks, Reply("no"))
    answer(marks, Reply("unsure"), Card("uncertain", 30, 50.0, 50.0, "event", 0.5, 56.0))
    assert [point.meaning for point in marks.points] == ["nothing", "uncertain"]
    assert not marks.events


def test_undo_takes_back_what_was_said_together_with_what_it_marked(marks):
    for reply in (Reply("yes"), Reply("no"), Reply("unsure")):
        answer(marks, reply)
        marks.undo()
        assert (marks.verdicts, marks.points, marks.events, marks.labels.any()) == ((), (), (), False)
        marks.redo()
        assert len(marks.verdicts) == 1
        marks.undo()


@pytest.mark.parametrize("before", ["yes", "no", "unsure"])
@pytest.mark.parametrize("after", ["yes", "no", "unsure"])
def test_an_answer_can_become_any_other_and_back(marks, before, after):
    first = answer(marks, Reply(before))
    labels, points = marks.labels.copy(), marks.points
    marks.do(change(marks, first, Reply(after, nudge=2), SETTINGS, NEAR))
    assert [v.answer for v in marks.verdicts] == [after]
    assert len(marks.events) == (after == "yes")
    assert len(marks.points) == (after != "yes")
    if after == "yes":
        assert marks.events[0].event.t == 12
    marks.undo()
    np.testing.assert_array_equal(marks.labels, labels)
    assert marks.points == points


def test_only_the_last_ten_answers_can_be_changed(marks):
    for n in range(11):
        answer(marks, Reply("no"), Card("uncertain", 3 * n, 100.0, 20.0 * n + 10, "event", 0.5, 40.0))
    assert len(last_verdicts(marks)) == 10
    with pytest.raises(ProjectError, match="last 10"):
        change(marks, marks.verdicts[0], Reply("yes"), SETTINGS, NEAR)


def test_an_event_that_is_marked_already_is_not_stamped_again(marks):
    answer(marks, Reply("yes"))
    second = answer(marks, Reply("yes"), Card("confident", 11, 104.0, 122.0, "event", 0.9, 56.0))
    assert len(marks.events) == 1
    assert not second.marked


def test_a_no_to_a_doubtful_mark_takes_the_mark_away(marks):
    answer(marks, Reply("yes"))
    answer(marks, Reply("no"), Card("error", 10, 100.0, 120.0, "division", 0.02, 56.0, marked=True))
    assert not marks.events
    marks.undo()
    assert len(marks.events) == 1


def test_a_kind_that_there_is_not_is_refused(marks):
    with pytest.raises(ProjectError, match="fusion"):
        decide(marks, CARD, Reply("yes", kind="fusion"), SETTINGS, NEAR)


def test_all_of_it_is_in_the_journal(tmp_path: Path, proposed):
    def opened() -> Annotations:
        return Annotations((40, 200, 240), chronicle=Chronicle(Journal(tmp_path / "j"), DEFAULT_KINDS), movie="m").replay()

    marks = opened()
    marks.do(begin_audit(marks, proposed(), AT_ONCE, NEAR, taught=True))
    answer(marks, Reply("yes", tags=("debris",)))
    window = next_cards(Proposals(proposed()), marks, QueueSettings(uncertain=0, confident=0, errors=0), NEAR, 1)[0]
    marks.do(answer_window(marks, window, [SeenEvent(3, 4.0, 5.0, "division")]))
    again = opened()
    assert (again.verdicts, again.audits, again.audit_design) == (marks.verdicts, marks.audits, marks.audit_design)
    np.testing.assert_array_equal(again.labels, marks.labels)
    correction = decide(marks, CARD, Reply("no"), SETTINGS, NEAR)
    assert correction_from_json(json.loads(json.dumps(correction.to_json()))) == correction


def test_only_what_was_judged_is_known(marks):
    answer(marks, Reply("yes"))
    answer(marks, Reply("no"), Card("uncertain", 30, 50.0, 50.0, "event", 0.5, 40.0))
    masks = answers_of(marks).masks
    assert masks.knows(10, 100, 120)
    assert masks.knows(30, 60, 60)
    assert not masks.knows(30, 90, 60)
    assert not masks.knows(20, 100, 120)
    places, truth = answers_of(marks).judged
    assert places.tolist() == [[10, 100, 120], [30, 50, 50]]
    assert truth.tolist() == [True, False]


def first_window(marks, proposed):
    marks.do(begin_audit(marks, proposed(), AT_ONCE, NEAR, taught=True))
    only = QueueSettings(uncertain=0, confident=0, errors=0)
    card = next_cards(Proposals(proposed()), marks, only, NEAR, 1)[0]
    return card, ((card.box.y0 + card.box.y1) / 2, (card.box.x0 + card.box.x1) / 2)


def test_what_the_audit_saw_never_reaches_what_teaches(marks, proposed):
    card, (y, x) = first_window(marks, proposed)
    marks.do(answer_window(marks, card, [SeenEvent(card.t, y, x, "division")]))
    assert not marks.labels.any()
    assert not answers_of(marks).masks.knows(card.t, y, x)
    answer(marks, Reply("yes"), Card("confident", card.t, y, x, "event", 0.9, 56.0))  # in the window, after it
    assert not answers_of(marks).masks.knows(card.t, y, x)
    assert len(answers_of(marks).judged[0]) == 0


def test_what_was_judged_before_its_window_came_goes_on_teaching(marks, proposed):
    card, (y, x) = first_window(marks, proposed)
    answer(marks, Reply("yes"), Card("confident", card.t, y, x, "event", 0.9, 30.0))
    answer(marks, Reply("no"), Card("confident", card.t + 2, y + 25, x, "event", 0.9, 16.0))
    marks.do(answer_window(marks, card, [SeenEvent(card.t, y + 1, x, "division"), SeenEvent(card.t, y, x - 40, "division")]))
    told = answers_of(marks)
    assert told.judged[1].tolist() == [True, False]
    assert told.masks.knows(card.t, y, x)
    assert not told.masks.knows(card.t, y, x - 40)
    assert not told.masks.knows(card.t, y, x - 20)


def test_a_judged_square_in_which_the_window_shows_another_event_teaches_no_longer(marks, proposed):
    card, (y, x) = first_window(marks, proposed)
    answer(marks, Reply("no"), Card("confident", card.t, y, x, "event", 0.9, 56.0))
    marks.do(answer_window(marks, card, [SeenEvent(card.t, y + 20, x, "division")]))
    assert not answers_of(marks).masks.knows(card.t, y, x)


def test_places_that_teach_judge_no_head(marks, proposed):
    card, (y, x) = first_window(marks, proposed)
    answer(marks, Reply("yes"), Card("confident", card.t, y, x, "event", 0.9, 30.0))
    marks.do(answer_window(marks, card, [SeenEvent(card.t, y + 1, x, "division"), SeenEvent(card.t, y, x - 40, "division")]))
    boxes, truth = locked_units(marks, NEAR)
    assert boxes == [card.box]
    assert truth[0]["kind"].tolist() == ["uncertain", "division", "uncertain"]


def test_an_answer_to_a_window_that_is_changed_keeps_what_had_been_judged_before(marks, proposed):
    card, (y, x) = first_window(marks, proposed)
    marks.do(answer_window(marks, card, []))
    answer(marks, Reply("yes"), Card("confident", card.t, y, x, "event", 0.9, 30.0))
    marks.do(answer_window(marks, card, [SeenEvent(card.t, y, x, "division")]))
    assert [(audit.judged, len(audit.seen)) for audit in marks.audits] == [((), 1)]
    marks.undo()
    assert marks.audits[0].seen == ()


def test_an_audit_of_an_earlier_version_is_read_as_it_was_meant():
    design = {"is": "design", "shape": [9, 40, 40], "cuts": [1, 2, 2], "strata": "0012", "seed": 3}
    window = {"is": "audit", "window": 1, "seen": [[2, 5.0, 30.0, "death"]], "unsure": False}
    assert said_from_json(design) == AuditDesign((9, 40, 40), (1, 2, 2), (0, 0, 1, 2), 3)
    assert said_from_json(window) == AuditAnswer(1, (SeenEvent(2, 5.0, 30.0, "death"),))
    assert (said_from_json(design).to_json(), said_from_json(window).to_json()) == (design, window)
    a = Annotations((9, 40, 40))
    a.do(Say(None, said_from_json(design)))
    a.do(Say(None, said_from_json(window)))
    assert known_of(a).hidden == (Scope(range(9), 0, 20, 20, 40),)  # all of the window


def test_answers_in_locked_frames_never_teach(marks):
    locked = ReviewSettings(locked_frames="5:15")
    verdict = answer(marks, Reply("yes"), settings=locked)
    assert verdict.locked
    assert not answers_of(marks).masks.knows(10, 100, 120)
    assert len(answers_of(marks).judged[0]) == 0
