"""What a synthetic movie shall show: its settings, drawn at random or by difficulty."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from napari_tap_events.settings import Look, SyntheticSettings

Difficulty = Literal["easy", "medium", "hard"]


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


def at_difficulty(level: Difficulty, given: SyntheticSettings) -> SyntheticSettings:
    """Return a scene by difficulty with the look, the size and the seed that were given, and all else that was set on purpose."""
    side = round(float(np.sqrt(given.height * given.width)))
    scene = difficulty(level, given.seed, given.look, given.frames, side)
    chosen = {name: getattr(given, name) for name in (*given.model_fields_set, "height", "width")}
    return scene.model_copy(update=chosen)


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
        "slenderness": float(rng.uniform(0, 1)),
    }


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
