"""Whole cells without a stain: phase contrast with halos, or quantitative phase.

Each body adds its optical thickness. Quantitative phase shows it as it is; phase contrast shows it dark, less its own
surroundings, which makes the bright halo outside an edge and the shade-off inside. Round bodies are lenses: their rim shines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_tap_events.movies.synthetic.canvas import Floats, Grid, Patch, Textures, directions, grid_around, soft_edge, toward
from napari_tap_events.movies.synthetic.life import N_HARMONICS, Pose
from napari_tap_events.settings import SyntheticSettings

THICKNESS, SHINE = 0, 1
ROUND_HEIGHT = 4.5
RIM_LIGHT = 5.0


class PhasePainter:
    """Draws optical thickness and rim light, and joins them into what a phase microscope shows."""

    n_layers = 2
    reach_cells = 4.0  # half of the longest slender cell with its tail, and its halo

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.textures = Textures(rng)
        self.salt = int(rng.integers(1 << 30))
        self.backdrop = _backdrop(settings, rng)

    def paint(self, pose: Pose) -> Patch | None:
        """Return the picture of one cell, or of what is left of one."""
        if pose.stage == "alive":
            return self._cell(pose)
        if pose.stage in ("dying", "remains"):
            return self._blebs(pose)
        return self._debris(pose)

    def finish(self, canvas: Floats, drift_px: NDArray[np.float64]) -> Floats:
        """Join thickness and rim light (2, Y, X) over the drifting backdrop into light (Y, X)."""
        s = self.settings
        thickness, shine = canvas
        light = (1 - s.halo) * thickness
        if s.halo:
            near = ndimage.gaussian_filter(thickness, 0.07 * s.cell_px, mode="nearest", truncate=2.5)
            far = ndimage.gaussian_filter(near, 0.35 * s.cell_px, mode="nearest", truncate=2.0)
            dark = 2.2 * (near - thickness) + 0.9 * (far - thickness)
            light = light + s.halo * (shine + 2.8 * np.tanh(dark / 2.8))
        moved = ndimage.shift(self.backdrop, drift_px, order=1, mode="grid-wrap", prefilter=False)
        finished: Floats = (light + moved[: s.height, : s.width]).astype(np.float32)
        return finished

    def _cell(self, pose: Pose) -> Patch:
        cell_px = self.settings.cell_px
        rounded = self._roundness(pose)
        # Volume is kept: a newborn sphere has half its mother's, so 0.79 of her radius.
        radius = 0.5 * cell_px * pose.size * (1 - 0.21 * pose.newborn)
        outline = self._outline(pose, radius, rounded)
        longer = self._longer(pose, rounded)
        grid = grid_around(pose, 1.35 * float(outline.max()) * longer + 3)
        u, v = self._drawn_out(pose, grid, longer)
        edge = toward(outline, v, u)
        frayed = (0.06 * (1 - rounded) + 0.012) * self.textures.at(grid, cell_px, pose.cell + 3 * (pose.age // 4))
        rho = np.hypot(u, v) / edge + frayed
        wide = float(np.sqrt(np.mean(outline**2))) * longer**0.25
        cover = soft_edge((1 - rho) * np.float32(wide), 1.0 + 0.03 * cell_px * (1 - rounded))
        height = ROUND_HEIGHT * (radius / wide) ** 1.8
        dome = np.sqrt(np.maximum(0, 1 - rho**2))
        # Phase contrast shows edges that quantitative phase hardly has: thin lamellae.
        flat = 0.35 * self.settings.halo + (1.3 - 0.6 * self.settings.halo) * dome**2
        fabric = (1 - rounded) * self._fabric(pose, grid, rho) + rounded * self._chromosomes(pose, grid)
        thick = cover * (height * ((1 - rounded) * flat + rounded * dome) + fabric) * pose.glow
        layers = np.stack([thick, rounded**2 * pose.glow * _rim(rho * np.float32(wide), wide, cell_px)])
        return Patch(grid.top, grid.left, layers.astype(np.float32), cover)

    def _roundness(self, pose: Pose) -> float:
        """0 flat and spread, 1 a sphere; every cell rests at its own."""
        own = np.random.default_rng([self.salt, pose.cell, 5]).beta(1.2, 2.5)
        rest = 1 - self.settings.flatness * (1 - 0.5 * own)
        active = max(pose.condensed, pose.newborn) ** 0.7
        return float(np.clip(rest + (1 - rest) * active, 0, 1))

    def _longer(self, pose: Pose, rounded: float) -> float:
        """Return how many times longer a cell lies than a compact one; its tails reach out and draw back as it stretches."""
        own = np.random.default_rng([self.salt, pose.cell, 6]).beta(1.5, 1.5)
        return float(1 + 2.5 * self.settings.slenderness * own * (1 - rounded) * (0.7 / pose.aspect))

    def _drawn_out(self, pose: Pose, grid: Grid, longer: float) -> tuple[Floats, Floats]:
        """Return where each pixel (h, w) would lie in the compact cell: thin and bent tails, and a nucleus that keeps its width."""
        if longer == 1:
            return grid.u, grid.v
        cell_px = np.float32(self.settings.cell_px)
        own = np.random.default_rng([self.salt, pose.cell, 7]).normal(0, 0.25)
        bend = np.float32((own + 1.5 * pose.wobble[0].real) * (1 - 1 / longer) / longer)
        u, v = grid.u, grid.v - bend * grid.u**2 / cell_px
        thinner = 1 + np.float32(np.sqrt(longer) - 1) * (1 - np.exp(-((u / (0.6 * cell_px)) ** 2)))
        return (u / np.float32(longer)).astype(np.float32), (v * thinner).astype(np.float32)

    def _outline(self, pose: Pose, radius: float, rounded: float) -> NDArray[np.float64]:
        """Return the radius of the outline in each direction, in pixels: an ellipse with processes, or a circle."""
        rng, theta = np.random.default_rng([self.salt, pose.cell]), directions()
        narrow, n = rng.uniform(0.2, 0.75), int(rng.integers(2, 6))
        spread = 1.9 * radius * np.sqrt(narrow) / np.hypot(narrow * np.cos(theta), np.sin(theta))
        waves = pose.wobble @ np.exp(1j * np.outer(np.arange(1, 1 + N_HARMONICS), theta))
        lobes = np.clip(1 + 1.5 * waves.real, 0.5, 1.5)
        where = rng.uniform(0, 2 * np.pi, n)
        where[:2] = np.array([0.0, np.pi]) + rng.normal(0, 0.25, 2)
        swing = np.clip(1 + 6 * pose.wobble.imag[np.arange(n) % N_HARMONICS], 0.1, 2)
        reach = np.minimum(rng.gamma(2.0, 0.45, n) * swing, 1.8) * radius
        for direction, length, width in zip(where, reach, rng.uniform(0.08, 0.25, n), strict=True):
            spread = spread + length * np.exp((np.cos(theta - direction) - 1) / width**2)
        # Just before it parts, a cell stretches across its plate.
        stretch = 1 + 0.12 * pose.condensed * (1 - 2 * np.abs(np.cos(theta))) * (pose.tilt < 0.3)
        outline: NDArray[np.float64] = (1 - rounded) * np.minimum(spread * lobes, 3.6 * radius) + rounded * radius * stretch
        return outline

    def _fabric(self, pose: Pose, grid: Grid, rho: Floats) -> Floats:
        """Return what a flat cell holds: nucleus, nucleoli and granules, as extra thickness (h, w)."""
        cell_px = self.settings.cell_px
        nucleus = np.exp(-((np.hypot(grid.u / 1.3, grid.v) / (0.3 * cell_px)) ** 4))
        grain = self.textures.at(grid, cell_px, pose.cell, fine=True)
        lumps = self.textures.at(grid, cell_px, pose.cell)
        near = np.exp(-((rho / 0.6) ** 2)) * (1 - 0.8 * nucleus)
        granules = np.clip(grain - 1.0, 0, 2.0) * np.clip(lumps + 0.5, 0, 1.5) * near
        nucleoli = nucleus * np.clip(lumps - 0.7, 0, 1.5)
        body = -0.25 * nucleus + self.settings.texture * (0.5 * grain + 0.3 * lumps + 5 * granules + 5 * nucleoli)
        fabric: Floats = body.astype(np.float32)
        return fabric

    def _chromosomes(self, pose: Pose, grid: Grid) -> Floats:
        """Return the plate of a dividing cell and the grain around it, as extra thickness (h, w)."""
        unit, active = self.settings.cell_px, max(pose.condensed, pose.newborn)
        wide = (0.11 + 0.14 * pose.tilt) * unit
        plate = np.exp(-((grid.u / (0.24 * unit)) ** 2) - (grid.v / wide) ** 2)
        grain = self.textures.at(grid, unit, pose.cell + 5 * pose.age, fine=True)
        chromosomes: Floats = (1.5 * active * plate * (1 + 0.5 * grain) + self.settings.texture * grain).astype(np.float32)
        return chromosomes

    def _blebs(self, pose: Pose) -> Patch:
        """Return a shrunken core and the blebs that it has thrown off; they stay."""
        cell_px = self.settings.cell_px
        rng = np.random.default_rng([self.salt, pose.cell])
        n = int(rng.integers(3, 9))
        old = 0.0 if pose.stage == "dying" else 1 - np.exp(-(pose.age + 1.5) / 3)
        radius = cell_px * np.concatenate([[rng.uniform(0.36, 0.5) * (1 - 0.4 * old)], 0.05 + 0.16 * rng.random(n) ** 1.5])
        bearing, far = rng.uniform(0, 2 * np.pi, n), cell_px * (0.3 + rng.uniform(0, 0.35, n) * old)
        jitter = np.random.default_rng([self.salt, pose.cell, pose.age, 9]).normal(0, 0.03 * cell_px, (2, n))
        place_v = np.concatenate([[0.0], far * np.sin(bearing) + jitter[0]])
        place_u = np.concatenate([[0.0], far * np.cos(bearing) + jitter[1]])
        grid = grid_around(pose, float(far.max() + 2.5 * radius.max()) + 3)
        layers, cover = np.zeros((2, *grid.u.shape), np.float32), np.zeros_like(grid.u)
        for v, u, r, dense in zip(place_v, place_u, radius, rng.uniform(0.3, 1.5, n + 1), strict=True):
            one, covered = _ball(grid, v, u, r, dense * ROUND_HEIGHT * (0.35 + r / cell_px), 9 * dense * r / cell_px + 0.8)
            layers, cover = np.maximum(layers, one), np.maximum(cover, covered)
        clumps = 1 + 0.35 * self.textures.at(grid, 0.7 * cell_px, pose.cell, fine=True)
        layers[THICKNESS] *= np.maximum(clumps, 0.2) * pose.glow
        return Patch(grid.top, grid.left, layers, cover)

    def _debris(self, pose: Pose) -> Patch:
        rng = np.random.default_rng([self.salt, pose.cell])
        size = {"floating": rng.uniform(0.25, 0.5), "blob": rng.uniform(0.2, 0.8), "speck": 0.05}[pose.stage]
        grid = grid_around(pose, 2.2 * size * self.settings.cell_px + 4)
        if pose.stage == "blob":
            haze = np.exp(-(grid.u**2 + grid.v**2) / (2 * (0.6 * size * self.settings.cell_px) ** 2)).astype(np.float32)
            return Patch(grid.top, grid.left, np.stack([0.2 * haze, 0.25 * haze]), haze)
        layers, cover = _ball(grid, 0, 0, size * self.settings.cell_px, rng.uniform(2, 6), rng.uniform(0, 7))
        return Patch(grid.top, grid.left, layers, cover)


def _ball(grid: Grid, v: float, u: float, radius: float, height: float, shine: float) -> tuple[Floats, Floats]:
    """Return the layers (2, h, w) and the cover (h, w) of a sphere at (v, u), all in pixels."""
    rho = np.hypot(grid.u - np.float32(u), grid.v - np.float32(v)) / np.float32(radius)
    cover = soft_edge((1 - rho) * np.float32(radius))
    dome = cover * np.float32(height) * np.sqrt(np.maximum(0, 1 - rho**2))
    layers = np.stack([dome, np.float32(shine / RIM_LIGHT) * _rim(rho * np.float32(radius), radius, 2.5 * radius)])
    return layers.astype(np.float32), cover


def _rim(distance: Floats, radius: float, cell_px: float) -> Floats:
    """Return the light of a round body's rim (h, w): a bright ring, then a thin dark and a faint bright one around it."""
    wide = np.float32(0.055 * cell_px + 0.35)
    out = (distance - np.float32(radius)) / wide
    ring = np.exp(-(out**2)) - 0.25 * np.exp(-(((out - 2.4) / 0.8) ** 2)) + 0.12 * np.exp(-((out - 4) ** 2))
    rim: Floats = np.float32(RIM_LIGHT) * ring
    return rim


def _backdrop(settings: SyntheticSettings, rng: np.random.Generator) -> Floats:
    """Return the dish (Y + m, X + m), seamless: broad shades, a fine mottle and many small smudges."""
    margin = 32
    shape = (settings.height + margin, settings.width + margin)
    broad = ndimage.gaussian_filter(
        rng.standard_normal(shape), (2.5 * settings.cell_px, settings.cell_px), mode="wrap", truncate=2
    )
    mottle = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5, mode="wrap")
    smudges = np.zeros(shape)
    n = rng.poisson(shape[0] * shape[1] / (5 * settings.cell_px**2) * rng.uniform(0, 1))
    np.add.at(smudges, (rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)), rng.exponential(1.0, n))
    small = max(0.7, 0.04 * settings.cell_px)
    smudges = ndimage.gaussian_filter(smudges, small, mode="wrap") * 2 * np.pi * small**2
    ring = ndimage.gaussian_filter(smudges, 2.2 * small, mode="wrap")
    strength = 0.25 + 0.75 * settings.halo
    dish: Floats = (
        strength * (0.12 * broad / broad.std() + 0.06 * mottle / mottle.std() - 1.2 * settings.halo * (smudges - ring))
    ).astype(np.float32)
    return dish
