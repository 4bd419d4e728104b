"""What turns frames into features: an encoder with the heads that came with it, tile by tile, exact; or a control without one.

Tiles carry a halo as wide as the network can see and start at multiples of 8 pixels, so that tiled equals untiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.arrow import ArrowHead, joined
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.pair_head import STRIDE, PairHead
from napari_tap_events.encoder.resampling import alone, pooled, resized, scaled
from napari_tap_events.encoder.unet import Encoder, folded, pad_to_multiple


@dataclass(frozen=True)
class SeenFrame:
    """A frame as a source saw it.

    Attributes
    ----------
    image : (C, H, W) float32
        Normalised.
    z : (F, H', W') float32
        Features, at the scale at which the source sees frames.
    small : (F, H / stride, W / stride) float32
        Their means over blocks of the image, sides rounded down.
    as_it_is : (F, H, W) float32 or None
        Features at the scale of the image beside, where the source sees frames smaller.
    """

    image: Tensor
    z: Tensor
    small: Tensor
    as_it_is: Tensor | None = None


class FeatureSource(Protocol):
    """What turns frames into features: a trained encoder, or a control that needs no training.

    Attributes
    ----------
    features, pair_features : int
        Channels F of a frame's map; channels A of a frame pair's map.
    simulated_features : int
        How many of the latter, the last ones, are what a pair head says of each kind of event.
    """

    features: int
    pair_features: int
    simulated_features: int

    def frame(self, image: Tensor) -> Tensor:
        """Map a normalised frame (C, H, W) to (F, H, W)."""
        ...

    def seen(self, image: Tensor, stride_px: int) -> SeenFrame:
        """Look at a normalised frame (C, H, W)."""
        ...

    def pair(self, first: SeenFrame, second: SeenFrame, stride_px: int) -> Tensor:
        """Map two successive frames to (A, H / stride, W / stride), means over blocks, sides rounded down."""
        ...

    def fingerprint(self) -> str:
        """Return what tells its maps from those of any other source: kept maps are used again only by the same one."""
        ...


class EncoderFeatures:
    """Features z of an encoder, and the maps of frame pairs of the heads that came with it.

    Parameters
    ----------
    encoder : Encoder
    arrow : ArrowHead or None
    compute : Compute
    tile_px : int, optional
        Side of the tiles, a multiple of 8; by default what there is memory for.
    simulated : PairHead or None
    scale : float
        Frames are seen with so many times their sides; maps come back as large as without. Where frames are seen smaller, maps of pairs are
        the mean of those and of the maps at the scale of the image: what is fine may show there alone.
    """

    def __init__(
        self,
        encoder: Encoder,
        arrow: ArrowHead | None,
        compute: Compute,
        tile_px: int | None = None,
        simulated: PairHead | None = None,
        scale: float = 1.0,
    ) -> None:
        layout = torch.channels_last
        self.unfolded, self.arrow_head, self.pair_head = encoder, arrow, simulated
        self.encoder = folded(encoder).to(compute.device).to(memory_format=layout)  # type: ignore[call-overload]
        self._joined_arrow: nn.Module | None = None
        if arrow is not None:
            arrow.to(compute.device).eval()
            self._joined_arrow = joined(arrow).to(memory_format=layout)  # type: ignore[call-overload]
        self._folded_pair_head: PairHead | None = None
        if simulated is not None:
            simulated.to(compute.device).eval()
            self._folded_pair_head = folded(simulated).to(memory_format=layout)  # type: ignore[call-overload]
        self.compute, self.scale = compute, scale
        self.tile_px = tile_px or compute.tile_px
        self.features = encoder.features
        self.simulated_features = 0 if simulated is None else simulated.kinds
        self.pair_features = self.simulated_features + (0 if arrow is None else 1)

    @torch.no_grad()
    def frame(self, image: Tensor) -> Tensor:
        """Map a normalised frame (C, H, W) to z, (F, H, W) float32."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image[None])
        halo_px = self.encoder.halo_px
        cut = [] if halo_px is None else list(tiles(padded.shape[-2], padded.shape[-1], self.tile_px, halo_px))
        if len(cut) < 2:
            return self._encoded(padded)[0, :, :height, :width]
        out = _like_channels_last(self.features, padded)
        for inner, outer in cut:
            z = self._encoded(padded[..., outer[0], outer[1]])[0]
            y, x = inner[0].start - outer[0].start, inner[1].start - outer[1].start
            rows, columns = inner[0].stop - inner[0].start, inner[1].stop - inner[1].start
            out[:, inner[0], inner[1]] = z[:, y : y + rows, x : x + columns]
        return out[:, :height, :width]

    @torch.no_grad()
    def seen(self, image: Tensor, stride_px: int) -> SeenFrame:
        """Look at a normalised frame (C, H, W)."""
        if self.scale == 1:
            z = self.frame(image)
            return SeenFrame(image, z, pooled(z, stride_px))
        z = self.frame(scaled(image, self.scale, STRIDE * stride_px))
        beside = self.frame(image) if self.scale < 1 else None
        return SeenFrame(image, z, self._back(pooled(z, stride_px), image, stride_px), beside)

    def _back(self, maps: Tensor, image: Tensor, stride_px: int) -> Tensor:
        """Return maps as large as those of the image itself."""
        if self.scale == 1:
            return maps
        return resized(maps, image.shape[1] // stride_px, image.shape[2] // stride_px)

    def _encoded(self, images: Tensor) -> Tensor:
        with self.compute.autocast():
            return cast(Tensor, self.encoder(images.contiguous(memory_format=torch.channels_last))).float()

    @torch.no_grad()
    def pair(self, first: SeenFrame, second: SeenFrame, stride_px: int) -> Tensor:
        """Return the maps (A, H / stride, W / stride) of two frames: the arrow, then the logit of each kind; those that there are."""
        if self.scale == 1:
            return self._of_pair((first.z, second.z), stride_px, (first.small, second.small))
        maps = self._back(self._of_pair((first.z, second.z), stride_px), second.image, stride_px)
        if first.as_it_is is None or second.as_it_is is None:
            return maps
        return (maps + self._of_pair((first.as_it_is, second.as_it_is), stride_px)) / 2

    def _of_pair(self, z: tuple[Tensor, Tensor], stride_px: int, halves: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return the maps at the scale of these features (F, H, W); `halves` are their means over blocks, where they are known."""
        maps = [pooled(z[1][:0], stride_px)]
        if self._joined_arrow is not None:
            both = torch.cat([alone(z[0]), alone(z[1])], dim=1)
            maps.append(pooled(self._joined_arrow(both)[0], stride_px))
        if self._folded_pair_head is not None:
            maps.append(self._events(self._folded_pair_head, z, stride_px, halves))
        return torch.cat(maps)

    def _events(self, head: PairHead, z: tuple[Tensor, Tensor], stride_px: int, halves: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return the logits (K, H / stride, W / stride); what was averaged for the maps is not averaged again, where it is the same."""
        height, width = z[0].shape[-2:]
        if stride_px == STRIDE and not (height % STRIDE or width % STRIDE):
            one, other = halves or (pooled(z[0], STRIDE), pooled(z[1], STRIDE))
            return head.logits_of_halves(alone(one), alone(other))[0]
        return pooled(cast(Tensor, head(torch.stack(z)[None]))[0], stride_px)

    def fingerprint(self) -> str:
        """Return a hash of all weights, of the number format, and of the scale where frames are not seen as they are."""
        digest = hashlib.sha256(f"{self.compute.bfloat16}{'' if self.scale == 1 else self.scale}".encode())
        for module in (self.unfolded, self.arrow_head, self.pair_head):
            for name, value in ({} if module is None else module.state_dict()).items():
                digest.update(name.encode())
                digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


class IntensityFeatures:
    """Control: no features but the normalised image itself."""

    features = 0
    pair_features = 0
    simulated_features = 0

    def frame(self, image: Tensor) -> Tensor:
        """Return (0, H, W)."""
        return image[:0]

    def seen(self, image: Tensor, stride_px: int) -> SeenFrame:
        """Look at a normalised frame (C, H, W)."""
        return SeenFrame(image, image[:0], pooled(image[:0], stride_px))

    def pair(self, first: SeenFrame, second: SeenFrame, stride_px: int) -> Tensor:
        """Return (0, H / stride, W / stride)."""
        return second.small[:0]

    def fingerprint(self) -> str:
        """Return the name: there is nothing else to it."""
        return type(self).__name__


class DifferenceFeatures(IntensityFeatures):
    """Control: the absolute difference of the two frames."""

    pair_features = 1

    def pair(self, first: SeenFrame, second: SeenFrame, stride_px: int) -> Tensor:
        """Return |x(t+1) - x(t)| averaged over channels, (1, H / stride, W / stride)."""
        return pooled((second.image - first.image).abs().mean(0, keepdim=True), stride_px)


Slices = tuple[slice, slice]


def tiles(height: int, width: int, tile_px: int, halo_px: int) -> Iterator[tuple[Slices, Slices]]:
    """Cut a frame whose sides are multiples of 8 into tiles.

    Yields
    ------
    inner, outer : pairs of slices (rows, columns)
        What a tile is responsible for, and what it must be given: the same with a halo, cut off at the frame's border.
    """
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            inner = (slice(top, min(top + tile_px, height)), slice(left, min(left + tile_px, width)))
            yield inner, (_widen(inner[0], height, halo_px), _widen(inner[1], width, halo_px))


def _widen(part: slice, size: int, halo_px: int) -> slice:
    return slice(max(0, part.start - halo_px), min(size, part.stop + halo_px))


def _like_channels_last(features: int, image: Tensor) -> Tensor:
    """Return an empty map (F, H, W) in which the features of a pixel lie beside each other: it is pooled nine times as fast."""
    rows, columns = image.shape[-2:]
    whole = torch.empty((1, features, rows, columns), device=image.device, memory_format=torch.channels_last)
    return whole[0]
