"""A movie in which every game can be won, movies in which none can, and the shortest way to play."""

from __future__ import annotations

import numpy as np
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.synthetic import noise_movie
from napari_tap_events.pretext._views import DeviceMovie, device_movie
from napari_tap_events.pretext.games import Playground, begin
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.games import GAMES
from napari_tap_events.training.loop import Learner, Plan, fit

CPU = Compute(torch.device("cpu"))


def lively(seed: int = 0, frames: int = 12, size: int = 80) -> Movie:
    """Slanted bodies that all differ, each with its own shade, which grow from frame to frame and do not move otherwise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    movie = np.zeros((frames, size, size))
    for cy in range(8, size, 16):
        for cx in range(8, size, 16):
            angle, length, shade, phase = rng.uniform((0, 1.5, 60, 0), (np.pi, 3, 160, 3))
            place = rng.uniform(-2, 2, 2)
            along = np.cos(angle) * (y - cy - place[0]) + np.sin(angle) * (x - cx - place[1])
            across = np.cos(angle) * (x - cx - place[1]) - np.sin(angle) * (y - cy - place[0])
            for t in range(frames):
                edge = np.hypot(along / length, across) - (1 + 0.3 * phase + 0.25 * t)
                movie[t] = np.maximum(movie[t], (shade + 25 * np.sign(along)) / (1 + np.exp(3 * edge)))
    movie += rng.normal(20, 1.0, movie.shape)
    return movie_from_array(np.clip(movie, 0, 255).astype(np.uint8), f"lively-{seed}")


def textured(seed: int = 0, frames: int = 8, size: int = 96) -> Movie:
    """Patches of all sizes that stand still: no two places are alike."""
    rng = np.random.default_rng(seed)
    image = sum(np.kron(rng.normal(0, 1, (size // k, size // k)), np.ones((k, k))) for k in (4, 8, 16))
    return _still(120 + 30 * image, frames, rng, "textured")


def sloping(seed: int = 0, frames: int = 6, size: int = 96) -> Movie:
    """Stripes that grow narrower to the right, and others that grow stronger downwards: tiles tell where they belong."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    stripes = np.sin(rng.uniform(0, 6) + 0.25 * x + 0.006 * x**2)
    others = np.sin(0.9 * y + rng.uniform(0, 6)) * (y / size)
    return _still(120 + 50 * stripes + 60 * others, frames, rng, "sloping")


def crowded(seed: int = 0, frames: int = 6, size: int = 96) -> Movie:
    """Bodies, the more the nearer to the upper left corner."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    bodies = [np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 6) for cy, cx in np.abs(rng.normal(0, 0.4 * size, (40, 2)))]
    return _still(20 + 150 * np.max(bodies, axis=0), frames, rng, "crowded")


def halved(seed: int = 0, frames: int = 6, size: int = 96) -> Movie:
    """Fine grains on one side, coarse ones on the other: two kinds of places."""
    rng = np.random.default_rng(seed)
    fine, coarse = (np.kron(rng.normal(0, 1, (size // k, size // k)), np.ones((k, k))) for k in (2, 8))
    return _still(120 + 40 * np.where(np.arange(size) < size // 2, fine, coarse), frames, rng, "halved")


def _still(image: np.ndarray, frames: int, rng: np.random.Generator, name: str) -> Movie:
    shown = image + rng.normal(0, 2, (frames, *image.shape))
    return movie_from_array(np.clip(shown, 0, 255).astype(np.uint8), name)


def doubled(movie: Movie) -> Movie:
    """Return the movie with a second channel, its negative; of noise, other noise."""
    first = movie.as_array()
    second = (
        noise_movie(99, *first.shape[::2][:1], *first.shape[2:]).as_array() if movie.name.startswith("noise") else 255 - first
    )
    return movie_from_array(np.concatenate([first, second], 1), movie.name)


def settings(name: str, **changes) -> PretrainSettings:
    if "deep_clusters" in name:
        changes = {"game_settings": ("deep_clusters.crops=64", "deep_clusters.clusters=6"), "pairs_per_epoch": 480} | changes
    values = {"preset": "unet8", "patch_px": 16, "batch": 16, "val_pairs": 64, "motion_blur_px": 2.0, "pretext": name}
    return PretrainSettings(**{**values, "simulated_px": 48, "simulated_batch": 4, "simulated_movies": 2} | changes)


def learner(name: str, train: Movie, val: Movie | None = None, **changes) -> Learner:
    """Return a game set up on a movie to learn from, and one to judge by."""
    chosen = settings(name, **changes)
    torch.manual_seed(chosen.seed)
    model = ArrowEncoder(train.n_channels, chosen, arrow=name == "time_arrow", simulated=name == "simulated")
    sides = _on_device([train, val] if on_movies(name) else [None, None], chosen)
    several = name in GAMES and GAMES[name].channels > 1
    whole = _on_device([m and doubled(m) for m in (train, val)], chosen) if several else ([], [])
    return begin({name: 1.0}, Playground(model, *sides, chosen, CPU, [1.0], tuple(whole)))


def _on_device(movies: list[Movie | None], chosen: PretrainSettings) -> list[list[DeviceMovie]]:
    return [[device_movie(m, range(m.n_frames), chosen.deltas, CPU.device)] if m is not None else [] for m in movies]


def on_movies(name: str) -> bool:
    return name not in GAMES or GAMES[name].needs_movies


def trained(task: Learner, steps: int, rate: float = 4e-3) -> list[dict[str, float]]:
    work = fit(task, Plan("game", steps, learning_rate=rate))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
