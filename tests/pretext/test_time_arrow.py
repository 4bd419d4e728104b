"""Time arrow prediction: its loss is that of the paper, it learns where there is an arrow, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.synthetic import noise_movie, palindrome
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.time_arrow import TimeArrow, decorrelation
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.training.loop import Plan, fit

CPU = Compute(torch.device("cpu"))


def growing(seed: int = 0, frames: int = 12, size: int = 72) -> Movie:
    """Bright spots that grow by half a pixel from frame to frame, everywhere: backwards, all would shrink."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    spots = [(cy, cx, rng.uniform(0, 3)) for cy in range(9, size, 18) for cx in range(9, size, 18)]
    movie = np.empty((frames, size, size))
    for t in range(frames):
        edges = [np.hypot(y - cy, x - cx) - (1.5 + phase + 0.5 * t) for cy, cx, phase in spots]
        movie[t] = rng.normal(20, 1.5, (size, size)) + 120 / (1 + np.exp(2 * np.min(edges, axis=0)))
    return movie_from_array(np.clip(movie, 0, 255).astype(np.uint8), f"growing-{seed}")


def learner(train: list[Movie], val: list[Movie], settings: PretrainSettings) -> TimeArrow:
    torch.manual_seed(settings.seed)
    model = ArrowEncoder(1, settings)
    sides = [[device_movie(m, range(m.n_frames), settings.deltas, CPU.device) for m in side] for side in (train, val)]
    return TimeArrow(model, *sides, settings, CPU)


def settings(**changes) -> PretrainSettings:
    values = {"preset": "unet8", "patch_px": 32, "batch": 16, "val_pairs": 16, "motion_blur_px": 2.0} | changes
    return PretrainSettings(**values)


def trained(task: TimeArrow, steps: int, rate: float = 3e-3) -> list[dict[str, float]]:
    work = fit(task, Plan("tap", steps, learning_rate=rate))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def standard_error(pairs: int) -> float:
    return 0.5 / math.sqrt(pairs)


def test_the_published_decorrelation_by_hand():
    """Two channels of two pixels, (1, 0) and (1, 2): z z^T = [[1, 1], [1, 5]], tau = 2."""
    z = torch.tensor([[1.0, 0.0], [1.0, 2.0]]).view(1, 2, 1, 2)
    first = math.exp(0.5) / (math.exp(0.5) + math.exp(0.5))
    second = math.exp(2.5) / (math.exp(0.5) + math.exp(2.5))
    by_hand = -(math.log(first) + math.log(second)) / 2
    assert float(decorrelation(z, "paper", 2.0)) == pytest.approx(by_hand, abs=1e-6)


def test_the_centred_decorrelation_by_hand():
    """Channels (3, 1, 2) and (0, 0, 3): centred (1, -1, 0), (-1, -1, 2), of correlation 0; tau = 0.5."""
    z = torch.tensor([[3.0, 1.0, 2.0], [0.0, 0.0, 3.0]]).view(1, 2, 1, 3)
    by_hand = -math.log(math.exp(2) / (math.exp(2) + 1))
    assert float(decorrelation(z, "centred", 0.5)) == pytest.approx(by_hand, abs=1e-6)


def test_the_centred_form_sees_correlation_whatever_the_scale_and_the_offset():
    torch.manual_seed(0)
    independent = torch.randn(1, 4, 16, 16)
    alike = torch.randn(1, 1, 16, 16) + 0.1 * torch.randn(1, 4, 16, 16)
    low, high = (float(decorrelation(z, "centred", 0.2)) for z in (independent, alike))
    assert low < 0.1 < 1 < high
    assert float(decorrelation(100 * alike + 7, "centred", 0.2)) == pytest.approx(high, rel=1e-3)


def test_the_published_form_saturates():
    torch.manual_seed(0)
    alike = 30 * torch.randn(1, 1, 32, 32).expand(-1, 4, -1, -1) + 5 * torch.randn(1, 4, 32, 32)
    assert float(decorrelation(alike, "paper", 0.2)) in (pytest.approx(0, abs=1e-3), pytest.approx(17.3, abs=6))
    flat = torch.full((1, 4, 8, 8), 0.0)
    assert float(decorrelation(flat, "paper", 0.2)) == pytest.approx(math.log(4), abs=1e-4)


def test_decorrelation_is_never_infinite_and_has_a_gradient():
    for form in ("paper", "centred"):
        z = (100 * torch.randn(2, 3, 8, 8)).requires_grad_(True)
        loss = decorrelation(z, form, 0.2)
        loss.backward()
        assert -1e-9 < loss.item() <= -math.log(1e-10) + 1e-3
        assert torch.isfinite(z.grad).all()


def test_the_loss_is_cross_entropy_plus_weighted_decorrelation():
    with_it, without = (learner([growing()], [], settings(decorrelation=form, augmentation=0)) for form in ("centred", "none"))
    without.module.load_state_dict(with_it.module.state_dict())
    total, metrics = with_it.loss(0)
    entropy, bare = without.loss(0)
    assert float(metrics["cross_entropy"]) == pytest.approx(entropy.item(), abs=1e-6)
    assert total.item() == pytest.approx(entropy.item() + 0.01 * float(metrics["decorrelation"]), abs=1e-6)
    assert "decorrelation" not in bare


def test_the_loss_is_that_of_the_true_order_of_time():
    """A model that knows the order has a loss near 0; one that takes it for the other order has a large one."""
    task = learner([growing()], [], settings(decorrelation="none", augmentation=0))

    def knows(sign: float):
        def answer(pairs):
            larger = pairs.mean((2, 3, 4))
            return sign * 500 * (larger[:, 1] - larger[:, 0])[:, None, None].expand(-1, 4, 4), pairs[:, :, :, :4, :4]

        return answer

    task.module = knows(1.0)
    right, metrics = task.loss(0)
    task.module = knows(-1.0)
    wrong, _ = task.loss(0)
    assert float(right) < 0.5 * float(wrong)
    assert metrics["accuracy"] > 0.6


def test_where_both_frames_are_the_same_the_accuracy_is_chance():
    still = movie_from_array(np.repeat(growing().as_array()[:1], 6, axis=0), "still")
    task = learner([still], [still], settings(augmentation=0))
    task.module.eval()
    assert task.loss(0)[1]["accuracy"] == pytest.approx(0.5)
    assert task.validate()["val_accuracy_uniform"] == pytest.approx(0.5)


def test_the_loss_falls_on_fixed_crops():
    task = learner([growing()], [], settings(augmentation=0))
    first = task.loss(0)[0].item()
    same = task.loss
    task.loss = lambda step: same(0)
    trained(task, 25)
    task.module.train()
    assert same(0)[0].item() < 0.6 * first


def test_the_same_seed_and_step_give_the_same_loss_and_others_give_others():
    first, again = learner([growing()], [], settings()), learner([growing()], [], settings())
    other = learner([growing()], [], settings(seed=1))
    other.module.load_state_dict(first.module.state_dict())
    losses = [task.loss(step)[0].item() for task, step in ((first, 3), (again, 3), (first, 4), (other, 3))]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_validation_pairs_are_fixed_and_not_augmented():
    task = learner([growing()], [growing(1)], settings())
    before = {name: pairs.clone() for name, pairs in task.val_sets.items()}
    task.module.eval()
    assert task.validate() == task.validate()
    assert set(before) == {"uniform", "motion"}
    assert all(pairs.shape == (16, 2, 1, 32, 32) for pairs in before.values())
    task.loss(0)
    assert all(torch.equal(task.val_sets[name], before[name]) for name in before)
    assert set(task.validate()) == {f"val_{what}_{how}" for what in ("accuracy", "cross_entropy") for how in before}


def test_several_movies_teach_in_proportion_to_their_pairs():
    dark, bright = (np.full((n, 48, 48), 10, np.uint8) for n in (31, 11))
    for array, side in ((dark, 0), (bright, 24)):
        array[:, :, side : side + 24] = 200
    movies = [movie_from_array(dark, "left"), movie_from_array(bright, "right")]
    task = learner(movies, [], settings(sampling="uniform", augmentation=0, batch=400, patch_px=16))
    seen = []
    task.module = lambda pairs: (seen.append(pairs) or torch.zeros(len(pairs), 4, 4), pairs)
    task.loss(0)
    assert seen[0].shape == (400, 2, 1, 16, 16)
    from napari_tap_events.pretext._places import shares

    counts = shares([30, 10], 4000, CPU.generator(0))
    assert sum(counts) == 4000
    assert counts[0] / 4000 == pytest.approx(0.75, abs=0.03)


def test_deltas_are_drawn_evenly():
    movie = growing(frames=24)
    task = learner([movie], [], settings(deltas=(1, 4), sampling="uniform"))
    pairs, _ = task.samplers[0].at(0).draw(4000, CPU.generator(1))
    steps = (pairs[:, 1] - pairs[:, 0]).tolist()
    assert set(steps) == {1, 4}
    assert steps.count(1) / 4000 == pytest.approx(0.5, abs=0.05)


def test_a_movie_with_an_arrow_is_learned_beyond_chance():
    task = learner([growing(0)], [growing(10)], settings(val_pairs=128, augmentation=0.5))
    history = trained(task, 60)
    assert history[-1]["val_accuracy_motion"] > 0.5 + 3 * standard_error(128)
    assert history[-1]["val_accuracy_uniform"] > 0.5 + 3 * standard_error(128)


@pytest.mark.parametrize("kind", ["noise", "palindrome"])
def test_a_movie_without_an_arrow_stays_at_chance(kind):
    """The same training, on movies in which time has no direction: whatever it says about other such frames is chance."""
    if kind == "noise":
        train, val = noise_movie(1, 30, 72, 72), noise_movie(2, 30, 72, 72)
    else:
        train, val = (palindrome(growing(seed)) for seed in (0, 10))
    task = learner([train], [val], settings(val_pairs=256, augmentation=0.5))
    history = trained(task, 60)
    for sampling in ("motion", "uniform"):
        assert abs(history[-1][f"val_accuracy_{sampling}"] - 0.5) < 3 * standard_error(256)
