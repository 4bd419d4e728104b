"""Cross-fitting: heads taught while units are held out in turn, so that every answer comes from a head that never saw the question.

The answers on unit `j` that calibrate and set the threshold for fold `k` come from a head that saw neither: one head for each pair of
units (nested), beside one for each unit. The final head learns from everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_tap_events.encoder.compute import Compute, give_back_freed_memory
from napari_tap_events.encoder.feature_maps import FeatureMaps, encode_movie
from napari_tap_events.encoder.features import EncoderFeatures, FeatureSource
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import Card, load_weights, save_model
from napari_tap_events.events.curriculum import Curriculum, held_sets
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.end_to_end import EndToEnd, ImageTiles
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead, HeadShape, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import HeldOut, judge
from napari_tap_events.events.learning import HeadLearner
from napari_tap_events.events.map_tiles import Inputs, MapTiles, Tiles
from napari_tap_events.events.stacking import Answers
from napari_tap_events.events.table import name_for_all
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, training_stride_px, window_grid
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.workload import AT_ONCE
from napari_tap_events.movies.masks import EventMasks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.reports import Control, Report
from napari_tap_events.settings import EncoderSettings, HeadSettings
from napari_tap_events.training.loop import History, Plan, fit
from napari_tap_events.training.side_by_side import side_by_side

FOLDS = "folds"
OOF_STRIDE_PX = 4
"""Distance of the windows of the out-of-fold map, where the crop allows it."""


@dataclass(frozen=True)
class Classroom:
    """All that teaching needs, prepared once.

    Attributes
    ----------
    movies, masks : sequences
    curriculum : Curriculum
    source : FeatureSource or None
        None where the encoder is trained with the head.
    maps : sequence of FeatureMaps
        Of every movie; without channels where the encoder is trained with the head.
    told_apart : tuple of str
        Kinds of event that have an answer of their own.
    """

    movies: Sequence[Movie]
    masks: Sequence[EventMasks]
    curriculum: Curriculum
    source: FeatureSource | None
    maps: Sequence[FeatureMaps]
    settings: HeadSettings
    compute: Compute
    run: Run
    told_apart: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of what is found: the kinds that are told apart, else the only one that teaches, else "event"."""
        return self.told_apart or (name_for_all(kind for movie in self.curriculum.movies for kind in movie.truth["kind"]),)


@dataclass(frozen=True)
class Begun:
    """A head that has not learned yet.

    Attributes
    ----------
    module : EventHead or EndToEnd
        What learns.
    tiles : sequence of Tiles
        What it learns from, of every movie.
    """

    module: EventHead | EndToEnd
    tiles: Sequence[Tiles]

    @property
    def head(self) -> EventHead:
        """The head itself."""
        return self.module.head if isinstance(self.module, EndToEnd) else self.module


@dataclass(frozen=True)
class Pupil:
    """A head that was taught, and the maps on which it judges.

    Attributes
    ----------
    head : EventHead
    source : FeatureSource or None
    tiles : sequence of MapTiles
        One for each movie.
    history : list of dict
    """

    head: EventHead
    source: FeatureSource | None
    tiles: Sequence[MapTiles]
    history: History


@dataclass(frozen=True)
class Taught:
    """What came of it.

    Attributes
    ----------
    final : Pupil
    answers : mapping of (fold, unit) to list of HeldOut
        Answers on a unit by a head that saw neither this unit nor that fold; (k, k) is the test of fold k.
    said : sequence of (T-1, opinions, K, rows, columns) float32, or None
        With folds, the opinions on every window of every movie, out of fold.
    """

    final: Pupil
    answers: Answers
    said: Sequence[NDArray[np.float32]] | None


def inputs_of(settings: HeadSettings) -> Inputs:
    """Return which maps a head reads."""
    if settings.encoder == "difference":
        return Inputs(features=False, intensity=False, pairs=True)
    if settings.encoder == "intensity":
        return Inputs(features=False, intensity=True, pairs=False)
    return Inputs(settings.features is not False, bool(settings.intensity), bool(settings.arrow), bool(settings.simulated))


def settled(settings: HeadSettings, source: FeatureSource | None) -> HeadSettings:
    """Return the settings with every input that was left to the program decided by what the encoder gives.

    The published heads read features alone, as published. The evidence head reads all that a time arrow encoder gives, and the image;
    beside a guide it reads the image and, where there is one, the arrow map: features then only add to what few events cannot decide.
    """
    free = settings.head == "evidence" and source is not None
    simulated = settings.simulated if settings.simulated is not None else bool(free and source and source.simulated_features)
    own = source is not None and source.pair_features > source.simulated_features and settings.encoder != "difference"
    arrow = settings.arrow if settings.arrow is not None else free and own
    features = settings.features if settings.features is not None else not simulated
    intensity = settings.intensity if settings.intensity is not None else free and (arrow or simulated)
    chosen = {"simulated": simulated, "arrow": arrow, "features": features, "intensity": intensity}
    return settings.model_copy(update=chosen)


def head_shape(maps: FeatureMaps, settings: HeadSettings, answers: int) -> HeadShape:
    """Return what a head for these maps is made for, with so many answers (`answers_for`)."""
    inputs, fs = inputs_of(settings), maps.stride_px
    crop, stride = settings.crop_px // fs, training_stride_px(settings) // fs
    return HeadShape(*inputs.channels(maps), answers, crop, stride, fs, maps.simulated if inputs.simulated else 0)


def cross_fit(room: Classroom) -> Generator[Report, None, Taught]:
    """Teach one head per held-out set of units, ask it about them, and teach the final head; several at once where there are cores."""
    tiles = _tiles(room)
    if not room.settings.folds:
        final = yield from _teach(room, _begun(room, tiles), (1, 2), "head", room.run.control)
        return Taught(final, {(2, unit): _ask(room, final, unit) for unit in (1, 2)}, None)
    units, turn = list(room.curriculum.units), held_sets(room.curriculum, room.settings)
    begun = [_begun(room, tiles) for _ in turn]  # here: threads must not draw from one source
    said = [_nothing_said(room, begun[0].head.opinions, m) for m in range(len(room.movies))]

    def taught(number: int) -> Callable[[Control], Generator[Report, None, tuple[Pupil | None, Answers]]]:
        return lambda control: _examine(room, begun[number], turn[number], said, control)

    each = yield from side_by_side(
        f"{len(turn)} heads", [taught(n) for n in range(len(turn))], _at_once(room), room.run.control
    )
    answers = {key: held for _, own in each for key, held in own.items()}
    if not any(len(held) == 2 for held in turn):
        answers |= {(k, j): answers[j, j] for k in units for j in units if j != k}
    final = next(pupil for pupil, _ in each if pupil is not None)
    return Taught(final, answers, said)


def _at_once(room: Classroom) -> int:
    """Return how many heads are taught at the same time: an encoder that learns with its head needs all cores, and the memory."""
    alone = room.source is None or room.compute.device.type != "cpu"
    return 1 if alone else min(AT_ONCE, torch.get_num_threads())


def _examine(
    room: Classroom, begun: Begun, held: Sequence[int], said: Sequence[NDArray[np.float32]], control: Control
) -> Generator[Report, None, tuple[Pupil | None, Answers]]:
    """Teach a head without what is held out, and ask it about that; the final head, without anything held out, comes back itself."""
    pupil = yield from _teach(room, begun, held, "head", control)
    give_back_freed_memory()
    if not held:
        return pupil, {}
    if len(held) == 1:
        _map_opinions(room, pupil, held[0], said)
        return None, {(held[0], held[0]): _ask(room, pupil, held[0])}
    j, k = held
    return None, {(k, j): _ask(room, pupil, j), (j, k): _ask(room, pupil, k)}


def _tiles(room: Classroom) -> list[Tiles]:
    """Return what heads learn from, of every movie; they may all read it at the same time."""
    if room.source is None:
        return [ImageTiles(movie, MAP_STRIDE_PX, room.compute) for movie in room.movies]
    return [MapTiles(maps, inputs_of(room.settings), room.compute) for maps in room.maps]


def _begun(room: Classroom, tiles: Sequence[Tiles]) -> Begun:
    """Return a head, and with it the encoder where that learns as well, with the weights that the seed gives."""
    settings = room.settings
    torch.manual_seed(settings.seed)
    shape = head_shape(room.maps[0], settings, answers_for(room.kinds))
    if room.source is None:
        encoder = Encoder(room.movies[0].n_channels, EncoderSettings(preset=settings.preset))
        shape = HeadShape(encoder.features, 0, 0, shape.kinds, shape.crop, shape.stride, shape.map_stride_px)
        return Begun(EndToEnd(encoder, make_head(settings.head, shape, settings.pair)).to(room.compute.device), tiles)
    head = make_head(settings.head, shape, settings.pair)
    if isinstance(head, GuidedHead):
        head.heed(room.masks[0].kinds, room.told_apart)
    return Begun(head.to(room.compute.device), tiles)


def _teach(
    room: Classroom, begun: Begun, held: Collection[int], stage: str, control: Control
) -> Generator[Report, None, Pupil]:
    """Teach a head while some units are held out; one that an earlier, stopped run finished is read again."""
    module = begun.module
    name = "without-" + "-".join(str(unit) for unit in sorted(held)) if held else "all"
    folder = room.run.out / FOLDS / name
    history: History = []
    if room.run.resume and (folder / "card.json").exists():
        load_weights(folder, module)
    else:
        learner = HeadLearner(module, room.curriculum.teaching(held, begun.tiles), room.settings, room.compute)
        history = yield from fit(learner, _plan(room.settings, stage), control)
        save_model(folder, module.state_dict(), Card(kind="head", name=name, channels=0, features=0))
    module.eval()
    if isinstance(module, EndToEnd):
        return (yield from _with_own_maps(room, module, folder, history, control))
    tiles = [tile for tile in begun.tiles if isinstance(tile, MapTiles)]
    return Pupil(module, room.source, tiles, history)


def _plan(settings: HeadSettings, stage: str) -> Plan:
    steps = settings.steps_for(0)
    return Plan(stage, steps, max(1, steps // 20), settings.learning_rate, settings.weight_decay, "one-cycle")


def _with_own_maps(
    room: Classroom, module: EndToEnd, folder: Path, history: History, control: Control
) -> Generator[Report, None, Pupil]:
    source = EncoderFeatures(module.encoder, None, room.compute)
    tiles = []
    for m, movie in enumerate(room.movies):
        maps = yield from encode_movie(movie, source, room.compute, folder / f"maps-{m}", MAP_STRIDE_PX, control)
        tiles.append(MapTiles(maps, Inputs(), room.compute))
    return Pupil(module.head, source, tiles, history)


def _ask(room: Classroom, pupil: Pupil, unit: int) -> list[HeldOut]:
    asked = room.curriculum.asking(unit, pupil.tiles)
    return [judge(pupil.head, pupil.tiles[m], lesson, m, room.settings, room.masks[m]) for m, lesson in asked]


def _nothing_said(room: Classroom, opinions: int, m: int) -> NDArray[np.float32]:
    movie = room.movies[m]
    grid = window_grid(movie, room.settings, oof_stride_px(room.settings))
    return np.full((movie.n_frames - 1, opinions, answers_for(room.kinds), *grid.shape), -np.inf, np.float32)


def _map_opinions(room: Classroom, pupil: Pupil, unit: int, said: Sequence[NDArray[np.float32]]) -> None:
    stride = oof_stride_px(room.settings) // MAP_STRIDE_PX
    for m, block in enumerate(room.curriculum.blocks[unit]):
        dense = DenseHead(pupil.head)
        for t in block.pairs:
            said[m][t] = dense.window_opinions(pupil.tiles[m], t, stride)


def oof_stride_px(settings: HeadSettings) -> int:
    """Return the distance of the windows of the out-of-fold map."""
    return OOF_STRIDE_PX if settings.crop_px % OOF_STRIDE_PX == 0 else MAP_STRIDE_PX
