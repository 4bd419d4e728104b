"""The queue: the mix that was asked for, each place once, the same for the same answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.movies.masks import Scope
from napari_tap_events.project import marking
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.audit_design import audit_order, begin_audit, design_audit, windows_of
from napari_tap_events.review.cards import HOW_FAR_DOWN, NO_LABELS_YET, STRONGEST, WORDS, Card, card_from_json
from napari_tap_events.review.places import near_any
from napari_tap_events.review.queue import Proposals, next_cards, reason_at
from napari_tap_events.review.verdicts import Reply, answer_window, decide
from napari_tap_events.settings import EventSettings, QueueSettings, ReviewSettings

NEAR = EventSettings()
SETTINGS = ReviewSettings()
AT_ONCE = ReviewSettings(audit_from=0)


def test_every_round_of_twenty_holds_the_mix_that_was_asked_for():
    for start in (0, 20):
        counts = Counter(reason_at(QueueSettings(), n) for n in range(start, start + 20))
        assert counts == {"uncertain": 10, "confident": 4, "audit": 4, "error": 2}
    first = Counter(reason_at(QueueSettings(), n) for n in range(10))
    assert first["uncertain"] == 5
    assert first["audit"] == 2


def test_a_mix_of_one_sort_holds_nothing_else():
    only = QueueSettings(uncertain=0, confident=3, audit=0, errors=0)
    assert {reason_at(only, n) for n in range(9)} == {"confident"}


def test_the_same_answers_give_the_same_cards(marks, proposed):
    proposals = Proposals(proposed(), taught=True)
    marks.do(begin_audit(marks, proposals.candidates, AT_ONCE, NEAR, taught=True))
    cards = next_cards(proposals, marks, SETTINGS, NEAR, 20)
    assert cards == next_cards(proposals, marks, SETTINGS, NEAR, 20)
    assert len({card.key for card in cards}) == 20
    assert [card_from_json(card.to_json()) for card in cards] == cards


def test_before_both_answers_are_known_the_strongest_come_first(marks, proposed):
    proposals = Proposals(proposed())
    cards = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 5)
    assert [card.probability for card in cards] == sorted((card.probability for card in cards), reverse=True)
    assert cards[0].probability == pytest.approx(0.99)


def test_cards_that_come_for_their_strength_alone_do_not_say_that_the_model_is_sure_or_not(marks, proposed):
    sorts = ("uncertain", "confident")
    for taught, words in ((False, NO_LABELS_YET), (True, STRONGEST)):
        proposals = Proposals(proposed(), taught)
        assert {next_cards(proposals, marks, QueueSettings(order=sort), NEAR, 1)[0].words for sort in sorts} == {words}
    for answer in ("yes", "no") * 3:
        card = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 1)[0]
        marks.do(decide(marks, card, Reply(answer), SETTINGS, NEAR))
    told = [next_cards(proposals, marks, QueueSettings(order=sort), NEAR, 1)[0].words for sort in sorts]
    assert told == [WORDS[sort] for sort in sorts]


def ask_until_three_are_denied(marks, proposals, true_from, ahead=1):
    """Answer cards, fetched some at a time; return the probabilities that were asked about."""
    asked = []
    while sum(verdict.answer == "no" for verdict in marks.verdicts) < 3:
        for card in next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, ahead):
            marks.do(decide(marks, card, Reply("yes" if card.probability > true_from else "no"), SETTINGS, NEAR))
            asked.append(card.probability)
    return asked


@pytest.mark.parametrize("ahead", [1, 5])
@pytest.mark.parametrize("true_from", [0.02, 0.3, 0.9])
def test_where_the_strongest_are_all_events_it_is_soon_found_where_they_end(marks, proposed, true_from, ahead):
    table = proposed(2000)
    asked = ask_until_three_are_denied(marks, Proposals(table, taught=True), true_from, ahead)
    assert len(asked) <= 25
    rank = lambda p: int((table["probability"] > p).sum()) + 1  # noqa: E731
    end, weakest = rank(true_from), max(rank(p) for p in asked if p > true_from)
    strongest_no = min(rank(p) for p in asked if p <= true_from)
    assert end / 3 < weakest + 3 <= strongest_no + 3 < 3 * end + 6


def test_cards_that_ask_how_far_down_events_go_say_so(marks, proposed):
    proposals = Proposals(proposed(), taught=True)
    for _ in range(3):
        card = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 1)[0]
        assert card.words == STRONGEST
        marks.do(decide(marks, card, Reply("yes"), SETTINGS, NEAR))
    told = [next_cards(proposals, marks, QueueSettings(order=sort), NEAR, 1)[0].words for sort in ("uncertain", "confident")]
    assert told == [HOW_FAR_DOWN, STRONGEST]
    untaught = Proposals(proposals.candidates)
    assert next_cards(untaught, marks, QueueSettings(order="uncertain"), NEAR, 1)[0].words == NO_LABELS_YET


def test_with_answers_of_both_kinds_the_least_sure_come_first(marks, proposed):
    proposals = Proposals(proposed(), taught=True)
    for answer in ("yes", "no") * 3:
        card = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 1)[0]
        marks.do(decide(marks, card, Reply(answer), SETTINGS, NEAR))
    cards = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 5)
    assert all(abs(card.probability - 0.5) < 0.05 for card in cards)


def test_no_place_is_asked_about_twice_nor_one_beside_it(marks, proposed):
    proposals = Proposals(proposed(2000), taught=True)
    asked = []
    for number in range(60):
        card = next_cards(proposals, marks, QueueSettings(order="uncertain"), NEAR, 1)[0]
        asked.append((card.t, card.y, card.x))
        marks.do(decide(marks, card, Reply("no" if number % 2 else "unsure"), SETTINGS, NEAR))
    for i, one in enumerate(asked):
        for other in asked[:i]:
            near = (
                np.hypot(one[1] - other[1], one[2] - other[2]) <= NEAR.radius_px
                and abs(one[0] - other[0]) <= NEAR.radius_frames
            )
            assert not near


def test_a_place_is_not_asked_about_again_where_the_event_was_put_elsewhere(marks, proposed):
    proposals, order = Proposals(proposed(40)), QueueSettings(order="confident")
    card = next_cards(proposals, marks, order, NEAR, 1)[0]
    beside = card.y + 1.5 * NEAR.radius_px * (1 if card.y < 60 else -1)
    marks.do(decide(marks, card, Reply("yes", y=beside, nudge=1), SETTINGS, NEAR))
    coming = next_cards(proposals, marks, order, NEAR, 40)
    assert (card.t, card.y, card.x) not in [(other.t, other.y, other.x) for other in coming]
    assert coming


def test_frames_that_are_closed_are_never_asked_about(marks, proposed):
    proposals = Proposals(proposed(400), taught=True)
    marks.do(begin_audit(marks, proposals.candidates, AT_ONCE, NEAR, taught=True))
    closed = range(10, 30)
    for card in next_cards(proposals, marks, SETTINGS, NEAR, 40, closed):
        frames = card.box.frames if card.box else range(card.t, card.t + 1)
        assert not set(frames) & set(closed)


def test_the_audit_is_drawn_when_the_first_answers_are_there_and_the_mix_asks_for_it(marks, proposed):
    table = proposed()
    soon = ReviewSettings(audit_from=2)
    for number in range(2):
        assert begin_audit(marks, table, soon, NEAR, taught=True) is None
        assert all(card.box is None for card in next_cards(Proposals(table, taught=True), marks, soon, NEAR, 20))
        card = next_cards(Proposals(table, taught=True), marks, soon, NEAR, 1)[0]
        marks.do(decide(marks, card, Reply("no" if number else "yes"), soon, NEAR))
    for other in (soon.model_copy(update={"audit": 0}), soon.model_copy(update={"order": "random"})):
        assert begin_audit(marks, table, other, NEAR, taught=True) is None
    marks.do(begin_audit(marks, table, soon, NEAR, taught=True))
    assert begin_audit(marks, table, soon, NEAR, taught=True) is None
    assert len(marks.audit_design.judged) == 2
    assert any(card.box is not None for card in next_cards(Proposals(table, taught=True), marks, soon, NEAR, 20))


def test_where_everything_was_judged_no_window_is_expected_to_hold_anything(marks, proposed):
    table = proposed(20)
    for t, y, x in table[["t", "y", "x"]].to_numpy():
        marks.do(decide(marks, Card("confident", int(t), y, x, "event", 0.9, 30.0), Reply("yes"), SETTINGS, NEAR))
    marks.do(begin_audit(marks, table, AT_ONCE, NEAR, taught=True))
    empty = design_audit(marks.shape, table[:0], AT_ONCE, taught=True)
    assert marks.audit_design.strata == empty.strata


def test_where_no_candidate_is_left_windows_go_on(marks, proposed):
    proposals = Proposals(proposed(3), taught=True)
    marks.do(begin_audit(marks, proposals.candidates, AT_ONCE, NEAR, taught=True))
    cards = next_cards(proposals, marks, AT_ONCE, NEAR, 12)
    assert len(cards) == 12
    assert sum(card.box is None for card in cards) == 3
    assert len(next_cards(proposals, marks, AT_ONCE.model_copy(update={"audit": 0}), NEAR, 12)) == 3


def test_nothing_is_asked_in_a_window_that_was_looked_at(marks, proposed):
    proposals = Proposals(proposed(2000), taught=True)
    marks.do(begin_audit(marks, proposals.candidates, AT_ONCE, NEAR, taught=True))
    windows = [card for card in next_cards(proposals, marks, AT_ONCE, NEAR, 20) if card.box is not None]
    for card in windows:
        marks.do(answer_window(marks, card, []))
    places = [(card.t, card.y, card.x) for card in next_cards(proposals, marks, AT_ONCE, NEAR, 40) if card.box is None]
    assert len(places) > 20
    assert not any(card.box.contains(*place) for card in windows for place in places)


def test_doubtful_marks_come_up_inside_of_the_scope_only(marks, proposed):
    table = proposed(60)
    marks.do(marking.set_scope(marks, range(40), (0, 200, 0, 120)))
    inside = (table["x"] < 120).to_numpy()
    first = table[inside].iloc[0]
    marks.do(marking.stamp(marks, marks.kinds[0], int(first["t"]), first["y"], first["x"], 5))
    held = np.full(len(table), 0.5)
    held[np.flatnonzero(inside)[0]] = 0.02  # marked, and the model sees nothing
    held[np.flatnonzero(inside)[5]] = 0.97  # not marked, and the model is sure
    held[np.flatnonzero(~inside)[0]] = 0.99  # outside of the scope nobody has looked
    cards = next_cards(
        Proposals(table.assign(held_out=held), taught=True),
        marks,
        QueueSettings(uncertain=0, confident=0, audit=0, errors=1),
        NEAR,
        2,
    )
    assert [(card.reason, card.marked) for card in cards] == [("error", True), ("error", False)]
    assert all(Scope(range(40), 0, 200, 0, 120).contains(card.t, card.y, card.x) for card in cards)


def test_inside_of_the_scope_only_doubts_are_asked_about(marks, proposed):
    table = proposed(60)
    marks.do(marking.set_scope(marks, range(40), (0, 200, 0, 120)))
    everywhere = [card.x for card in next_cards(Proposals(table, taught=True), marks, QueueSettings(audit=0), NEAR, 60)]
    assert len(everywhere) > 20
    assert min(everywhere) >= 120
    held = np.where(np.arange(60) == np.flatnonzero(table["x"] < 120)[3], 0.97, 0.5)
    cards = next_cards(Proposals(table.assign(held_out=held), taught=True), marks, QueueSettings(order="uncertain"), NEAR, 60)
    assert [card.reason for card in cards if card.x < 120] == ["error"]


def test_what_stands_where_an_event_was_denied_comes_last(marks, proposed):
    other = [{"t": 30, "y": 50.0, "x": 50.0, "kind": "event", "probability": 0.3}]
    debris = [{"t": t, "y": 100.0, "x": 100.0, "kind": "event", "probability": 0.4} for t in range(0, 40, 4)]
    proposals = Proposals(pd.DataFrame(debris + other), taught=True)
    denied = Card("uncertain", 16, 100.0, 100.0, "event", 0.5, 30.0)
    marks.do(decide(marks, denied, Reply("no"), SETTINGS, NEAR))
    cards = next_cards(proposals, marks, QueueSettings(order="confident"), NEAR, 20)
    assert [card.t for card in cards] == [0, 4, 28, 32, 36, 30, 8, 12, 20, 24]
    table = proposals.candidates
    table.loc[table["t"] == 20, "probability"] = 0.6
    cards = next_cards(proposals, marks, QueueSettings(order="confident"), NEAR, 20)
    assert [card.t for card in cards] == [20, 0, 4, 28, 32, 36, 30, 8, 12, 24]


def test_a_card_that_was_put_aside_does_not_come(marks, proposed):
    proposals = Proposals(proposed())
    first, second = next_cards(proposals, marks, QueueSettings(order="confident"), NEAR, 2)
    assert next_cards(proposals, marks, QueueSettings(order="confident"), NEAR, 1, passed=[first.key]) == [second]


def test_every_place_lies_in_the_window_that_holds_it(proposed):
    table = proposed(500)
    design = design_audit((40, 200, 240), table, QueueSettings(), taught=True)
    places = table[["t", "y", "x"]].to_numpy()
    for place, window in zip(places, windows_of(design, places), strict=True):
        assert design.box(int(window)).contains(place[0], round(place[1]), round(place[2]))


def test_every_stratum_is_looked_at_and_few_windows_are_expected_to_hold_most(proposed):
    table = proposed(60)
    design = design_audit((40, 200, 240), table, QueueSettings(audit_px=40), taught=True)
    sizes = np.bincount(design.strata)
    assert len(sizes) == 3
    assert sizes[0] > sizes[2]
    order = audit_order(design)
    assert sorted(order) == list(range(len(design.strata)))
    assert {design.strata[n] for n in order[:3]} == {0, 1, 2}


def test_a_simulated_person_answers_by_the_truth_and_errs_as_told(marks, proposed):
    truth = proposed(20).assign(kind="division")
    card = next_cards(Proposals(truth), marks, QueueSettings(order="confident"), NEAR, 1)[0]
    late = replace(card, t=card.t + 1, y=card.y + 3)
    assert Annotator(truth, NEAR).answer(late, 1) == Reply("yes", nudge=-1)
    assert Annotator(truth, NEAR).answer(replace(card, y=card.y + 100), 1).answer == "no"
    assert Annotator(truth.assign(kind="uncertain"), NEAR).answer(card, 1).answer == "unsure"
    answers = [Annotator(truth, NEAR, error_rate=0.3).answer(card, n).answer for n in range(300)]
    assert 60 < answers.count("no") < 120


def test_a_simulated_person_points_at_an_event_beside_the_place_but_once(marks, proposed):
    truth = proposed(1).assign(kind="division")
    event = truth.iloc[0]
    card = replace(next_cards(Proposals(truth), marks, QueueSettings(order="confident"), NEAR, 1)[0], y=event["y"] + 20)
    person = Annotator(truth, NEAR)
    assert person.answer(card, 1) == Reply("yes", y=event["y"], x=event["x"])
    assert person.answer(card, 1, [(event["t"], event["y"], event["x"])]) == Reply("no")


def test_answered_windows_do_not_come_again(marks, proposed):
    table = proposed()
    marks.do(begin_audit(marks, table, AT_ONCE, NEAR, taught=True))
    only = QueueSettings(uncertain=0, confident=0, errors=0, audit=1)
    keys = []
    for _ in range(8):
        card = next_cards(Proposals(table, taught=True), marks, only, NEAR, 1)[0]
        keys.append(card.key)
        marks.do(answer_window(marks, card, []))
    assert len(set(keys)) == 8
    assert isinstance(table, pd.DataFrame)


def test_places_are_near_by_radius_and_frames_as_one_by_one():
    rng = np.random.default_rng(0)
    places, others = (np.column_stack([rng.integers(0, 30, n), rng.uniform(0, 100, (n, 2))]).astype(float) for n in (300, 40))
    near = EventSettings(radius_px=9, radius_frames=1)
    apart = places[:, None] - others[None]
    wanted = ((np.abs(apart[..., 0]) <= 1) & (np.hypot(apart[..., 1], apart[..., 2]) <= 9)).any(1)
    assert 10 < wanted.sum() < 290
    np.testing.assert_array_equal(near_any(places, others, near), wanted)
    assert not near_any(places, [], near).any()
    assert near_any(places[:0], others, near).shape == (0,)
