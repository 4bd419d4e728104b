"""A head on a movie that did not teach it: how foreign the movie is, what thirty answers put right, and when not to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_tap_events.events.calibration import Calibrator, fit_calibrator

Floats = NDArray[np.float64]

ENOUGH_ANSWERS = 30
SAMPLED_FRAMES, SAMPLED_STEP = 16, 4
FOREIGN, VERY_FOREIGN = 0.5, 1.5
"""Feature shift, in standard deviations, from which a movie is foreign to a head, and very foreign."""


@dataclass(frozen=True)
class FeatureSummary:
    """What the features of a movie are like.

    Attributes
    ----------
    mean, sd : tuple of float
        Of each channel.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def to_json(self) -> dict[str, list[float]]:
        """Return it as JSON values, for the card of a head."""
        return {"mean": list(self.mean), "sd": list(self.sd)}


def summary_from_json(values: Mapping[str, Any] | None) -> FeatureSummary | None:
    """Return the summary that a card tells; None where it tells none."""
    if not values:
        return None
    return FeatureSummary(tuple(map(float, values["mean"])), tuple(map(float, values["sd"])))


def summarise(frames: NDArray[np.float16]) -> FeatureSummary:
    """Summarise maps (T, F, h, w) by some frames and every fourth pixel."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, SAMPLED_FRAMES).round().astype(int))
    sample = np.stack([np.asarray(frames[t, :, ::SAMPLED_STEP, ::SAMPLED_STEP], dtype=np.float64) for t in chosen])
    return FeatureSummary(tuple(sample.mean((0, 2, 3)).tolist()), tuple(sample.std((0, 2, 3)).tolist()))


def feature_shift(new: FeatureSummary, taught: FeatureSummary) -> float:
    """Return how far the features of a movie lie from those that taught, in their standard deviations.

    The root mean square over channels of the distance between two normal distributions (Wasserstein-2: the means' difference and
    the standard deviations' difference), each in units of the taught standard deviation. 0 for the same movie.
    """
    mean, sd, mean0, sd0 = (np.array(values) for values in (new.mean, new.sd, taught.mean, taught.sd))
    unit = np.maximum(sd0, 1e-3 * max(float(sd0.max()), 1e-9))
    return float(np.sqrt((((mean - mean0) ** 2 + (sd - sd0) ** 2) / unit**2).mean()))


@dataclass(frozen=True)
class Refit:
    """What answers on a new movie put right.

    Attributes
    ----------
    calibrator : Calibrator
        Score of a candidate to probability, on this movie.
    threshold : float
        Probability that lists most events for the fewest false ones, by the answers.
    ranks : float
        Probability that a confirmed candidate scores higher than a rejected one, 0..1; 0.5 is chance.
    """

    calibrator: Calibrator
    threshold: float
    ranks: float


def refit(scores: ArrayLike, answers: ArrayLike) -> Refit | None:
    """Fit temperature, bias and threshold to answers.

    Parameters
    ----------
    scores : (N,) float
        Of the candidates that were answered, in logits of the head.
    answers : (N,) bool

    Returns
    -------
    Refit or None
        None where there are fewer than 30 answers, or all are alike.
    """
    z, y = np.asarray(scores, dtype=np.float64), np.asarray(answers, dtype=bool)
    if len(y) < ENOUGH_ANSWERS or y.all() or not y.any():
        return None
    calibrator = fit_calibrator(z, y, "platt")
    p = calibrator.probability(z)
    ranks = float((z[y][:, None] > z[~y]).mean() + 0.5 * (z[y][:, None] == z[~y]).mean())
    return Refit(calibrator, best_cut(p, y), ranks)


def best_cut(p: Floats, y: NDArray[np.bool_]) -> float:
    """Return the probability at which F1 of the answers is best, between the candidate there and the next one below."""
    order = np.argsort(-p, kind="stable")
    tp = np.cumsum(y[order])
    f1 = 2 * tp / (np.arange(1, len(p) + 1) + y.sum())
    best = int(f1.argmax())
    below = p[order[best + 1]] if best + 1 < len(p) else 0.0
    return float((p[order[best]] + below) / 2)


def expected_cut(p: Floats) -> float:
    """Return the probability at which the F1 that calibrated probabilities promise is best, between two candidates.

    Listing the n most probable of all candidates finds the sum of their probabilities, of as many events as all probabilities add up
    to. That leans on two fitted numbers, temperature and bias, where the best F1 of a handful of answers leans on one or two of them.

    Parameters
    ----------
    p : (N,) float
        Of all candidates of a movie, at least one.
    """
    falling = np.sort(p)[::-1]
    f1 = 2 * np.cumsum(falling) / (np.arange(1, len(p) + 1) + falling.sum())
    best = int(f1.argmax())
    below = falling[best + 1] if best + 1 < len(p) else 0.0
    return float((falling[best] + below) / 2)


def trust(shift: float | None, found: Refit | None) -> str:
    """Say in a sentence whether a head can be trusted on this movie; "" where nothing speaks against it."""
    if found is not None and found.ranks < 0.6:
        return (
            f"Do not trust this head here: it ranks what you confirmed hardly above what you rejected ({found.ranks:.0%}; 50 % is "
            "chance). Train one on this movie."
        )
    if shift is not None and shift >= VERY_FOREIGN:
        return f"This movie looks very different from what taught the head (shift {shift:.1f} sd): do not trust it before 30 answers."
    if shift is not None and shift >= FOREIGN and found is None:
        return f"This movie looks different from what taught the head (shift {shift:.1f} sd): answer 30 cards to correct it."
    return ""
