"""Calibration recovers what was done to the logits, survives hard data, and its summary agrees with hand-made sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from napari_tap_events.errors import ModelError, ScopeError
from napari_tap_events.events.calibration import Calibrator, Method, calibration_summary, fit_calibrator


def honest(n: int, seed: int = 0, mean: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n,) and labels (n,) that agree with them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(mean, 2, n)
    return z, rng.random(n) < expit(z)


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_the_temperature_of_an_overconfident_head_is_recovered(method: Method) -> None:
    z, y = honest(40_000)
    fitted = fit_calibrator(3 * z, y, method)
    assert fitted.temperature == pytest.approx(3, rel=0.04)
    assert fitted.bias == pytest.approx(0, abs=0.05)


def test_the_shift_of_a_head_trained_on_even_classes_is_recovered() -> None:
    rng = np.random.default_rng(1)
    y = rng.random(60_000) < 0.13
    z = rng.normal(np.where(y, 1.5, -1.5), np.sqrt(3))  # log odds of equal normals: z = 2 * 1.5 / 3 * value
    fitted = fit_calibrator(z, y, "platt")
    assert fitted.bias == pytest.approx(np.log(0.13 / 0.87), abs=0.06)
    assert fitted.temperature == pytest.approx(1, rel=0.04)
    before, after = (calibration_summary(c.probability(z), y) for c in (Calibrator(), fitted))
    assert after.ece < 0.01 < before.ece
    assert after.brier < before.brier
    assert after.nll < before.nll
    assert before.prevalence == after.prevalence == pytest.approx(0.13, abs=0.01)


@pytest.mark.parametrize("method", ["temperature", "platt"])
@pytest.mark.parametrize("labels", ["separable", "reversed", "all", "none", "one"])
def test_hard_data_give_finite_calibrators(method: Method, labels: str) -> None:
    z = np.linspace(-8, 9, 200)
    y = {"separable": z > 0, "reversed": z < 0, "all": z < 99, "none": z > 99, "one": z >= 9}[labels]
    fitted = fit_calibrator(z, y, method)
    p = fitted.probability(z)
    assert 0 < fitted.temperature < np.inf
    assert np.isfinite(p).all()
    assert (np.diff(p) >= 0).all()


@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_the_scale_of_the_logits_does_not_matter_much(scale: float) -> None:
    z, y = honest(5000)
    p = fit_calibrator(scale * z, y, "platt").probability(scale * z)
    assert np.isfinite(p).all()
    assert calibration_summary(p, y).nll < 0.70


def test_platt_tells_a_single_class_by_its_bias() -> None:
    z = np.random.default_rng(0).normal(0, 1, 400)
    assert fit_calibrator(z, np.ones(400), "platt").probability(z).mean() > 0.98
    assert fit_calibrator(z, np.zeros(400), "platt").probability(z).mean() < 0.02


def test_weights_stand_for_windows_left_out() -> None:
    z, y = honest(30_000, mean=-3)
    keep = y | (np.random.default_rng(2).random(z.size) < 0.1)
    weights = np.where(y, 1.0, 10.0)[keep]
    full, thin = fit_calibrator(z, y), fit_calibrator(z[keep], y[keep], weights=weights)
    assert thin.bias == pytest.approx(full.bias, abs=0.08)
    assert thin.temperature == pytest.approx(full.temperature, rel=0.05)
    repeated = fit_calibrator(np.repeat(z[:500], 2), np.repeat(y[:500], 2))
    weighted = fit_calibrator(z[:500], y[:500], weights=np.full(500, 2.0))
    assert weighted.bias == pytest.approx(repeated.bias, abs=1e-4)


def test_the_fit_is_the_least_negative_log_likelihood() -> None:
    z, y = honest(3000, mean=-1)
    fitted = fit_calibrator(2 * z, y)
    best = calibration_summary(fitted.probability(2 * z), y).nll
    for t, b in [(1.1, 0), (0.9, 0), (1, 0.1), (1, -0.1)]:
        other = Calibrator(fitted.temperature * t, fitted.bias + b, "platt")
        assert best < calibration_summary(other.probability(2 * z), y).nll


def test_no_method_leaves_the_sigmoid() -> None:
    assert fit_calibrator([1.0], [1], "none") == Calibrator()
    assert Calibrator().probability(0.0) == 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_maps_keep_shape_and_float_type(dtype: type) -> None:
    z = np.array([[[-1e4, 0.0, 1e4]]], dtype=dtype)
    p = Calibrator(2.0, 0.5, "platt").probability(z)
    assert p.shape == z.shape
    assert p.dtype == np.promote_types(dtype, np.float32)
    np.testing.assert_allclose(p[0, 0], [0, expit(0.5), 1], rtol=1e-6)


def test_a_calibrator_survives_json() -> None:
    made = Calibrator(3.02, -1.9, "platt")
    assert Calibrator.from_json(made.to_json()) == made


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"temperature": 0, "bias": 0, "method": "platt"}', '{"temperature": "a"}'])
def test_a_damaged_calibrator_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="calibrat"):
        Calibrator.from_json(text)


def test_nothing_to_fit_to_and_broken_logits_are_said() -> None:
    with pytest.raises(ScopeError, match="no held-out windows"):
        fit_calibrator([], [])
    with pytest.raises(ModelError, match="not numbers"):
        fit_calibrator([np.nan, 1.0], [0, 1])
    with pytest.raises(ValueError, match="do not belong together"):
        fit_calibrator([1.0, 2.0], [1])


def test_the_summary_agrees_with_sums_by_hand() -> None:
    p, y, w = np.array([0.05, 0.05, 0.95, 1.0, 0.5]), np.array([0, 1, 1, 1, 0]), np.array([3, 1, 1, 1, 2.0])
    summary = calibration_summary(p, y, w, bins=10)
    assert summary.counts == (4, 0, 0, 0, 0, 2, 0, 0, 0, 2)
    assert summary.observed[0] == pytest.approx(0.25)
    assert summary.observed[1] is None
    assert summary.mean_probability[9] == pytest.approx(0.975)
    assert summary.ece == pytest.approx((4 * 0.20 + 2 * 0.5 + 2 * 0.025) / 8)
    assert summary.brier == pytest.approx((3 * 0.05**2 + 0.95**2 + 0.05**2 + 2 * 0.25) / 8)
    assert summary.prevalence == pytest.approx(3 / 8)
    assert np.isfinite(summary.nll)
    assert set(summary.to_dict()) == {"ece", "brier", "nll", "prevalence", "edges", "counts", "mean_probability", "observed"}


def test_honest_probabilities_have_a_small_calibration_error() -> None:
    z, y = honest(50_000)
    assert calibration_summary(expit(z), y).ece < 0.01
    assert calibration_summary(expit(z + logit(0.8)), y).ece > 0.1
