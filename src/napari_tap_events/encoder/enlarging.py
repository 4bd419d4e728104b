"""A convolution of two maps of which one has half the sides, and is enlarged by repeating its pixels: without ever enlarging it.

Of the nine pixels that a 3 x 3 window sees of an enlarged map, several are the same. Which ones depends on the place of the window in its
block of 2 x 2 pixels: for each of the four places the nine weights add up to four, on 2 x 2 pixels of the small map. So four small
convolutions of the small map, their results put between each other, say the same as the large one (but for the order of the sums), with
four ninths of the multiplications for those channels, and without the two large maps that enlarging and joining would write.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EnlargingConv(nn.Conv2d):
    """3 x 3 convolution of an enlarged map and of one beside it; weights and their order are those of a plain `Conv2d` of both.

    Parameters
    ----------
    channels_small, channels_beside, channels_out : int
    padding : {"zeros", "replicate"}
        What it sees beyond the border.
    """

    def __init__(
        self, channels_small: int, channels_beside: int, channels_out: int, padding: Literal["zeros", "replicate"]
    ) -> None:
        super().__init__(channels_small + channels_beside, channels_out, 3, padding=1, padding_mode=padding, bias=False)

    def forward(self, small: Tensor, beside: Tensor) -> Tensor:  # type: ignore[override]
        """Map (B, S, h, w) and (B, C, 2h, 2w) to (B, channels_out, 2h, 2w)."""
        channels = small.shape[1]
        of_blocks = self._convolved(small, _on_blocks(self.weight[:, :channels]), None)  # (B, 4 * channels_out, h + 1, w + 1)
        enlarged = F.pixel_shuffle(of_blocks, 2)[..., 1:-1, 1:-1]
        return self._convolved(beside, self.weight[:, channels:], self.bias) + enlarged

    def _convolved(self, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode == "zeros":
            return F.conv2d(maps, weight, bias, padding=1)
        return F.conv2d(F.pad(maps, (1, 1, 1, 1), self.padding_mode), weight, bias)


def _on_blocks(weight: Tensor) -> Tensor:
    """Return weights (4 * O, S, 2, 2) for the pixels of the small map, of weights (O, S, 3, 3) for those of the enlarged one.

    The four results of a place are those of the second row or column of a block, then of the first one of the next block: shuffled, and
    with the outermost pixels cut off, they lie as the pixels of the enlarged map do.
    """
    both = _on_pairs(_on_pairs(weight, 2), 4)  # (columns of a block, rows of a block, O, S, 2, 2)
    return both.permute(2, 1, 0, 3, 4, 5).flatten(0, 2).contiguous(memory_format=torch.channels_last)


def _on_pairs(weight: Tensor, axis: int) -> Tensor:
    """Return weights for two pixels instead of three along an axis, for the second place in a pair, then for the first one of the next."""
    before, here, after = weight.unbind(axis)
    return torch.stack([torch.stack([before + here, after], axis), torch.stack([before, here + after], axis)])
