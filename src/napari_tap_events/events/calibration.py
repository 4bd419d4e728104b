"""Calibration: turn a head's logits into probabilities that mean what they say.

A head trained on as many events as non-events overrates events when it is used where they are rare: at 13 % the logits need a
shift of log(.13 / .87) = -1.9, which a temperature alone cannot give; a temperature and a bias can.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from napari_tap_events.errors import ModelError, ScopeError

Method = Literal["platt", "temperature", "none"]
Floats = NDArray[np.float64]

PRIOR_SD = 3.0
"""Standard deviation of the prior on log T: 95 % of it between T = 1/400 and T = 400."""
LOG_T_LIMIT = 7.0


@dataclass(frozen=True)
class Calibrator:
    """Logit to probability: sigmoid(logit / temperature + bias).

    Attributes
    ----------
    temperature : float
        Above 0; above 1 it makes an overconfident head modest.
    bias : float
        Added to the scaled logit; the difference in log odds between training and use.
    method : "platt", "temperature" or "none"
    """

    temperature: float = 1.0
    bias: float = 0.0
    method: Method = "none"

    def probability(self, logits: ArrayLike) -> NDArray[Any]:
        """Return probabilities, 0..1, in the shape of the logits and their float type, float32 at least."""
        values = np.asarray(logits)
        dtype = np.promote_types(values.dtype, np.float32)
        # numpy scalars, not Python's: a (T, Y, X) float32 map must not become float64 on the way
        scale, shift = dtype.type(1 / self.temperature), dtype.type(self.bias)
        return np.asarray(expit(values.astype(dtype, copy=False) * scale + shift))

    def to_json(self) -> str:
        """Return the calibrator as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibrator:
        """Read a calibrator from JSON.

        Raises
        ------
        ModelError
            When the text is no calibrator.
        """
        try:
            values = json.loads(text)
            made = cls(float(values["temperature"]), float(values["bias"]), values["method"])
        except (ValueError, KeyError, TypeError):
            raise ModelError(f"this is no calibrator: '{text[:80]}'; calibrate the model again.") from None
        if not (0 < made.temperature < np.inf and np.isfinite(made.bias)):
            raise ModelError(
                f"a calibrator with temperature {made.temperature} and bias {made.bias} cannot be used; calibrate again."
            )
        return made


def fit_calibrator(
    logits: ArrayLike, labels: ArrayLike, method: Method = "platt", weights: ArrayLike | None = None
) -> Calibrator:
    """Fit temperature, or temperature and bias, by least negative log likelihood on held-out windows.

    "temperature" is sigmoid(logit / T) of Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4; "platt" is
    sigmoid(logit / T + b) of Platt 1999, "Probabilistic Outputs for Support Vector Machines", with its slope kept above 0.

    Data that a threshold separates, or that hold one class only, would push T to 0 or b to infinity. Two things keep them in
    bounds: Platt's smoothed targets, (N+ + 1) / (N+ + 2) and 1 / (N- + 2) in place of 1 and 0, and a weak normal prior on log T
    (mean 0, sd 3) that weighs as much as a fraction of one window. N+ and N- are sums of weights.

    Parameters
    ----------
    logits : (N,) float
        At the prevalence of use: draw no classes evenly here, or say so in `weights`.
    labels : (N,) bool or 0/1
    method : "platt", "temperature" or "none"
    weights : (N,) float, optional
        How many windows each one stands for, where they were subsampled; 1 each by default.

    Raises
    ------
    ScopeError
        When there is nothing to fit to.
    ModelError
        When a logit is not finite.
    """
    if method == "none":
        return Calibrator()
    z, y, w = _windows(logits, labels, weights)
    if not np.isfinite(z).all():
        raise ModelError("the head gives logits that are not numbers; train it again with a lower learning rate.")
    positives, negatives = float(w @ y), float(w @ (1 - y))
    targets = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    with_bias = method == "platt"
    start = np.zeros(2 if with_bias else 1)
    bounds = [(-LOG_T_LIMIT, LOG_T_LIMIT), (None, None)][: start.size]
    # in units of the logits' own size, or L-BFGS loses its way where they are very large or small
    log_size = 0.5 * float(np.log(max(w @ z**2 / w.sum(), 1e-24)))
    result = minimize(
        _loss, start, args=(z / np.exp(log_size), targets, w, log_size), jac=True, method="L-BFGS-B", bounds=bounds
    )
    bias = float(result.x[1]) if with_bias else 0.0
    return Calibrator(float(np.exp(result.x[0] + log_size)), bias, method)


def _loss(parameters: Floats, z: Floats, targets: Floats, weights: Floats, log_size: float) -> tuple[float, Floats]:
    """Return mean negative log posterior and its gradient by (log T - log_size, b).

    Parameters
    ----------
    parameters : (1,) or (2,)
    z : (N,) logits divided by exp(log_size)
    targets, weights : (N,)
    """
    log_t = parameters[0] + log_size
    scaled = z * np.exp(-parameters[0])
    logit = scaled + parameters[1] if parameters.size > 1 else scaled
    total = weights.sum()
    nll = weights @ (np.logaddexp(0, logit) - targets * logit)
    slope = weights * (expit(logit) - targets)
    gradient = [-(slope @ scaled) + log_t / PRIOR_SD**2, slope.sum()][: parameters.size]
    return float((nll + log_t**2 / (2 * PRIOR_SD**2)) / total), np.array(gradient) / total


@dataclass(frozen=True)
class CalibrationSummary:
    """How honest probabilities are.

    Attributes
    ----------
    ece : float
        Expected calibration error: mean over windows of |mean p - observed frequency| of their bin (Guo et al. 2017, eq. 3).
    brier : float
        Mean squared difference of probability and outcome.
    nll : float
        Mean negative log likelihood, nats.
    prevalence : float
        Share of windows that are events.
    edges : (B + 1,) floats
        Limits of the bins, equal in width; the last includes 1.
    counts : (B,) floats
        Windows in each bin, weighted.
    mean_probability, observed : (B,) floats or None
        Mean probability and share of events in each bin; None where it is empty.
    """

    ece: float
    brier: float
    nll: float
    prevalence: float
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    mean_probability: tuple[float | None, ...]
    observed: tuple[float | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain values, fit for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def calibration_summary(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None, bins: int = 15
) -> CalibrationSummary:
    """Measure how well probabilities agree with what was observed.

    Parameters
    ----------
    probabilities : (N,) float, 0..1
    labels : (N,) bool or 0/1
    weights : (N,) float, optional
    bins : int
        Bins of equal width between 0 and 1.

    Raises
    ------
    ScopeError
        When there are no windows.
    """
    p, y, w = _windows(probabilities, labels, weights)
    total = w.sum()
    which = np.minimum((p * bins).astype(np.int64), bins - 1)
    counts, sum_p, sum_y = (
        np.bincount(which, weights=values, minlength=bins).astype(np.float64) for values in (w, w * p, w * y)
    )
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return CalibrationSummary(
        ece=float(np.abs(sum_p - sum_y).sum() / total),
        brier=float(w @ (p - y) ** 2 / total),
        nll=float(-(w @ (y * np.log(inside) + (1 - y) * np.log1p(-inside))) / total),
        prevalence=float(w @ y / total),
        edges=tuple(float(edge) for edge in np.linspace(0, 1, bins + 1)),
        counts=tuple(float(count) for count in counts),
        mean_probability=_per_bin(sum_p, counts),
        observed=_per_bin(sum_y, counts),
    )


def _per_bin(sums: Floats, counts: Floats) -> tuple[float | None, ...]:
    return tuple(float(value / count) if count > 0 else None for value, count in zip(sums, counts, strict=True))


def _windows(values: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Return values, labels 0/1 and weights, each (N,) float64."""
    z = np.asarray(values, dtype=np.float64).ravel()
    y = (np.asarray(labels).ravel() > 0).astype(np.float64)
    w = np.ones_like(z) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not z.size == y.size == w.size:
        raise ValueError(f"{z.size} values, {y.size} labels and {w.size} weights do not belong together")
    if w.sum() <= 0:
        raise ScopeError(
            "there are no held-out windows to calibrate on; annotate more frames or choose other validation frames."
        )
    return z, y, w
