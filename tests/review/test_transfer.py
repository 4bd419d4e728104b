"""A head on a foreign movie: the shift is seen, answers put its probabilities right, and it is told when not to trust it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import ModelError
from napari_tap_events.events.ranking import promised_threshold
from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.review.transfer import (
    FeatureSummary,
    feature_shift,
    refit,
    refit_to,
    settings_of_head,
    summarise,
    summary_from_json,
    trust,
)
from napari_tap_events.settings import EventSettings, HeadSettings


def maps(shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 1, (20, 6, 40, 40)) * scale + shift).astype(np.float16)


def test_a_movie_like_the_one_that_taught_has_no_shift_and_a_foreign_one_has():
    taught = summarise(maps())
    assert feature_shift(summarise(maps()), taught) == 0
    assert 0.9 < feature_shift(summarise(maps(shift=1)), taught) < 1.1
    assert feature_shift(summarise(maps(scale=3)), taught) > 1.5
    assert summary_from_json(taught.to_json()) == taught
    assert summary_from_json(None) is None


def test_a_channel_that_never_varied_does_not_blow_up():
    flat = FeatureSummary((0.0, 1.0), (0.0, 1.0))
    assert np.isfinite(feature_shift(FeatureSummary((0.1, 1.0), (0.0, 1.0)), flat))


def test_thirty_answers_bring_the_probabilities_back():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 3, 400)
    truth = rng.random(400) < 1 / (1 + np.exp(-(scores / 2 - 1)))
    found = refit(scores, truth, scores)
    assert found is not None
    assert abs(found.calibrator.temperature - 2) < 0.6
    assert abs(found.calibrator.bias + 1) < 0.4
    assert found.threshold == promised_threshold(found.calibrator.probability(scores))
    assert refit(scores, truth, scores[scores < 0]).threshold < found.threshold
    assert found.ranks > 0.7
    assert refit(scores[:29], truth[:29], scores) is None
    assert refit(scores, np.ones(400, bool), scores) is None


def test_nothing_is_listed_far_below_all_that_was_confirmed():
    answered = np.r_[np.linspace(-1, 5, 27), -6.0, -9.0, -12.0]
    every = np.r_[answered, np.linspace(-8, -1.5, 500)]
    found = refit(answered, answered > -5, every)
    assert found is not None
    middle = (-1 - 6) / 2
    assert found.threshold == pytest.approx(float(found.calibrator.probability(middle)))
    assert promised_threshold(found.calibrator.probability(every)) < found.threshold


def test_two_of_a_kind_are_too_few_to_draw_a_line_by():
    scores = np.linspace(-4, 4, 40)
    assert refit(scores, scores > scores[1], scores) is None
    assert refit(scores, scores > scores[2], scores) is not None
    assert refit(scores, scores >= scores[38], scores) is None


def test_it_is_told_when_a_head_should_not_be_trusted():
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 1, 200)
    blind = refit(scores, rng.random(200) < 0.5, scores)
    assert "Do not trust" in trust(0.0, blind)
    assert "very different" in trust(2.0, None)
    assert "answer 30 cards" in trust(0.8, None)
    assert not any("sd" in trust(shift, None) for shift in (0.8, 2.0)), "words that everybody knows"
    scores = np.r_[np.linspace(-3, 0, 30), np.linspace(0.5, 3, 30)]
    good = refit(scores, scores > 0, scores)
    assert trust(0.8, good) == trust(2.0, good) == ""
    assert trust(0.1, None) == ""


def test_only_candidates_that_were_answered_count():
    rows = [EventRow(t, 10.0, 10.0, "event", 0.5, source="head") for t in range(0, 400, 10)]
    table = events_table(rows).assign(score=np.linspace(-4, 4, 40))
    places = np.array([(row.t + 1, 12.0, 10.0) for row in rows] + [(5.0, 90.0, 90.0)])
    truth = np.r_[np.arange(40) > 25, True]
    answers, found = refit_to(table, (places, truth), EventSettings(radius_px=6, radius_frames=1))
    assert answers == 40
    assert found == refit(table["score"], truth[:40], table["score"])


def head_folder(folder: Path, settings: dict, **details) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").touch()
    (folder / "card.json").write_text(json.dumps({"kind": "head", "settings": settings, "details": details}))
    return folder


def test_a_head_from_elsewhere_brings_its_sizes_inputs_and_encoder(tmp_path):
    own = HeadSettings(crop_px=32, radius_px=21.0, encoder="/gone", steps=900, seed=4, intensity=True, features=False)
    folder = head_folder(tmp_path / "head", own.model_dump(mode="json") | {"of_another_version": 1}, source="encoder")
    (folder / "encoder").mkdir()
    found = settings_of_head(folder, HeadSettings(crop_px=24, steps=7))
    assert (found.crop_px, found.radius_px, found.intensity, found.features) == (32, 21.0, True, False)
    assert (found.steps, found.seed, found.encoder) == (7, 0, str(folder / "encoder"))
    image = head_folder(tmp_path / "image", own.model_dump(mode="json"), source="intensity")
    assert settings_of_head(image, HeadSettings()).encoder == "intensity"


def test_a_head_without_its_encoder_is_told(tmp_path):
    folder = head_folder(tmp_path / "head", HeadSettings().model_dump(mode="json"), source="encoder")
    with pytest.raises(ModelError, match="has no encoder beside it"):
        settings_of_head(folder, HeadSettings())


def test_a_head_whose_card_cannot_be_used_is_told(tmp_path):
    folder = head_folder(tmp_path / "head", {"crop_px": -3}, source="intensity")
    with pytest.raises(ModelError, match="teach the head again"):
        settings_of_head(folder, HeadSettings())
