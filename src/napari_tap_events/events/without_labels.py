"""Rankings that need no label: how the maps of an encoder's heads become scores of places.

`arrow`: the arrow map, averaged over a cell: how surely this place tells which frame came first. `simulated`: the evidence of each kind
of event that the pair head gives, averaged over a cell. `both`: the product of the two probabilities; where the arrow says nothing it is
one half everywhere, and changes nothing in the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import expit, log_expit
from torch import Tensor

from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.pair_head import EVENT_KINDS, evidence, seen
from napari_tap_events.events.detection import EVENT_BLUR
from napari_tap_events.events.listed import LISTED_FROM

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranking:
    """One way to rank places.

    Attributes
    ----------
    kinds : tuple of str
        What the scores are of.
    score : function
        Maps of one frame pair and a cell radius in map pixels -> (K, h, w) float32.
    probability : function
        A score -> 0..1. It ranks; it is not calibrated.
    threshold : float
        From which probability on a candidate is listed as an event, where nobody says otherwise.
    note : str
        What a reader must know.
    """

    kinds: tuple[str, ...]
    score: Callable[[FeatureMaps, float], Floats]
    probability: Callable[[float], float]
    threshold: float
    note: str


def arrow_map(maps: FeatureMaps) -> Floats:
    """Return the arrow map (h, w) of one frame pair."""
    arrow: Floats = maps.pairs[0, 0].astype(np.float32)
    return arrow


def evidence_maps(maps: FeatureMaps) -> Floats:
    """Return the evidence of each kind of event, 0 and more, (K, h, w), that a pair head gives to one frame pair."""
    return cast(Floats, evidence(_logits(maps)).numpy())


def event_map(maps: FeatureMaps) -> Floats:
    """Return the probability, pixel by pixel, of any kind of event, (h, w), that a pair head gives to one frame pair."""
    return cast(Floats, seen(_logits(maps)[None])[0].numpy())


def _logits(maps: FeatureMaps) -> Tensor:
    return torch.from_numpy(maps.pairs[0, maps.pairs.shape[1] - maps.simulated :].astype(np.float32))


ARROW_BLUR = 0.5
"""Width of the Gaussian, as a share of a cell radius: the arrow is of a whole cell."""


def _smooth(maps: Floats, blur: float) -> Floats:
    smooth: Floats = ndi.gaussian_filter(maps, (0, blur, blur))
    return smooth


def _by_arrow(maps: FeatureMaps, radius: float) -> Floats:
    return _smooth(arrow_map(maps)[None], ARROW_BLUR * radius)


def _by_evidence(maps: FeatureMaps, radius: float) -> Floats:
    return _smooth(evidence_maps(maps), EVENT_BLUR * radius)


def _by_both(maps: FeatureMaps, radius: float) -> Floats:
    seen = np.log(-np.expm1(-np.maximum(_by_evidence(maps, radius), 1e-6)))
    both: Floats = (seen + log_expit(_by_arrow(maps, radius))).astype(np.float32)
    return both


NOTE = "No label was used: probability is that of {}; it ranks, it is not calibrated."
RANKINGS = {
    "arrow": Ranking(
        ("event",), _by_arrow, lambda s: float(expit(s)), 0.5, NOTE.format("the true order of time, not of an event")
    ),
    "simulated": Ranking(
        EVENT_KINDS, _by_evidence, lambda s: float(-np.expm1(-s)), LISTED_FROM, NOTE.format("an event as in simulated movies")
    ),
    "both": Ranking(
        EVENT_KINDS,
        _by_both,
        lambda s: float(np.exp(s)),
        0.5 * LISTED_FROM,
        NOTE.format("an event as in simulated movies, times that of the true order of time"),
    ),
}
