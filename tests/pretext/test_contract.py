"""What every game must do, whichever it is: teach the encoder, repeat itself, win where it can be won, and only there."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
import torch

from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.synthetic import noise_movie
from napari_tap_events.pretext import _scenes, simulated
from napari_tap_events.settings.games import GAMES

from .arena import crowded, halved, learner, lively, on_movies, sloping, textured, trained
from .test_simulated import easy

OWN_TESTS = ("simulated",)
"""Its nulls and its positive control are in its own file: it is played on other movies."""
CLUSTERS = {"pairs_per_epoch": 1600, "game_settings": ("deep_clusters.crops=64", "deep_clusters.clusters=2")}
NO_NULL = {
    "motionmask": "what stands out in noise is gone in the next frame, so that noise can be foreseen",
    "exemplar": "two views of one crop of noise show the same noise",
    "count": "a crop of noise is as bright as its quarters are together",
    "deep_clusters": "the crop that the label comes from is shown",
    "weak": "both frames are shown: where they differ can be seen in noise as well",
}


@dataclass(frozen=True)
class Win:
    """A metric and what it must reach in a few steps: at least, or, where less is better, at most; and on what."""

    metric: str
    bar: float
    movie: Callable[[int], Movie] = lively
    less: bool = False
    steps: int = 50
    changes: Mapping[str, object] = field(default_factory=dict)


LARGER = {"patch_px": 32, "batch": 8}
WON = {
    "time_arrow": Win("accuracy", 0.9, steps=60),
    "order": Win("accuracy", 0.4),
    "timecontrast": Win("accuracy", 0.4),
    "selfee": Win("simsiam", 1.8, less=True, steps=40),
    "clove": Win("matched", 0.27, textured, steps=60, changes=LARGER),
    "masked": Win("against_copying", 0.98, less=True),
    "future": Win("against_copying", 0.98, less=True),
    "propagate": Win("accuracy", 0.4, textured, steps=40, changes=LARGER),
    "relrot": Win("accuracy", 0.7),
    "jigsaw": Win("accuracy", 0.15, sloping, changes={"augmentation": 0, "batch": 32}),
    "deep_clusters": Win("accuracy", 0.62, halved, steps=40, changes={"augmentation": 0} | CLUSTERS),
    "exemplar": Win("accuracy", 0.25, textured, changes={"patch_px": 24, "game_settings": ("exemplar.group=4",)}),
    "crosschannel": Win("accuracy", 0.3, steps=40, changes={"game_settings": ("crosschannel.bins=4",)}),
    "count": Win("accuracy", 0.62, crowded, steps=60, changes={"batch": 32}),
    "motionmask": Win("accuracy", 0.7, steps=40),
    "slowness": Win("speed", 0.1, less=True, steps=40),
    "weak": Win("accuracy", 0.65, steps=40),
}


def metric_of(name: str) -> str:
    return "val_accuracy_motion" if name == "time_arrow" else f"val_{name}_{WON[name].metric}_motion"


@pytest.fixture(autouse=True)
def _small_scenes(monkeypatch):
    monkeypatch.setattr(_scenes, "training_scene", easy)
    monkeypatch.setattr(simulated, "VAL_SCENES", 1)
    monkeypatch.setattr(simulated, "VAL_CROPS", 8)


@pytest.fixture(params=list(GAMES))
def name(request) -> str:
    return request.param


def encoder_of(task):
    module = task.module
    return (module if isinstance(module, ArrowEncoder) else module.model).encoder


def test_the_gradient_reaches_the_first_and_the_last_layer_of_the_encoder(name):
    task = learner(name, lively(), batch=8)
    trained(task, 1)  # a head that begins by saying nothing at all lets no gradient through
    task.loss(1)[0].backward()
    encoder = encoder_of(task)
    for weight in (encoder.unet.down[0][0][0].weight, encoder.projection[0].weight):
        assert torch.isfinite(weight.grad).all()
        assert weight.grad.abs().max() > 0


def test_the_loss_falls_on_fixed_crops(name):
    task = learner(name, lively(), batch=8)
    plain = task.loss
    plain(0)  # what is done anew at the start of an epoch is done once
    first = plain(1)[0].item()
    task.loss = lambda step: plain(1)
    trained(task, 20)
    task.module.train()
    assert plain(1)[0].item() < first - 0.05 * abs(first)


def test_the_same_seed_and_step_give_the_same_loss_and_others_give_others(name):
    one, again = (learner(name, lively(), batch=8) for _ in range(2))
    other = learner(name, lively(), batch=8, seed=1)
    other.module.load_state_dict(one.module.state_dict())
    losses = [task.loss(step)[0].item() for task, step in ((one, 3), (again, 3), (one, 4), (other, 3))]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_all_that_is_learned_is_in_its_state(name):
    """A game set up anew, given the state of one that has played, goes on as that one does."""
    task = learner(name, lively(), batch=8)
    trained(task, 3)
    kept = copy.deepcopy(task.module.state_dict())
    fresh = learner(name, lively(), batch=8)
    fresh.module.load_state_dict(kept)
    for one in (task, fresh):
        one.module.train()
    assert task.loss(3)[0].item() == fresh.loss(3)[0].item()


def test_it_is_judged_by_fixed_crops_and_says_so_by_name(name):
    task = learner(name, lively(), lively(1), batch=8, val_pairs=16)
    task.module.eval()
    values = task.validate()
    assert values == task.validate()
    assert all(math.isfinite(value) for value in values.values())
    from napari_tap_events.pretext.games import monitor

    assert monitor(name, task.settings) in values


@pytest.mark.parametrize("game", [name for name in GAMES if name not in OWN_TESTS])
def test_where_it_can_be_won_it_is_won_also_on_a_movie_it_never_saw(game):
    win = WON[game]
    changes = {"val_pairs": 128, "augmentation": 0.3} | dict(win.changes)
    value = trained(learner(game, win.movie(0), win.movie(10), **changes), win.steps)[-1][metric_of(game)]
    assert value < win.bar if win.less else value > win.bar


@pytest.mark.parametrize("game", [n for n in GAMES if n not in OWN_TESTS and n not in NO_NULL and WON[n].metric == "accuracy"])
def test_on_noise_it_stays_at_chance(game):
    task = learner(game, noise_movie(1, 24, 64, 64), noise_movie(2, 24, 64, 64), val_pairs=256, augmentation=0.3)
    values = trained(task, 30)[-1]
    metric = metric_of(game)
    chance = values.get(f"{game}_chance", 0.5)
    places = 256 if game == "time_arrow" else task.count * (256 // 16)
    assert abs(values[metric] - chance) < 3 * math.sqrt(chance * (1 - chance) / places)


def test_every_game_says_what_it_learns_when_it_misleads_and_where_it_is_from():
    for facts in GAMES.values():
        assert facts.learns.endswith(".")
        assert facts.misleads.endswith(".")
        assert any(year in facts.reference for year in map(str, range(1990, 2030)))


def test_a_movie_that_is_too_short_is_told_so():
    for name in filter(on_movies, GAMES):
        facts = GAMES[name]
        assert facts.unfit(200, 2) == ""
        assert f"needs {facts.frames} frames" in facts.unfit(facts.frames, 2)
