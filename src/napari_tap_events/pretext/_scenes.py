"""Simulated movies to learn from: an endless row of them, a few at a time, each with the truth of every frame pair.

Movie number n follows from the seed and n alone, and which numbers are at hand follows from the step: so a run that was stopped and
resumed sees what one that was not would have seen. The next movie is made beside the training, in a thread.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_tap_events.encoder.pair_head import EVENT_KINDS
from napari_tap_events.movies.synthetic import SyntheticMovie, TruthRow, random_settings, synthesise
from napari_tap_events.pretext._views import DeviceMovie, PairSampler, device_movie
from napari_tap_events.settings import Look, SyntheticSettings

FRAMES, SIDE_PX = 24, 192
UNKNOWN = 255
"""Value of targets where a division or death cannot be told for certain, or lies partly outside of the frame: it teaches nothing."""
MOTION_BLUR_PX = 3.0


@dataclass(frozen=True)
class Scene:
    """A simulated movie on the training device.

    Attributes
    ----------
    movie : DeviceMovie
    targets : (T-1, H, W) uint8 tensor
        Of the frame pair (t, t + 1): 0 nothing, 1 division, 2 death (its bodies in both frames), `UNKNOWN`.
    events : (E, 3) int64 tensor
        Frame pair, row, column of every event.
    frequency : (E,) float32 tensor
        How often each is drawn, relative to the others: every kind as often, however rare it is; never what cannot be told for certain.
    motion : PairSampler
        Draws places where something moves.
    area_px : float
        Typical area of an event, pixels.
    look : "nuclei" or "phase"
    """

    movie: DeviceMovie
    targets: Tensor
    events: Tensor
    frequency: Tensor
    motion: PairSampler
    area_px: float
    look: Look


def scene_of(settings: SyntheticSettings, device: torch.device) -> Scene:
    """Make a movie and bring it to the device with its truth."""
    made = synthesise(settings)
    movie = device_movie(made.movie, range(made.movie.n_frames), (1,), device)
    targets, places, areas = _targets(made)
    at = torch.tensor(places, dtype=torch.int64).reshape(-1, 4)
    typical = (0.4 if settings.look == "nuclei" else 1.2) * settings.cell_px**2
    return Scene(
        movie,
        torch.from_numpy(targets).to(device),
        at[:, :3].to(device),
        _every_kind_as_often(at[:, 3]).to(device),
        PairSampler(movie, 1.0, MOTION_BLUR_PX),
        float(np.median([*areas, typical, typical])),
        settings.look,
    )


def _targets(made: SyntheticMovie) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]], list[int]]:
    """Return what a pair head should say of every frame pair, where the events are with their values, and how large they are."""
    labels = made.labels
    targets = np.zeros((len(labels) - 1, *labels.shape[1:]), np.uint8)
    bodies: dict[int, list[TruthRow]] = defaultdict(list)
    for row in made.events:
        bodies[row.event_id].append(row)
    places, areas = [], []
    for rows in bodies.values():
        t = min(row.t for row in rows)
        area = np.zeros(labels.shape[1:], bool)
        for row in rows:
            area |= _body(labels[row.t], row)
        value = UNKNOWN if rows[0].certainty == "probable" else 1 + EVENT_KINDS.index(rows[0].kind)
        targets[t][area] = value
        places.append((t, round(float(np.mean([r.y for r in rows]))), round(float(np.mean([r.x for r in rows]))), value))
        areas.append(int(area.sum()))
    y, x = np.ogrid[: labels.shape[1], : labels.shape[2]]
    for row in made.cut:
        near = np.hypot(y - row.y, x - row.x)
        for part in targets[max(0, row.t - 1) : row.t + 1]:
            part[(part == 0) & (near < 1.7 * row.radius + 1)] = UNKNOWN
    return targets, places, areas


def _every_kind_as_often(values: Tensor) -> Tensor:
    """Return (E,) how often to draw events of these values: one over how many are of that value, 0 for `UNKNOWN`."""
    many = (values[:, None] == values).sum(1)
    return torch.where(values == UNKNOWN, 0.0, 1 / many)


def _body(labels: NDArray[np.uint8], row: TruthRow) -> NDArray[np.bool_]:
    """Return the pixels of one body (H, W): those that are marked near its centre, and its innermost ones in any case."""
    y, x = np.ogrid[: labels.shape[0], : labels.shape[1]]
    away = np.hypot(y - row.y, x - row.x)
    value = 1 + EVENT_KINDS.index(row.kind)
    body: NDArray[np.bool_] = ((labels == value) & (away < 1.7 * row.radius + 1)) | (away < max(1.5, 0.5 * row.radius))
    return body


class Scenes:
    """The row of movies.

    Parameters
    ----------
    seed : int
    look : "nuclei", "phase" or None
        None mixes both.
    many, renew : int
        How many movies are at hand, and after how many steps the oldest gives way to a new one.
    device : torch.device
    """

    def __init__(self, seed: int, look: Look | None, many: int, renew: int, device: torch.device) -> None:
        self.seed, self.look, self.many, self.renew, self.device = seed, look, many, renew, device
        self._made: dict[int, Future[Scene]] = {}
        self._maker: ThreadPoolExecutor | None = None

    def at(self, step: int) -> list[Scene]:
        """Return the movies that a step learns from."""
        first = step // self.renew
        for number in [number for number in self._made if number < first]:
            del self._made[number]
        wanted = range(first, first + self.many)
        for number in (*wanted, wanted.stop):
            self._begin(number)
        return [self._made[number].result() for number in wanted]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}, "_maker": None}

    def _begin(self, number: int) -> None:
        if number not in self._made:
            self._maker = self._maker or ThreadPoolExecutor(1, "scenes")
            self._made[number] = self._maker.submit(scene_of, training_scene(self.seed, number, self.look), self.device)


def fixed_scenes(seed: int, look: Look | None, many: int, device: torch.device) -> list[Scene]:
    """Return movies that never teach: their numbers are negative."""
    return [scene_of(training_scene(seed, -1 - number, look), device) for number in range(many)]


def training_scene(seed: int, number: int, look: Look | None) -> SyntheticSettings:
    """Draw what movie `number` shows: as any simulated movie, with more events and more of what could be taken for one."""
    digest = hashlib.blake2b(repr((seed, number)).encode(), digest_size=4).digest()
    own = int.from_bytes(digest, "big") >> 1
    rng = np.random.default_rng([own, 11])
    settings = random_settings(own, look, FRAMES, SIDE_PX)
    changes: dict[str, Any] = {
        "cycle_frames": _even_in_log(rng, 14, 60),
        "speed_px": _even_in_log(rng, 0.3, 8.0) * settings.cell_px / 16,
        "restless": _even_in_log(rng, 0.05, 0.8),
        "cells": max(settings.cells, 5),
        "arrest_rate": float(rng.uniform(0, 0.4)),
        "death_rate": float(rng.uniform(0.1, 0.6)),
        "debris": settings.debris + int(rng.poisson(4)),
    }
    if settings.look == "phase" and rng.random() < 0.35:
        changes |= {"cell_px": float(rng.uniform(30, 52)), "cells": 5}
    return SyntheticSettings.checked(**{**settings.model_dump(), **changes})


def _even_in_log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def cut(targets: Tensor, t: Tensor, centre: Tensor, size: int, fold: Any) -> Tensor:
    """Cut windows (B, size, size) from targets (N, H, W), frame pair by frame pair, as `DeviceMovie.windows` cuts frames."""
    span = torch.arange(size, device=t.device) - size // 2
    height, width = targets.shape[-2:]
    y = fold(centre[:, :1] + span, height)[:, :, None]
    x = fold(centre[:, 1:] + span, width)[:, None, :]
    return targets[t[:, None, None], y, x]


def shares(scenes: Sequence[Scene], count: int, generator: torch.Generator) -> list[int]:
    """Return how many of `count` crops come from each movie, drawn evenly."""
    drawn = torch.randint(len(scenes), (count,), generator=generator, device=generator.device)
    many: list[int] = torch.bincount(drawn, minlength=len(scenes)).tolist()
    return many
