"""Deep clusters: features are clustered anew at the start of every epoch, and the encoder learns to say which cluster a crop is in.

Caron et al. 2018 (DeepCluster, arXiv 1807.05520): PCA, whitening, L2, k-means; an empty cluster takes half of another. Drawing evenly over
clusters is done by weights. A crop is held against the centres of the clusters, as in DeepCluster-v2 (Caron et al. 2020, SwAV, arXiv
2006.09882, appendix): a linear top that begins anew with every epoch learns little of 64 clusters by its end. Here a crop and the same
place a frame later share a label; labels come from a copy of the encoder as it was at the start of the epoch.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import pooled
from napari_tap_events.pretext._places import Field
from napari_tap_events.pretext._teacher import Teacher
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample, middle
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import DeepClustersSettings
from napari_tap_events.settings.games import GAMES

ITERATIONS = 20
TEMPERATURE = 0.1
"""As in Caron et al. 2020."""
CHUNK = 64
RIDGE = 1e-4
"""Of the largest variance: directions with less are noise, and are not blown up by whitening."""


class DeepClusters(Game):
    """The rules of `deep_clusters`."""

    facts = GAMES["deep_clusters"]
    alone = True
    centres: Tensor
    sizes: Tensor
    mean: Tensor
    whitening: Tensor

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(DeepClustersSettings, own)
        size, count = 3 * self.features, self.own.clusters
        self.teacher = Teacher(encoder)
        for name, start in (
            ("centres", F.normalize(torch.randn(count, size), dim=1)),
            ("sizes", torch.ones(count)),
            ("mean", torch.zeros(size)),
            ("whitening", torch.eye(size)),
        ):
            self.register_buffer(name, start)
        self.period = max(1, settings.pairs_per_epoch // settings.batch)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses, clusters weighing alike."""
        return 1 / self.own.clusters

    def sample(self) -> Sample:
        """Two frames of a place; the label costs a third of a crop more."""
        return Sample(tuple((0, d) for d in self.settings.deltas), self.augmented_window_px(), 2 * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Show both frames, bent and lit; and the first one as it is, for the label."""
        return {"crops": self.augmented(windows, generator, strength), "plain": middle(windows[:, 0], self.patch_px)}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the cluster, all clusters weighing alike."""
        label = (self._whitened(pooled(self.teacher(batch["plain"]))) @ self.centres.T).argmax(1).repeat_interleave(2)
        logits = self._whitened(pooled(encode(batch["crops"])).flatten(0, 1)) @ self.centres.T / TEMPERATURE
        weight = 1 / self.sizes.clamp(min=1)
        right = (logits.argmax(1) == label).float() * weight[label]
        share = self.sizes / self.sizes.sum()
        metrics = {
            "accuracy": right.sum() / weight[label].sum(),
            "cluster_entropy": -(share * (share + 1e-12).log()).sum() / math.log(len(share)),
        }
        return Loss(F.cross_entropy(logits, label, weight), metrics)

    @torch.no_grad()
    def before_step(self, encoder: Encoder, field: Field, step: int) -> None:
        """Cluster anew at the start of an epoch."""
        if step % self.period:
            return
        self.teacher.follow(encoder, 0.0)
        generator = torch.Generator(self.centres.device).manual_seed(1 + self.settings.seed * 100_003 + step)
        places = field.places(self.own.crops, generator)
        described = [self._described(field, places[chunk]) for chunk in _chunks(self.own.crops, self.centres.device)]
        vectors = torch.cat(described)
        self.mean.copy_(vectors.mean(0))
        self.whitening.copy_(whitening(vectors - self.mean))
        centres, sizes = clusters(self._whitened(vectors), self.own.clusters, generator)
        self.centres.copy_(centres)
        self.sizes.copy_(sizes)

    def _described(self, field: Field, places: object) -> Tensor:
        windows = field.windows(places, self.patch_px)  # type: ignore[arg-type]
        return pooled(self.teacher(windows[:, 0]))

    def _whitened(self, vectors: Tensor) -> Tensor:
        white: Tensor = F.normalize((vectors - self.mean) @ self.whitening, dim=1)
        return white


def whitening(centred: Tensor) -> Tensor:
    """Return the matrix (D, D) that makes centred vectors (N, D) uncorrelated, of variance 1."""
    covariance = (centred.T @ centred / max(1, len(centred) - 1)).double().cpu()
    values, axes = torch.linalg.eigh(covariance)
    scale: Tensor = (values.clamp(min=0) + RIDGE * values.max().clamp(min=1e-12)).sqrt()
    matrix: Tensor = (axes / scale).to(centred)
    return matrix


def clusters(vectors: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cluster unit vectors (N, D) by cosine; an empty cluster takes half of a random full one.

    Returns
    -------
    centres : (K, D)
    sizes : (K,) float32
    """
    order = torch.randperm(len(vectors), generator=generator, device=vectors.device)
    centres = vectors[order[torch.arange(count, device=vectors.device) % len(vectors)]].clone()
    for _ in range(ITERATIONS):
        labels = (vectors @ centres.T).argmax(1)
        labels = _without_empty(labels, count, generator)
        sums = torch.zeros_like(centres).index_add_(0, labels, vectors)
        sizes = torch.bincount(labels, minlength=count)
        centres = torch.where((sizes == 0)[:, None], centres, F.normalize(sums, dim=1))
    return centres, sizes.float()


def _without_empty(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Give every empty cluster half of the members of another one that has two or more."""
    for empty in (torch.bincount(labels, minlength=count) == 0).nonzero()[:, 0].tolist():
        full = (torch.bincount(labels, minlength=count) > 1).nonzero()[:, 0]
        if not len(full):
            return labels
        taken = full[torch.randint(len(full), (1,), generator=generator, device=labels.device)]
        members = (labels == taken).nonzero()[:, 0]
        labels[members[: len(members) // 2]] = empty
    return labels


def _chunks(count: int, device: torch.device) -> tuple[Tensor, ...]:
    chunks: tuple[Tensor, ...] = torch.arange(count, device=device).split(CHUNK)
    return chunks
