"""Where features come from: a pretrained encoder, or a control that shows what pretraining is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import DifferenceFeatures, EncoderFeatures, FeatureSource, IntensityFeatures
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.settings import EncoderSettings, Preset

CONTROLS = ("random", "random-paper", "scratch", "intensity", "difference")
SAMPLE_FRAMES, SAMPLE_PX = 16, 256


def feature_source(
    name: str,
    movies: Sequence[Movie],
    preset: Preset,
    seed: int,
    compute: Compute,
    radius_px: float | None = None,
    scale: float | None = None,
) -> FeatureSource:
    """Return the features that a name stands for.

    Parameters
    ----------
    name : str
        Folder of a pretrained encoder, "shipped", or "random" (statistics of its BatchNorms estimated on the movies), "random-paper"
        (gains drawn from N(0, 1), initial statistics, as published), "intensity", "difference".
    movies : sequence of Movie
        For which they are meant.
    preset, seed
        Of the random controls.
    radius_px : float, optional
        Of events: an encoder that simulated movies alone have taught sees frames at the scale that fits it.
    scale : float, optional
        At which a pretrained encoder sees frames, whatever the radius.

    Raises
    ------
    ModelError
        When the folder holds no encoder, or one for other channels.
    """
    if name == "intensity":
        return IntensityFeatures()
    if name == "difference":
        return DifferenceFeatures()
    if name in ("random", "random-paper"):
        return EncoderFeatures(_random(name, movies, preset, seed), None, compute)
    model, _ = load_encoder(encoder_folder(name), movies[0].n_channels)
    chosen = model.scale_for(radius_px, scale)
    return EncoderFeatures(model.encoder, model.arrow, compute, simulated=model.simulated, scale=chosen)


def _random(name: str, movies: Sequence[Movie], preset: Preset, seed: int) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = Encoder(movies[0].n_channels, EncoderSettings(preset=preset))
        norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
        if name == "random-paper":
            for norm in norms:
                nn.init.normal_(norm.weight)
            return encoder.eval()
    for norm in norms:
        norm.momentum = None
    encoder.train()
    with torch.no_grad():
        for movie in movies:
            for t in np.linspace(0, movie.n_frames - 1, min(SAMPLE_FRAMES, movie.n_frames)).astype(int):
                encoder(torch.from_numpy(normalise(movie.frame(int(t))))[None, :, :SAMPLE_PX, :SAMPLE_PX])
    return encoder.eval()
