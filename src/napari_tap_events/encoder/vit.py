"""The vision transformer: an image becomes a map of features by patches of 8 px that look at each other.

Dosovitskiy et al. 2021 (arXiv 2010.11929), of the size "small" of Touvron et al. 2021 (arXiv 2012.12877), with three known changes. The
patches are made by a few convolutions (Xiao et al. 2021, arXiv 2106.14881), which learn faster from little. Where a patch lies is told by
a convolution between patches (Chu et al. 2021, arXiv 2102.10882), not by a table, so that crops and frames may have any size. And what is
between patches comes back from the first convolution: the map is not coarser than the eye of the head.

All patches of a window of 96 px look at each other, and no others: see `windows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.windows import Windows

PATCH_PX = 8
WINDOWS = Windows(block_px=64, margin_px=16, whole=True, multiple_px=PATCH_PX)
"""A frame in windows of 96 px, the side of the published crops."""
MLP, SCALE = 4, 0.1
"""How much wider the layers between are; how much a new block says at first (Touvron et al. 2021, arXiv 2103.17239)."""


@dataclass(frozen=True)
class VitShape:
    """The size of a transformer.

    Attributes
    ----------
    width : int
        Numbers by which a patch is described.
    depth, heads : int
        Blocks; ways of looking in each.
    features : int
        Channels of the map that comes out.
    """

    width: int
    depth: int
    heads: int
    features: int


SHAPES = {"vit_small": VitShape(384, 12, 6, 32), "vit_tiny": VitShape(96, 4, 3, 16)}


class Block(nn.Module):
    """Every patch looks at all others, then thinks for itself; both are added to what it was."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_looking, self.before_thinking = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.told = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.thinking = nn.Sequential(nn.Linear(width, MLP * width), nn.GELU(), nn.Linear(MLP * width, width))
        self.scales = nn.ParameterList([nn.Parameter(torch.full((width,), SCALE)) for _ in range(2)])

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, N, D) to (B, N, D)."""
        query, key, value = self.asked(self.before_looking(tokens)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        tokens = tokens + self.scales[0] * self.told(seen)
        return cast(Tensor, tokens + self.scales[1] * self.thinking(self.before_thinking(tokens)))


class VisionTransformer(nn.Module):
    """Dense features of windows.

    Parameters
    ----------
    channels : int
        Image channels C.
    shape : VitShape
    padding : {"zeros", "replicate"}
        What convolutions see beyond the border of a window.
    """

    def __init__(self, channels: int, shape: VitShape, padding: Literal["zeros", "replicate"]) -> None:
        super().__init__()
        width = shape.width
        self.fine = _halving(channels, width // 8, padding)
        self.stem = nn.Sequential(
            _halving(width // 8, width // 4, padding),
            _halving(width // 4, width // 2, padding),
            nn.Conv2d(width // 2, width, 1),
        )
        self.place = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(width)
        self.coarse_out, self.fine_out = nn.Linear(width, shape.features), nn.Conv2d(width // 8, shape.features, 1)
        self.apply(_small)

    def forward(self, windows: Tensor) -> Tensor:
        """Map (B, C, h, w), sides multiples of 8, to (B, F, h, w)."""
        fine = self.fine(windows)
        tokens = self.stem(fine)
        for number, block in enumerate(self.blocks):
            rows, columns = tokens.shape[-2:]
            tokens = block(tokens.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (rows, columns))
            tokens = tokens + self.place(tokens) if number == 0 else tokens
        coarse = self.coarse_out(self.norm(tokens.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        both = _enlarged(coarse, fine.shape[-2:]) + self.fine_out(fine)
        return _enlarged(both, windows.shape[-2:])


def _halving(before: int, after: int, padding: Literal["zeros", "replicate"]) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 3, stride=2, padding=1, padding_mode=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.01))


def _enlarged(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def _small(module: nn.Module) -> None:
    """Begin with small weights, as transformers do."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
