"""What a command has to do, counted from sizes and settings alone: pixels through the encoder, and bytes held.

The unit of work is one pixel of a frame through the encoder `unet16`, forward. All else is told in it, by factors that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, prod, sqrt
from typing import cast

from napari_tap_events.encoder.room import HALO_PX, movie_bytes, tile_for
from napari_tap_events.encoder.scale import scale_for
from napari_tap_events.encoder.shipped import SHIPPED
from napari_tap_events.settings import (
    ComputeSettings,
    DetectSettings,
    EventSettings,
    ExplainSettings,
    HeadSettings,
    PretrainSettings,
    Settings,
    frame_range,
)

AT_ONCE = 4
"""So many heads are taught at the same time at most; each takes memory of its own."""


@dataclass(frozen=True)
class Network:
    """What is known of an encoder before it is there.

    Attributes
    ----------
    features : int
        Feature channels F.
    cost : float
        Of a pixel of a crop through it.
    encoded : float
        Of a pixel of a frame, with the heads that came with it, and with what is kept of it.
    learned_bytes : float
        Of each pixel of a batch: all maps that the way back needs.
    encoded_bytes : float
        Of each pixel of a tile: the largest maps of the way there.
    weights : int
    learning : float
        Forward, backward and the step of the optimiser, for one forward.
    scale : float or None
        Frames go through it with so many times their sides; None where that follows the radius of events.
    """

    features: int
    cost: float
    encoded: float
    learned_bytes: float
    encoded_bytes: float
    weights: int = 0
    learning: float = 5.3
    scale: float | None = 1.0

    def shown(self, movie: MovieSize, settings: HeadSettings | DetectSettings | ExplainSettings) -> MovieSize:
        """Return a movie as large as the encoder sees it."""
        by_radius = scale_for(settings.radius_px or EventSettings().radius_px)
        scale = settings.scale or (by_radius if self.scale is None else self.scale)
        if scale == 1:
            return movie
        frames, channels, *sides = movie.shape
        factor = scale if scale >= 1 else sqrt(1 + scale**2)  # where it is seen smaller it is seen as it is, too
        height, width = (max(1, round(side * factor)) for side in sides)
        return replace(movie, shape=(frames, channels, height, width))


def _unet(width: int, cost: float, encoded: float) -> Network:
    return Network(width, cost, encoded, 233 * width, 35 * width, 1900 * width**2)


IMAGE = Network(0, 0.024, 0.024, 0, 0)
NETWORKS: dict[str, Network] = {
    "unet8": _unet(8, 0.42, 0.52),
    "unet16": _unet(16, 1.0, 1.3),
    "unet32": _unet(32, 3.1, 4.05),
    "vit_tiny": Network(16, 0.43, 0.84, 1300, 250, 470_000, 3.4),
    "vit_small": Network(32, 10, 17.8, 6000, 600, 21_600_000, 4.4),
}
"""By preset; a transformer sees every pixel of a frame in two windows and more."""
AUGMENTED = 0.12
"""A pixel of a crop: cut out of a larger window, turned and bent."""
SIMULATED = 1.55
"""A pixel of a simulated crop: cut out, shown through another microscope, and what the pair head makes of it."""
MOVIE_PX = 4.0e5
"""A simulated movie, made by one thread; where there is a second one, beside the rest."""
VAL_SCENES, VAL_CROPS, SCENE_BYTES = 12, 96, 4 << 20
"""Simulated movies and crops that judge; what a movie at hand takes."""
SIMULATED_SHARE = 0.75
"""Of the maps that the way back needs: so much less was measured where the crops are simulated ones."""
SETTLED_PX = 30 * 2 * 2 * 192**2
"""Pixels of simulated frames on which norms are measured in the end, where `simulated` is played alone."""
FINDING, EXPLAINING = 0.3, 0.6
"""A pixel of a frame that is encoded: head, maxima and writing; what is explained of it."""
CONTROLS_WITHOUT_IMAGE = ("random", "random-paper", "scratch", "difference")
HEAD_COST = {"evidence": 0.24, "resnet": 8.4, "linear": 0.4}
"""A map pixel of 16 features through a head, forward and backward."""
IMAGE_COST = 1.0
"""A map pixel through the convolutions that read the bare image, forward and backward."""
JUDGING, MAPPING = {"evidence": 3.3, "resnet": 7.6, "linear": 3.3}, 0.95
"""A map pixel whose windows are judged: held-out answers, maxima, and what calibrates them; one of the out-of-fold map."""
HEAD_PX, RESULTS_PX = 6e5, 5e6
"""What each head takes that is taught, for however few steps; scores, tables and pictures in the end."""
HELD_SHARE = 0.4
"""Share of the frames that judge where there are no folds."""
MAP_STRIDE_PX = 2
STARTING_S = 3.0
"""Until torch is loaded and the movie is open."""

TORCH_BYTES = 303 << 20
"""A process that has loaded torch."""
FIRST_BYTES = {"pretrain": 112 << 20, "train": 95 << 20, "detect": 95 << 20, "explain": 95 << 20}
"""What the first step adds, however small it is: threads, buffers of the convolutions."""
HEAD_BYTES, HEAD_WIDTH = 25, {"evidence": 16, "resnet": 124, "linear": 16}
"""Of each map pixel of a batch and feature, when a head is taught; features that it makes itself."""
IMAGE_WIDTH = 60
"""What it makes of the bare image, counted as features."""
FRAME_MAPS = 6
"""Feature maps of a whole frame that are held at once: two frames, and what the arrow head makes of them."""


@dataclass(frozen=True)
class MovieSize:
    """What is known of a movie before it is read.

    Attributes
    ----------
    shape : (T, C, Y, X)
    itemsize : int
        Bytes per pixel and channel.
    events : int
        Marked ones.
    """

    shape: tuple[int, int, int, int]
    itemsize: int
    events: int = 0

    @property
    def frame_px(self) -> int:
        """Pixels of one frame."""
        return self.shape[2] * self.shape[3]

    @property
    def nbytes(self) -> int:
        """Size of the movie, in bytes."""
        return prod(self.shape) * self.itemsize


@dataclass(frozen=True)
class Workload:
    """How much a command has to do.

    Attributes
    ----------
    pixels : float
        Work, in pixels through the encoder `unet16`.
    nbytes : int
        Memory at its peak, in bytes, with torch itself.
    """

    pixels: float
    nbytes: int


def workload(command: str, movie: MovieSize, network: Network, settings: tuple[Settings, ...], threads: int = 1) -> Workload:
    """Count what a command has to do.

    Parameters
    ----------
    command : str
        "pretrain", "train", "detect" or "explain".
    movie : MovieSize
    network : Network
        The encoder that is used, `IMAGE` where it is the image itself; of no account for "pretrain".
    settings : tuple of Settings
        With those of the command; others are passed over.
    threads : int
        That the command computes with on a processor, 1 elsewhere: so many heads may be taught at once.

    Raises
    ------
    SettingsError
        When frames are asked for that the movie does not have.
    """
    own = {type(one): one for one in settings}
    limit = cast(ComputeSettings, own.get(ComputeSettings, ComputeSettings())).memory_limit
    if command == "pretrain":
        return _pretraining(movie, cast(PretrainSettings, own[PretrainSettings]), limit)
    if command == "train":
        return _training(movie, network, cast(HeadSettings, own[HeadSettings]), (threads, limit))
    chosen = cast("DetectSettings | ExplainSettings", own[DetectSettings if command == "detect" else ExplainSettings])
    frames = len(frame_range(chosen.frames, movie.shape[0], "frames"))
    seen = network.shown(movie, chosen)
    beside = FINDING if command == "detect" else EXPLAINING
    pixels = frames * (seen.frame_px * network.encoded + movie.frame_px * beside)
    return Workload(pixels, TORCH_BYTES + FIRST_BYTES[command] + seen.nbytes + _frame_bytes(seen, network, limit))


def _pretraining(movie: MovieSize, s: PretrainSettings, limit: float | None) -> Workload:
    """Count the games that are played: each takes its own time, and they share the memory of a process."""
    names = [part.partition(":")[0].strip() for part in s.pretext.split(",")]
    counted = [
        _simulated(s) if name == "simulated" else _arrow(movie, s, limit) for name in names
    ]  # all others see as many pixels
    shared = TORCH_BYTES + FIRST_BYTES["pretrain"]
    return Workload(sum(one.pixels for one in counted), shared + sum(one.nbytes for one in counted))


def _simulated(s: PretrainSettings) -> Workload:
    network, crop = NETWORKS[s.preset], s.simulated_px**2
    step_px = 2 * s.simulated_batch * crop
    looks = max(1, _steps(s) // min(s.val_every * s.accumulate, _steps(s))) * 2 * VAL_CROPS * crop
    looks += 0 if "," in s.pretext else SETTLED_PX
    movies = s.simulated_movies + VAL_SCENES + _steps(s) / s.simulated_renew
    pixels = (
        network.cost * (network.learning * step_px * _steps(s) + looks) + SIMULATED * step_px * _steps(s) + MOVIE_PX * movies
    )
    held = (s.simulated_movies + VAL_SCENES) * SCENE_BYTES + 8 * VAL_CROPS * crop
    learning = int(SIMULATED_SHARE * network.learned_bytes * step_px) + 16 * network.weights
    return Workload(pixels, held + learning + 22 * 3 * step_px)


def _steps(s: PretrainSettings) -> int:
    """Return how many batches are learned from."""
    period = max(1, s.pairs_per_epoch // (s.batch * s.accumulate))
    return (s.steps or max(1, ceil(s.epochs * period))) * s.accumulate


def _arrow(movie: MovieSize, s: PretrainSettings, limit: float | None) -> Workload:
    network, crop = NETWORKS[s.preset], s.patch_px**2
    steps = _steps(s)
    step_px = 2 * s.batch * crop
    looks = max(1, steps // min(s.val_every * s.accumulate, steps)) * 2 * 2 * s.val_pairs * crop
    augmented = AUGMENTED * (s.augmentation > 0) * step_px * steps
    pixels = network.cost * (network.learning * step_px * steps + looks) + augmented
    window_px = 5 * step_px if s.augmentation else step_px
    brought = movie.nbytes if limit is None else min(movie.nbytes, movie_bytes(limit))
    held = 2 * brought + 6 * brought // movie.itemsize // 16 + 4 * 4 * s.val_pairs * crop
    learning = int(network.learned_bytes * step_px) + 16 * network.weights
    return Workload(pixels, held + learning + 22 * window_px)


def _training(movie: MovieSize, network: Network, s: HeadSettings, means: tuple[int, float | None]) -> Workload:
    """Count what heads take, with so many threads and, where there is one, a limit of memory."""
    threads, limit = means
    seen = movie
    s, steps = s.model_copy(update={"folds": s.folds_for(movie.events)}), s.steps_for(movie.events)
    heads = _heads(s)
    frames, map_px = movie.shape[0], movie.frame_px / MAP_STRIDE_PX**2
    tile_px = s.batch * 2 * ((s.tile_px + s.crop_px) / MAP_STRIDE_PX) ** 2
    if s.encoder == "scratch":
        network = NETWORKS[s.preset]
        taught = heads * steps * tile_px * MAP_STRIDE_PX**2 * network.cost * network.learning
        encoded = heads * frames * movie.frame_px * network.encoded
    else:
        read = HEAD_COST[s.head] * (max(1, network.features) if _reads_features(s) else 1) / 16
        taught = heads * steps * tile_px * (read + IMAGE_COST * _reads_image(s))
        seen = network.shown(movie, s)
        encoded = frames * seen.frame_px * network.encoded
    asked = frames * map_px * (JUDGING[s.head] * _judged(s) + MAPPING * bool(s.folds))
    at_once = 1 if s.encoder == "scratch" else min(heads, AT_ONCE, threads)
    maps = int(frames * map_px * (network.features + movie.shape[1] + 1)) * 2
    at_work = max(_frame_bytes(seen, network, limit), at_once * _learning_bytes(s, network, tile_px))
    nbytes = TORCH_BYTES + FIRST_BYTES["train"] + movie.nbytes + maps + at_work
    return Workload(encoded + taught + asked + heads * HEAD_PX + RESULTS_PX, nbytes)


def _learning_bytes(s: HeadSettings, network: Network, tile_px: float) -> int:
    """Return what it takes to teach a head, or an encoder with it, by tiles of so many map pixels in all."""
    if s.encoder == "scratch":
        return int(network.learned_bytes * tile_px * MAP_STRIDE_PX**2)
    read = (network.features if _reads_features(s) else 0) + IMAGE_WIDTH * _reads_image(s)
    return int(HEAD_BYTES * (read + HEAD_WIDTH[s.head]) * tile_px)


def _reads_image(s: HeadSettings) -> bool:
    """Say whether the head reads the bare image; where that is left to the program, most encoders make it so."""
    if s.encoder == "intensity" or s.intensity is not None:
        return s.encoder == "intensity" or bool(s.intensity)
    return s.head == "evidence" and s.encoder not in CONTROLS_WITHOUT_IMAGE


def _reads_features(s: HeadSettings) -> bool:
    """Say whether the head reads features; where that is left to the program, one beside a guide does not, as with the shipped encoder."""
    if s.features is not None:
        return s.features
    return s.head != "evidence" or not (s.simulated or (s.simulated is None and s.encoder == SHIPPED))


def _judged(s: HeadSettings) -> float:
    """Return how often a frame is judged: with nested folds by as many heads as there are folds."""
    if not s.folds:
        return HELD_SHARE
    return float(s.folds) if s.nested and s.folds > 2 else 1.0


def _heads(s: HeadSettings) -> int:
    """Return how many heads are taught: one, or one for each fold, for each two folds, and the final one."""
    if not s.folds:
        return 1
    nested = len(list(combinations(range(s.folds), 2))) if s.nested and s.folds > 2 else 0
    return s.folds + nested + 1


def _frame_bytes(movie: MovieSize, network: Network, limit: float | None) -> int:
    """Return what it takes to bring one frame after the other through an encoder."""
    rows, columns = (min(side, tile_for(limit) + HALO_PX) for side in movie.shape[2:])
    tile = int(network.encoded_bytes * rows * columns) + 4 * network.weights
    whole = FRAME_MAPS * 4 * movie.frame_px * max(network.features, 2 * movie.shape[1])
    return tile + whole
