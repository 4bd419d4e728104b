"""Stacking: what each of several opinions is worth, found out on held-out candidates.

Stacked generalisation (Wolpert 1992, "Stacked generalization", Neural Networks 5): a logistic regression from opinions to events, with
weights of 0 and more (Breiman 1996, "Stacked regressions"). A normal prior holds them where nothing was learned yet: the guide leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from napari_tap_events.events.detection import score_and_kind
from napari_tap_events.events.held_out import HeldOut, outcome_of_candidates
from napari_tap_events.settings import ScoreSettings

PRIOR_MEAN, PRIOR_SD = (1.5, 0.0), 0.5
"""Mean and standard deviation of the prior on the weights of guide and head; chosen on one real movie and two synthetic ones."""

Weights = tuple[float, ...]
Answers = Mapping[tuple[int, int], list[HeldOut]]


def fit_weights(opinions: ArrayLike, events: ArrayLike) -> Weights:
    """Return the weight of each opinion that makes the events most probable, given the prior.

    Parameters
    ----------
    opinions : (N, 2) float
        Of guide and head, logarithms of evidence.
    events : (N,) bool

    Returns
    -------
    tuple of float
        0 and more; the prior's mean where there are only events, or none.
    """
    x, y = np.asarray(opinions, np.float64).reshape(-1, 2), np.asarray(events, bool)
    if not y.any() or y.all():
        return PRIOR_MEAN
    positives, negatives = int(y.sum()), int((~y).sum())
    targets = np.where(y, (positives + 1) / (positives + 2), 1 / (negatives + 2))  # as Platt 1999
    mean = np.array(PRIOR_MEAN)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:-1], parameters[-1]
        z = x @ weights + bias
        slope, pull = expit(z) - targets, (weights - mean) / PRIOR_SD**2
        value = (np.logaddexp(0, z) - targets * z).sum() + 0.5 * pull @ (weights - mean)
        return float(value), np.append(x.T @ slope + pull, slope.sum())

    found = minimize(loss, np.append(mean, 0.0), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2 + [(None, None)])
    return tuple(float(weight) for weight in found.x[:-1])


@dataclass(frozen=True)
class Stacked:
    """Answers whose opinions were weighed.

    Attributes
    ----------
    answers : mapping of (fold, unit) to list of HeldOut
        Weighed by what the answers on the other units than the fold say.
    weights : mapping of fold to tuple of float
    final : tuple of float
        By all held-out answers, for the final head; empty where there is only one opinion.
    """

    answers: dict[tuple[int, int], list[HeldOut]]
    weights: Mapping[int, Weights]
    final: Weights


def stack(answers: Answers, truths: Sequence[pd.DataFrame], score: ScoreSettings) -> Stacked:
    """Weigh the opinions in the answers of every fold by those on other units.

    Parameters
    ----------
    answers : mapping of (fold, unit) to list of HeldOut
        (k, k) is the test of fold k; (k, j) weighs it. With one opinion only they are returned as they came.
    truths : sequence of DataFrame
        True events of every movie.
    score : ScoreSettings
        When a candidate counts as a true event.
    """
    folds = sorted(k for k, j in answers if k == j)
    if all(part.opinions is None for parts in answers.values() for part in parts):
        return Stacked(dict(answers), dict.fromkeys(folds, ()), ())

    def worth(held: Sequence[HeldOut]) -> Weights:
        opinions, hit = outcome_of_candidates(held, truths, score)
        return fit_weights(opinions, hit)

    others = {
        k: [part for (fold, unit), parts in sorted(answers.items()) if fold == k != unit for part in parts] for k in folds
    }
    weights = {k: worth(others[k]) for k in folds}
    tests = [part for k in folds for part in answers[k, k]] if len(folds) > 1 else others[folds[0]]
    weighed = {(k, j): [weigh(part, weights[k]) for part in parts] for (k, j), parts in answers.items()}
    return Stacked(weighed, weights, worth(tests))


def weigh(part: HeldOut, weights: Weights) -> HeldOut:
    """Return answers with logits and candidates' scores that follow from these weights."""
    if part.opinions is None:
        return part
    w = np.array(weights, np.float32)
    scored = [(c, *score_and_kind(w @ np.array(c.opinions, np.float32))) for c in part.candidates]
    candidates = tuple(replace(c, score=score, kind=kind) for c, score, kind in scored)
    return replace(part, logits=np.tensordot(w, part.opinions, 1), candidates=candidates)
