"""Teaching a head: all windows of a tile at once, on maps that were computed before.

A step reads a few tiles, asks the head for every window in them, and weighs events and non-events alike (the published training set is
balanced 1:1). Half of the tiles are drawn around events, the others anywhere in the frames that teach; or, where little of them was
looked at, around what was seen to be no event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.errors import ScopeError
from napari_tap_events.events.end_to_end import EndToEnd
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.map_tiles import Tiles
from napari_tap_events.settings import HeadSettings

SPARSE = 0.25
"""Below this share of known windows, tiles without events are drawn around known windows, not anywhere."""


@dataclass(frozen=True)
class Lesson:
    """What one movie has to teach.

    Attributes
    ----------
    tiles : Tiles
        Its maps, or its images where the encoder learns too.
    labels : (T-1, K, rows, columns) int8
        1 event, 0 none, -1 unknown, on the head's window grid: of any event, then of each kind that is told apart.
    pairs : sequence of int
        Frame pairs t that may be used.
    """

    tiles: Tiles
    labels: NDArray[np.int8]
    pairs: Sequence[int]


NO_TILES = cast(Tiles, None)
"""Stands for maps that are not made yet, where lessons are only looked over."""


class HeadLearner:
    """The learner of an event head.

    Parameters
    ----------
    module : EventHead or EndToEnd
        What is trained.
    lessons : sequence of Lesson
        One for each movie.
    settings : HeadSettings
    compute : Compute

    Raises
    ------
    ScopeError
        When these lessons hold no event, or no known window without one.
    """

    def __init__(
        self, module: EventHead | EndToEnd, lessons: Sequence[Lesson], settings: HeadSettings, compute: Compute
    ) -> None:
        self.module: nn.Module = module
        self.head = module.head if isinstance(module, EndToEnd) else module
        self.lessons, self.settings, self.compute = lessons, settings, compute
        self.side = max(1, settings.tile_px // (self.head.shape.stride * self.head.shape.map_stride_px))
        check_lessons(lessons)
        self.positives = windows_of(lessons, 1)
        self.negatives = windows_of(lessons, 0) if _is_sparse(lessons) else None
        self.pairs = [(m, t) for m, lesson in enumerate(lessons) for t in lesson.pairs]

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the balanced cross entropy over all known windows of this step's tiles."""
        rng = np.random.default_rng((self.settings.seed, step))
        blocks = [self._block(*self._place(rng, i % 2 == 0)) for i in range(self.settings.batch)]
        height, width = (min(block[2].shape[axis] for block in blocks) for axis in (-2, -1))
        cut = [self._cut(block, height, width) for block in blocks]
        frames, pairs, labels = (torch.stack(parts) for parts in zip(*cut, strict=True))
        frames, pairs, labels = _turned(frames, pairs, labels, rng)
        if self.settings.time_flips:
            frames, pairs, labels = with_time_flips(frames, pairs, labels, bool(self.settings.arrow))
        with self.compute.autocast():
            logits = self.module(frames, pairs)
        return balanced_cross_entropy(logits.float(), labels), {}

    def validate(self) -> Mapping[str, float]:
        """Return nothing: heads are judged by the events they find."""
        return {}

    def _place(self, rng: np.random.Generator, event: bool) -> tuple[int, int, int, int]:
        """Draw a movie, a frame pair and the first window (row, column) of a tile."""
        drawn = self.positives if event else self.negatives
        if drawn is not None:
            movie, t, i, j = drawn[rng.integers(len(drawn))]
            i, j = i - rng.integers(self.side), j - rng.integers(self.side)
        else:
            movie, t = self.pairs[rng.integers(len(self.pairs))]
            rows, columns = self.lessons[movie].labels.shape[-2:]
            i, j = rng.integers(1 - self.side // 2, rows), rng.integers(1 - self.side // 2, columns)
        rows, columns = self.lessons[movie].labels.shape[-2:]
        top, left = np.clip(i, 0, max(0, rows - self.side)), np.clip(j, 0, max(0, columns - self.side))
        return int(movie), int(t), int(top), int(left)

    def _block(self, movie: int, t: int, i: int, j: int) -> tuple[Tensor, Tensor, Tensor]:
        lesson = self.lessons[movie]
        labels = lesson.labels[t, :, i : i + self.side, j : j + self.side]
        top, left = (place * self.head.shape.stride - self.head.margin for place in (i, j))
        height, width = (self.head.extent(count) for count in labels.shape[-2:])
        frames, pairs = lesson.tiles.block(t, (top, top + height), (left, left + width))
        return frames, pairs, torch.from_numpy(labels.copy()).to(self.compute.device)

    def _cut(self, block: tuple[Tensor, Tensor, Tensor], rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor]:
        """Cut a block to fewer windows, so that blocks of small and large movies fit into one batch."""
        height, width = self.head.extent(rows), self.head.extent(columns)
        tiles = self.lessons[0].tiles
        frames = block[0][..., : tiles.extent(height), : tiles.extent(width)]
        return frames, block[1][..., :height, :width], block[2][..., :rows, :columns]


def check_lessons(lessons: Sequence[Lesson]) -> None:
    """Refuse lessons that teach nothing.

    Raises
    ------
    ScopeError
        When they have no frame pair, hold no event, or no known window without one.
    """
    positives = len(windows_of(lessons, 1))
    negatives = sum(int((lesson.labels[list(lesson.pairs), 0] == 0).sum()) for lesson in lessons)
    if not any(lesson.pairs for lesson in lessons):
        raise ScopeError(
            "no two successive frames are left to learn from: those that were looked at are too few to hold some of them out; "
            "look through more frames and widen the scope, or lessen --guard-frames."
        )
    if not positives or not negatives:
        raise ScopeError(
            f"the {sum(len(lesson.pairs) for lesson in lessons)} frame pairs to learn from hold {positives} windows with events "
            f"and {negatives} without; mark more events, or choose fewer folds or a weaker criterion."
        )


def _is_sparse(lessons: Sequence[Lesson]) -> bool:
    """Say whether so little was looked at that tiles drawn anywhere would mostly hold nothing that is known."""
    known, all_of_them = 0, 0
    for lesson in lessons:
        labels = lesson.labels[list(lesson.pairs), 0]
        known, all_of_them = known + int((labels >= 0).sum()), all_of_them + labels.size
    return known < SPARSE * all_of_them


def windows_of(lessons: Sequence[Lesson], label: int) -> NDArray[np.int64]:
    """Return (movie, t, row, column) of every window with a label, (N, 4): 1 shows an event of any kind, 0 shows none."""
    found = [np.zeros((0, 4), np.int64)]
    for m, lesson in enumerate(lessons):
        pairs = np.asarray(lesson.pairs, dtype=np.int64)
        index, i, j = np.nonzero(lesson.labels[pairs, 0] == label)
        found.append(np.stack([np.full(len(index), m), pairs[index], i, j], axis=1))
    return np.concatenate(found)


def _turned(frames: Tensor, pairs: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Turn and mirror maps and labels together: an event is one whichever way it lies."""
    parts = [frames, pairs, labels]
    if frames.shape[-1] == frames.shape[-2] and labels.shape[-1] == labels.shape[-2] and rng.random() < 0.5:
        parts = [part.transpose(-1, -2) for part in parts]
    for axis in (-1, -2):
        if rng.random() < 0.5:
            parts = [part.flip(axis) for part in parts]
    return parts[0], parts[1], parts[2]


def with_time_flips(frames: Tensor, pairs: Tensor, labels: Tensor, arrow: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Add every tile backwards in time: its events become none, the rest of it unknown.

    The arrow map of a pair the other way round is its negative; other maps of pairs stay as they are.
    """
    flipped = torch.where(labels == 1, 0, -1).to(labels.dtype)
    backwards = -pairs if arrow else pairs
    return torch.cat([frames, frames.flip(1)]), torch.cat([pairs, backwards]), torch.cat([labels, flipped])


def balanced_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of the cross entropy of events and that of non-events; unknown windows count neither way.

    Where kinds are told apart, the same of their answers is added: whether there is an event weighs as much as of which kind it is.

    Parameters
    ----------
    logits : (B, K, rows, columns) float32
        Of any event, then of each kind that is told apart.
    labels : (B, K, rows, columns) int8
        1, 0 or -1 for unknown.
    """
    if labels.shape[1] > 1:
        return _balanced(logits[:, :1], labels[:, :1]) + _balanced(logits[:, 1:], labels[:, 1:])
    return _balanced(logits, labels)


def _balanced(logits: Tensor, labels: Tensor) -> Tensor:
    each = F.binary_cross_entropy_with_logits(logits, (labels == 1).float(), reduction="none")
    parts = [(each * mask).sum() / mask.sum().clamp(min=1) for mask in (labels == 1, labels == 0)]
    return 0.5 * (parts[0] + parts[1])
