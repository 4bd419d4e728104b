"""The apprentice with a guide: it leads before any answer, and as long as no answer could be held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.guided import FIRST_WEIGHTS, GuidedHead
from napari_tap_events.events.listed import LISTED_FROM
from napari_tap_events.events.stacking import PRIOR_MEAN
from napari_tap_events.jobs.answers import Answers
from napari_tap_events.jobs.apprentice import FOLDS, WARM_SHARE, Apprentice
from napari_tap_events.jobs.held_heads import SAME
from napari_tap_events.jobs.labelled import training_stride_px
from napari_tap_events.movies.masks import EventMasks, Scope
from napari_tap_events.settings import HeadSettings, recipes

FRAMES, SIDE = 30, 96
EVENTS = [(3, 24, 24), (9, 64, 30), (15, 30, 66), (21, 70, 70), (26, 24, 40)]
"""Events as t, y, x in pixels; maps have half of them."""
SETTINGS = HeadSettings(
    crop_px=16, steps=10, area_px=10, radius_px=8.0, radius_frames=1, simulated=True, features=False, intensity=True
)


@pytest.fixture
def maps() -> FeatureMaps:
    """A noisy image that shows nothing, and a guide that knows all events but the last."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(-8.0, 1.0, (FRAMES - 1, 2, SIDE // 2, SIDE // 2))
    for t, y, x in EVENTS[:-1]:
        pairs[t, 0, y // 2 - 2 : y // 2 + 3, x // 2 - 2 : x // 2 + 3] = 2.0
    frames = rng.normal(size=(FRAMES, 1, SIDE // 2, SIDE // 2))
    return FeatureMaps(frames.astype(np.float16), pairs.astype(np.float16), 0, 2, simulated=2)


@pytest.fixture
def apprentice(maps) -> Apprentice:
    return Apprentice(maps, WindowGrid(SIDE, SIDE, 16, training_stride_px(SETTINGS)), SETTINGS, Compute(torch.device("cpu")))


def answered(events, empty) -> Answers:
    labels = np.zeros((FRAMES, SIDE, SIDE), np.uint8)
    for t, y, x in events:
        labels[t : t + 2, y - 4 : y + 4, x - 4 : x + 4] = 1
    masks = EventMasks(labels, ("division", "death"), Scope.whole(labels.shape))
    places = np.array([*events, *empty], np.float64)
    judged = places, np.arange(len(places)) < len(events)
    return Answers(masks, judged, judged, len(places))


def ended(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_before_any_answer_the_guide_ranks(apprentice):
    table = apprentice.first.candidates().nlargest(4, "probability")
    assert sorted(table["t"]) == [t for t, _, _ in EVENTS[:-1]]
    assert set(table["source"]) == {"simulated"}
    assert set(table["kind"]) == {"division"}, "as the guide calls them"
    assert (table["probability"] > LISTED_FROM).all()
    assert apprentice.first.threshold == LISTED_FROM


def test_a_single_event_leaves_everything_to_the_guide(apprentice):
    learned = ended(apprentice.learn(answered(EVENTS[:1], [(12.0, 50.0, 50.0)])))
    assert learned.head.weights.tolist() == pytest.approx(list(PRIOR_MEAN))
    assert learned.threshold == LISTED_FROM
    listed = learned.candidates[learned.candidates["probability"] >= learned.threshold]
    assert sorted(listed["t"]) == [t for t, _, _ in EVENTS[:-1]]


def test_with_more_answers_guide_and_head_are_weighed_on_what_was_held_out(apprentice):
    empty = [(6.0, 50.0, 50.0), (12.0, 20.0, 80.0), (18.0, 60.0, 20.0), (24.0, 48.0, 80.0)]
    learned = ended(apprentice.learn(answered(EVENTS[:4], empty)))
    assert learned.head.weights.tolist() != pytest.approx(list(FIRST_WEIGHTS))
    assert learned.head.weights[0] > learned.head.weights[1], "the image shows nothing"
    assert learned.calibrator.method == "platt"
    best = learned.candidates.nlargest(4, "probability")
    assert sorted(best["t"]) == [t for t, _, _ in EVENTS[:-1]]
    assert (best["held_out"] > learned.threshold).all()


def test_where_answers_leave_no_free_place_heads_keep_their_scale(apprentice, monkeypatch):
    scales = []
    monkeypatch.setattr(GuidedHead, "rescale", lambda _, slope, shift: scales.append((slope, shift)))
    sides = range(8, SIDE, 16)
    everywhere = [(float(t), float(y), float(x)) for t in range(0, FRAMES, 2) for y in sides for x in sides]
    learned = ended(apprentice.learn(answered(EVENTS[:4], everywhere)))
    assert scales == [SAME] * FOLDS
    assert np.isfinite(learned.candidates["held_out"]).all()


def test_where_every_answer_was_yes_the_movie_is_not_full_of_events(apprentice):
    learned = ended(apprentice.learn(answered(EVENTS[:4], [])))
    assert learned.calibrator.method == "platt"
    p = learned.candidates["probability"]
    assert len(p) > 50
    assert p.sum() < 10
    listed = learned.candidates[p >= learned.threshold]
    assert sorted(listed["t"]) == [t for t, _, _ in EVENTS[:-1]]


def test_what_is_strong_and_not_judged_is_not_taken_for_none(apprentice):
    few, all_of_them = (
        ended(apprentice.learn(answered(events, [(12.0, 20.0, 80.0)]))).candidates for events in (EVENTS[:2], EVENTS[:4])
    )
    for table in (few, all_of_them):
        strong = table.nlargest(4, "probability")
        assert sorted(strong["t"]) == [t for t, _, _ in EVENTS[:-1]]
        assert (strong["probability"] > 0.5).all()


def test_the_head_that_is_shown_at_once_is_the_one_that_is_kept(apprentice):
    empty = [(6.0, 50.0, 50.0), (12.0, 20.0, 80.0), (18.0, 60.0, 20.0), (24.0, 48.0, 80.0)]
    answers = answered(EVENTS[:4], empty)
    taught = ended(apprentice.teach(answers))
    shown = {name: value.clone() for name, value in taught.head.state_dict().items()}
    kept = ended(apprentice.prove(taught)).head
    whole = ended(apprentice.learn(answers)).head.state_dict()
    differ = {name for name, value in kept.state_dict().items() if not torch.equal(value, shown[name])}
    assert differ == {"weights"}, "what it has learned stays; only what it is worth is found out"
    assert all(torch.equal(value, whole[name]) for name, value in kept.state_dict().items())


def test_a_lesson_stays_short_however_many_events_were_answered(apprentice, monkeypatch):
    monkeypatch.setattr(recipes, "STEPS_PER_EVENT", 10_000)
    apprentice.settings = apprentice.settings.model_copy(update={"steps": None})
    told = next(apprentice.teach(answered(EVENTS[:4], [(6.0, 50.0, 50.0)])))
    assert told.total == round(WARM_SHARE * recipes.FEW_STEPS)


def test_a_sketch_learns_from_a_copy_and_keeps_what_it_is_worth(apprentice):
    empty = [(6.0, 50.0, 50.0), (12.0, 20.0, 80.0), (18.0, 60.0, 20.0), (24.0, 48.0, 80.0)]
    in_use = ended(apprentice.learn(answered(EVENTS[:4], empty))).head
    before = {name: value.clone() for name, value in in_use.state_dict().items()}
    touched = ended(apprentice.sketch(in_use, answered(EVENTS, empty))).head
    assert all(torch.equal(value, before[name]) for name, value in in_use.state_dict().items())
    differ = {name for name, value in touched.state_dict().items() if not torch.equal(value, before[name])}
    assert differ >= {name for name, _ in touched.named_parameters()}
    assert not differ & {"weights", "scale", "heeds"}
    assert not touched.training


def test_without_a_head_for_these_kinds_of_event_a_sketch_begins_beside_the_guide_or_is_not_made(apprentice, monkeypatch):
    answers = answered(EVENTS[:4], [(6.0, 50.0, 50.0)])
    in_use = ended(apprentice.teach(answers)).head
    answers = replace(answers, kinds=("death", "division"))
    for head in (None, in_use):
        made = ended(apprentice.sketch(head, answers)).head
        assert (made.shape.kinds, made.weights.tolist()) == (3, pytest.approx(list(FIRST_WEIGHTS)))
    monkeypatch.setattr(type(apprentice.first), "guided", False)
    assert ended(apprentice.sketch(None, answers)) is None


def test_before_any_head_is_in_use_a_new_one_is_calibrated_by_what_taught_it(apprentice):
    empty = [(6.0, 50.0, 50.0), (12.0, 20.0, 80.0), (18.0, 60.0, 20.0), (24.0, 48.0, 80.0)]
    taught = ended(apprentice.teach(answered(EVENTS[:4], empty)))
    rough = apprentice.rough(taught)
    assert [calibrator.method for calibrator in rough] == ["platt"] * taught.labels.shape[1]
    assert rough != ended(apprentice.prove(taught)).windows
