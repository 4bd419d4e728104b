"""A trained event model: encoder, head and calibration, as one folder holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import DifferenceFeatures, EncoderFeatures, FeatureSource, IntensityFeatures
from napari_tap_events.encoder.weights import Card, load_card, load_encoder, load_weights
from napari_tap_events.errors import ModelError
from napari_tap_events.events.head import EventHead, HeadShape, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import Calibration
from napari_tap_events.events.map_tiles import Inputs

ENCODER = "encoder"


@dataclass(frozen=True)
class EventModel:
    """Everything that turns frames into probabilities and events.

    Attributes
    ----------
    source : FeatureSource
    head : EventHead
        In eval mode, on the device.
    calibration : Calibration
    inputs : Inputs
        Which maps the head reads.
    kinds : tuple of str
        Names of what it finds: of two or more it tells apart which one it is.
    crop_px, map_stride_px : int
        Side of the windows; pixels of the movie per pixel of the maps.
    card : Card
    """

    source: FeatureSource
    head: EventHead
    calibration: Calibration
    inputs: Inputs
    kinds: tuple[str, ...]
    crop_px: int
    map_stride_px: int
    card: Card


def load_event_model(folder: Path, channels: int, compute: Compute) -> EventModel:
    """Load the head folder that `train` wrote.

    Raises
    ------
    ModelError
        When it cannot be loaded, or reads another number of channels than the movie has.
    """
    card = load_card(folder, "head")
    if card.channels != channels:
        raise ModelError(f"the model '{folder.name}' reads {card.channels} channel(s), the movie has {channels}.")
    source = _source(folder, card, channels, compute)
    if source.features != card.features:
        raise ModelError(f"the head in '{folder.name}' reads {card.features} features, its encoder gives {source.features}.")
    try:
        d: dict[str, Any] = card.details
        head = make_head(d["head"], HeadShape(**d["shape"]), d["pair"])
        inputs, kinds = Inputs(**d["inputs"]), tuple(d["kinds"])
        if head.shape.kinds != answers_for(kinds):
            raise ModelError(f"the head '{folder.name}' tells kinds apart as an earlier version did: train it again.")
        crop_px, map_stride_px = int(d["crop_px"]), int(d["map_stride_px"])
        calibration = Calibration.from_dict(d["calibration"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"the card of '{folder.name}' lacks {error}: train the head again.") from None
    load_weights(folder, head)
    return EventModel(source, head.to(compute.device).eval(), calibration, inputs, kinds, crop_px, map_stride_px, card)


def _source(folder: Path, card: Card, channels: int, compute: Compute) -> FeatureSource:
    name = card.details.get("source")
    if name == "intensity":
        return IntensityFeatures()
    if name == "difference":
        return DifferenceFeatures()
    model, _ = load_encoder(folder / ENCODER, channels)
    scale = float(card.details.get("scale", 1))
    return EncoderFeatures(model.encoder, model.arrow, compute, simulated=model.simulated, scale=scale)
