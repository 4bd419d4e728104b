"""Calibrations compared: on the answers they were fitted for, fold by fold, with intervals over blocks of time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.events.calibration import calibration_summary
from napari_tap_events.events.calibration_compared import METHODS, calibration_interval, compare_methods
from napari_tap_events.events.held_out import HeldOut


def held(seed: int, n: int = 3000, shift: float = 3.0) -> HeldOut:
    """Answers of a head taught with half events, where one window in twenty is one."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-2.95, 1.0, n)
    labels = rng.random(n) < 1 / (1 + np.exp(-logits))
    told = (logits + shift).astype(np.float32)[:, None]
    t = rng.integers(0, 90, n)
    return HeldOut(0, t, np.zeros((n, 2), np.int64), told, labels.astype(np.int8)[:, None], ())


ANSWERS = {(k, j): [held(10 * k + j)] for k in range(2) for j in range(2)}


def test_a_shift_is_mended_by_a_bias_and_not_by_a_temperature():
    told = compare_methods(ANSWERS)
    assert tuple(told) == METHODS
    assert told["platt"]["ece"] < 0.02
    assert told["temperature"]["ece"] > 0.1
    assert told["platt"]["nll"] < told["temperature"]["nll"] <= told["none"]["nll"] + 1e-6


def test_without_calibration_the_numbers_are_those_of_the_plain_answers():
    plain = np.concatenate([ANSWERS[k, k][0].logits[:, 0] for k in range(2)]).astype(np.float64)
    labels = np.concatenate([ANSWERS[k, k][0].labels[:, 0] for k in range(2)])
    expected = calibration_summary(1 / (1 + np.exp(-plain)), labels)
    assert compare_methods(ANSWERS)["none"]["ece"] == pytest.approx(expected.ece)


def test_the_interval_holds_the_value_and_shrinks_with_windows():
    widths = []
    for n in (400, 20000):
        part = held(3, n)
        p, event = 1 / (1 + np.exp(-part.logits[:, 0].astype(np.float64))), part.labels[:, 0] == 1
        value = calibration_summary(p, event)
        interval = calibration_interval(p, event, part.t)
        for name in ("ece", "brier", "nll"):
            assert interval[name][0] < getattr(value, name) < interval[name][1]
        widths.append(interval["brier"][1] - interval["brier"][0])
    assert widths[1] < widths[0] / 3


def test_one_block_gives_no_interval():
    assert calibration_interval(np.array([0.5]), np.array([True]), np.array([0])) == {}
