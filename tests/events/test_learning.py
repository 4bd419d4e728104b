"""Teaching a head: tiles and labels that belong together, events and non-events weighed alike."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.errors import ScopeError
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.learning import HeadLearner, Lesson, _turned, balanced_cross_entropy
from napari_tap_events.events.map_tiles import Inputs, MapTiles
from napari_tap_events.settings import HeadSettings
from napari_tap_events.training.loop import Plan, fit

CPU = Compute(torch.device("cpu"))
SHAPE = HeadShape(2, 0, 0, 1, 6, 2, 2)


def lesson_of(seed: int = 0, height: int = 30, width: int = 26, pairs=range(5)) -> Lesson:
    """A window is an event where its feature 0 is high on average in the first frame."""
    frames = np.random.default_rng(seed).normal(size=(6, 2, height, width)).astype(np.float16)
    rows, columns = (height - 6) // 2 + 1, (width - 6) // 2 + 1
    labels = np.zeros((5, 1, rows, columns), np.int8)
    for t in range(5):
        for i in range(rows):
            for j in range(columns):
                labels[t, 0, i, j] = frames[t, 0, 2 * i : 2 * i + 6, 2 * j : 2 * j + 6].astype(float).mean() > 0.2
    maps = FeatureMaps(frames, np.zeros((5, 0, height, width), np.float16), 2, 2)
    return Lesson(MapTiles(maps, Inputs(), CPU), labels, list(pairs))


def learner(lessons, **changes) -> HeadLearner:
    torch.manual_seed(0)
    settings = HeadSettings(**{"batch": 4, "tile_px": 24, "crop_px": 12, **changes})
    return HeadLearner(make_head("linear", SHAPE), lessons, settings, CPU)


def test_events_and_non_events_weigh_alike_and_the_unknown_nothing():
    logits = torch.tensor([2.0, -1.0, -3.0, 5.0]).view(1, 1, 1, 4)
    labels = torch.tensor([1, 0, 0, -1]).view(1, 1, 1, 4)
    by_hand = 0.5 * (math.log1p(math.exp(-2)) + (math.log1p(math.exp(-1)) + math.log1p(math.exp(-3))) / 2)
    assert balanced_cross_entropy(logits, labels).item() == pytest.approx(by_hand)


def test_a_tile_and_its_labels_belong_together():
    """Whatever tile is drawn, the head's answer for each window of it is that for the same window of the whole frame."""
    task, lesson = learner([lesson_of()]), lesson_of()
    frames, _, labels = task._block(0, 2, 3, 1)
    with torch.no_grad():
        tile = task.head(frames[None], frames.new_empty(1, 0, *frames.shape[-2:]))[0]
        whole = task.head(*(part[None] for part in lesson.tiles.block(2, (0, 30), (0, 26))))[0]
    rows, columns = tile.shape[-2:]
    torch.testing.assert_close(tile, whole[:, 3 : 3 + rows, 1 : 1 + columns])
    assert np.array_equal(labels.numpy(), lesson.labels[2, :, 3 : 3 + rows, 1 : 1 + columns])


def test_turning_turns_maps_and_labels_alike():
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    seen = set()
    for seed in range(60):
        code = (10 * y + x)[None, None]
        frames, pairs, labels = _turned(code, code, code, np.random.default_rng(seed))
        assert torch.equal(frames, labels)
        assert torch.equal(frames, pairs)
        seen.add(tuple(frames.flatten()[:2].tolist()))
    assert len(seen) == 8


def test_half_of_the_tiles_hold_an_event():
    lesson = lesson_of()
    lesson.labels[:] = 0
    lesson.labels[3, 0, 10, 8] = 1
    task = learner([lesson])
    rng = np.random.default_rng(0)
    for _ in range(50):
        _, t, i, j = task._place(rng, True)
        assert t == 3
        assert lesson.labels[t, 0, i : i + task.side, j : j + task.side].any()


def test_only_the_pairs_of_the_lesson_are_taught():
    task = learner([lesson_of(pairs=[1, 2]), lesson_of(1, pairs=[4])])
    rng = np.random.default_rng(0)
    drawn = {task._place(rng, bool(i % 2))[:2] for i in range(200)}
    assert drawn == {(0, 1), (0, 2), (1, 4)}


def test_the_same_seed_and_step_give_the_same_loss():
    losses = [learner([lesson_of()], seed=seed).loss(step)[0].item() for seed, step in ((0, 1), (0, 1), (0, 2), (1, 1))]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_movies_of_different_size_go_into_one_batch():
    loss, _ = learner([lesson_of(), lesson_of(1, 12, 40)], batch=6).loss(0)
    assert math.isfinite(loss.item())


def test_a_head_learns_what_it_is_taught():
    task = learner([lesson_of()], batch=8)
    first = np.mean([task.loss(step)[0].item() for step in range(5)])
    for _ in fit(task, Plan("head", 80, learning_rate=0.02)):
        pass
    assert np.mean([task.loss(step)[0].item() for step in range(100, 105)]) < 0.5 * first


@pytest.mark.parametrize("kind", ["linear", "resnet", "evidence"])
def test_whether_there_is_an_event_is_learned_as_if_kinds_were_not_told_apart(kind):
    lesson = lesson_of()
    left = np.arange(lesson.labels.shape[-1]) < 6
    apart = replace(lesson, labels=np.concatenate([lesson.labels, lesson.labels * left, lesson.labels * ~left], axis=1))
    answers = []
    for taught in (lesson, apart):
        torch.manual_seed(0)
        head = make_head(kind, replace(SHAPE, kinds=taught.labels.shape[1]))
        task = HeadLearner(head, [taught], HeadSettings(batch=4, tile_px=24, crop_px=12), CPU)
        for _ in fit(task, Plan("head", 12, 12, 0.01, 0.0, "constant")):
            pass
        maps = [
            part[None] for part in lesson.tiles.block(2, (-head.margin, 30 + head.margin), (-head.margin, 26 + head.margin))
        ]
        with torch.no_grad():
            answers.append(head.eval()(*maps)[0])
    torch.testing.assert_close(answers[1][:1], answers[0])
    assert (answers[1][1] - answers[1][2]).abs().max() > 0.01, "the others have learned, too"


@pytest.mark.parametrize(("value", "told"), [(0, "0 windows with events"), (1, "and 0 without"), (-1, "0 windows with events")])
def test_lessons_that_teach_nothing_are_refused(value, told):
    lesson = lesson_of()
    lesson.labels[:] = value
    with pytest.raises(ScopeError, match=told):
        learner([lesson])
