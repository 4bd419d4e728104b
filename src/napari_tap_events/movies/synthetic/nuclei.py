"""Nuclei with a fluorescent histone: textured ellipses, bright plates, parting bars, crumbs of the dead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.synthetic.canvas import Floats, Grid, Patch, Textures, directions, grid_around, soft_edge, toward
from napari_tap_events.movies.synthetic.life import N_HARMONICS, Pose
from napari_tap_events.settings import SyntheticSettings


class NucleiPainter:
    """Draws DNA: its amount is kept, so whatever shrinks gets brighter."""

    n_layers = 1
    reach_cells = 1.8

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.textures = Textures(rng)
        self.salt = int(rng.integers(1 << 30))

    def paint(self, pose: Pose) -> Patch | None:
        """Return the picture of one nucleus, or of what is left of one."""
        if pose.stage == "alive":
            return self._nucleus(pose)
        if pose.stage == "dying":
            return self._crumpled(pose)
        if pose.stage == "remains":
            return self._crumbs(pose)
        return self._blurred(pose)

    def finish(self, canvas: Floats, drift_px: NDArray[np.float64]) -> Floats:
        """Return the only layer, (Y, X)."""
        light: Floats = canvas[0]
        return light

    def _nucleus(self, pose: Pose) -> Patch:
        cell_px = self.settings.cell_px
        long_px, short_px = _semi_axes(pose, cell_px)
        grid = grid_around(pose, 1.5 * max(long_px, short_px) + 2)
        ragged = self._ragged(pose, 0.1 * pose.condensed + 0.05 * pose.newborn)
        rho, cover = _outline(grid, pose, long_px, short_px, ragged)
        return Patch(grid.top, grid.left, self._filled(pose, grid, rho, cover, long_px * short_px)[None], cover)

    def _filled(self, pose: Pose, grid: Grid, rho: Floats, cover: Floats, area_px: float) -> Floats:
        cell_px = self.settings.cell_px
        thickness = 0.6 + 0.4 * np.sqrt(np.maximum(0, 1 - rho**2))
        packed = pose.glow * pose.dna * (0.22 * cell_px**2 / area_px) ** 1.25
        mitotic = max(pose.condensed, pose.newborn)
        lumps = self.textures.at(grid, cell_px, pose.cell)
        grain = self.textures.at(grid, cell_px, pose.cell + 5 * pose.age * (mitotic > 0.3), fine=True)
        # Nucleoli are dark holes in interphase; condensing chromosomes are coarse and bright.
        holes = np.clip(lumps - 0.8, 0, 1.0) * (1 - mitotic)
        fabric = 1 + self.settings.texture * ((0.5 + 0.9 * mitotic) * grain - 0.2 * lumps - 1.6 * holes)
        ring = 1 - 0.65 * pose.tilt * pose.condensed * np.exp(-((rho / 0.4) ** 2))
        filled: Floats = (cover * packed * thickness * np.maximum(fabric, 0.15) * ring).astype(np.float32)
        return filled

    def _crumpled(self, pose: Pose) -> Patch:
        cell_px = self.settings.cell_px
        long_px = cell_px * pose.size * 0.45
        grid = grid_around(pose, 2 * long_px + 2)
        rho, cover = _outline(grid, pose, long_px, 0.7 * long_px, self._ragged(pose, 0.16))
        clumps = 1 + 0.55 * self.textures.at(grid, cell_px, pose.cell, fine=True)
        level = pose.glow * pose.dna * 1.4 * (0.7 + 0.3 * np.exp(-(rho**2)))
        return Patch(grid.top, grid.left, (cover * level * np.maximum(clumps, 0.4)).astype(np.float32)[None], cover)

    def _crumbs(self, pose: Pose) -> Patch:
        rng = np.random.default_rng([self.salt, pose.cell])
        n, cell_px = int(rng.integers(5, 16)), self.settings.cell_px
        # First many soft pieces where the nucleus was, then fewer, smaller, brighter ones further out.
        fresh = np.exp(-(pose.age + 0.5) / 2.5)
        spread = cell_px * (rng.uniform(0.3, 0.6) * (1 - fresh) + 0.3 * fresh)
        radius = cell_px * (0.03 + 0.07 * rng.random(n) ** 2) * (1 + 0.4 * fresh)
        radius[0] = cell_px * rng.uniform(0.06, 0.13)
        place = rng.normal(size=(n, 2)) * spread * rng.uniform(0.4, 1, (n, 1))
        fading = np.exp(-pose.age / rng.uniform(40, 400))
        bright = pose.glow * rng.uniform(0.5, 2.0, n) * fading * rng.uniform(0.6, 2.0) * (1 - 0.35 * fresh)
        place = place + np.random.default_rng([self.salt, pose.cell, pose.age]).normal(0, 0.035 * cell_px, (n, 2))
        grid = grid_around(pose, float(np.abs(place).max() + 3 * radius.max()) + 2)
        picture, body = np.zeros_like(grid.u), np.zeros_like(grid.u)
        for (v, u), r, level in zip(place, radius, bright, strict=True):
            piece = np.exp(-((grid.u - u) ** 2 + (grid.v - v) ** 2) / (2 * max(r, 0.5) ** 2))
            picture += np.float32(level) * piece
            body = np.maximum(body, piece)
        return Patch(grid.top, grid.left, picture[None].astype(np.float32), body.astype(np.float32))

    def _blurred(self, pose: Pose) -> Patch:
        rng = np.random.default_rng([self.salt, pose.cell])
        wide = {"floating": 0.25, "blob": rng.uniform(0.3, 0.9), "speck": 0.05}[pose.stage] * self.settings.cell_px
        level = {"floating": rng.uniform(0.3, 1.5), "blob": rng.uniform(0.05, 0.3), "speck": rng.uniform(0.3, 3)}[pose.stage]
        grid = grid_around(pose, 3 * wide + 2)
        spot = np.exp(-(grid.u**2 + (grid.v / 0.8) ** 2) / (2 * max(wide, 0.4) ** 2)).astype(np.float32)
        return Patch(grid.top, grid.left, np.float32(level) * spot[None], spot)

    def _ragged(self, pose: Pose, strength: float) -> NDArray[np.complex128]:
        """Fast-changing high harmonics of the outline: chromosome arms, (6,) complex."""
        rng = np.random.default_rng([self.salt, pose.cell, pose.age, 3])
        return strength * (rng.normal(size=6) + 1j * rng.normal(size=6)) / (1.2 + 0.7 * np.arange(6))


def _semi_axes(pose: Pose, cell_px: float) -> tuple[float, float]:
    """Return the half lengths in pixels: an ellipse in interphase, a plate in mitosis, a bar after parting."""
    half = 0.5 * cell_px * pose.size
    long_px, short_px = half / np.sqrt(pose.aspect), half * np.sqrt(pose.aspect)
    # A prophase nucleus is a ragged disc; only the last step of condensation lays it into a plate.
    plate = 0.42 * pose.condensed, (0.34 - 0.16 * (pose.condensed == 1) * (1 - 0.9 * pose.tilt))
    c, n = pose.condensed, pose.newborn
    long_px = (1 - c) * long_px + plate[0] * cell_px * (0.95 if c == 1 else 1)
    short_px = (1 - c) * short_px + c * plate[1] * cell_px
    return float((1 - n) * long_px + n * 0.34 * cell_px), float((1 - n) * short_px + n * 0.14 * cell_px)


def _outline(grid: Grid, pose: Pose, long_px: float, short_px: float, ragged: NDArray[np.complex128]) -> tuple[Floats, Floats]:
    """Return the distance from the centre, 1 at the outline, and the cover, both (h, w)."""
    bend = pose.wobble[0].real * 2.0 * (1 - pose.condensed)
    u = grid.u / np.float32(long_px)
    v = grid.v / np.float32(short_px) + np.float32(bend) * (u**2 - np.float32(0.3))
    # Plates and bars have blunt ends: between an ellipse (2) and a rectangle.
    blunt = 2.0 + 1.0 * max(pose.newborn, float(pose.condensed == 1))
    rho = (np.abs(u) ** blunt + np.abs(v) ** blunt) ** np.float32(1 / blunt)
    turns = np.exp(1j * np.outer(np.arange(2, 2 + N_HARMONICS - 1 + len(ragged)), directions()))
    calm = (1 - 0.5 * (pose.condensed == 1)) * pose.wobble[1:]
    edge = 1 + (np.concatenate([calm, ragged]) @ turns).real
    rho = rho / toward(np.maximum(edge, 0.3), v, u)
    return rho, soft_edge((1 - rho) * np.float32(np.sqrt(long_px * short_px)), 1.2)
