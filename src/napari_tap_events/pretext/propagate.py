"""Propagate: every spot of a frame points back to where it was, softly; what it copies from there must be right.

Vondrick et al. 2018 (Tracking emerges by colorizing videos, arXiv 1806.09594): labels of a frame are copied from frames before it by
softmax pointing, equation 2. Grey movies have no colour: the label is a shade, the low-pass intensity in 16 steps, and the input does not
show it, since it is normalised locally, its grey values bent, and one frame in two inverted. `walk` needs no label: there and back through
the frames, the walk must come home (Jabri et al. 2020, arXiv 2006.14613, equation 4).
"""

from __future__ import annotations

import itertools
import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._turning import mirrored, uniform
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import PropagateSettings
from napari_tap_events.settings.games import GAMES

STRIDE, SIZE, SHADES = 4, 64, 16
SMOOTH_PX = 9
FRAMES = 3
BEND = 1.5
TINY = 1e-6


class Propagate(Game):
    """The rules of `propagate`."""

    facts = GAMES["propagate"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(PropagateSettings, own)
        self.side = self.patch_px // STRIDE
        self.token = nn.Conv2d(self.features, SIZE, 1)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses: the shade, or the way home among the spots in reach."""
        if self.own.labels == "shade":
            return 1 / SHADES
        return float((1 / in_reach(self.side, self.own.radius_px).sum(1)).mean())

    def sample(self) -> Sample:
        """Three frames in a row."""
        return Sample((tuple(range(FRAMES)),), self.patch_px, FRAMES * self.patch_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Make the shades, and hide them from the input."""
        crops = mirrored(windows, generator)
        if self.own.labels == "walk":
            return {"crops": crops}
        shades = quantised(F.avg_pool2d(smooth(crops.mean(2)), STRIDE))
        return {"crops": hidden_shade(crops, generator), "target": shades}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the surprise at the true shades, or at coming home."""
        tokens = self.tokens(encode(batch["crops"]))
        reach = in_reach(self.side, self.own.radius_px).to(tokens.device)
        if self.own.labels == "walk":
            return came_home(walk(tokens, reach, self.own.temperature))
        target = batch["target"].flatten(2)
        where = pointing(tokens[:, -1], tokens[:, :-1].flatten(1, 2), reach.repeat(1, FRAMES - 1), self.own.temperature)
        told = where @ F.one_hot(target[:, :-1].flatten(1), SHADES).float()
        right = (told.argmax(2) == target[:, -1]).float().mean()
        return Loss(F.nll_loss((told + TINY).log().flatten(0, 1), target[:, -1].flatten()), {"accuracy": right})

    def tokens(self, z: Tensor) -> Tensor:
        """Return unit vectors (B, S, N, D) of spots, of features z (B, S, F, P, P)."""
        maps = self.token(F.avg_pool2d(z.flatten(0, 1), STRIDE)).unflatten(0, z.shape[:2])
        return F.normalize(maps.flatten(3).transpose(2, 3), dim=3)


def pointing(targets: Tensor, sources: Tensor, reach: Tensor, temperature: float) -> Tensor:
    """Return how strongly each target (B, N, D) points to each source (B, M, D): (B, N, M), rows add up to 1; not beyond reach (N, M)."""
    alike = targets @ sources.transpose(1, 2) / temperature
    return alike.masked_fill(~reach, -torch.inf).softmax(2)


def walk(tokens: Tensor, reach: Tensor, temperature: float) -> Tensor:
    """Return where a walk from each spot of the first frame, through all frames and back, ends: (B, N, N)."""
    frames = tokens.shape[1]
    way = [*range(frames), *range(frames - 2, -1, -1)]
    home = torch.eye(tokens.shape[2], device=tokens.device).expand(len(tokens), -1, -1)
    for here, there in itertools.pairwise(way):
        home = home @ pointing(tokens[:, here], tokens[:, there], reach, temperature)
    return home


def came_home(ends: Tensor) -> Loss:
    """Return the surprise at coming home, of ends (B, N, N)."""
    right = (ends.argmax(2) == torch.arange(ends.shape[1], device=ends.device)).float().mean()
    return Loss(-(ends.diagonal(dim1=1, dim2=2) + TINY).log().mean(), {"accuracy": right})


def in_reach(side: int, radius_px: float) -> Tensor:
    """Return which spots are near enough to be pointed at, (N, N) bool."""
    return distances_px(side) <= radius_px


def distances_px(side: int) -> Tensor:
    """Return the distances between spots, (N, N), pixels."""
    line = torch.arange(side, dtype=torch.float32) * STRIDE
    spots = torch.cartesian_prod(line, line).view(-1, 2)
    return torch.cdist(spots, spots)


def smooth(frames: Tensor) -> Tensor:
    """Average frames (B, S, P, P) over `SMOOTH_PX` pixels."""
    return F.avg_pool2d(frames, SMOOTH_PX, 1, SMOOTH_PX // 2, count_include_pad=False)


def quantised(shades: Tensor) -> Tensor:
    """Return the step 0..15 of each value of (B, S, h, w) among those of its frame: all steps are as frequent in every frame."""
    flat = shades.flatten(2)
    ranks = flat.argsort(2).argsort(2)
    return (ranks * SHADES // flat.shape[2]).view_as(shades)


def hidden_shade(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Normalise crops (B, S, C, P, P) locally, bend their grey values and invert some, each frame apart."""
    flat = crops.flatten(1, 2)
    mean = smooth(flat)
    spread = (smooth(flat.square()) - mean.square()).clamp(min=0).sqrt() + 0.05
    local = torch.sigmoid((flat - mean) / spread).view_as(crops)
    count = crops.shape[0] * crops.shape[1]
    shape = (*crops.shape[:2], 1, 1, 1)
    power = uniform(generator, count, -math.log(BEND), math.log(BEND)).exp().view(shape)
    inverted = (torch.rand(count, generator=generator, device=crops.device) < 0.5).view(shape)
    bent = local**power
    return torch.where(inverted, 1 - bent, bent)
