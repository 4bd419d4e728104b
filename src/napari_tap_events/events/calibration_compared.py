"""Temperature against Platt against nothing: how honest the same held-out answers are under each calibration.

Every fold is calibrated on the other folds' answers and judged on its own. Intervals draw blocks of time again, never windows:
windows of one event, and of one background, are no independent witnesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.events.calibration import Method, calibration_summary
from napari_tap_events.events.held_out import APART_FRAMES, HeldOut, window_calibrators

METHODS: tuple[Method, ...] = get_args(Method)
BINS = 15
BLOCKS = 20
"""Blocks of time that are drawn again."""
Floats = NDArray[np.float64]


def compare_methods(answers: Mapping[tuple[int, int], list[HeldOut]]) -> dict[str, dict[str, Any]]:
    """Calibrate windows in every way there is, and measure each.

    Parameters
    ----------
    answers : mapping of (fold, unit) to list of HeldOut
        (k, k) is the test of fold k; (k, j) calibrates it.

    Returns
    -------
    dict of method to dict
        What `calibration_summary` says, and `interval`: low and high of ECE, Brier score and log loss.
    """
    return {method: _judged(answers, method) for method in METHODS}


def _judged(answers: Mapping[tuple[int, int], list[HeldOut]], method: Method) -> dict[str, Any]:
    parts: list[tuple[Floats, NDArray[np.int8], NDArray[np.int64]]] = []
    for k in sorted(fold for fold, unit in answers if fold == unit):
        others = [part for (fold, unit), held in sorted(answers.items()) if fold == k and unit != k for part in held]
        calibrator = window_calibrators(others, method)[0]
        for part in answers[k, k]:
            p = calibrator.probability(part.logits[:, 0].astype(np.float64))
            parts.append((p, part.labels[:, 0], part.t % APART_FRAMES))  # movies side by side
    p, labels, t = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {**calibration_summary(p, labels, bins=BINS).to_dict(), "interval": calibration_interval(p, labels == 1, t)}


def calibration_interval(
    probability: Floats, event: NDArray[np.bool_], t: NDArray[np.int64], repeats: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[str, list[float]]:
    """Estimate how far ECE, Brier score and log loss would move with other stretches of time (block bootstrap).

    Parameters
    ----------
    probability : (N,) 0..1
    event : (N,) bool
    t : (N,) int64
        Frame pair of every window.
    repeats, seed : int
    level : float
        Share of the resampled values between low and high, 0..1.

    Returns
    -------
    dict of name to [low, high]
        Empty where fewer than two blocks hold windows.
    """
    length = max(1, -(-int(t.max() + 1) // BLOCKS))
    blocks, block = np.unique(t // length, return_inverse=True)
    if len(blocks) < 2:
        return {}
    sums = _sums_by_block(probability, event, block, len(blocks))
    draws = np.random.default_rng(seed).multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=repeats)
    drawn = {name: np.tensordot(draws, values, 1) for name, values in sums.items()}
    n = drawn["windows"]
    values = {
        "ece": np.abs(drawn["p"] - drawn["events"]).sum(1) / n,
        "brier": drawn["brier"] / n,
        "nll": drawn["nll"] / n,
    }
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: [float(end) for end in np.quantile(value, ends)] for name, value in values.items()}


def _sums_by_block(probability: Floats, event: NDArray[np.bool_], block: NDArray[np.int64], n: int) -> dict[str, Floats]:
    """Return sums of every block (n,), and of every block and bin (n, BINS)."""
    y = event.astype(np.float64)
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    log_loss = -(y * np.log(inside) + (1 - y) * np.log1p(-inside))
    cell = block * BINS + np.minimum((probability * BINS).astype(np.int64), BINS - 1)

    def sums(values: Floats) -> Floats:
        return np.bincount(block, values, n).astype(np.float64)

    def by_bin(values: Floats) -> Floats:
        return np.bincount(cell, values, n * BINS).astype(np.float64).reshape(n, BINS)

    return {
        "windows": sums(np.ones_like(y)),
        "brier": sums((probability - y) ** 2),
        "nll": sums(log_loss),
        "p": by_bin(probability),
        "events": by_bin(y),
    }
