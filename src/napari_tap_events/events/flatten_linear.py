"""A linear layer over every window of a map, where each pixel is read once and not once for every window that holds it.

Windows whose distance divides their side are made of whole blocks of that size. Each block is weighed for all the places that it can
have in a window, by one convolution that moves from block to block; what comes out is then added up over the blocks of each window.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FlattenLinear(nn.Module):
    """A linear layer on flattened windows, for all windows at once.

    Parameters
    ----------
    channels, kinds : int
        Channels that it reads, and answers K.
    crop : int
        Side of the windows in map pixels.
    """

    def __init__(self, channels: int, kinds: int, crop: int) -> None:
        super().__init__()
        self.crop = crop
        self.weight = nn.Parameter(torch.empty(kinds, channels, crop, crop))
        self.bias = nn.Parameter(torch.zeros(kinds))
        nn.init.uniform_(self.weight, -1 / (channels * crop**2) ** 0.5, 1 / (channels * crop**2) ** 0.5)

    def forward(self, maps: Tensor, step: int, channels: slice) -> Tensor:
        """Return what maps add to the windows that they touch, without the bias.

        Parameters
        ----------
        maps : (B, C, h, w)
        step : int
            Distance of the windows, a divisor of the crop.
        channels : slice
            Which of the layer's channels these are.

        Returns
        -------
        (B, K, rows, columns) float32
            Also windows that begin above the maps or end below them, `crop / step - 1` of each; none to the left or right.
        """
        n = self.crop // step
        weight = self.weight[:, channels].unflatten(-1, (n, step)).unflatten(-3, (n, step))
        # a block at the end of a window belongs to the first of its windows: places are counted backwards
        kernel = weight.permute(0, 2, 4, 1, 3, 5).flip(1, 2).flatten(0, 2)
        rows, columns = maps.shape[-2] // step, maps.shape[-1] // step
        empty = not maps.shape[1]
        said = maps.new_zeros(len(maps), len(kernel), rows, columns) if empty else F.conv2d(maps, kernel, stride=step)
        return F.fold(said.float().flatten(2), (rows + n - 1, columns - n + 1), n, padding=(0, n - 1))
