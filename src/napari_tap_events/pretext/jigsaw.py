"""Jigsaw: nine tiles of a place, with gaps between them, are shuffled; where does each belong?

Noroozi, Favaro 2016 (arXiv 1603.09246): 3 x 3 tiles, each from a random spot of its cell and normalised by itself, seen apart from each
other; permutations far from each other (their algorithm 1). Beside the permutation the place of every tile is asked for: that answer is
equivariant, shuffling tiles shuffles it.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import accuracy, layered
from napari_tap_events.pretext._turning import mirrored
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import JigsawSettings
from napari_tap_events.settings.games import GAMES

ROWS = 3
TILES = ROWS * ROWS
GRID, SIZE = 4, 64
TRIES = 200
"""Permutations among which the next one is chosen."""


class Jigsaw(Game):
    """The rules of `jigsaw`."""

    facts = GAMES["jigsaw"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(JigsawSettings, own)
        self.tile_px = max(8, int(self.patch_px * self.own.tile_share))
        self.permutations = far_permutations(self.own.permutations)
        self.describe = nn.Linear(self.features * GRID * GRID, SIZE)
        self.context = nn.MultiheadAttention(SIZE, 4, batch_first=True)
        self.slot = layered(SIZE, SIZE, TILES)
        self.permutation = layered(TILES * SIZE, 2 * SIZE, len(self.permutations))

    @property
    def chance(self) -> float:
        """Share of tiles put right by one who guesses."""
        return 1 / TILES

    def sample(self) -> Sample:
        """One frame, three cells wide."""
        return Sample(((0,),), ROWS * self.patch_px, TILES * self.tile_px**2)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Cut the tiles, normalise each by itself, and shuffle them; the target is the permutation."""
        window = mirrored(windows[:, 0], generator) if strength else windows[:, 0]
        tiles = self._tiles(window, generator)
        flat = tiles.flatten(2)
        flat = (flat - flat.mean(2, keepdim=True)) / flat.std(2, keepdim=True).clamp(min=0.02)
        target = torch.randint(len(self.permutations), (len(tiles),), generator=generator, device=tiles.device)
        shown = self.permutations.to(tiles.device)[target]
        rows = torch.arange(len(tiles), device=tiles.device)[:, None]
        return {"tiles": flat.view_as(tiles)[rows, shown], "slots": shown, "target": target}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the place of each tile, plus that of the permutation."""
        slots, whole = self.answers(encode(batch["tiles"]))
        places, target = batch["slots"], batch["target"]
        by_tile = F.cross_entropy(slots.flatten(0, 1), places.flatten())
        found = accuracy(slots.flatten(0, 1), places.flatten())
        return Loss(
            by_tile + F.cross_entropy(whole, target), {"accuracy": found, "permutation_accuracy": accuracy(whole, target)}
        )

    def answers(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of the place of each tile (B, 9, 9) and of the permutation (B, K), of features z (B, 9, F, P, P)."""
        coarse = F.adaptive_avg_pool2d(z.flatten(0, 1), GRID).flatten(1)
        tokens = self.describe(coarse).unflatten(0, z.shape[:2])
        tokens = tokens + self.context(tokens, tokens, tokens, need_weights=False)[0]
        return self.slot(tokens), self.permutation(tokens.flatten(1))

    def _tiles(self, windows: Tensor, generator: torch.Generator) -> Tensor:
        """Cut a tile (B, 9, C, p, p) from a random spot of each cell."""
        free = self.patch_px - self.tile_px
        jitter = torch.randint(free + 1, (2, len(windows), TILES), generator=generator, device=windows.device)
        cell = torch.arange(TILES, device=windows.device)
        line = torch.arange(self.tile_px, device=windows.device)
        y = (cell // ROWS * self.patch_px + jitter[0])[..., None] + line
        x = (cell % ROWS * self.patch_px + jitter[1])[..., None] + line
        batch = torch.arange(len(windows), device=windows.device)[:, None, None, None]
        return windows.movedim(1, -1)[batch, y[..., :, None], x[..., None, :]].movedim(-1, 2)


def far_permutations(count: int) -> Tensor:
    """Return permutations (count, 9) that differ in as many places as they can: each time the one farthest from those there are."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.arange(TILES)[None]
    while len(chosen) < count:
        tries = torch.stack([torch.randperm(TILES, generator=generator) for _ in range(TRIES)])
        apart = (tries[:, None] != chosen[None]).sum(2).amin(1)
        chosen = torch.cat([chosen, tries[apart.argmax()][None]])
    return chosen
