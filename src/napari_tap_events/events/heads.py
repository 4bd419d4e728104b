"""Builds heads by their names."""

from __future__ import annotations

from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead, EvidenceHead, HeadShape, LinearHead, ResNetHead


def make_head(kind: str, shape: HeadShape, pair: str = "both") -> EventHead:
    """Build a head: "evidence", "resnet" or "linear"; `pair` is for the first, which alone can have a guide."""
    if kind == "evidence":
        return GuidedHead(shape, pair) if shape.guides else EvidenceHead(shape, pair)
    return ResNetHead(shape) if kind == "resnet" else LinearHead(shape)
