"""The published crops: drawn evenly, labelled by counting, seen alone, and taught in balance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.errors import ScopeError
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.paper_crops import (
    CROP_PX,
    CropClassifier,
    CropLearner,
    CropPairs,
    CropReader,
    draw_crop_pairs,
)
from napari_tap_events.movies.masks import EventMasks, Scope, UncertainZone
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.settings import EncoderSettings

CPU = Compute(torch.device("cpu"))


def masks(uncertain: tuple[UncertainZone, ...] = ()) -> EventMasks:
    labels = np.zeros((6, 80, 90), np.uint8)
    labels[2:4, 30:40, 30:40] = 1
    return EventMasks(labels, ("division", "death"), Scope.whole(labels.shape), uncertain)


def drawn(mask: EventMasks, seed: int = 0) -> CropPairs:
    return draw_crop_pairs([mask], 200, "size-either", 40, np.random.default_rng(seed))


def test_labels_are_those_of_counting_pixels():
    mask = masks()
    pairs = drawn(mask)
    assert len(pairs) == 5 * 200
    assert pairs.event.any()
    for (_, t, y, x), event in zip(pairs.place, pairs.event, strict=True):
        counts = [int((mask.labels[at, y : y + CROP_PX, x : x + CROP_PX] == 1).sum()) for at in (t, t + 1)]
        assert event == (max(counts) > 40)


def test_crops_that_touch_an_unknown_place_are_left_out():
    pairs = drawn(masks((UncertainZone(0, 5, 5, 4),)))
    near = (pairs.place[:, 1] <= 2) & (pairs.place[:, 2] < 2) & (pairs.place[:, 3] < 2)
    assert not near.any()
    assert len(pairs) < 5 * 200


def test_teaching_crops_are_balanced():
    taught = drawn(masks()).balanced(np.random.default_rng(0))
    assert taught.event.mean() == 0.5
    with pytest.raises(ScopeError, match="0 hold an event: there is nothing to balance; draw more --paper-pairs"):
        drawn(masks()).only(~drawn(masks()).event).balanced(np.random.default_rng(0))


def classifier(kind: str, trained: bool = False) -> CropClassifier:
    torch.manual_seed(0)
    encoder = Encoder(1, EncoderSettings(preset="unet8"))
    return CropClassifier(encoder, make_head(kind, HeadShape(8, 0, 0, 1, CROP_PX, CROP_PX, 1)), trained)


@pytest.mark.parametrize("kind", ["linear", "resnet", "evidence"])
def test_what_lies_beyond_the_crop_changes_nothing(kind):
    rng = np.random.default_rng(0)
    module = classifier(kind).eval()
    images = torch.from_numpy(rng.normal(size=(3, 2, 1, CROP_PX, CROP_PX)).astype(np.float32))
    one = module(images)
    assert one.shape == (3,)
    torch.testing.assert_close(module(images[:1]), one[:1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("trained", [False, True])
def test_the_encoder_learns_only_where_it_shall(trained):
    movie = movie_from_array(np.random.default_rng(0).integers(0, 255, (6, 80, 90)).astype(np.uint8), "noise")
    module = classifier("linear", trained)
    before = {name: value.clone() for name, value in module.encoder.state_dict().items()}
    learner = CropLearner(module, CropReader([movie], CPU), drawn(masks()).balanced(np.random.default_rng(0)), 16, 0)
    module.train()
    loss, _ = learner.loss(0)
    loss.backward()
    assert module.encoder.training == trained
    assert any(p.grad is not None for p in module.encoder.parameters()) == trained
    same = all(torch.equal(before[name], value) for name, value in module.encoder.state_dict().items())
    assert same != trained


def test_every_teaching_crop_is_seen_once_an_epoch(monkeypatch):
    movie = movie_from_array(np.random.default_rng(0).integers(0, 255, (6, 80, 90)).astype(np.uint8), "noise")
    taught = drawn(masks()).balanced(np.random.default_rng(0))
    learner = CropLearner(classifier("linear"), CropReader([movie], CPU), taught, 16, 0)
    seen: list[np.ndarray] = []
    plain = CropPairs.only
    monkeypatch.setattr(CropPairs, "only", lambda self, which: seen.append(np.asarray(which)) or plain(self, which))
    for step in range(learner.per_epoch):
        learner.loss(step)
    assert sorted(np.concatenate(seen)) == list(range(len(taught)))
