"""The published way to teach and to judge: crop pairs drawn at random places, each seen alone, shared out at random. It leaks.

Chen, Namboodiri, Sero 2024, sections on labelling and event recognition. The encoder sees nothing but the crop, so its features near
the border of the crop are not those of the whole frame.
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
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.errors import ScopeError
from napari_tap_events.events.criteria import UNKNOWN, kind_labels
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.head import EventHead
from napari_tap_events.movies.masks import EventMasks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.settings import Criterion

CROP_PX = 48
"""Side of the published crops."""
CACHE_BYTES = 2**31
"""Features of the teaching crops are kept up to this size; beyond, they are computed in every step."""


@dataclass(frozen=True)
class CropPairs:
    """Crop pairs and their labels.

    Attributes
    ----------
    place : (N, 4) int64
        Movie, frame pair t, row and column of the upper left corner, pixels.
    event : (N,) bool
    """

    place: NDArray[np.int64]
    event: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.event)

    def only(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> CropPairs:
        """Return some of them, by position or by mask."""
        return CropPairs(self.place[which], self.event[which])

    def balanced(self, rng: np.random.Generator) -> CropPairs:
        """Return as many without an event as with one, drawn at random.

        Raises
        ------
        ScopeError
            When there are none of one sort.
        """
        with_event, without = np.flatnonzero(self.event), np.flatnonzero(~self.event)
        if not len(with_event) or not len(without):
            raise ScopeError(
                f"of {len(self)} crop pairs {len(with_event)} hold an event: there is nothing to balance; draw more --paper-pairs."
            )
        many = min(len(with_event), len(without))
        chosen = [rng.choice(sort, many, replace=False) for sort in (with_event, without)]
        return self.only(np.sort(np.concatenate(chosen)))


def draw_crop_pairs(
    masks: Sequence[EventMasks], per_pair: int, criterion: Criterion, area_px: int, rng: np.random.Generator
) -> CropPairs:
    """Draw crop pairs evenly over every frame pair and label them; what touches an unknown place is left out.

    Parameters
    ----------
    masks : sequence of EventMasks
        One for each movie.
    per_pair : int
        Crop pairs drawn for each frame pair.
    criterion, area_px
        What makes a crop pair an event.
    """
    places, labels = [np.zeros((0, 4), np.int64)], [np.zeros(0, np.int8)]
    for m, mask in enumerate(masks):
        frames, height, width = mask.shape
        grid = WindowGrid(height, width, CROP_PX, 1)
        for t in range(frames - 1):
            at = rng.integers(0, grid.shape, (per_pair, 2))
            label = kind_labels(mask, t, grid, criterion, area_px).max(0)
            places.append(np.concatenate([np.full((per_pair, 2), (m, t)), at], axis=1))
            labels.append(label[at[:, 0], at[:, 1]])
    place, found = np.concatenate(places), np.concatenate(labels)
    known = found != UNKNOWN
    return CropPairs(place[known], found[known] == 1)


class CropReader:
    """Cuts crop pairs from movies that are normalised once and kept in memory.

    Parameters
    ----------
    movies : sequence of Movie
    compute : Compute
    """

    def __init__(self, movies: Sequence[Movie], compute: Compute) -> None:
        self.movies, self.compute = movies, compute
        self._frames: dict[tuple[int, int], Tensor] = {}

    def images(self, pairs: CropPairs) -> Tensor:
        """Return (N, 2, C, 48, 48) float32 on the device."""
        cut = []
        for m, t, y, x in pairs.place.tolist():
            both = [self._frame(m, at)[:, y : y + CROP_PX, x : x + CROP_PX] for at in (t, t + 1)]
            cut.append(torch.stack(both))
        return torch.stack(cut)

    def _frame(self, m: int, t: int) -> Tensor:
        if (m, t) not in self._frames:
            self._frames[m, t] = torch.from_numpy(normalise(self.movies[m].frame(t))).to(self.compute.device)
        return self._frames[m, t]


class CropClassifier(nn.Module):
    """An encoder that sees the crop alone, and a head on it: one logit for each crop pair.

    Parameters
    ----------
    encoder : Encoder
    head : EventHead
        For crops of 48 map pixels at full resolution.
    trained : bool
        Whether the encoder learns with the head; else it stays as it is, in eval mode.
    """

    def __init__(self, encoder: Encoder, head: EventHead, trained: bool) -> None:
        super().__init__()
        self.encoder, self.head, self.trained = encoder, head, trained
        if not trained:
            encoder.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> CropClassifier:
        """Switch the head, and the encoder where it learns."""
        super().train(mode)
        if not self.trained:
            self.encoder.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Map (N, 2, C, 48, 48) to z, (N, 2, F, 48, 48)."""
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            z: Tensor = self.encoder(images.flatten(0, 1))
        return cast(Tensor, z.unflatten(0, images.shape[:2]))

    def answer(self, z: Tensor) -> Tensor:
        """Map features to logits, (N,); beyond the crop there is nothing, so the head's margin is zero."""
        m = self.head.margin
        logits: Tensor = self.head(F.pad(z.float(), (m, m, m, m)), z.new_zeros(len(z), 0, *(s + 2 * m for s in z.shape[-2:])))
        return logits.reshape(len(z))

    def forward(self, images: Tensor) -> Tensor:
        """Map crop pairs (N, 2, C, 48, 48) to logits, (N,)."""
        return self.answer(self.features(images))


class CropLearner:
    """The learner: Adam on balanced crop pairs, epoch after epoch, without augmentation.

    Parameters
    ----------
    module : CropClassifier
    reader : CropReader
    pairs : CropPairs
        What teaches.
    batch, seed : int
    """

    def __init__(self, module: CropClassifier, reader: CropReader, pairs: CropPairs, batch: int, seed: int) -> None:
        self.module, self.reader, self.pairs, self.batch, self.seed = module, reader, pairs, batch, seed
        self.per_epoch = -(-len(pairs) // batch)
        self._z = self._kept()

    def _kept(self) -> Tensor | None:
        """Return the features of all teaching crops, float16, where they stay the same and fit into memory."""
        size = len(self.pairs) * 2 * self.module.encoder.features * CROP_PX**2 * 2
        if self.module.trained or size > CACHE_BYTES:
            return None
        with torch.no_grad():
            parts = [self.module.features(self.reader.images(part)).half() for part in in_batches(self.pairs, self.batch)]
        return torch.cat(parts)

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the cross entropy of the crop pairs of this step."""
        epoch, place = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))
        chosen = order[place * self.batch : (place + 1) * self.batch]
        some = self.pairs.only(chosen)
        logits = self.module(self.reader.images(some)) if self._z is None else self.module.answer(self._z[chosen])
        target = torch.from_numpy(some.event.astype(np.float32)).to(logits.device)
        return F.binary_cross_entropy_with_logits(logits, target), {}

    def validate(self) -> Mapping[str, float]:
        """Return nothing: the last weights are kept."""
        return {}


def in_batches(pairs: CropPairs, size: int) -> list[CropPairs]:
    """Cut crop pairs into batches."""
    return [pairs.only(np.arange(start, min(start + size, len(pairs)))) for start in range(0, len(pairs), size)]
