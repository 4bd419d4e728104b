"""What is taught and what is asked: movies with labels, cut into units that are held out in turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.few_labels import NOBODY, forget
from napari_tap_events.events.learning import NO_TILES, Lesson, check_lessons
from napari_tap_events.events.map_tiles import Tiles
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.settings import SplitSettings
from napari_tap_events.training.splits import (
    SHARES,
    Block,
    apart,
    even_blocks,
    event_blocks,
    leakage,
    random_parts,
    time_blocks,
)

LEAKAGE_SAMPLE = 4000

S = TypeVar("S", bound=SplitSettings)


@dataclass(frozen=True)
class LabelledMovie:
    """A movie's labels on the window grid, and its true events.

    Attributes
    ----------
    labels : (T-1, K, rows, columns) int8
    truth : DataFrame
        Events table.
    owner : (T-1, rows, columns) int32, or None
        Row of the true event that each window shows (`few_labels.owners`); needed where only some events are to teach.
    """

    labels: NDArray[np.int8]
    truth: pd.DataFrame
    owner: NDArray[np.int32] | None = None

    @property
    def n_pairs(self) -> int:
        """Frame pairs, T - 1."""
        return len(self.labels)

    @property
    def n_events(self) -> int:
        """True events, those that nobody is sure of left out."""
        return int((self.truth["kind"] != UNCERTAIN).sum())

    @property
    def span(self) -> Block:
        """The run of frame pairs within which something is known.

        Raises
        ------
        ScopeError
            When nothing is known.
        """
        known = np.flatnonzero((self.labels >= 0).any((1, 2, 3)))
        if not len(known):
            raise ScopeError("no crop lies within what was annotated; choose a larger scope or a smaller --crop-px.")
        return Block(int(known[0]), int(known[-1]) + 1)

    def blocks(self, settings: SplitSettings) -> list[Block]:
        """Cut what is annotated into blocks of time: as many as there are folds, or train, validation and test."""
        start, n_pairs, folds = self.span.start, len(self.span.pairs), settings.folds or 0
        busy = [int(t) - start for t in np.flatnonzero((self.labels == 1).any((1, 2, 3)))]
        if settings.split == "event-blocks" and folds:
            cut = event_blocks(n_pairs, folds, busy, settings.guard_frames)
        else:
            cut = even_blocks(n_pairs, folds, busy) if folds else time_blocks(n_pairs, SHARES, busy)
        return [Block(block.start + start, block.stop + start) for block in cut]


@dataclass(frozen=True)
class Curriculum:
    """Labelled movies, shared out into units.

    Attributes
    ----------
    movies : tuple of LabelledMovie
    blocks : tuple of tuple of Block
        For each unit, the block of every movie that belongs to it; an empty block where there is none.
    guard : int
        Frames between what is taught and what is held out.
    parts : tuple of (T-1, rows, columns) int8, or None
        For the random split: the unit of every window.
    most_events : int
        How many events teach at most; 0 for all. They are the first of an order that the seed draws, held-out ones left out.
    seed : int
    """

    movies: tuple[LabelledMovie, ...]
    blocks: tuple[tuple[Block, ...], ...]
    guard: int
    parts: tuple[NDArray[np.int8], ...] | None = None
    most_events: int = 0
    seed: int = 0

    @property
    def units(self) -> range:
        """Numbers of the units."""
        return range(len(self.blocks))

    def teaching(self, held: Collection[int], tiles: Sequence[Tiles]) -> list[Lesson]:
        """Return what may be taught while some units are held out."""
        lessons: list[tuple[int, Lesson]] = []
        for m in range(len(self.movies)):
            away = [self.blocks[u][m] for u in held if len(self.blocks[u][m].pairs)]
            pairs = self._apart(m, away)
            labels = self._only(m, [u for u in self.units if u not in held])
            if pairs:
                lessons.append((m, Lesson(tiles[m], labels, pairs)))
        return self._with_few_events(lessons) if self.most_events else [lesson for _, lesson in lessons]

    def _with_few_events(self, lessons: Sequence[tuple[int, Lesson]]) -> list[Lesson]:
        """Return lessons in which only the first events of the seed's order are known."""
        shown = [(m, int(event)) for m, lesson in lessons for event in np.unique(self._owners(m, lesson)) if event != NOBODY]
        everyone = [(m, event) for m, movie in enumerate(self.movies) for event in range(len(movie.truth))]
        rank = {everyone[place]: k for k, place in enumerate(np.random.default_rng((self.seed, 11)).permutation(len(everyone)))}
        kept = sorted(shown, key=lambda one: rank[one])[: self.most_events]
        return [
            replace(lesson, labels=forget(lesson.labels, self._owner(m), [event for movie, event in kept if movie == m]))
            for m, lesson in lessons
        ]

    def _owners(self, m: int, lesson: Lesson) -> NDArray[np.int32]:
        """Return the owners of the event windows that a lesson teaches, (N,)."""
        pairs = list(lesson.pairs)
        taught = (lesson.labels[pairs] == 1).any(1)
        return np.asarray(self._owner(m)[pairs][taught])

    def _owner(self, m: int) -> NDArray[np.int32]:
        owner = self.movies[m].owner
        if owner is None:
            raise AssertionError("few events can only teach where it is known which windows show them")
        return owner

    def _apart(self, m: int, away: Sequence[Block]) -> list[int]:
        """Return the annotated frame pairs of a movie that keep their distance from some blocks."""
        movie = self.movies[m]
        if self.parts is not None:
            return list(movie.span.pairs)
        return [t for t in apart(movie.n_pairs, away, self.guard) if t in movie.span.pairs]

    def asking(self, unit: int, tiles: Sequence[Tiles]) -> list[tuple[int, Lesson]]:
        """Return what is asked of a head that was not taught this unit: (movie, lesson)."""
        whole = [(m, list(self.blocks[unit][m].pairs)) for m in range(len(self.movies))]
        return [(m, Lesson(tiles[m], self._only(m, [unit]), pairs)) for m, pairs in whole if pairs]

    def _only(self, m: int, units: Collection[int]) -> NDArray[np.int8]:
        """Return the labels of a movie, unknown outside some units where windows were shared out one by one."""
        labels = self.movies[m].labels
        if self.parts is None:
            return labels
        return np.where(np.isin(self.parts[m], list(units))[:, None], labels, np.int8(-1))

    def leakage(self, taught: Collection[int], asked: int, crop_px: int, step_px: int, seed: int = 0) -> float:
        """Return the share of asked windows that share a pixel with a taught one; see `splits.leakage`."""
        shares, sizes = [], []
        rng = np.random.default_rng(seed)
        for m in range(len(self.movies)):
            held = [u for u in self.units if u not in taught]
            away = [self.blocks[u][m] for u in held]
            pairs = self._apart(m, away)
            train = self._windows(m, taught, pairs, step_px)
            test = self._windows(m, [asked], list(self.blocks[asked][m].pairs), step_px)
            if len(test) > LEAKAGE_SAMPLE:
                test = test[rng.choice(len(test), LEAKAGE_SAMPLE, replace=False)]
            shares.append(leakage(train, test, crop_px))
            sizes.append(len(test))
        return float(np.average(shares, weights=sizes)) if sum(sizes) else 0.0

    def _windows(self, m: int, units: Collection[int], pairs: Sequence[int], step_px: int) -> NDArray[np.int64]:
        """Return (t, y, x) of the known windows of a movie that belong to some units."""
        index, i, j = np.nonzero(self._only(m, units)[pairs, 0] >= 0) if len(pairs) else (np.zeros(0, int),) * 3
        return np.stack([np.asarray(pairs, np.int64)[index], i * step_px, j * step_px], axis=1)


def make_curriculum(movies: Sequence[LabelledMovie], settings: SplitSettings, seed: int) -> Curriculum:
    """Share movies out as the settings say.

    With folds every unit is held out in turn; without (or undecided, see `with_folds`), the units are train, validation and test.

    Raises
    ------
    ScopeError
        When there are too few movies, frames or events for this split.
    """
    made = _shared_out(tuple(movies), settings, seed)
    return replace(made, most_events=settings.teaching_events, seed=seed)


def held_sets(curriculum: Curriculum, settings: SplitSettings) -> list[tuple[int, ...]]:
    """Return which units are held out, head by head."""
    if not settings.folds:
        return [(1, 2)]
    units = curriculum.units
    nested = combinations(units, 2) if settings.nested and len(units) > 2 else ()
    return [*((unit,) for unit in units), *nested, ()]


def with_folds(movies: Sequence[LabelledMovie], settings: S, seed: int) -> S:
    """Return the settings with the number of folds decided, where that was left to the program.

    Few events all teach and all judge (`SplitSettings.folds_for`). Marks that lie close together in time may leave a head without any:
    then folds are not nested; if that does not help, blocks of time hold as many events each, and fewer of them; else there are none.
    """
    if settings.folds is not None:
        return settings
    most = settings.folds_for(sum(movie.n_events for movie in movies))
    ways = [(settings.split, most, settings.nested), (settings.split, most, False)] if most else []
    if settings.split in ("time-blocks", "event-blocks"):
        ways += [("event-blocks", folds, False) for folds in range(most, 1, -1)]
    for split, folds, nested in ways:
        tried = settings.model_copy(update={"split": split, "folds": folds, "nested": nested})
        if _all_teach(movies, tried, seed):
            return tried
    return settings.model_copy(update={"folds": 0})


def has_events_to_judge(movies: Sequence[LabelledMovie], settings: SplitSettings, seed: int) -> bool:
    """Say whether any event lies where a head is judged by it; `settings` have their folds decided."""
    curriculum = make_curriculum(movies, settings, seed)
    judging = curriculum.units if settings.folds else (2,)
    asked = (lesson for unit in judging for _, lesson in curriculum.asking(unit, [NO_TILES] * len(movies)))
    return any((lesson.labels[list(lesson.pairs)] == 1).any() for lesson in asked)


def _all_teach(movies: Sequence[LabelledMovie], settings: SplitSettings, seed: int) -> bool:
    """Say whether every head that these settings ask for has something to learn from."""
    try:
        curriculum = make_curriculum(movies, settings, seed)
        for held in held_sets(curriculum, settings):
            check_lessons(curriculum.teaching(held, [NO_TILES] * len(movies)))
    except ScopeError:
        return False
    return True


def _shared_out(movies: tuple[LabelledMovie, ...], settings: SplitSettings, seed: int) -> Curriculum:
    if settings.split == "movies":
        return Curriculum(movies, _by_movie(movies, settings.folds or 0), settings.guard_frames)
    if settings.split == "random":
        return _by_chance(movies, settings, seed)
    cut = [movie.blocks(settings) for movie in movies]
    return Curriculum(movies, tuple(zip(*cut, strict=True)), settings.guard_frames)


def _by_movie(movies: Sequence[LabelledMovie], folds: int) -> tuple[tuple[Block, ...], ...]:
    least = 2 if folds else 3
    if len(movies) < least:
        raise ScopeError(
            f"the split by movies needs {least} labelled movies or more, {len(movies)} came; use --split time-blocks."
        )
    owner = list(range(len(movies))) if folds else [0] * (len(movies) - 2) + [1, 2]
    return tuple(
        tuple(movie.span if owner[m] == unit else Block(0, 0) for m, movie in enumerate(movies))
        for unit in range(max(owner) + 1)
    )


def _by_chance(movies: tuple[LabelledMovie, ...], settings: SplitSettings, seed: int) -> Curriculum:
    if settings.folds:
        raise ScopeError("the random split knows no folds; leave --folds away, or use --split time-blocks.")
    parts = []
    for m, movie in enumerate(movies):
        shape = (movie.n_pairs, *movie.labels.shape[2:])
        parts.append(random_parts(int(np.prod(shape)), seed + m).reshape(shape))
    whole = tuple(movie.span for movie in movies)
    return Curriculum(movies, (whole, whole, whole), 0, tuple(parts))
