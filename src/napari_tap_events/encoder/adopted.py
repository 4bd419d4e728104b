"""An adopted encoder: the frozen features of a network that somebody else has trained, in the place of an encoder of ours.

Its folder holds the weights, the card and the code of the adapter. Features may be many: a projection, fitted on frames of the user's
movies, keeps the directions in which they differ most, each with variance 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_tap_events.encoder.adapter import Adapter, run_adapter
from napari_tap_events.encoder.named_code import CODE, code_in, was_named
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.windows import Windows
from napari_tap_events.errors import ModelError

PIXELS_A_FRAME = 4096
"""Places of a frame from which the projection is fitted."""
LEAST_SHARE = 1e-6
"""Of the largest variance: directions with less are noise of the arithmetic, and are not made larger."""


class AdoptedEncoder(Encoder):
    """A network of somebody else behind the contract of an encoder: normalised frames in, features of every pixel out.

    Parameters
    ----------
    adapter : Adapter
    channels : int
        Image channels C of the movies.
    kept : int
        Features that are kept of those of the network; as many as there are to leave them as they are.
    """

    halo_px = None
    as_it_is = True

    def __init__(self, adapter: Adapter, channels: int, kept: int = 0) -> None:
        nn.Module.__init__(self)
        if channels not in (1, adapter.channels):
            raise ModelError(f"the adapter's network reads {adapter.channels} channel(s), the movie has {channels}.")
        self.adapter, self.channels = adapter, channels
        self.network = adapter.network.requires_grad_(False)
        self.features = kept or adapter.features
        self.projection = nn.Sequential(nn.Conv2d(adapter.features, kept, 1) if kept else nn.Identity()).requires_grad_(False)
        self.windows = Windows(adapter.block_px, adapter.margin_px)
        for name in ("mean", "sd"):
            values = torch.tensor(getattr(adapter, name), dtype=torch.float32)
            self.register_buffer(name, values.expand(adapter.channels).clone().view(-1, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map frames (B, C, H, W) to features (B, F, H, W): those of a place stand for all its pixels, smoothly."""
        return self.windows.look(image, self._seen)

    def places(self, windows: Tensor) -> Tensor:
        """Map windows (N, C, h, w) to the network's own features (N, F, h / stride, w / stride).

        Raises
        ------
        ModelError
            When the network returns anything else.
        """
        adapter = self.adapter
        shown = windows.clamp(0, 1).expand(-1, adapter.channels, -1, -1)
        shown = (shown - self.get_buffer("mean")) / self.get_buffer("sd")
        with torch.no_grad():
            found = adapter.dense(self.network, shown) if adapter.dense is not None else self.network(shown)
        sides = (windows.shape[-2] // adapter.stride, windows.shape[-1] // adapter.stride)
        wanted = (len(windows), adapter.features, *sides)
        if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
            came = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ModelError(
                f"the adapter's network returns {came} for windows {tuple(shown.shape)}; with stride {adapter.stride} and "
                f"{adapter.features} features it must be {wanted}."
            )
        return found

    def _seen(self, windows: Tensor) -> Tensor:
        found = self.projection(self.places(windows).float())
        return F.interpolate(found, size=windows.shape[-2:], mode="bilinear", align_corners=False)

    @torch.no_grad()
    def fit_projection(self, images: Iterable[Tensor]) -> None:
        """Keep the directions in which the features of frames (C, H, W) differ most, with mean 0 and variance 1.

        Raises
        ------
        ModelError
            When the features are the same everywhere.
        """
        conv = self.projection[0]
        if not isinstance(conv, nn.Conv2d):
            raise ModelError("this adopted encoder keeps all features as they are; there is nothing to fit.")
        mean, covariance = _moments(self._sampled(image) for image in images)
        variance, direction = torch.linalg.eigh(covariance)
        variance, direction = variance.flip(0)[: self.features], direction.flip(1)[:, : self.features].T
        if variance[0] <= 0:
            raise ModelError(
                "the features of the checkpoint are the same everywhere in these movies; the adapter reads it wrongly."
            )
        scale = variance.clamp(min=float(variance[0]) * LEAST_SHARE).rsqrt()
        weight = direction * scale[:, None]
        conv.weight.copy_(weight[..., None, None])
        if conv.bias is not None:
            conv.bias.copy_(-(weight @ mean))

    def _sampled(self, image: Tensor) -> Tensor:
        """Return features of places of a frame, (N, F) float64."""
        stride = self.adapter.stride
        found = self.windows.look(
            image[None], lambda part: F.interpolate(self.places(part).float(), scale_factor=float(stride))
        )
        places = found[0, :, ::stride, ::stride].flatten(1).T.double()
        return places[:: max(1, len(places) // PIXELS_A_FRAME)]


def _moments(samples: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean (F,) and covariance (F, F) of vectors that come in parts (N, F)."""
    count, total, square = 0, torch.zeros(()), torch.zeros(())
    for part in samples:
        count, total, square = count + len(part), total + part.sum(0), square + part.T @ part
    mean = total / max(1, count)
    return mean, square / max(1, count) - mean[:, None] * mean[None, :]


def adopted_encoder(folder: Path, details: dict[str, Any], channels: int) -> AdoptedEncoder:
    """Return the network of an adopted folder, without weights; the code of the adapter is run.

    Raises
    ------
    ModelError
        When nobody on this computer has named this code.
    """
    code = code_in(folder, details)
    if not was_named(code):
        what = f"the Python file {CODE} in it" if code.text else f"'{code.name}'"
        raise ModelError(
            f"the encoder '{folder}' would run {what}, which nobody has named on this computer; read it, and if you trust it say: "
            f"napari-tap-events adopt --trust {folder}"
        )
    return AdoptedEncoder(run_adapter(code), channels, int(details["kept"]))
