"""Clove: contextualised local visual embeddings. A spot is to be described alike in every crop that shows it, seen with its surroundings.

CLoVE, 2023: local features keep the image coordinates of their bins; bins nearer than `near` diagonals are partners. The student's bins
look at each other (self-attention), the teacher's, a slow copy's, do not. The published margin never closes, so the loss is
-4 cos(partners) + 2 cos(the nine most alike that are none). Vectors are centred over the batch, or all become the same. Positions and
teacher as in PixPro (Xie et al. 2021, arXiv 2011.10043) and MoCo (He et al. 2020, arXiv 1911.05722); the momentum rises to 1.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._places import Field
from napari_tap_events.pretext._teacher import Teacher
from napari_tap_events.pretext._turning import lit, places, resampled, uniform
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample, batches
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import CloveSettings
from napari_tap_events.settings.games import GAMES

BIN_PX = 8
SIZE, HEADS = 64, 4
LARGE, SMALL = (0.7, 1.0), (0.7, 1.0)
"""Pixels of the window for one of a view; small crops have half the side."""
HARDEST = 9
PULL, PUSH = 4.0, 2.0


class Clove(Game):
    """The rules of `clove`."""

    facts = GAMES["clove"]
    alone = True

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(CloveSettings, own)
        self.project = nn.Conv2d(self.features, SIZE, 1)
        self.attend = nn.MultiheadAttention(SIZE, HEADS, batch_first=True)
        self.teacher = Teacher(encoder)
        self.slow_project = nn.Conv2d(self.features, SIZE, 1).requires_grad_(False)
        self.slow_project.load_state_dict(self.project.state_dict())
        self.small_px = max(BIN_PX, self.patch_px // 2 // BIN_PX * BIN_PX)
        self.steps = batches(settings)

    def sample(self) -> Sample:
        """One frame, or two; two large crops and two small ones go through the encoder, and the large ones through its copy."""
        window = math.ceil(1.25 * self.patch_px)
        return Sample(((0, self.own.delta),), window, 2 * (self.patch_px**2 + self.small_px**2))

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Cut the crops, with the place in the window of each of their pixels."""
        views: dict[str, Tensor] = {}
        for number in range(4):
            side, scales = (self.patch_px, LARGE) if number < 2 else (self.small_px, SMALL)
            count, size = len(windows), windows.shape[-1]
            angle, scale = torch.zeros(count, device=windows.device), uniform(generator, count, *scales)
            room = ((size - scale * side) / 2).clamp(min=0)[:, None]
            shift = (2 * torch.rand(count, 2, generator=generator, device=windows.device) - 1) * room
            crops = resampled(windows[:, number % 2], side, angle, scale, shift)
            views[f"crop_{number}"] = lit(crops, generator, strength)
            views[f"place_{number}"] = _bins(places(side, angle, scale, shift).movedim(-1, 1))
            views[f"bin_{number}"] = BIN_PX * math.sqrt(2) * scale
        return views

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the loss over all pairs of a student's and another, teacher's crop that overlap."""
        large = torch.stack([batch["crop_0"], batch["crop_1"]], 1)
        small = torch.stack([batch["crop_2"], batch["crop_3"]], 1)
        students = [self._student(z) for maps in (encode(large), encode(small)) for z in maps.unbind(1)]
        with torch.no_grad():
            slow = (self.slow_project(_bins(z)) for z in self.teacher(large).unbind(1))
            teachers = [centred(tokens.flatten(2).transpose(1, 2)) for tokens in slow]
        told = [self._compared(students[s], teachers[t], batch, s, t) for s in range(len(students)) for t in range(2) if s != t]
        total, matched, guessed, many = (torch.stack(values).sum() for values in zip(*told, strict=True))
        many = many.clamp(min=1)
        return Loss(total / many, {"matched": matched / many, "matched_by_chance": guessed / many})

    @torch.no_grad()
    def before_step(self, encoder: Encoder, field: Field, step: int) -> None:
        """Let the teacher follow; its momentum rises to 1 as a cosine."""
        momentum = 1 - (1 - self.own.momentum) * (1 + math.cos(math.pi * min(1.0, step / self.steps))) / 2
        self.teacher.follow(encoder, momentum)
        for own, other in zip(self.slow_project.parameters(), self.project.parameters(), strict=True):
            own.lerp_(other, 1 - momentum)

    def _student(self, z: Tensor) -> Tensor:
        tokens = self.project(_bins(z)).flatten(2).transpose(1, 2)
        return centred(tokens + self.attend(tokens, tokens, tokens, need_weights=False)[0])

    def _compared(self, student: Tensor, teacher: Tensor, batch: Batch, s: int, t: int) -> tuple[Tensor, ...]:
        diagonal = torch.maximum(batch[f"bin_{s}"], batch[f"bin_{t}"])
        here, there = (batch[f"place_{n}"].flatten(2).transpose(1, 2) for n in (s, t))
        apart = torch.cdist(here, there)
        return compared(student, teacher, apart / diagonal[:, None, None] < self.own.near)


def compared(student: Tensor, teacher: Tensor, partners: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compare the bins of two crops.

    Parameters
    ----------
    student : (B, N, D) unit vectors
    teacher : (B, M, D) unit vectors
    partners : (B, N, M) bool

    Returns
    -------
    total, matched, guessed, many : scalar tensors
        Sums over the student's bins that have a partner: of the loss, of those whose most alike bin is one, of the share of partners
        among all bins; and how many there are.
    """
    alike = student @ teacher.transpose(1, 2)
    has = partners.any(2)
    near = (alike * partners).sum(2) / partners.sum(2).clamp(min=1)
    others = alike.masked_fill(partners, -torch.inf).topk(min(HARDEST, alike.shape[2]), 2).values
    there = torch.isfinite(others)
    hard = torch.where(there, others, torch.zeros_like(others)).sum(2) / there.sum(2).clamp(min=1)
    right = partners.gather(2, alike.argmax(2, keepdim=True))[..., 0]
    loss = ((-PULL * near + PUSH * hard) * has).sum()
    return loss, (right & has).sum().float(), (partners.float().mean(2) * has).sum(), has.sum().float()


def centred(tokens: Tensor) -> Tensor:
    """Return unit vectors of tokens (B, N, D), after each of the D numbers was brought to mean 0 and spread 1 over all bins of the batch.

    What all bins have in common tells none from another; left in, it grows until all are the same, and the loss is content with that.
    """
    flat = tokens.flatten(0, 1)
    return F.normalize((tokens - flat.mean(0)) / flat.std(0).clamp(min=1e-4), dim=2)


def _bins(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps, BIN_PX)
