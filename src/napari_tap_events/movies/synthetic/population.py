"""A dish of cells that wander, keep apart, divide, halt and die, as one list of poses per frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_tap_events.movies.synthetic.life import N_HARMONICS, Cell, Fate, Plan, Pose, Stage, condensed, pose_of, room_of
from napari_tap_events.settings import SyntheticSettings


class Population:
    """All bodies of a movie; `step` moves time on by one frame."""

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.rng = rng
        self.margin_px = 2.5 * settings.cell_px
        self.cells: list[Cell] = []
        self._next = 0

    def founders(self) -> Population:
        """Fill the field and a margin around it, so that cells come in and go out."""
        s = self.settings
        share = (s.height + 2 * self.margin_px) * (s.width + 2 * self.margin_px) / (s.height * s.width)
        for y, x in self._scattered(round(s.cells * share)):
            cell = self._born(y, x, self.rng.uniform(0, np.pi), self._expression())
            # Growing populations hold more young cells than old ones: the density falls as 2^-age.
            share_lived = -np.log2(1 - self.rng.random() / 2)
            cell.age = int(share_lived * cell.plan.end_at)
            cell.age = min(cell.age, cell.plan.end_at - 1)
            self.cells.append(cell)
        for y, x in self._scattered(round(s.debris * share)):
            self.cells.append(self._debris(y, x))
        for _ in range(8):
            self._push_apart()
        return self

    def poses(self, offset: NDArray[np.float64]) -> list[Pose]:
        """Return how every body lies now; `offset` (2,) is the stage's (y, x) shift in pixels."""
        return [pose_of(cell, self.settings, float(offset[0]), float(offset[1])) for cell in self.cells]

    def step(self) -> None:
        """Age, part, die, move and keep apart."""
        after: list[Cell] = []
        for cell in self.cells:
            cell.age += 1
            cell.stage_age += 1
            if cell.stage == "alive" and cell.age >= cell.plan.end_at:
                after += self._finish(cell)
            else:
                if cell.stage == "dying":
                    _turn(cell, "remains")
                after.append(cell)
        self.cells = after
        self._move()
        self._push_apart()

    def _finish(self, cell: Cell) -> list[Cell]:
        if cell.plan.fate == "divide":
            return self._daughters(cell)
        if cell.plan.fate == "die":
            cell.kept_condensed = condensed(cell)
            _turn(cell, "dying")
            return [cell]
        cell.kept_condensed, cell.grown_before, cell.age = 1.0, 1.0, 0
        cell.plan = self._plan()
        return [cell]

    def _daughters(self, mother: Cell) -> list[Cell]:
        half = mother.plan.separation * self.settings.cell_px / 2
        axis = np.array([np.cos(mother.angle), -np.sin(mother.angle)])
        pair = []
        for side in (-1, 1):
            y, x = np.array([mother.y, mother.x]) + side * half * axis
            glow = mother.glow * float(np.exp(self.rng.normal(0, 0.06)))
            cell = self._born(y, x, mother.angle + self.rng.normal(0, 0.12), glow)
            cell.parent, cell.bulk = mother.ident, mother.bulk
            cell.vy, cell.vx = side * axis * 0.3 * half
            cell.spin = float(self.rng.normal(0, 0.3))
            pair.append(cell)
        return pair

    def _born(self, y: float, x: float, angle: float, glow: float) -> Cell:
        self._next += 1
        cell = Cell(self._next, y, x, float(angle), self._plan(), glow)
        cell.bulk = float(np.exp(self.rng.normal(0, 0.08)))
        cell.tilt = float(self.rng.beta(1, 2))
        cell.agility = float(np.exp(self.rng.normal(0, 0.4)))
        cell.wobble = (0.06 * self._complex(N_HARMONICS)).astype(np.complex128)
        return cell

    def _debris(self, y: float, x: float) -> Cell:
        stage: Stage = self.rng.choice(np.array(["floating", "remains", "blob", "speck"]), p=[0.2, 0.2, 0.35, 0.25]).item()
        cell = self._born(y, x, self.rng.uniform(0, np.pi), self._expression())
        cell.plan = Plan("debris", 0, 0, 1 << 30, 0.8, 0.0)
        cell.stage, cell.age = stage, 40
        cell.stage_age = int(self.rng.integers(3, 60))
        return cell

    def _expression(self) -> float:
        spread = self.settings.expression_spread
        if self.settings.look == "phase":
            return float(np.exp(self.rng.normal(0, 0.4 * spread)))
        dim = 0.25 if self.rng.random() < 0.06 and spread > 0.2 else 1.0
        return dim * float(np.exp(self.rng.normal(0, spread)))

    def _plan(self) -> Plan:
        s, rng = self.settings, self.rng
        cycle = s.cycle_frames * float(np.exp(rng.normal(0, 0.18))) * (1 + 6 * max(0.0, self._crowding() - 0.35))
        hold = max(1, round(rng.gamma(2.5, s.hold_frames / 2.5)))
        condensing = int(rng.integers(1, 4))
        condense_at = max(2, round(cycle) - hold - condensing)
        fate: Fate = "divide"
        if rng.random() < s.death_rate:
            fate = "die"
            mitotic = rng.random() < 0.2
            end_at = condense_at + condensing + hold if mitotic else int(rng.integers(2, max(3, condense_at)))
        else:
            if rng.random() < s.arrest_rate:
                fate, hold = "arrest", hold + int(rng.integers(4, 20))
            end_at = condense_at + condensing + hold
        aspect = float(np.clip(rng.normal(0.7, 0.1), 0.45, 0.97))
        # Bars of DNA part by a varying distance; round daughter cells lie cheek by cheek.
        mean, spread = (0.75, 0.13) if s.look == "nuclei" else (0.84, 0.06)
        separation = float(np.clip(rng.normal(mean, spread), 0.52, 1.1))
        return Plan(fate, condense_at, condense_at + condensing, end_at, aspect, separation)

    def _crowding(self) -> float:
        s = self.settings
        area = (s.height + 2 * self.margin_px) * (s.width + 2 * self.margin_px)
        spread = 1.0 if s.look == "nuclei" else 2.5
        return len(self.cells) * spread * s.cell_px**2 / area

    def _scattered(self, n: int) -> NDArray[np.float64]:
        s, m = self.settings, self.margin_px
        return self.rng.uniform((-m, -m), (s.height + m, s.width + m), (n, 2))

    def _complex(self, n: int) -> NDArray[np.complex128]:
        fall = (1 / (1 + np.arange(n))).astype(np.complex128)
        drawn: NDArray[np.complex128] = fall * (self.rng.normal(size=n) + 1j * self.rng.normal(size=n))
        return drawn

    def _move(self) -> None:
        s, rng = self.settings, self.rng
        keep = s.persistence
        fresh = np.sqrt(1 - keep**2) * s.speed_px * 0.8
        # Real cells mostly creep and at times leap: Student's t has the tails, 3 its degrees of freedom, 0.6 its scale to sd 1.
        steps = np.clip(0.6 * rng.standard_t(3, (len(self.cells), 2)), -5, 5)
        for cell, (down, right) in zip(self.cells, steps, strict=True):
            if cell.parent >= 0 and cell.age == 0:
                continue
            held = condensed(cell) if cell.stage == "alive" else 0.0
            pace = _PACE[cell.stage] * cell.agility * (1 - 0.6 * held)
            cell.vy = keep * cell.vy + fresh * pace * float(down)
            cell.vx = keep * cell.vx + fresh * pace * float(right)
            cell.y, cell.x = cell.y + cell.vy, cell.x + cell.vx
            self._writhe(cell, held)
            self._turn_back(cell)

    def _writhe(self, cell: Cell, held: float) -> None:
        """Turn, tilt, stretch and flicker; a plate that is held turns more than a nucleus at rest."""
        restless = self.settings.restless * cell.agility if cell.stage == "alive" else 0.05
        turn, tip, pull, light = np.clip(0.6 * self.rng.standard_t(3, 4), -5, 5)
        cell.spin = 0.4 * cell.spin + (0.35 * restless + 0.12 * held) * turn
        cell.angle += cell.spin
        cell.tilt = float(np.clip(cell.tilt + (0.08 + 0.3 * restless) * tip, 0, 1))
        cell.stretch = 0.75 * cell.stretch + 0.3 * restless * pull
        cell.flicker = 0.1 * restless * light
        keep = float(np.exp(-0.8 * restless))
        cell.wobble = (keep * cell.wobble + 0.055 * np.sqrt(1 - keep**2) * self._complex(N_HARMONICS)).astype(np.complex128)

    def _turn_back(self, cell: Cell) -> None:
        s, m = self.settings, self.margin_px
        if not -m < cell.y < s.height + m:
            cell.y, cell.vy = float(np.clip(cell.y, -m, s.height + m)), -cell.vy
        if not -m < cell.x < s.width + m:
            cell.x, cell.vx = float(np.clip(cell.x, -m, s.width + m)), -cell.vx

    def _push_apart(self) -> None:
        solid = [cell for cell in self.cells if cell.stage in ("alive", "dying", "remains")]
        if len(solid) < 2:
            return
        wide = 1.05 if self.settings.look == "nuclei" else 1.6
        reach = 0.52 * self.settings.cell_px * np.array([room_of(c, wide) for c in solid])
        loose = np.array([0.0 if c.parent >= 0 and c.age == 0 else 1.0 - 0.5 * condensed(c) for c in solid])
        place = np.array([(c.y, c.x) for c in solid])
        pairs = cKDTree(place).query_pairs(2 * float(reach.max()), output_type="ndarray")
        if not len(pairs):
            return
        i, j = pairs.T
        apart = place[j] - place[i]
        distance = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-3)
        push = 0.35 * np.maximum(0, reach[i] + reach[j] - distance)[:, None] * apart / distance[:, None]
        np.add.at(place, i, -push * loose[i, None])
        np.add.at(place, j, push * loose[j, None])
        for cell, spot in zip(solid, place, strict=True):
            cell.y, cell.x = float(spot[0]), float(spot[1])


_PACE: dict[Stage, float] = {"alive": 1.0, "dying": 0.5, "remains": 0.45, "floating": 3.0, "blob": 0.5, "speck": 0.0}


def _turn(cell: Cell, stage: Stage) -> None:
    cell.stage, cell.stage_age = stage, 0
