"""What a synthetic movie shall show: its settings, drawn at random or by difficulty."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from napari_tap_events.settings import Settings, setting

Look = Literal["nuclei", "phase"]
Difficulty = Literal["easy", "medium", "hard"]


class SyntheticSettings(Settings):
    """A made-up movie of living cells whose every division and death is known."""

    look: Look = setting("nuclei", "What is seen: fluorescent nuclei, or whole cells in phase contrast or quantitative phase.")
    frames: int = setting(96, "Length of the movie.", unit="frames", low=2, high=5000)
    height: int = setting(256, "Rows of a frame.", unit="px", low=32, high=4096)
    width: int = setting(256, "Columns of a frame.", unit="px", low=32, high=4096)
    seed: int = setting(0, "Seed of every random choice: the same seed gives the same movie.", low=0)
    cell_px: float = setting(16.0, "Diameter of an interphase nucleus, or of a round cell in phase.", unit="px", low=6, high=96)
    cells: int = setting(28, "Cells in the first frame.", low=0, high=20000)
    cycle_frames: float = setting(60.0, "Frames from one division to the next.", unit="frames", low=8, high=5000)
    death_rate: float = setting(0.12, "Share of cells that die before they divide.", low=0, high=1)
    arrest_rate: float = setting(0.08, "Share of mitoses that halt and end in nothing: not an event.", low=0, high=1)
    hold_frames: float = setting(3.0, "Mean time that a round or condensed cell waits to part.", unit="frames", low=1, high=100)
    relax_frames: float = setting(4.0, "Time that daughters take to look like others.", unit="frames", low=0.5, high=100)
    speed_px: float = setting(1.5, "Mean step of a cell from frame to frame.", unit="px", low=0, high=20)
    persistence: float = setting(0.6, "How much of its direction a cell keeps over a frame.", low=0, high=0.99, advanced=True)
    restless: float = setting(
        0.2, "How much living cells turn, bend and flicker from frame to frame: 1 is a radian.", low=0, high=2, advanced=True
    )
    contrast: float = setting(0.25, "Typical cell above the background, as a share of the full range.", low=0.005, high=0.6)
    expression_spread: float = setting(0.35, "Spread of brightness between cells (sd of its logarithm).", low=0, high=1.5)
    texture: float = setting(0.25, "Strength of the texture inside cells.", low=0, high=1, advanced=True)
    halo: float = setting(0.8, "Phase look: 1 is phase contrast with halos, 0 is quantitative phase.", low=0, high=1)
    flatness: float = setting(0.85, "Phase look: how flat cells lie between divisions; 0 is round.", low=0, high=1)
    background: float = setting(0.02, "Level of the empty background, as a share of the full range.", low=0, high=0.7)
    unevenness: float = setting(0.15, "How much darker the corners are than the middle.", low=0, high=0.9, advanced=True)
    blur_px: float = setting(0.8, "Blur of the optics (sigma).", unit="px", low=0, high=8)
    focus: float = setting(0.3, "How much the blur wanders in time, as a share of itself.", low=0, high=2, advanced=True)
    noise: float = setting(0.04, "Noise (sd) at the brightness of a typical cell, as a share of it.", low=0, high=1)
    drift_px: float = setting(0.1, "Slow stage drift and jitter from frame to frame.", unit="px", low=0, high=10)
    bleaching: float = setting(0.15, "Share of the fluorescence lost from first frame to last.", low=0, high=0.95)
    debris: int = setting(5, "Floating bodies, old remains, blurred blobs and specks.", low=0, high=2000)
    bits: Literal[8, 12, 16] = setting(8, "Bit depth; more than 8 are written as 16-bit integers.", advanced=True)
    pixel_size_um: float = setting(0.65, "Side of a pixel that the file shall tell.", unit="um", low=1e-3, advanced=True)
    interval_s: float = setting(600.0, "Time between frames that the file shall tell.", unit="s", low=1e-3, advanced=True)


def random_settings(seed: int, look: Look | None = None, frames: int = 32, size: int = 192) -> SyntheticSettings:
    """Draw a scene: size, density, contrast, blur, noise, speed, hold times, background, bits, drift and bleaching.

    Parameters
    ----------
    seed : int
        The only source of chance; it is also the seed of the movie.
    look : "nuclei" or "phase", optional
        By default two in three are nuclei.
    frames : int
        Length of the movie, in frames.
    size : int
        Height and width, in pixels.
    """
    rng = np.random.default_rng([seed, 7])
    chosen = look or ("nuclei" if rng.random() < 2 / 3 else "phase")
    values = _shared_values(rng, chosen, size)
    values |= _nuclei_values(rng) if chosen == "nuclei" else _phase_values(rng)
    return SyntheticSettings.checked(look=chosen, frames=frames, height=size, width=size, seed=seed, **values)


def difficulty(level: Difficulty, seed: int, look: Look = "nuclei", frames: int = 96, size: int = 256) -> SyntheticSettings:
    """Return a scene by difficulty; the number of cells follows the area, so the density stays the same.

    `medium` gives about 200 events in 96 frames of 512 x 512.
    """
    area = size * size / 256**2
    values = _LEVELS[level] | (_PHASE_LEVEL if look == "phase" else {})
    counts = {name: round(values.pop(name) * area) for name in ("cells", "debris")}
    return SyntheticSettings.checked(look=look, frames=frames, height=size, width=size, seed=seed, **counts, **values)


_PHASE_LEVEL: dict[str, Any] = {"cell_px": 20.0, "cells": 14, "background": 0.45, "contrast": 0.12}
_LEVELS: dict[Difficulty, dict[str, Any]] = {
    "easy": {"cells": 20, "debris": 1, "noise": 0.03, "arrest_rate": 0.0, "speed_px": 0.5, "expression_spread": 0.15},
    "medium": {"cells": 34, "debris": 6, "noise": 0.08, "arrest_rate": 0.1, "cycle_frames": 66.0, "death_rate": 0.15},
    "hard": {
        "cells": 48,
        "debris": 16,
        "noise": 0.25,
        "arrest_rate": 0.25,
        "death_rate": 0.2,
        "speed_px": 1.3,
        "contrast": 0.08,
        "background": 0.1,
        "blur_px": 1.5,
        "drift_px": 0.5,
        "focus": 0.6,
        "bleaching": 0.4,
        "expression_spread": 0.6,
    },
}


def _shared_values(rng: np.random.Generator, look: Look, size: int) -> dict[str, Any]:
    cell_px = float(_log_uniform(rng, 9, 30) if look == "nuclei" else _log_uniform(rng, 12, 40))
    cover = _log_uniform(rng, 0.02, 0.22) if look == "nuclei" else _log_uniform(rng, 0.03, 0.14)
    return {
        "cell_px": cell_px,
        "cells": max(2, round(cover * (size / cell_px) ** 2)),
        "cycle_frames": float(_log_uniform(rng, 30, 90)),
        "death_rate": float(rng.uniform(0.05, 0.35)),
        "arrest_rate": float(rng.uniform(0, 0.25)),
        "hold_frames": float(_log_uniform(rng, 1.2, 8)),
        "relax_frames": float(_log_uniform(rng, 1.5, 10)),
        "speed_px": float(_log_uniform(rng, 0.15, 5.0) * cell_px / 16),
        "restless": float(_log_uniform(rng, 0.03, 0.5)),
        "persistence": float(rng.uniform(0.1, 0.9)),
        "texture": float(rng.uniform(0.1, 0.5)),
        "blur_px": float(_log_uniform(rng, 0.4, 2.0)),
        "focus": float(rng.uniform(0, 0.6)),
        "drift_px": float(_log_uniform(rng, 0.02, 1.0)),
        "debris": int(rng.poisson(6 if look == "nuclei" else 3)),
        "bits": int(rng.choice([8, 12, 16])),
    }


def _nuclei_values(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "contrast": float(_log_uniform(rng, 0.05, 0.4)),
        "background": float(_log_uniform(rng, 0.003, 0.15)),
        "noise": float(_log_uniform(rng, 0.01, 0.25)),
        "unevenness": float(rng.uniform(0, 0.4)),
        "expression_spread": float(rng.uniform(0.1, 0.7)),
        "bleaching": float(rng.uniform(0, 0.4)),
    }


def _phase_values(rng: np.random.Generator) -> dict[str, Any]:
    quantitative = rng.random() < 0.3
    return {
        "halo": float(rng.uniform(0, 0.15) if quantitative else rng.uniform(0.5, 1)),
        "flatness": float(rng.uniform(0.2, 1) if quantitative else rng.uniform(0.55, 1)),
        "contrast": float(_log_uniform(rng, 0.05, 0.22)),
        "background": float(rng.uniform(0.01, 0.1) if quantitative else rng.uniform(0.3, 0.55)),
        "noise": float(_log_uniform(rng, 0.02, 0.2)),
        "unevenness": float(rng.uniform(0, 0.15)),
        "expression_spread": float(rng.uniform(0.05, 0.3)),
        "bleaching": 0.0,
    }


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
