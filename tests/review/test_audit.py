"""The audit of a whole movie: windows, listed events and what a person saw come together in one estimate."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.audit import audit_movie, windows_to_stop
from napari_tap_events.review.audit_counts import count
from napari_tap_events.review.audit_design import audit_order, begin_audit
from napari_tap_events.review.cards import Card
from napari_tap_events.review.intervals import Estimate
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import Reply, answer_window, decide
from napari_tap_events.settings import EventSettings, QueueSettings, ReviewSettings

NEAR = EventSettings(radius_px=8)
ONLY_AUDIT = QueueSettings(uncertain=0, confident=0, errors=0, audit=1, audit_px=60, audit_frames=5, audit_from=0)


def world(seed: int, events: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return true events, and candidates: most events with high, many others with low probability."""
    rng = np.random.default_rng(seed)
    t, y, x = rng.integers(0, 39, events), rng.uniform(5, 195, events), rng.uniform(5, 235, events)
    truth = pd.DataFrame({"t": t, "y": y, "x": x, "kind": "division"})
    seen = rng.random(events) < 0.8
    n = 300
    false = pd.DataFrame({"t": rng.integers(0, 39, n), "y": rng.uniform(0, 199, n), "x": rng.uniform(0, 239, n)})
    false["probability"] = rng.beta(0.5, 6, n)
    found = truth[seen].assign(probability=rng.beta(5, 2, seen.sum()))
    return truth, pd.concat([found, false], ignore_index=True).assign(kind="event", status="proposed")


def reviewed(seed: int, windows: int) -> tuple[Annotations, pd.DataFrame, pd.DataFrame]:
    truth, table = world(seed)
    a = Annotations((40, 200, 240))
    a.do(begin_audit(a, table, ONLY_AUDIT, NEAR, taught=True))
    person = Annotator(truth, NEAR)
    for number in range(windows):
        card = next_cards(Proposals(table, taught=True), a, ONLY_AUDIT, NEAR, 1)[0]
        assert isinstance(card, Card)
        a.do(answer_window(a, card, person.look_over(card, number)))
    return a, truth, table[table["probability"] >= 0.5].reset_index(drop=True)


def test_intervals_of_a_movie_hold_the_truth_most_of_the_time():
    held = 0
    for seed in range(40):
        a, truth, listed = reviewed(seed, 30)
        found = audit_movie(a, listed, NEAR)
        assert found is not None
        held += found.events.low <= len(truth) <= found.events.high
    assert held >= 34  # of 38 expected


def wholly_reviewed(seed: int, answers: int = 60) -> tuple[Annotations, pd.DataFrame, pd.DataFrame]:
    """Review with cards of all sorts; the model ranks better halfway."""
    truth, table = world(seed)
    a, person = Annotations((40, 200, 240)), Annotator(truth, NEAR, exact=True)
    settings = ReviewSettings(card_px=24, stamp_px=4, audit=6, audit_px=60, audit_frames=5, audit_from=15, queue_seed=seed)
    for number in range(answers):
        better = table.assign(probability=table["probability"] ** (0.8 if number > answers / 2 else 1))
        design = begin_audit(a, better, settings, NEAR, taught=True)
        if design is not None:
            a.do(design)
        card = next_cards(Proposals(better, taught=True), a, settings, NEAR, 1)[0]
        if card.box is None:
            a.do(decide(a, card, person.answer(card, number), settings, NEAR))
        else:
            a.do(answer_window(a, card, person.look_over(card, number)))
    return a, truth, better[better["probability"] >= 0.5].reset_index(drop=True)


def test_intervals_hold_the_truth_where_cards_and_windows_take_turns():
    held = 0
    for seed in range(25):
        a, truth, listed = wholly_reviewed(seed)
        found = audit_movie(a, listed, NEAR)
        assert found is not None
        assert a.audit_design.judged
        assert found.events.low <= found.events.value <= found.events.high
        held += found.events.low <= len(truth) <= found.events.high
    assert held >= 21  # of 23.75 expected


def test_what_was_judged_before_the_audit_is_counted_as_it_is():
    truth, table = world(3)
    a = Annotations((40, 200, 240))
    settings = ONLY_AUDIT.model_copy(update={"card_px": 24})
    review = ReviewSettings(card_px=24, stamp_px=4)
    for t, y, x in truth[["t", "y", "x"]].to_numpy():
        card = Card("confident", int(t), float(y), float(x), "event", 0.9, 24.0)
        a.do(decide(a, card, Reply("yes"), review, NEAR))
    a.do(begin_audit(a, table, settings, NEAR, taught=True))
    design = a.audit_design
    counted = count(a, design, truth[:20].reset_index(drop=True), NEAR)
    known = len(a.events)  # two that lie beside each other are one mark
    assert (counted.before_right, counted.before_missed, counted.before_wrong) == (20, known - 20, 0)
    assert counted.tally(np.array(design.strata)).windows.tolist()[-1] == 0
    assert not counted.added.any()
    assert (counted.counted_t.size, counted.more_t.size) == (known, 0)


def test_an_event_that_was_known_is_not_counted_again_where_its_window_shows_it():
    truth, table = world(4)
    a, person = Annotations((40, 200, 240)), Annotator(truth, NEAR)
    t, y, x = truth[["t", "y", "x"]].to_numpy()[0]
    a.do(decide(a, Card("confident", int(t), y, x, "event", 0.9, 24.0), Reply("yes"), ReviewSettings(stamp_px=4), NEAR))
    a.do(begin_audit(a, table, ONLY_AUDIT, NEAR, taught=True))
    for number in range(len(a.audit_design.strata)):
        card = next_cards(Proposals(table, taught=True), a, ONLY_AUDIT, NEAR, 1)[0]
        a.do(answer_window(a, card, person.look_over(card, number)))
    found = audit_movie(a, table[:0], NEAR)
    assert (found.events.low, found.events.value, found.events.high) == (len(truth),) * 3


def test_with_every_window_looked_at_the_number_is_known():
    a, truth, listed = reviewed(0, 96)
    n = len(a.audit_design.strata)
    for _ in range(n - len(a.audits)):
        card = next_cards(Proposals(listed, taught=True), a, ONLY_AUDIT, NEAR, 1)[0]
        a.do(answer_window(a, card, Annotator(truth, NEAR).look_over(card, 0)))
    found = audit_movie(a, listed, NEAR)
    assert (found.events.low, found.events.value, found.events.high) == (len(truth),) * 3
    assert found.recall.width == 0
    assert found.enough
    assert "you can stop" in found.sentence


def test_a_movie_in_which_nothing_happens_is_known_when_all_of_it_was_looked_at():
    a = Annotations((40, 200, 240))
    nothing = world(0)[1].iloc[:0]
    a.do(begin_audit(a, nothing, ONLY_AUDIT, NEAR, taught=True))
    person = Annotator(world(0)[0].iloc[:0], NEAR)
    for _ in a.audit_design.strata:
        card = next_cards(Proposals(nothing, taught=True), a, ONLY_AUDIT, NEAR, 1)[0]
        a.do(answer_window(a, card, person.look_over(card, 0)))
    found = audit_movie(a, nothing, NEAR)
    assert (found.events.value, found.events.width, found.enough) == (0, 0, True)


def test_events_over_time_add_up_to_all_of_them():
    a, _, listed = reviewed(1, 40)
    found = audit_movie(a, listed, NEAR)
    assert sum(b.events.value for b in found.over_time) == pytest.approx(found.events.value, rel=0.1)
    assert all(b.events.low <= b.events.value <= b.events.high for b in found.over_time)
    assert found.over_time[0].start == 0
    assert found.over_time[-1].stop == 39


def test_more_windows_make_it_surer():
    few, many = (audit_movie(*reviewed(2, n)[::2], NEAR).events.width for n in (12, 48))
    assert many < few


def test_it_is_told_how_many_windows_are_missing():
    told = {}
    for looked in (16, 40, 64):
        a, _, listed = reviewed(0, looked)
        found = audit_movie(a, listed, NEAR)
        told[looked] = windows_to_stop(looked, found.windows, found.events)
        assert f"About {told[looked]} windows more would make it sure to 10 %." in found.sentence
    enough = next(n for n in range(64, 97, 4) if audit_movie(*reviewed(0, n)[::2], NEAR).enough)
    assert all(abs(looked + more - enough) <= 8 for looked, more in told.items()), (told, enough)
    assert windows_to_stop(10, 10, Estimate(5, 5, 5)) == 0


def test_before_the_audit_or_with_too_few_windows_nothing_is_claimed():
    assert audit_movie(Annotations((40, 200, 240)), world(0)[1], NEAR) is None
    a, _, listed = reviewed(0, 2)
    found = audit_movie(a, listed, NEAR)
    assert np.isnan(found.events.value)
    assert re.search(r"too few to say how many events there are: \d+ windows? more at least\.", found.sentence)
    assert found.to_json()["events"] == [None, None, None]


def test_the_order_of_the_windows_is_that_of_the_seed():
    truth, table = world(0)
    designs = []
    for seed in (0, 0, 1):
        a = Annotations((40, 200, 240))
        a.do(begin_audit(a, table, ONLY_AUDIT.model_copy(update={"queue_seed": seed}), NEAR, taught=True))
        designs.append(audit_order(a.audit_design))
    assert designs[0] == designs[1] != designs[2]
    assert len(truth)
