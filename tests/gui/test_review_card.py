"""A card keeps its shape, whatever it says."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_tap_events.gui.card_picture import Scene
from napari_tap_events.gui.draft import Draft
from napari_tap_events.gui.review_card import ReviewCard
from napari_tap_events.gui.reviewer import MARK_FIRST, NOT_AN_ANSWER, TAKE_AWAY
from napari_tap_events.movies.scope import Scope
from napari_tap_events.review.cards import HOW_FAR_DOWN, NO_LABELS_YET, STRONGEST, WORDS, Card

NARROW_PX = 325
SCENE = Scene(range(7, 14), np.zeros((7, 40, 40), np.uint8), 0, 0, 10, (5, 35, 5, 35))
CARDS = {
    "the first": Card("confident", 4, 20, 20, "division", 0.4, 30, words=NO_LABELS_YET),
    "the strongest left": Card("confident", 4, 20, 20, "division", 0.02, 30, words=STRONGEST),
    "a weaker one": Card("uncertain", 4, 20, 20, "division", 0.02, 30, words=HOW_FAR_DOWN),
    "an uncertain one": Card("uncertain", 1021, 20, 20, "division", 0.29, 30, words=WORDS["uncertain"]),
    "a doubted mark": Card("error", 21, 20, 20, "division", 0.02, 30, marked=True, words=WORDS["error"]),
    "a window": Card("audit", 1010, 20, 20, "", None, 30, Scope(range(1008, 1014), 0, 40, 0, 40), 3, words=WORDS["audit"]),
}


@pytest.fixture
def card(qtbot):
    made = ReviewCard()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def shown(card, asked, editing=False):
    """Show a card at its least height, and return where the parts lie below each other."""
    card.show_card(asked, SCENE, editing)
    card.show_draft(asked, Draft("division"), SCENE)
    card.layout().activate()
    card.resize(NARROW_PX, card.minimumSizeHint().height())
    card.layout().activate()
    return card.picture.y(), card.strip.y(), card.buttons["yes"].y()


def test_nothing_moves_from_card_to_card(card):
    places = {name: shown(card, asked) for name, asked in CARDS.items()}
    places["an earlier answer"] = shown(card, CARDS["an uncertain one"], editing=True)
    assert len(set(places.values())) == 1, places


@pytest.mark.parametrize("name", CARDS)
def test_picture_strip_and_buttons_do_not_overlap(card, name):
    shown(card, CARDS[name])
    assert card.why.geometry().bottom() < card.picture.y()
    assert card.picture.geometry().bottom() < card.buttons["yes"].y()
    assert card.buttons["yes"].geometry().bottom() < card.strip.y()
    assert card.strip.geometry().bottom() < card.undo.y()


@pytest.mark.parametrize("name", CARDS)
def test_what_is_said_fits_into_its_room(card, name):
    shown(card, CARDS[name], editing=name == "an uncertain one")
    assert card.why.heightForWidth(NARROW_PX) <= card.why.height()
    assert card.question.sizeHint().width() <= NARROW_PX


@pytest.mark.parametrize("words", [MARK_FIRST, TAKE_AWAY, NOT_AN_ANSWER])
def test_what_was_not_possible_is_said_in_the_place_of_the_reason_and_moves_nothing(card, words):
    shown(card, CARDS["a window"])
    before = [widget.geometry() for widget in (card.picture, card.buttons["yes"], card.strip)]
    card.say(words)
    QApplication.processEvents()
    assert card.why.isHidden()
    assert card.said.heightForWidth(NARROW_PX) <= card.said.height()
    assert [widget.geometry() for widget in (card.picture, card.buttons["yes"], card.strip)] == before
