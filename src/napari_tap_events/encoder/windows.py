"""A frame seen through windows, for networks that look at all of what they are given at once.

Such a network answers otherwise for a part of a frame than for the whole. So it is always given windows of one size, which start at
multiples of a block and reach a margin beyond it, and only the block is kept: the answer at a pixel follows from the window around it
alone, frames may have any size, and the time taken grows with the pixels and no faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

AT_A_TIME = 16
"""Windows that are looked at together where nothing is learned: memory does not grow with the frame."""


@dataclass(frozen=True)
class Windows:
    """How frames are cut.

    Attributes
    ----------
    block_px : int
        Side of what is kept of a window.
    margin_px : int
        What is seen around it, on each side.
    whole : bool
        Whether an image no larger than a window is seen as it is, its sides continued to a multiple of `multiple_px`. Crops that teach
        are such images.
    multiple_px : int
    """

    block_px: int
    margin_px: int
    whole: bool = False
    multiple_px: int = 1

    @property
    def side_px(self) -> int:
        """Side of a window."""
        return self.block_px + 2 * self.margin_px

    def look(self, image: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        """Map an image (B, C, H, W) to (B, F, H, W), window by window.

        Parameters
        ----------
        image : Tensor
            Beyond its borders its last pixels go on.
        network : callable
            Maps windows (N, C, h, w) to (N, F, h, w).
        """
        height, width = image.shape[-2:]
        if self.whole and max(height, width) <= self.side_px:
            down, right = -height % self.multiple_px, -width % self.multiple_px
            return network(F.pad(image, (0, right, 0, down), mode="replicate"))[..., :height, :width]
        margin, block = self.margin_px, self.block_px
        around = (margin, margin + -width % block, margin, margin + -height % block)
        cut = F.pad(image, around, mode="replicate").unfold(2, self.side_px, block).unfold(3, self.side_px, block)
        batch, channels, rows, columns = cut.shape[:4]
        windows = cut.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels, self.side_px, self.side_px)
        kept = self._kept(windows, network).unflatten(0, (batch, rows, columns))
        whole = kept.permute(0, 3, 1, 4, 2, 5).reshape(batch, kept.shape[3], rows * block, columns * block)
        return cast(Tensor, whole[..., :height, :width])

    def _kept(self, windows: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the blocks (N, F, block_px, block_px) of windows."""
        inside = slice(self.margin_px, self.margin_px + self.block_px)
        parts = windows.split(len(windows) if torch.is_grad_enabled() else AT_A_TIME)
        return torch.cat([network(part)[..., inside, inside] for part in parts])
