"""The Review step in a real viewer, with a worker that only writes down its orders."""

from __future__ import annotations

import gc
import json
import shutil

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSpinBox

from napari_tap_events.gui.card_place import BOLD, THIN
from napari_tap_events.gui.model_choice import Model
from napari_tap_events.gui.review_desk import UNSEEN_MS
from napari_tap_events.gui.review_panel import NO_MOVIE
from napari_tap_events.gui.review_words import trust_words
from napari_tap_events.gui.review_work import AGAIN, OFF
from napari_tap_events.gui.reviewer import MARK_FIRST, NOT_AN_ANSWER
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.corrections import SetScope
from napari_tap_events.project.kinds import DEFAULT_KINDS
from napari_tap_events.project.marking import stamp
from napari_tap_events.review.cards import NO_LABELS_YET
from napari_tap_events.review.gate import HeadHistory, HeadRecord, write_history
from napari_tap_events.review.said import keep_audit
from napari_tap_events.review.transfer import trust
from napari_tap_events.settings import HeadSettings, QueueSettings

from .reviewing import NEAR, REVIEW, Bench, StubLink

K = Qt.Key
WINDOWS_ONLY = REVIEW.model_copy(update={"uncertain": 0, "confident": 0, "audit": 1, "audit_px": 48, "audit_from": 0})


@pytest.fixture
def make_bench(make_napari_viewer, tmp_path):
    made = []

    def make(review=REVIEW):
        made.append(Bench(make_napari_viewer(show=True), tmp_path, review))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench):
    return make_bench()


def test_keys_answer_and_the_next_card_lies_there_at_once(bench):
    bench.begin()
    cards = [bench.reviewer.card, *bench.reviewer.coming]
    for key in (K.Key_F, K.Key_J, K.Key_Space):
        bench.key(key)
    assert bench.answers() == [(answer, card.t) for answer, card in zip(("yes", "no", "unsure"), cards, strict=False)]
    assert bench.reviewer.card == cards[3]
    assert len(bench.marks.events) == 1


def test_while_a_review_runs_python_does_not_look_for_garbage_in_what_was_there_before(bench):
    def looked_through():
        return any(one is bench.reviewer for one in gc.get_objects())

    assert looked_through()
    bench.begin()
    assert not looked_through()
    bench.panel.end()
    assert looked_through()


def test_buttons_do_what_keys_do(bench):
    bench.begin()
    card = bench.desk.card
    bench.press(card.later)
    bench.press(card.kinds.buttons["death"])
    bench.press(card.tags.buttons["edge"])
    bench.press(card.buttons["yes"])
    bench.press(card.buttons["no"])
    bench.press(card.buttons["unsure"])
    verdict = bench.marks.verdicts[0]
    assert (verdict.answer, verdict.kind, verdict.t - verdict.asked_t, verdict.tags) == ("yes", "death", 1, ("edge",))
    assert [answer for answer, _ in bench.answers()] == ["yes", "no", "unsure"]
    bench.press(card.undo)
    assert len(bench.marks.verdicts) == 2


def test_keys_choose_kind_frame_and_reason(bench):
    bench.begin()
    for key in (K.Key_2, K.Key_Period, K.Key_Period, K.Key_Comma, K.Key_T, K.Key_T, K.Key_F):
        bench.key(key)
    verdict = bench.marks.verdicts[0]
    assert (verdict.kind, verdict.t - verdict.asked_t, verdict.tags) == ("death", 1, ("edge",))


def test_keys_hold_on_the_canvas_while_the_step_is_open_and_no_longer(bench):
    bench.begin()
    canvas = bench.viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    bench.key(K.Key_F, canvas)
    assert len(bench.marks.verdicts) == 1
    bench.panel.hide()
    canvas.setFocus()
    bench.key(K.Key_F, canvas)
    assert len(bench.marks.verdicts) == 1


def test_no_key_answers_while_a_number_is_written(bench):
    bench.begin()
    bench.panel.start.fold.setValue(True)
    bench.settle()
    field = bench.panel.start.form.findChildren(QAbstractSpinBox)[0]
    field.setFocus()
    for key in (K.Key_F, K.Key_J, K.Key_1):
        bench.key(key, field)
    assert bench.answers() == []
    assert bench.reviewer.draft.kind == DEFAULT_KINDS[0].name


def test_space_presses_a_button_outside_of_the_card(bench):
    bench.begin()
    fold = bench.panel.start.fold
    fold.button.setFocus()
    bench.key(K.Key_Space, fold.button)
    assert fold.value()
    assert bench.answers() == []


def test_undo_takes_the_answer_back_and_lays_its_card_down_with_what_was_said(bench):
    bench.begin()
    first = bench.reviewer.card
    for key in (K.Key_Period, K.Key_F):
        bench.key(key)
    second = bench.reviewer.card
    bench.key(K.Key_Z)
    assert bench.marks.verdicts == ()
    assert bench.marks.events == ()
    assert (bench.reviewer.card.key, bench.reviewer.draft.nudge) == (first.key, 1)
    bench.key(K.Key_J)
    assert bench.reviewer.card == second


def test_the_card_that_comes_back_says_what_it_said(bench):
    bench.begin(taught=False)
    told = bench.desk.card.why.text()
    assert NO_LABELS_YET in told
    bench.key(K.Key_F)
    bench.key(K.Key_Z)
    assert bench.desk.card.why.text() == told
    bench.key(K.Key_F)
    bench.desk.answers.itemClicked.emit(bench.desk.answers.item(0))
    assert NO_LABELS_YET in bench.desk.card.why.text()


def test_a_card_that_came_by_itself_is_not_answered_by_keys_pressed_before_it_was_seen(bench, qtbot):
    bench.press(bench.panel.start.button)
    assert bench.reviewer.card is None
    bench.write_proposals()
    bench.say(what="ready", head="heads/review-movie-1", answers=3)
    first = bench.reviewer.card
    for key in (K.Key_F, K.Key_J, K.Key_Space):
        bench.key(key)
    assert (bench.answers(), bench.reviewer.card) == ([], first)
    qtbot.wait(UNSEEN_MS + 100)
    for key in (K.Key_F, K.Key_J):  # the next card after an answer takes a key at once
        bench.key(key)
    assert [answer for answer, _ in bench.answers()] == ["yes", "no"]


def test_a_button_answers_a_card_as_soon_as_it_is_there(bench):
    bench.press(bench.panel.start.button)
    bench.write_proposals()
    bench.say(what="ready", head="heads/review-movie-1", answers=3)
    bench.press(bench.desk.card.buttons["no"])
    assert [answer for answer, _ in bench.answers()] == ["no"]


def test_undo_leaves_a_mark_of_the_mark_step_alone(bench):
    bench.begin()
    bench.marks.do(stamp(bench.marks, DEFAULT_KINDS[0], 4, 60, 60, 5))
    bench.key(K.Key_Z)
    assert len(bench.marks.events) == 1
    assert NOT_AN_ANSWER in bench.desk.card.said.text()


def test_an_earlier_answer_can_be_changed(bench):
    bench.begin()
    for key in (K.Key_J, K.Key_J, K.Key_J):
        bench.key(key)
    on_the_table = bench.reviewer.card
    bench.desk.answers.itemClicked.emit(bench.desk.answers.item(2))  # the oldest of three
    assert bench.reviewer.editing == bench.marks.verdicts[0]
    assert "earlier answer" in bench.desk.card.why.text()
    bench.key(K.Key_F)
    assert [answer for answer, _ in bench.answers()] == ["yes", "no", "no"]
    assert len(bench.marks.events) == 1
    assert bench.reviewer.card == on_the_table


def test_an_earlier_answer_can_be_left_as_it_is(bench):
    bench.begin()
    bench.key(K.Key_J)
    on_the_table = bench.reviewer.card
    bench.desk.answers.itemClicked.emit(bench.desk.answers.item(0))
    bench.key(K.Key_Escape)
    assert bench.reviewer.card == on_the_table
    assert bench.answers()[0][0] == "no"


def test_only_the_last_ten_answers_are_listed(bench):
    bench.begin()
    for _ in range(12):
        bench.key(K.Key_J)
    assert bench.desk.answers.count() == 10
    assert f"frame {bench.marks.verdicts[-1].t}" in bench.desk.answers.item(0).text()


def test_in_a_random_window_clicks_mark_events_which_measure_and_teach_nothing(make_bench):
    bench = make_bench(WINDOWS_ONLY)
    bench.begin()
    card = bench.reviewer.card
    assert card.box is not None
    assert "never teaches" in bench.desk.card.why.text()
    bench.key(K.Key_F)
    said, why = bench.desk.card.said, bench.desk.card.why
    assert MARK_FIRST in said.text()
    assert said.isVisible()
    assert why.isHidden(), "it stands where the reason stood, above the picture"
    picture = bench.desk.card.picture
    picture.pause(0)
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(picture.width() // 2, 112))
    (seen,) = bench.reviewer.draft.seen
    assert (said.isHidden(), why.isVisible()) == (True, True), "what was wanted was done"
    assert seen.t == card.t
    assert abs(seen.y - card.y) < 2
    assert abs(seen.x - card.x) < 2
    bench.key(K.Key_Period)
    bench.key(K.Key_F)
    assert bench.marks.audits[0].seen[0].t == card.t + 1
    assert bench.marks.events == ()
    assert {"order": "audit"} in bench.link.orders


def test_a_click_on_a_marked_event_takes_it_away_again(make_bench):
    bench = make_bench(WINDOWS_ONLY)
    bench.begin()
    t, y, x = bench.reviewer.place()
    bench.reviewer.point_at(t, y, x)
    bench.reviewer.point_at(t, y + 1, x)
    assert bench.reviewer.draft.seen == ()
    bench.key(K.Key_J)
    assert bench.marks.audits[0].seen == ()


def test_a_click_in_the_picture_puts_the_mark_there(bench):
    bench.begin()
    card, picture = bench.reviewer.card, bench.desk.card.picture
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(112 + 45, 112))
    scale = bench.desk._crops.side / 216
    assert bench.reviewer.draft.place == pytest.approx((card.y, card.x + 45 * scale), abs=1)
    bench.key(K.Key_F)
    assert bench.marks.verdicts[0].x == pytest.approx(card.x + 45 * scale, abs=1)


def test_what_is_marked_near_a_card_has_a_ring_in_its_pictures(bench):
    bench.begin()
    t, y, x = bench.reviewer.place()
    assert not bench.desk.card.picture.scene.rings
    kind = bench.marks.kinds[1]
    bench.marks.do(stamp(bench.marks, kind, t - 1, y + 9, x, 3))
    bench.marks.do(stamp(bench.marks, kind, t + 20, y, x, 3))
    bench.reviewer.nudge(0)
    rings = bench.desk.card.picture.scene.rings
    assert [(ring.t, round(ring.y - y), round(ring.x - x)) for ring in rings] == [(t - 1, 9, 0)]
    assert rings[0].colour == bench.desk._looks[kind.value].colour


def test_go_to_it_shows_the_place_in_the_viewer(bench):
    bench.begin()
    bench.key(K.Key_G)
    assert bench.viewer.dims.current_step[0] == bench.reviewer.card.t


def test_the_place_of_the_card_is_marked_in_the_viewer_until_the_next_card_comes(bench):
    bench.begin()
    marked = bench.desk._place
    assert not marked.shown
    bench.key(K.Key_G)
    t, y, x = bench.reviewer.place()
    assert marked.shown
    assert marked.layer.data[0].mean(0).tolist() == pytest.approx([y, x])
    assert marked.layer.opacity == BOLD
    bench.viewer.dims.set_current_step(0, t + 5)
    assert (marked.shown, marked.layer.opacity) == (True, THIN)
    bench.reviewer.point_at(t, y + 3, x)
    assert marked.layer.data[0].mean(0).tolist() == pytest.approx([y + 3, x])
    bench.key(K.Key_F)
    assert not marked.shown
    bench.key(K.Key_G)
    assert (marked.shown, marked.layer.opacity) == (True, BOLD)
    bench.panel.end()
    bench.session.close()
    assert "asked in review" not in bench.viewer.layers


def test_the_view_comes_to_the_place_where_it_is_zoomed_in(bench):
    bench.begin()
    camera = bench.viewer.scene.camera
    camera.zoom *= 8
    camera.center = (0.0, 90.0, 120.0)
    bench.key(K.Key_G)
    _, y, x = bench.reviewer.place()
    half_y, half_x = (size / camera.zoom / 2 for size in bench.viewer.canvas.size)
    assert abs(camera.center[1] - y) < half_y
    assert abs(camera.center[2] - x) < half_x


def test_five_cards_are_read_beforehand(bench, qtbot):
    bench.begin()
    assert len(bench.reviewer.coming) == 5
    qtbot.waitUntil(lambda: all(bench.desk.shelf.ready(card) for card in bench.reviewer.coming))


def test_the_worker_is_ordered_to_learn_every_few_answers_once_it_can(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 3}))
    bench.begin()
    for _ in range(4):
        bench.key(K.Key_J)
    assert bench.ordered("retrain") == 0
    assert "one event was found" in bench.desk.state.text()
    bench.key(K.Key_F)
    assert bench.ordered("retrain") == 1
    retrain = next(told for told in bench.link.orders if told["order"] == "retrain")
    assert retrain == {"order": "retrain", "first": bench.desk.overlay.visible_pair()}
    assert "Learning from 5 answers" in bench.desk.state.text()


def test_an_answer_that_was_taken_back_does_not_bring_the_lesson_nearer(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 4}))
    bench.begin()
    for key in (K.Key_F, K.Key_Z, K.Key_F, K.Key_Z, K.Key_F, K.Key_J, K.Key_J):
        bench.key(key)
    assert bench.ordered("retrain") == 0
    bench.key(K.Key_J)
    assert bench.ordered("retrain") == 1


def test_answers_that_no_head_has_learned_from_are_told_and_learn_now_takes_them_up(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 4}))
    bench.begin()
    for key in (K.Key_F, K.Key_J, K.Key_Space, K.Key_J):  # who is unsure teaches nothing
        bench.key(key)
    told = bench.desk.untaught
    assert told.isHidden(), "a lesson goes on with all of them"
    bench.key(K.Key_J)
    assert "1 answer that no head" in told.text()
    bench.say(what="head", order="retrain", accepted=True, words="", in_use="heads/review-movie-1", answers=4)
    assert "1 answer that no head" in told.text()
    assert "after every 4" in told.text()
    bench.panel.end()
    assert "Learn now" in told.text()
    assert "after every" not in told.text()
    assert not told.isHidden()
    bench.press(bench.desk.learn_button)
    assert bench.panel.start.button.text() == "End the learning"
    assert len(StubLink.made) == 2
    bench.say(what="ready", head="heads/review-movie-1", answers=4)
    assert bench.ordered("retrain") == 1
    assert "Learning from 5 answers" in bench.desk.state.text()
    assert told.isHidden()
    bench.panel.end()
    assert "1 answer that no head" in told.text(), "the lesson was ended, too"


def test_answers_of_an_earlier_session_that_taught_nothing_are_told(bench):
    bench.begin()
    for key in (K.Key_F, K.Key_J, K.Key_J):
        bench.key(key)
    heads = (HeadRecord("heads/review-movie-1", 2, True, None, ""),)
    write_history(bench.desk.folder / "heads.json", HeadHistory(heads, heads[0].folder))
    bench.session.select(bench.session.entry.name)
    assert "1 answer that no head" in bench.desk.untaught.text()


def test_what_is_missing_before_answers_can_teach_is_told_with_them(bench):
    bench.begin()
    bench.key(K.Key_J)
    assert "one event was found" in bench.desk.untaught.text()
    assert "Learn now" not in bench.desk.untaught.text()


def test_it_learns_from_yes_alone(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 3}))
    bench.begin()
    for _ in range(3):
        bench.key(K.Key_F)
    assert bench.ordered("retrain") == 1


def test_what_is_marked_already_teaches_before_the_first_answer(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 10}))
    bench.marks.do(stamp(bench.marks, bench.marks.kinds[0], 1, 20.0, 20.0, 3))
    bench.begin(taught=False)
    bench.say(what="ready", head="")
    assert bench.ordered("retrain") == 0, "nothing is known to be no event"
    bench.marks.do(SetScope(None, Scope.whole(bench.marks.shape)))
    bench.say(what="ready", head="")
    assert "Learning from the marks" in bench.desk.state.text()
    bench.say(what="ready", head="")
    assert bench.ordered("retrain") == 1, "once"


def test_marks_wait_where_a_person_wants_to_say_when_it_learns(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 0}))
    bench.marks.do(stamp(bench.marks, bench.marks.kinds[0], 1, 20.0, 20.0, 3))
    bench.marks.do(SetScope(None, Scope.whole(bench.marks.shape)))
    bench.begin(taught=False)
    bench.say(what="ready", head="")
    assert bench.ordered("retrain") == 0


def test_a_review_that_has_a_head_waits_for_answers(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 10}))
    bench.marks.do(stamp(bench.marks, bench.marks.kinds[0], 1, 20.0, 20.0, 3))
    bench.marks.do(SetScope(None, Scope.whole(bench.marks.shape)))
    bench.begin()
    bench.say(what="ready", head="heads/review-movie-1")
    assert bench.ordered("retrain") == 0


def test_answers_that_come_faster_than_it_learns_do_not_end_the_lesson_but_begin_the_next(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 2}))
    bench.begin()
    for key in (K.Key_F, K.Key_J, K.Key_F, K.Key_J, K.Key_F):
        bench.key(key)
    assert bench.ordered("retrain") == 1
    bench.say(what="head", order="retrain", accepted=False, words="", head="heads/review-movie-1", in_use="")
    assert bench.ordered("retrain") == 2
    bench.say(what="error", order="retrain", message="there is too little to learn from.")
    bench.key(K.Key_J)
    assert bench.ordered("retrain") == 2
    bench.key(K.Key_J)
    assert bench.ordered("retrain") == 3


def test_a_window_shows_what_is_marked_in_it_and_counts_that_as_seen(make_bench):
    bench = make_bench(WINDOWS_ONLY)
    bench.begin()
    following = bench.reviewer.coming[0]
    bench.marks.do(stamp(bench.marks, DEFAULT_KINDS[1], following.t, following.y, following.x, 4))
    bench.key(K.Key_J)
    assert bench.reviewer.card.key == following.key
    (seen,) = bench.reviewer.draft.seen
    assert (seen.t, seen.kind) == (following.t, "death")
    for key in (K.Key_Period, K.Key_1, K.Key_F):
        bench.key(key)
    assert bench.marks.audits[1].seen == (seen,)
    assert len(bench.marks.audits[1].judged) == 1


def test_undo_goes_past_the_drawing_of_the_audit(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"audit": 4, "audit_from": 2}))
    bench.begin()
    bench.key(K.Key_J)
    assert bench.marks.audit_design is None
    bench.key(K.Key_J)
    assert bench.marks.audit_design is not None
    bench.key(K.Key_Z)
    assert len(bench.marks.verdicts) == 1
    assert bench.marks.audit_design is None


def test_the_worker_gets_the_settings_and_the_encoder(bench):
    bench.panel.start.encoder.setValue("intensity")
    bench.begin()
    arguments = bench.link.arguments
    assert arguments[arguments.index("--card-px") + 1] == str(REVIEW.card_px)
    assert arguments[arguments.index("--encoder") + 1] == "intensity"
    assert not {"--arrow", "--no-arrow", "--simulated", "--no-simulated"} & set(arguments)  # what the encoder gives decides


def test_what_the_head_is_given_can_be_said(bench, tmp_path):
    bench.panel.start.form.setValue(HeadSettings(arrow=True, simulated=False))
    bench.panel.start.encoder.offer([Model("mine", str(tmp_path / "mine"), "", "encoder")])
    bench.begin()
    arguments = bench.link.arguments
    assert arguments[arguments.index("--encoder") + 1] == str(tmp_path / "mine")
    assert {"--arrow", "--no-simulated"} <= set(arguments)


def test_the_line_tells_what_goes_on_and_the_memory(bench):
    bench.begin()
    assert "Starting" in bench.desk.state.text()
    bench.say(what="ready", head="", answers=0)
    bench.say(what="report", stage="features", done=3, total=20, values={})
    assert "3 of 20. The learning takes 321 MiB of memory." in bench.desk.state.text()


def test_a_worker_that_came_back_is_told_in_a_sentence(bench):
    bench.begin()
    bench.link.restarts = 1
    bench.say(what="ready", head="", answers=0)
    assert AGAIN in bench.desk.state.text()


def test_a_worker_that_was_given_up_says_why_and_can_be_started_with_another_choice(bench):
    bench.begin()
    assert bench.panel.start.button.text() == "End the learning"
    bench.link.trouble = "the encoder 'pixels' has no arrow head; add --no-arrow."
    bench.panel.work.poll()
    assert bench.panel.start.button.text() == "Start"
    assert bench.panel.start.encoder.isVisible()
    assert "has no arrow head" in bench.desk.state.text()
    bench.press(bench.panel.start.button)
    assert len(StubLink.made) == 2
    assert bench.panel.work.running


def test_what_went_wrong_stays_to_be_read_when_the_worker_is_back(bench):
    bench.begin()
    bench.link.said.append(
        {"what": "error", "order": "retrain", "id": 1, "message": "the disk is full; make room on it, and go on."}
    )
    bench.panel.work.poll()
    bench.link.restarts = 1
    bench.panel.work.poll()
    assert "the disk is full" in bench.desk.state.text()


def test_a_lesson_that_was_dropped_does_not_keep_the_next_from_beginning(bench):
    bench.begin()
    bench.panel.work.learn(3)
    number = len(bench.link.orders)
    assert bench.panel.work.learning
    for told in ({"what": "dropped", "order": "retrain", "id": number}, {"what": "error", "order": "back", "message": "no."}):
        bench.link.said.append(told)
    bench.panel.work.poll()
    assert not bench.panel.work.learning


def test_a_worse_head_is_told_and_one_can_go_back(bench):
    bench.begin()
    heads = tuple(HeadRecord(f"heads/review-movie-{n}", 10 * n, n < 3, 0.5, f"words {n}") for n in (1, 2, 3))
    write_history(bench.desk.folder / "heads.json", HeadHistory(heads, heads[1].folder))
    bench.say(what="head", accepted=False, words="The new head is worse and was not taken.", in_use=heads[1].folder)
    assert "worse" in bench.desk.state.text()
    lines = [bench.desk.heads.list.item(row).text() for row in range(3)]
    assert "worse, not taken" in lines[0]
    assert "in use" in lines[1]
    bench.desk.heads.list.setCurrentRow(1)
    assert not bench.desk.heads.button.isEnabled()
    bench.desk.heads.list.setCurrentRow(2)
    bench.desk.heads.button.click()
    assert bench.link.orders[-1] == {"order": "back", "head": heads[0].folder}


def test_a_new_head_changes_the_cards_to_come_and_not_the_one_on_the_table(bench):
    bench.begin(taught=False)
    here = bench.reviewer.card
    assert bench.desk.card.probability.isHidden()
    bench.write_proposals(taught=True)
    bench.say(what="head", accepted=True, words="", in_use="heads/review-movie-1")
    assert bench.reviewer.card == here
    assert bench.reviewer.proposals.taught


def test_the_audit_tells_when_one_can_stop(bench):
    bench.begin()
    bench.say(what="audit", audit={"enough": True, "sentence": "About 40 events (95 %: 39 to 41)."})
    assert "You can stop" in bench.desk.audit.text()
    assert "39 to 41" in bench.desk.audit.text()
    bench.say(what="audit", audit={"enough": False, "sentence": "About 40 events."})
    assert "You can stop" not in bench.desk.audit.text()


def test_the_last_count_is_told_while_no_worker_runs(make_bench):
    bench = make_bench(WINDOWS_ONLY)
    keep_audit(bench.desk.folder, {"looked": 1, "enough": False, "sentence": "About 40 events (95 %: 30 to 61)."})
    bench.session.select(bench.session.entry.name)
    assert not bench.desk.audit.text(), "no window was looked at"
    bench.begin()
    bench.key(K.Key_J)
    bench.session.select(bench.session.entry.name)
    assert not bench.link.alive
    assert "About 40 events" in bench.desk.audit.text()


def test_a_frame_that_was_not_mapped_yet_is_asked_for_when_it_is_looked_at(bench, qtbot):
    bench.begin()
    bench.say(what="ready", head="heads/review-movie-1", answers=3)
    bench.say(what="frame", t=0, head="heads/review-movie-1")
    bench.viewer.dims.set_current_step(0, 7)
    qtbot.waitUntil(lambda: {"order": "predict", "first": 7} in bench.link.orders)
    assert {"order": "predict", "first": 0} not in bench.link.orders


def test_the_mix_is_said_in_words_and_holds_at_once(bench):
    bench.begin()
    bench.panel.start.form.setValue(QueueSettings(uncertain=1, confident=2, audit=3, errors=4))
    bench.panel.start.form.valueChanged.emit()
    assert bench.panel.start.mix.text() == (
        "Of 10 cards: 1 most uncertain, 2 confident, 3 random windows, 4 suspected label errors."
    )
    assert bench.reviewer.settings.audit == 3
    bench.session.select(bench.session.entry.name)
    assert bench.panel.start.value()[0].audit == 3, "also when the movie is opened again"


def test_answers_are_there_again_when_the_movie_is_opened_again(bench):
    bench.begin()
    for key in (K.Key_F, K.Key_J):
        bench.key(key)
    name = bench.session.entry.name
    bench.session.select(name)
    assert not bench.link.alive
    assert bench.desk.answers.count() == 2
    bench.press(bench.panel.start.button)
    assert bench.reviewer.card is not None
    assert bench.reviewer.settings.card_px == REVIEW.card_px


def test_without_a_movie_it_says_so_and_closing_ends_the_worker(bench):
    bench.begin()
    link = bench.link
    bench.panel.end()
    assert not link.alive
    assert bench.desk.state.text() == OFF
    bench.session.close()
    assert bench.desk is None
    assert bench.panel.empty.isVisible()
    assert bench.panel.empty.text() == NO_MOVIE


def test_the_picture_loops_only_while_it_is_to_be_seen(bench):
    bench.begin()
    assert bench.desk.card.picture.playing
    bench.panel.hide()
    assert not bench.desk.card.picture.playing
    bench.panel.show()
    bench.desk.card.strip.chosen.emit(4)
    assert not bench.desk.card.picture.playing
    assert bench.desk.card.picture.at == 4


SIZES = {"crop_px": 32, "radius_px": 21.0, "radius_frames": 1}


def bring_head(bench, name="colleague"):
    """Put a head from elsewhere among those of the project, and offer it."""
    folder = bench.session.project.path / "heads" / name
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    card = {"kind": "head", "settings": HeadSettings(**SIZES).model_dump(mode="json"), "details": {"source": "intensity"}}
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "brought.json").write_text("{}")
    bench.panel.refresh()
    return folder


def test_a_review_can_begin_with_a_head_from_elsewhere(bench):
    start, folder = bench.panel.start, bring_head(bench)
    assert start.encoder.isVisible()
    start.head.setValue(str(folder))
    assert not start.encoder.isVisible()
    assert start.form.plain.fields["crop_px"].isHidden()
    assert {name: getattr(start.value()[1], name) for name in SIZES} == SIZES
    bench.begin()
    arguments = bench.link.arguments
    assert arguments[arguments.index("--begin-with") + 1] == str(folder)
    assert "--encoder" not in arguments
    bench.panel.end()
    start.head.setValue("")
    assert start.encoder.isVisible()
    assert not start.form.plain.fields["crop_px"].isHidden()
    assert start.value()[1].crop_px == NEAR.crop_px
    bench.panel.show_movie()
    assert start.head.value().value == str(folder)  # as it was chosen when the review began


def test_a_choice_stays_where_the_project_moves_before_the_review_begins(bench, tmp_path):
    bench.panel.start.head.setValue(str(bring_head(bench)))
    bench.session.save_as(tmp_path / "mine.tap")
    assert bench.panel.start.head.value().value == str(tmp_path / "mine.tap" / "heads" / "colleague")


def test_a_head_of_the_project_stays_chosen_where_the_project_moves_and_when_a_newer_one_comes(bench, tmp_path):
    start, folder = bench.panel.start, bring_head(bench)
    start.head.setValue(str(folder))
    bench.begin()
    bench.session.save_as(tmp_path / "mine.tap")
    moved = tmp_path / "mine.tap" / "heads" / "colleague"
    assert start.head.value().value == str(moved)
    assert bench.link.arguments[bench.link.arguments.index("--begin-with") + 1] == str(moved)
    (moved / "brought.json").unlink()  # as a head of another review, which has a newer one now
    bench.panel.refresh()
    assert start.head.value().value == str(moved)


def test_answers_put_a_head_from_elsewhere_right_instead_of_teaching_another(make_bench):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 2}))
    bench.begin()
    bench.say(what="ready", head="/elsewhere/head", answers=0, elsewhere=True)
    bench.say(what="trust", shift=0.62, answers=0, needed=30, ranks=None, words="", head="")
    assert "0 of 30 answers" in bench.desk.trust.text()
    assert "0.6 standard deviations" in bench.desk.trust.toolTip()
    for _ in range(2):
        bench.key(K.Key_F)
    orders = [order["order"] for order in bench.link.orders]
    assert orders.count("correct") == 1
    assert "retrain" not in orders
    heads = (
        HeadRecord("/elsewhere/head", 0, True, None, "", elsewhere=True),
        HeadRecord("heads/review-movie-2", 31, True, None, "", elsewhere=True),
    )
    write_history(bench.desk.folder / "heads.json", HeadHistory(heads, heads[1].folder))
    bench.say(what="head", accepted=True, words="Put right by 31 answers.", in_use=heads[1].folder, elsewhere=True)
    bench.say(what="trust", shift=0.62, answers=31, needed=30, ranks=0.93, words="", head=heads[1].folder)
    assert "31 answers have put its probabilities right" in bench.desk.trust.text()
    assert [bench.desk.heads.list.item(row).text() for row in range(2)] == [
        "2. put right by 31 answers, in use", "1. head, from elsewhere"
    ]  # fmt: skip
    bench.press(bench.desk.learn_button)
    assert bench.ordered("retrain") == 1
    bench.say(what="head", accepted=True, words="taken", in_use="heads/review-movie-3", elsewhere=False)
    assert not bench.desk.trust.isVisible()
    for _ in range(2):
        bench.key(K.Key_F)
    assert bench.ordered("retrain") == 2


def test_answers_that_put_a_head_from_elsewhere_right_are_counted_as_they_come(make_bench, monkeypatch):
    bench = make_bench(REVIEW.model_copy(update={"retrain_every": 10}))
    bench.begin()
    bench.say(what="ready", head="/elsewhere/head", answers=0, elsewhere=True)
    bench.say(what="trust", shift=0.1, answers=0, needed=30, of_either=3, ranks=None, words="")
    for n, (key, counted) in enumerate(((K.Key_F, 1), (K.Key_Space, 1), (K.Key_J, 2), (K.Key_J, 3)), 1):
        bench.key(key)
        assert f"{counted} of 30 answers" in bench.desk.trust.text(), n
    bench.key(K.Key_Z)
    assert "2 of 30 answers" in bench.desk.trust.text()
    assert bench.desk.untaught.isHidden(), "it learns from none"
    monkeypatch.setattr("napari_tap_events.review.transfer.ENOUGH_ANSWERS", 6)
    for key in (K.Key_F, K.Key_F, K.Key_J):
        bench.key(key)
    assert bench.ordered("correct") == 0
    bench.key(K.Key_J)
    assert bench.ordered("correct") == 1, "it does not wait for the tenth answer"
    assert "6 answers: enough" in bench.desk.trust.text()
    bench.key(K.Key_J)
    assert bench.ordered("correct") == 1


def test_a_head_that_cannot_be_trusted_is_told_in_words():
    alike = trust_words({"shift": None, "answers": 33, "needed": 30, "of_either": 3, "ranks": None, "words": ""})
    assert "33 answers; at least 3 yes and 3 no are needed" in alike
    assert "features" not in alike
    assert "like what taught it" in trust_words({"shift": 0.1, "answers": 3, "needed": 30, "ranks": None, "words": ""})
    differs = trust_words({"shift": 0.6, "answers": 3, "needed": 30, "ranks": None, "words": trust(0.6, None)})
    assert differs.count("taught") == 1
    assert "sd" not in differs
    warned = trust_words(
        {"shift": 1.8, "answers": 3, "needed": 30, "ranks": None, "words": "do not trust it before 30 answers."}
    )
    assert "⚠ do not trust it" in warned


def test_a_head_that_is_gone_is_told_and_nothing_starts(bench):
    folder = bring_head(bench)
    bench.panel.start.head.setValue(str(folder))
    shutil.rmtree(folder)
    bench.begin()
    assert "colleague" in bench.desk.state.text()
    assert not StubLink.made
