"""The encoder: an image becomes a map of features, one vector per pixel; by a U-Net, or by the transformer of `vit`.

The U-Net is the backbone of time arrow prediction (Gallusser, Stieber, Weigert 2023; Chen, Namboodiri, Sero 2024): three poolings,
blocks of two 3 x 3 convolutions with BatchNorm and LeakyReLU, nearest upsampling, and a 1 x 1 projection whose output is the feature z.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Literal, TypeVar, cast

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_tap_events.encoder.enlarging import EnlargingConv
from napari_tap_events.encoder.vit import SHAPES, WINDOWS, VisionTransformer
from napari_tap_events.settings import EncoderSettings

Padding = Literal["zeros", "replicate"]
WIDTHS = {"unet32": 32, "unet16": 16, "unet8": 8}
MULTIPLE_PX = 8
"""Sides of what enters the network are multiples of this."""
HALO_PX = 56
"""How far a pixel can see, rounded up to a multiple of 8: 44 px of convolutions, at most 7 px of pooling."""


class ConvBlock(nn.Sequential):
    """3 x 3 convolution, BatchNorm, LeakyReLU."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__(convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.01, inplace=True))


class DownBlock(nn.Sequential):
    """Two 3 x 3 convolutions, each with BatchNorm and LeakyReLU."""

    def __init__(self, before: int, after: int, padding: Padding) -> None:
        super().__init__(ConvBlock(_plain(before, after, padding)), ConvBlock(_plain(after, after, padding)))


class UpBlock(nn.Sequential):
    """The same; the first convolution reads the map below, enlarged, and the one beside."""

    def __init__(self, below: int, here: int, padding: Padding) -> None:
        super().__init__(ConvBlock(EnlargingConv(below, here, here, padding)), ConvBlock(_plain(here, here, padding)))

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:  # type: ignore[override]
        """Map (B, C', H/2, W/2) and (B, C, H, W) to (B, C, H, W)."""
        first = cast(ConvBlock, self[0])
        joined = first[0](below, beside)
        return cast(Tensor, self[1](first[2](first[1](joined))))


def _plain(before: int, after: int, padding: Padding) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, padding_mode=padding, bias=False)


class UNet(nn.Module):
    """Dense features of single frames.

    Parameters
    ----------
    channels : int
        Image channels C.
    width : int
        Channels of the first level and of the output, F; they double with each of three poolings.
    padding : {"zeros", "replicate"}
        What convolutions see beyond the border.
    """

    def __init__(self, channels: int, width: int, padding: Padding) -> None:
        super().__init__()
        sizes = [width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(
            DownBlock(before, after, padding) for before, after in zip([channels, *sizes[:-1]], sizes, strict=True)
        )
        self.up = nn.ModuleList(UpBlock(below, here, padding) for below, here in zip(sizes[:0:-1], sizes[-2::-1], strict=True))
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, H, W), sides multiples of 8, to (B, F, H, W)."""
        skips = []
        x = image
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for block in self.up:
            x = block(x, skips.pop())
        return cast(Tensor, self.out(x))


class Encoder(nn.Module):
    """Backbone and projection: normalised frames in, the feature z out.

    Attributes
    ----------
    channels, features : int
        Image channels C and feature channels F.
    halo_px : int or None
        How far a pixel can see: frames may be cut into tiles with as much around them. None where the encoder itself cuts frames.
    as_it_is : bool
        Whether its layers must not be joined for inference, because nobody knows how they are used.
    """

    halo_px: int | None = HALO_PX
    as_it_is = False

    def __init__(self, channels: int, settings: EncoderSettings) -> None:
        super().__init__()
        self.channels = channels
        shape = SHAPES.get(settings.preset)
        self.features = shape.features if shape else WIDTHS[settings.preset]
        if shape:
            self.vit, self.halo_px = VisionTransformer(channels, shape, settings.padding), None
        else:
            self.unet = UNet(channels, self.features, settings.padding)
        self.projection = nn.Sequential(nn.Conv2d(self.features, self.features, 1, bias=False), nn.BatchNorm2d(self.features))
        self.apply(_kaiming)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, H, W) to z, (B, F, H, W); any size: the frame is continued to a multiple of 8 and cut back."""
        if self.halo_px is None:
            return cast(Tensor, self.projection(WINDOWS.look(image, self.vit)))
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image)
        return cast(Tensor, self.projection(self.unet(padded))[..., :height, :width])


def pad_to_multiple(image: Tensor) -> Tensor:
    """Continue an image (B, C, H, W) below and to the right, by its last pixels, until its sides are multiples of 8."""
    down, right = -image.shape[-2] % MULTIPLE_PX, -image.shape[-1] % MULTIPLE_PX
    return F.pad(image, (0, right, 0, down), mode="replicate") if down or right else image


def _kaiming(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0.01, nonlinearity="leaky_relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


Network = TypeVar("Network", bound=nn.Module)


def folded(network: Network) -> Network:
    """Return a copy for inference with every BatchNorm folded into the convolution before it; same answers, fewer passes."""
    copied = copy.deepcopy(network).eval()
    if isinstance(copied, Encoder) and copied.as_it_is:
        return copied.requires_grad_(False)
    for module in copied.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    return copied.requires_grad_(False)


def _fold(layers: nn.Sequential) -> None:
    for place, (layer, after) in enumerate(pairwise(list(layers))):
        if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            layers[place], layers[place + 1] = fuse_conv_bn_eval(layer, after), nn.Identity()
