"""Time arrow prediction (TAP): of two crops of one place, which came first?

Gallusser, Stieber, Weigert 2023 (arXiv 2305.05511); Chen, Namboodiri, Sero 2024 (arXiv 2411.03924), section on pretraining. With an
exactly equivariant head, swapping the crops swaps the logits, so a swap changes nothing in the loss: every pair is shown unswapped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.pretext._places import windows
from napari_tap_events.pretext._stream import LargeMovie, samplers_of
from napari_tap_events.pretext._views import Augmentation, DeviceMovie, PairSampler
from napari_tap_events.settings import PretrainSettings


class TimeArrow:
    """The learner of TAP.

    Parameters
    ----------
    model : ArrowEncoder
    train, val : sequences of DeviceMovie
        Frames to learn from and to judge by; the same device as the model. What is learned from may be a LargeMovie.
    settings : PretrainSettings
    compute : Compute
        Precision of the forward pass.
    weights : sequence of float, optional
        How often each of `train` is drawn from; by default by its number of frame pairs.
    """

    def __init__(
        self,
        model: ArrowEncoder,
        train: Sequence[DeviceMovie | LargeMovie],
        val: Sequence[DeviceMovie],
        settings: PretrainSettings,
        compute: Compute,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.weights = weights or [float(len(movie.pairs)) for movie in train]
        self.module = model
        self.settings = settings
        self.compute = compute
        self.augment = Augmentation(settings.augmentation)
        share = 1 - settings.uniform_share if settings.sampling == "motion" else 0.0
        self.samplers = [samplers_of(movie, share, settings.motion_blur_px, settings.seed) for movie in train]
        self.val_sets = self._fixed_pairs(val) if val else {}

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return cross entropy plus weighted decorrelation for the crop pairs of this step."""
        s = self.settings
        generator = self.compute.generator(s.seed, step)
        window = self.augment.window_px(s.patch_px)
        samplers = [sampler.at(step) for sampler in self.samplers]
        pairs = self.augment(windows(samplers, self.weights, s.batch, window, generator), s.patch_px, generator)
        with self.compute.autocast():
            arrow, z = self.module(pairs)
        logits = arrow.float().mean((1, 2))
        entropy = F.softplus(-logits).mean()
        metrics = {"cross_entropy": entropy.detach(), "accuracy": _accuracy(logits.detach())}
        if s.decorrelation == "none" or s.decorrelation_weight == 0:
            return entropy, metrics
        penalty = decorrelation(z.flatten(0, 1).float(), s.decorrelation, s.decorrelation_tau)
        return entropy + s.decorrelation_weight * penalty, {**metrics, "decorrelation": penalty.detach()}

    def validate(self) -> Mapping[str, float]:
        """Return accuracy and cross entropy on fixed, unaugmented pairs of the validation frames, drawn uniformly and by motion."""
        values: dict[str, float] = {}
        for name, pairs in self.val_sets.items():
            with torch.no_grad(), self.compute.autocast():
                logits = torch.cat([self.module(part)[0].float().mean((1, 2)) for part in pairs.split(64)])
            values[f"val_accuracy_{name}"] = float(_accuracy(logits))
            values[f"val_cross_entropy_{name}"] = float(F.softplus(-logits).mean())
        return values

    def _fixed_pairs(self, val: Sequence[DeviceMovie]) -> dict[str, Tensor]:
        s = self.settings
        sets = {}
        weights = [float(len(movie.pairs)) for movie in val]
        for name, share in (("uniform", 0.0), ("motion", 1.0)):
            samplers = [PairSampler(movie, share, s.motion_blur_px) for movie in val]
            sets[name] = windows(samplers, weights, s.val_pairs, s.patch_px, self.compute.generator(s.seed, -1))
        return sets


def _accuracy(logits: Tensor) -> Tensor:
    """Return the share of right answers, 0..1; where two frames are the same there is nothing to see, and a guess counts half."""
    return 0.5 * (logits.sign() + 1).mean()


def decorrelation(z: Tensor, form: str, tau: float) -> Tensor:
    """Return the feature decorrelation loss of TAP (Gallusser, Stieber, Weigert 2023, section 2.3).

    Parameters
    ----------
    z : (B, F, H, W) float32
    form : {"paper", "centred"}
        "paper": `a = softmax_rows(z z^T / tau)`, z as (F, H W), the product a plain sum over pixels, as published: it saturates.
        "centred": every channel is first centred and scaled to length one, so that z z^T holds correlations.
    tau : float
        Temperature.

    Returns
    -------
    scalar tensor
        Mean of `-log(diag(a) + 1e-10)`.
    """
    flat = z.flatten(2)
    if form == "centred":
        flat = flat - flat.mean(2, keepdim=True)
    products = flat @ flat.transpose(1, 2)
    if form == "centred":  # to scale F x F products is quicker than to scale F channels of all pixels
        length = products.diagonal(dim1=1, dim2=2).clamp(min=1e-12).rsqrt()
        products = products * length[:, :, None] * length[:, None, :]
    log_a = torch.log_softmax(products / tau, dim=2)
    diagonal = log_a.diagonal(dim1=1, dim2=2)
    return -torch.logaddexp(diagonal, torch.tensor(math.log(1e-10), device=z.device)).mean()
