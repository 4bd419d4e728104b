"""The microscope: illumination, focus, bleaching, noise, bad pixels and the steps of the converter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_tap_events.movies.synthetic.canvas import Floats
from napari_tap_events.settings import SyntheticSettings


class Camera:
    """Turns clean frames into what a camera would have written."""

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.rng = rng
        shape = (settings.height, settings.width)
        self.light = _light(shape, settings.unevenness, rng)
        self.bad = _bad_pixels(shape, rng)
        self.focus = _wander(settings.frames, rng)
        self.drift_px = _drift(settings, rng)
        """(T, 2) shift of the stage in y and x, pixels."""

    def blur_px(self, t: int) -> float:
        """Return the sigma of the blur in frame `t`."""
        return self.settings.blur_px * (1 + self.settings.focus * abs(float(self.focus[t])))

    def shoot(self, clean: Floats, t: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Return frame `t` as the file has it.

        Parameters
        ----------
        clean : (Y, X) float32
            Light of the specimen, 0 background, 1 a typical cell; it may be negative where phase contrast is dark.
        t : int
            Frame.
        """
        s = self.settings
        seen = ndimage.gaussian_filter(clean, self.blur_px(t), mode="nearest", truncate=3.0)
        faded = (1 - s.bleaching) ** (t / max(1, s.frames - 1)) if s.look == "nuclei" else 1.0
        level = self.light * (s.background + s.contrast * faded * seen)
        # Shot noise grows with the light; an eighth of the variance at a typical cell is the camera's own.
        typical = s.background + s.contrast
        spread = s.noise * s.contrast * np.sqrt(7 / 8 * np.maximum(level, 0) / typical + 1 / 8)
        level = level + spread * self.rng.standard_normal(level.shape, dtype=np.float32)
        level = level + self.bad * s.contrast
        top = (1 << s.bits) - 1
        counts = np.clip(np.rint(level * top), 0, top)
        written: NDArray[np.uint8] | NDArray[np.uint16] = counts.astype(np.uint8 if s.bits == 8 else np.uint16)
        return written


def _light(shape: tuple[int, int], unevenness: float, rng: np.random.Generator) -> Floats:
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    oy, ox = rng.uniform(-0.4, 0.4, 2)
    light: Floats = (1 - unevenness * ((y - oy) ** 2 + (x - ox) ** 2) / 2).astype(np.float32)
    return np.maximum(light, np.float32(0.05))


def _bad_pixels(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    bad = np.zeros(shape, np.float32)
    n = rng.poisson(shape[0] * shape[1] / 30000)
    bad[rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)] = rng.exponential(0.8, n)
    return bad


def _wander(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    walk = ndimage.gaussian_filter1d(rng.standard_normal(frames + 40), 6)[20 : 20 + frames]
    wander: NDArray[np.float64] = walk / 0.22 * 0.7 + 0.15 * rng.standard_normal(frames)
    return wander


def _drift(settings: SyntheticSettings, rng: np.random.Generator) -> NDArray[np.float64]:
    slow = ndimage.gaussian_filter1d(rng.standard_normal((settings.frames + 40, 2)), 8, axis=0)[20 : 20 + settings.frames]
    path = np.cumsum(slow / 0.19, axis=0) * settings.drift_px * 0.6
    shift: NDArray[np.float64] = path - path[0] + 0.6 * settings.drift_px * rng.standard_normal((settings.frames, 2))
    return shift
