"""How any game is played: crops are drawn for a step, the rules make of them what is seen, and the loss says how well it went."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.pretext._places import Field
from napari_tap_events.pretext._stream import LargeMovie, samplers_of
from napari_tap_events.pretext._views import DeviceMovie, PairSampler
from napari_tap_events.pretext.contract import Batch, Game, Loss, Sample, middle
from napari_tap_events.settings import PretrainSettings

LOOKED_AT = 64
"""Crops by which it is seen whether features have collapsed."""


class Play:
    """The learner of a game.

    Parameters
    ----------
    name : str
        Stands before its metrics.
    game : Game
    module : nn.Module
        What is trained: encoder and head.
    model : ArrowEncoder
    settings : PretrainSettings
    compute : Compute
    """

    def __init__(
        self, name: str, game: Game, module: nn.Module, model: ArrowEncoder, settings: PretrainSettings, compute: Compute
    ) -> None:
        self.name, self.game, self.module, self.encoder = name, game, module, model.encoder
        self.settings, self.compute = settings, compute
        self.sample = game.sample()
        self.count = places_per_step(self.sample, settings)
        self.encode = Encoding(model.encoder, compute)
        self.fixed: dict[str, list[Batch]] = {}
        self.looked_at: Tensor | None = None

    def on(self, train: Sequence[DeviceMovie | LargeMovie], val: Sequence[DeviceMovie], weights: Sequence[float]) -> Play:
        """Take the movies to learn from and to judge by."""
        s = self.settings
        share = 1 - s.uniform_share if s.sampling == "motion" else 0.0
        self.sources = [samplers_of(movie, share, s.motion_blur_px, s.seed) for movie in train]
        self.weights = weights
        for kind, moving in (("uniform", 0.0), ("motion", 1.0)) if val else ():
            self.fixed[kind] = self._fixed(self._field(val, [float(len(m.pairs)) for m in val], moving))
        return self

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss for the places of this batch."""
        field = self.field_at(step)
        self.game.before_step(self.encoder, field, step)
        generator = self.generator(step)
        windows = field.windows(field.places(self.count, generator), self.sample.window_px)
        told = self.game.loss(self.encode, self.game.views(windows, generator, self.settings.augmentation))
        return told.total, {f"{self.name}_{what}": value.detach() for what, value in _all(told).items()}

    def validate(self) -> Mapping[str, float]:
        """Return loss and metrics for fixed places, not augmented, drawn uniformly and by motion; and how far features are apart."""
        values = {}
        for kind, batches in self.fixed.items():
            with torch.no_grad():
                told = [_all(self.game.loss(self.encode, batch)) for batch in batches]
            for what in told[0]:
                values[f"val_{self.name}_{what}_{kind}"] = sum(float(one[what]) for one in told) / len(told)
        if self.fixed and self.game.chance is not None:
            values[f"{self.name}_chance"] = self.game.chance
        if self.looked_at is not None:
            with torch.no_grad():
                values |= collapse(self.encode(self.looked_at).mean((-1, -2)))
        return values

    def generator(self, step: int) -> torch.Generator:
        """Return the source of all chance in a step."""
        return self.compute.generator(self.settings.seed, step, zlib.crc32(self.name.encode()))

    def field_at(self, step: int) -> Field:
        """Return what a batch is drawn from: all movies, of a large one the block whose turn it is."""
        return Field([source.at(step) for source in self.sources], self.weights, self.sample.offsets, self.sample.together)

    def _field(self, movies: Sequence[DeviceMovie], weights: Sequence[float], moving: float) -> Field:
        samplers = [PairSampler(movie, moving, self.settings.motion_blur_px) for movie in movies]
        return Field(samplers, weights, self.sample.offsets, self.sample.together)

    def _fixed(self, field: Field) -> list[Batch]:
        """Return as many batches as make `val_pairs` pairs of frames, each as large as in training."""
        s = self.settings
        batches: list[Batch] = []
        for number in range(max(1, s.val_pairs // s.batch)):
            generator = self.generator(-1 - number)
            windows = field.windows(field.places(self.count, generator), self.sample.window_px)
            batches.append(self.game.views(windows, generator, 0.0))
            if self.looked_at is None or len(self.looked_at) < LOOKED_AT:
                seen = middle(windows, min(self.settings.patch_px, windows.shape[-1]))[:, 0, : self.encoder.channels]
                self.looked_at = seen if self.looked_at is None else torch.cat([self.looked_at, seen])[:LOOKED_AT]
        return batches


class Encoding:
    """The encoder as games call it: crops (..., C, P, P) to features (..., F, P, P) float32."""

    def __init__(self, encoder: Encoder, compute: Compute) -> None:
        self.encoder, self.compute = encoder, compute

    def __call__(self, crops: Tensor) -> Tensor:
        """Encode crops of any number of leading axes."""
        flat = crops.reshape(-1, *crops.shape[-3:])
        with self.compute.autocast():
            z: Tensor = self.encoder(flat.contiguous(memory_format=torch.channels_last))
        features: Tensor = z.float().unflatten(0, crops.shape[:-3])
        return features


def places_per_step(sample: Sample, settings: PretrainSettings) -> int:
    """Return how many places make a step: as many pixels go through the encoder as with `batch` crop pairs."""
    budget = 2 * settings.batch * settings.patch_px**2
    groups = max(1, round(budget / sample.encoder_px / sample.together))
    return max(2, groups * sample.together)


def collapse(vectors: Tensor) -> dict[str, float]:
    """Say how far features are apart.

    Parameters
    ----------
    vectors : (N, F) float32

    Returns
    -------
    dict
        `feature_spread`: mean standard deviation of unit vectors times the root of F; 1 where all directions are used, 0 where all
        vectors are the same. `feature_rank`: number of directions in use, the exponential of the entropy of the singular values
        (Roy, Vetterli 2007).
    """
    unit = nn.functional.normalize(vectors - vectors.mean(0), dim=1, eps=1e-6)
    raw = nn.functional.normalize(vectors, dim=1, eps=1e-6)
    spread = float(raw.std(0).mean()) * math.sqrt(vectors.shape[1])
    singular = torch.linalg.svdvals(unit.double().cpu())
    p = singular / singular.sum().clamp(min=1e-12)
    return {"feature_spread": spread, "feature_rank": float(torch.exp(-(p * (p + 1e-12).log()).sum()))}


def _all(told: Loss) -> dict[str, Tensor]:
    return {"loss": told.total, **told.metrics}
