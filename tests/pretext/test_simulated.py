"""The game `simulated`: its loss counted by hand, its truth in the right place, and what it learns holds where there is nothing to find."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.pair_head import seen
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import ModelError
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.movies.synthetic import SyntheticSettings, noise_movie, synthesise
from napari_tap_events.pretext import _scenes, simulated
from napari_tap_events.pretext._appearance import another_microscope
from napari_tap_events.pretext._scenes import UNKNOWN, Scenes, scene_of, training_scene
from napari_tap_events.pretext.simulated import Simulated, _places, at_half, average_precision, drawn, focal_events
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.training.loop import Plan, fit

CPU = Compute(torch.device("cpu"))
SETTINGS = PretrainSettings(
    preset="unet8", pretext="simulated", simulated_px=48, simulated_batch=6, simulated_movies=3, simulated_renew=10
)


def easy(seed: int, number: int, look=None) -> SyntheticSettings:
    """Few nuclei that divide often, hardly any noise."""
    return SyntheticSettings(
        seed=1000 * seed + number % 997, frames=10, height=72, width=72, cell_px=12, cells=5, cycle_frames=12, hold_frames=2,
        speed_px=0.3, restless=0.05, noise=0.02, arrest_rate=0, death_rate=0.0, debris=0, drift_px=0, contrast=0.4,
        expression_spread=0.1,
    )  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    """Scenes of few pixels, and few that judge."""
    monkeypatch.setattr(_scenes, "training_scene", easy)
    monkeypatch.setattr(simulated, "VAL_SCENES", 3)
    monkeypatch.setattr(simulated, "VAL_CROPS", 32)


def learner(settings: PretrainSettings = SETTINGS) -> Simulated:
    torch.manual_seed(settings.seed)
    return Simulated(ArrowEncoder(1, settings, arrow=False, simulated=True), settings, CPU)


def by_hand(logits, targets, area) -> float:
    """The loss, pixel by pixel in plain Python."""
    total, shown = 0.0, 0
    for b in range(len(logits)):
        for kind in range(len(logits[b])):
            there = sum(value == kind + 1 for row in targets[b] for value in row)
            shown += there > 0
            for y, row in enumerate(targets[b]):
                for x, value in enumerate(row):
                    p = 1 / (1 + math.exp(-logits[b][kind][y][x]))
                    if value == UNKNOWN:
                        continue
                    if value == kind + 1:
                        total += (1 - p) ** 2 * -math.log(p) / there
                    else:
                        total += p**2 * -math.log(1 - p) / area[b]
    return total / max(1, shown)


def test_the_loss_is_the_focal_loss_counted_in_events():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (3, 2, 4, 5))
    targets = rng.choice([0, 0, 0, 1, 2, UNKNOWN], (3, 4, 5)).astype(np.uint8)
    targets[2] = 0
    area = np.array([3.0, 7.0, 5.0])
    ours = focal_events(torch.tensor(logits), torch.tensor(targets), torch.tensor(area))
    assert float(ours) == pytest.approx(by_hand(logits.tolist(), targets.tolist(), area.tolist()), rel=1e-6)


def test_what_is_unknown_teaches_nothing():
    logits = torch.randn(1, 2, 6, 6, requires_grad=True)
    focal_events(logits, torch.full((1, 6, 6), UNKNOWN, dtype=torch.uint8), torch.tensor([4.0])).backward()
    assert not logits.grad.any()


def test_inventing_an_event_costs_as_much_as_missing_one_of_that_size():
    targets = torch.zeros(1, 8, 8, dtype=torch.uint8)
    targets[0, :2, :2] = 1
    base = torch.full((1, 1, 8, 8), -20.0)
    base[0, 0, :2, :2] = 20.0
    missed, invented = base.clone(), base.clone()
    missed[0, 0, :2, :2] = -3.0
    invented[0, 0, 5:7, 5:7] = 3.0
    one, other = (float(focal_events(logits, targets, torch.tensor([4.0]))) for logits in (missed, invented))
    assert one == pytest.approx(other, rel=1e-5)
    assert one > 2


def test_targets_lie_on_the_bodies_of_their_own_frame_pair():
    settings = easy(0, 5).model_copy(update={"cells": 14})
    made, scene = synthesise(settings), scene_of(settings, CPU.device)
    assert made.n_events == len(scene.events) > 3
    for t, y, x in scene.events.tolist():
        near = scene.targets[t, max(0, y - 9) : y + 10, max(0, x - 9) : x + 10]
        assert (near == 1).sum() > 20
    starts = {min(row.t for row in made.events if row.event_id == e) for e in {row.event_id for row in made.events}}
    for t in range(len(scene.targets)):
        assert bool(((scene.targets[t] > 0) & (scene.targets[t] != UNKNOWN)).any()) == (t in starts)


def test_faint_events_teach_nothing():
    settings = easy(0, 5).model_copy(update={"cells": 30, "expression_spread": 1.5})
    made, scene = synthesise(settings), scene_of(settings, CPU.device)
    faint = [row for row in made.events if row.certainty == "probable" and row.role == "mother"]
    assert faint
    for row in faint:
        assert scene.targets[row.t, round(row.y), round(row.x)] == UNKNOWN


def test_crops_lie_around_deaths_as_often_as_around_divisions_and_never_around_what_is_unknown():
    settings = easy(0, 5).model_copy(update={"cells": 30, "death_rate": 0.25, "expression_spread": 1.5})
    scene = scene_of(settings, CPU.device)
    values = np.array([int(scene.targets[t, y, x]) for t, y, x in scene.events.tolist()])
    rare, frequent = sorted(((values == kind).sum(), kind) for kind in (1, 2))
    assert 0 < rare[0] < frequent[0] / 1.5, "a movie that can show it"
    assert (values == UNKNOWN).any()
    frequency = scene.frequency.numpy()
    assert [frequency[values == kind].sum() for kind in (1, 2)] == pytest.approx([1, 1])
    assert not frequency[values == UNKNOWN].any()
    t, centre = _places(scene, 4000, 48, torch.Generator().manual_seed(0))
    near = {kind: _shown_near(scene.events[values == kind], t, centre) for kind in (1, 2)}
    assert min(near.values()) > 0.2 * len(t), "half of the crops lie around events, shared by two kinds"


def _shown_near(events, t, centre) -> int:
    """Return for how many crops one of the events lies within 24 px of the centre, in the same frame pair."""
    apart = (centre[:, None] - events[None, :, 1:]).abs().amax(-1)
    return int(((apart <= 24) & (t[:, None] == events[None, :, 0])).any(1).sum())


def test_events_that_the_frame_cuts_teach_nothing():
    settings = easy(0, 5).model_copy(update={"cells": 40})
    made, scene = synthesise(settings), scene_of(settings, CPU.device)
    assert made.cut
    for row in made.cut:
        for t in range(max(0, row.t - 1), min(row.t + 1, len(scene.targets))):
            assert scene.targets[t, round(row.y), round(row.x)] > 0  # its own, or that of an event beside


def test_the_row_of_movies_follows_from_the_step_alone(small):
    one, other = Scenes(0, None, 3, 4, CPU.device), Scenes(0, None, 3, 4, CPU.device)
    for step in range(9):
        one.at(step)
    late, fresh = one.at(9), other.at(9)
    assert [torch.equal(a.movie.frames, b.movie.frames) for a, b in zip(late, fresh, strict=True)] == [True] * 3
    before = other.at(7)
    assert torch.equal(before[1].movie.frames, fresh[0].movie.frames), "one movie went, one came"
    assert not torch.equal(fresh[0].movie.frames, fresh[1].movie.frames)


def test_movies_that_judge_never_teach():
    taught = {training_scene(0, number, None).seed for number in range(500)}
    judged = {training_scene(0, -1 - number, None).seed for number in range(500)}
    assert len(taught | judged) == 1000


def test_scenes_are_of_the_look_that_is_asked_for():
    assert {training_scene(0, n, "phase").look for n in range(20)} == {"phase"}
    assert {training_scene(0, n, None).look for n in range(20)} == {"phase", "nuclei"}


def test_the_same_step_draws_the_same_batch_and_another_step_another(small):
    scenes = Scenes(0, None, 2, 4, CPU.device).at(0)
    a, b, c = (drawn(scenes, 6, 48, CPU.generator(0, step)) for step in (1, 1, 2))
    assert torch.equal(a.pairs, b.pairs)
    assert torch.equal(a.targets, b.targets)
    assert not torch.equal(a.pairs, c.pairs)
    assert a.pairs.shape == (6, 2, 1, 48, 48)
    assert a.targets.shape == (6, 48, 48)


def test_left_as_they_are_crops_show_the_movie_with_its_truth_in_place(small):
    """Cells that take part in a division are the brightest there is: the truth lies where it is bright."""
    scenes = Scenes(0, None, 3, 4, CPU.device).at(0)
    batch = drawn(scenes, 40, 48, CPU.generator(3), still=True)
    inside = [
        float(pair.amax((0, 1))[t == 1].mean()) for pair, t in zip(batch.pairs, batch.targets, strict=True) if (t == 1).any()
    ]
    assert len(inside) > 10
    assert np.mean(inside) > 0.4
    assert float(batch.pairs.amax((1, 2)).mean()) < 0.25


def test_in_other_magnifications_and_orders_the_truth_still_lies_on_the_cells(small, monkeypatch):
    monkeypatch.setattr(simulated, "another_microscope", lambda crops, generator: crops)
    monkeypatch.setattr(simulated, "JUMP", 0.0)
    scenes = Scenes(0, None, 3, 4, CPU.device).at(0)
    batch = drawn(scenes, 60, 48, CPU.generator(4))
    inside = [
        float(pair.amax((0, 1))[t == 1].mean()) for pair, t in zip(batch.pairs, batch.targets, strict=True) if (t == 1).any()
    ]
    assert np.mean(inside) > 0.4


def test_backwards_and_still_there_is_no_event(small, monkeypatch):
    scenes = Scenes(0, None, 3, 4, CPU.device).at(0)
    for share in ("BACKWARDS", "STILL"):
        with monkeypatch.context() as patch:
            patch.setattr(simulated, "BACKWARDS", 0.0)
            patch.setattr(simulated, share, 1.0)
            assert not drawn(scenes, 20, 48, CPU.generator(5)).targets.any()


def test_another_microscope_keeps_shape_and_numbers_and_leaves_few_crops_alone():
    crops = torch.rand(64, 2, 1, 32, 32, generator=CPU.generator(0)) * 1.5 - 0.2
    seen_through = another_microscope(crops, CPU.generator(1))
    assert seen_through.shape == crops.shape
    assert torch.isfinite(seen_through).all()
    assert torch.equal(seen_through, another_microscope(crops, CPU.generator(1)))
    assert (seen_through - crops).abs().mean() > 0.05


def test_half_resolution_keeps_every_event():
    targets = torch.zeros(1, 6, 6, dtype=torch.uint8)
    targets[0, 3, 3], targets[0, 0, 5] = 1, UNKNOWN
    assert at_half(targets).tolist() == [[[0, 0, UNKNOWN], [0, 1, 0], [0, 0, 0]]]


def test_average_precision_by_hand():
    scores, there = torch.tensor([0.9, 0.8, 0.7, 0.1]), torch.tensor([True, False, True, False])
    assert average_precision(scores, there) == pytest.approx((1 + 2 / 3) / 2)
    assert math.isnan(average_precision(scores, torch.zeros(4, dtype=torch.bool)))


def test_an_encoder_without_a_pair_head_cannot_play():
    with pytest.raises(ModelError, match="needs an encoder with a pair head"):
        Simulated(ArrowEncoder(1, SETTINGS), SETTINGS, CPU)


def test_an_easy_look_is_learned_and_where_nothing_happens_nothing_is_found(small):
    """Positive control: in few steps crops with a division are told from others. Null: noise, and a still movie, hold no event."""
    task = learner(SETTINGS)
    before = task.validate()["val_ap_simulated"]
    work = fit(task, Plan("simulated", 110, learning_rate=4e-3))
    while True:
        try:
            next(work)
        except StopIteration as end:
            history = end.value
            break
    assert history[-1]["val_ap_simulated"] > max(0.9, before + 0.15)
    model = task.module.eval()
    still = synthesise(easy(7, 3)).movie
    nulls = {"noise": noise_movie(3, 4, 64, 64), "one frame again and again": still}
    for name, movie in nulls.items():
        frames = [movie.frame(0)] * 2 if movie is still else [movie.frame(0), movie.frame(1)]
        pair = torch.from_numpy(np.stack([normalise(frame) for frame in frames]))
        with torch.no_grad():
            found = seen(model.simulated(model.encoder(pair)[None]))
        assert float(found.max()) < 0.5, name


def test_in_the_end_norms_are_those_of_whole_frames_and_nothing_else_has_changed(small):
    task = learner()
    task.module.eval()
    weights = [parameter.detach().clone() for parameter in task.module.parameters()]
    norm = next(module for module in task.module.modules() if isinstance(module, torch.nn.BatchNorm2d))
    met = []
    watched = norm.register_forward_hook(lambda _module, given, _out: met.append(given[0].detach()))
    task.settle(0)
    watched.remove()
    assert {tuple(values.shape[-2:]) for values in met} == {(easy(0, 0).height,) * 2}
    torch.testing.assert_close(norm.running_mean, torch.stack([values.mean((0, 2, 3)) for values in met]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([values.var((0, 2, 3)) for values in met]).mean(0))
    assert all(torch.equal(a, b) for a, b in zip(weights, task.module.parameters(), strict=True))
    assert not any(module.training for module in task.module.modules())
