"""One life: what a cell is, what is planned for it, and how it looks at its age."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.settings import SyntheticSettings

Stage = Literal["alive", "dying", "remains", "floating", "blob", "speck"]
Fate = Literal["divide", "arrest", "die", "debris"]
N_HARMONICS = 5


@dataclass(frozen=True, slots=True)
class Pose:
    """How one body lies in one frame.

    Attributes
    ----------
    cell : int
        Identity; the daughters of a division are new cells.
    stage : Stage
    y, x : float
        Centre in pixels of the frame, stage drift included; it may lie outside the frame.
    angle : float
        Direction of the long axis, or of the plate, in radians.
    size : float
        Linear size, 1 for a typical interphase cell.
    aspect : float
        Short axis over long axis in interphase.
    condensed : float
        0 interphase (spread), 1 mitotic (condensed, rounded).
    newborn : float
        1 just parted, falling towards 0.
    tilt : float
        0 the plate is seen from its edge, 1 from its pole.
    dna : float
        DNA content, 1 before a division, 0.5 after it.
    glow : float
        Expression times fading; 1 is typical.
    age : int
        Frames since the present stage began.
    wobble : (N_HARMONICS,) complex128
        Slowly changing outline.
    event : 0, 1 or 2
        1 where the cell takes part in a division in this frame, 2 in a death.
    event_key : int
        The mother's or the dying cell's identity.
    """

    cell: int
    stage: Stage
    y: float
    x: float
    angle: float
    size: float
    aspect: float
    condensed: float
    newborn: float
    tilt: float
    dna: float
    glow: float
    age: int
    wobble: NDArray[np.complex128]
    event: int = 0
    event_key: int = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """What will become of a cell: ages in frames since its birth."""

    fate: Fate
    condense_at: int
    hold_at: int
    end_at: int
    aspect: float
    separation: float


@dataclass(slots=True)
class Cell:
    """A body on its way through time; its position is free of the stage's drift, in pixels and pixels per frame."""

    ident: int
    y: float
    x: float
    angle: float
    plan: Plan
    glow: float
    stage: Stage = "alive"
    age: int = 0
    parent: int = -1
    vy: float = 0.0
    vx: float = 0.0
    spin: float = 0.0
    tilt: float = 0.0
    bulk: float = 1.0
    stage_age: int = 0
    kept_condensed: float = 0.0
    grown_before: float = 0.0
    agility: float = 1.0
    stretch: float = 0.0
    flicker: float = 0.0
    wobble: NDArray[np.complex128] = field(default_factory=lambda: np.zeros(N_HARMONICS, np.complex128))


def condensed(cell: Cell) -> float:
    """Return 0 in interphase to 1 in mitosis; a halted mitosis falls back slowly."""
    plan = cell.plan
    if plan.fate == "debris" or cell.age < plan.condense_at:
        return cell.kept_condensed * float(np.exp(-cell.age / 4)) if cell.kept_condensed else 0.0
    return min(1.0, (cell.age - plan.condense_at + 1) / (plan.hold_at - plan.condense_at + 1))


def grown(cell: Cell) -> float:
    """Return how much of its growth a cell has behind it, 0 to 1."""
    since_birth = min(1.0, cell.age / max(cell.plan.condense_at, 20))
    return cell.grown_before + (1 - cell.grown_before) * since_birth


def size_of(cell: Cell) -> float:
    """Return the linear size, 1 for a typical interphase cell."""
    return cell.bulk * float(np.sqrt(0.62 + 0.5 * grown(cell)))


def room_of(cell: Cell, wide: float) -> float:
    """Return the radius that a body claims, relative to a typical one; round cells claim less."""
    if cell.stage != "alive":
        return 0.8
    round_ = max(condensed(cell), float(np.exp(-cell.age / 6)) if cell.parent >= 0 else 0.0)
    return size_of(cell) * (wide + (0.9 - wide) * round_)


def pose_of(cell: Cell, s: SyntheticSettings, dy: float, dx: float) -> Pose:
    """Return how a cell lies in the frame, on a stage that has moved by (dy, dx) pixels."""
    event, key = event_of(cell)
    last_frames = cell.plan.end_at - cell.age
    settled = min(1.0, (last_frames - 1) / 2) if cell.plan.fate == "divide" else 1.0
    alive = cell.stage == "alive"
    return Pose(
        cell=cell.ident,
        stage=cell.stage,
        y=cell.y + dy,
        x=cell.x + dx,
        angle=cell.angle,
        size=size_of(cell),
        aspect=float(np.clip(cell.plan.aspect * np.exp(cell.stretch), 0.4, 1.0)),
        condensed=condensed(cell) if alive else cell.kept_condensed,
        newborn=float(np.exp(-cell.age / s.relax_frames)) if cell.parent >= 0 and alive and not cell.kept_condensed else 0.0,
        tilt=cell.tilt * settled,
        dna=(0.5 + 0.5 * grown(cell)) * cell.bulk**2,
        glow=cell.glow * float(np.exp(cell.flicker)),
        age=cell.stage_age,
        wobble=cell.wobble,
        event=event,
        event_key=key,
    )


def event_of(cell: Cell) -> tuple[int, int]:
    """Return (kind, key) of the event that this cell takes part in now, or (0, -1)."""
    if cell.stage == "alive" and cell.plan.fate == "divide" and cell.age == cell.plan.end_at - 1:
        return 1, cell.ident
    if cell.stage == "alive" and cell.parent >= 0 and cell.age == 0 and not cell.kept_condensed:
        return 1, cell.parent
    if cell.stage == "dying" or (cell.stage == "remains" and cell.stage_age == 0 and cell.plan.fate == "die"):
        return 2, cell.ident
    return 0, -1
