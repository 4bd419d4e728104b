"""Settings of synthetic movies."""

from __future__ import annotations

from typing import Literal

from napari_tap_events.settings.declare import Settings, setting

Look = Literal["nuclei", "phase"]


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
    slenderness: float = setting(
        0.0,
        "Phase look: how long and thin cells lie between divisions; 0 is compact, 1 spindles with long tails.",
        low=0,
        high=1,
    )
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
