"""Settings of single games."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_tap_events.settings.declare import Settings, setting


class NoSettings(Settings):
    """A game without settings of its own."""


class OrderSettings(Settings):
    """Of the game `order`."""

    mode: Literal["sort", "verify", "odd"] = setting(
        "sort", "Sort four crops; verify whether three are in order; or find the odd one of three rows that is not."
    )
    gaps: tuple[Annotated[int, Field(ge=1)], ...] = setting(
        (1, 2, 4), "Frames between neighbouring crops; those that fit the movie are drawn evenly.", unit="frames", least=1
    )
    directed: bool = setting(False, "Sort: tell an order from its reverse, 24 classes in place of 12.")


class TimecontrastSettings(Settings):
    """Of the game `timecontrast`."""

    mode: Literal["nt-xent", "rank"] = setting(
        "nt-xent", "Find the same place a moment later among others; or say that near frames are closer than far ones."
    )
    far_frames: int = setting(4, "How far away another time of the same place is.", unit="frames", low=2)
    group: int = setting(8, "Places of one frame that are told apart.", unit="crops", low=2, high=256)
    temperature: float = setting(0.2, "Temperature of the comparison.", low=0.01, high=10)


class MaskedSettings(Settings):
    """Of the game `masked`."""

    hidden: float = setting(0.75, "Share of the blocks that are hidden.", low=0.05, high=0.95)
    block_px: int = setting(8, "Side of the hidden blocks.", unit="px", low=2, high=64)


class MotionmaskSettings(Settings):
    """Of the game `motionmask`."""

    changing: float = setting(
        0.15, "Share of the pixels of a crop that count as changing, if it changes at all.", low=0.01, high=0.5
    )


class SlownessSettings(Settings):
    """Of the game `slowness`."""

    spread: float = setting(1.0, "Weight of the term that keeps features from being all the same.", low=0)


class ExemplarSettings(Settings):
    """Of the game `exemplar`."""

    temperature: float = setting(0.2, "Temperature of the comparison.", low=0.01, high=10)
    group: int = setting(16, "Crops that are told apart at a time.", unit="crops", low=2, high=256)


class JigsawSettings(Settings):
    """Of the game `jigsaw`."""

    tile_share: float = setting(
        5 / 6,
        "Side of a tile as a share of its cell, which is as large as the patch; what is left is the gap.",
        low=0.5,
        high=1,
    )
    permutations: int = setting(
        64, "So many permutations are told apart as a whole, beside the place of each tile.", low=2, high=1000
    )


class CrosschannelSettings(Settings):
    """Of the game `crosschannel`."""

    bins: int = setting(32, "Bins of the values that are asked for.", low=2, high=256)
    evenness: float = setting(0.5, "How much rare values weigh more: 0 not at all, 1 all bins alike.", low=0, high=1)


class CountSettings(Settings):
    """Of the game `count`."""

    counts: int = setting(32, "How many things are counted.", low=1, high=1000)
    margin: float = setting(10.0, "Squared distance that counts of another crop should keep.", low=0)


class SelfeeSettings(Settings):
    """Of the game `selfee`."""

    delta: int = setting(1, "Frames from the middle of a live frame to either neighbour.", unit="frames", low=1)
    turbo: float = setting(0.5, "Share of views shown in false colour (Turbo).", low=0, high=1)
    group_weight: float = setting(2.0, "Weight of the loss between groups (CLD).", low=0)
    groups: int = setting(10, "Clusters of the loss between groups; at most half of the batch.", low=2, high=256)


class DeepClustersSettings(Settings):
    """Of the game `deep_clusters`."""

    clusters: int = setting(64, "Clusters.", low=2, high=10_000)
    crops: int = setting(2048, "Crops that are clustered at the start of every epoch.", unit="crops", low=16)


class CloveSettings(Settings):
    """Of the game `clove`."""

    delta: int = setting(0, "Frames between the two large crops.", unit="frames", low=0)
    near: float = setting(
        0.7, "Bins are partners where their distance over the larger diagonal is below this.", low=0.1, high=2
    )
    momentum: float = setting(0.99, "Momentum of the teacher at the start; it rises to 1.", low=0, high=1)


class PropagateSettings(Settings):
    """Of the game `propagate`."""

    labels: Literal["shade", "walk"] = setting(
        "shade", "Copy a shade that the input does not show; or walk there and back through the frames and come home."
    )
    radius_px: int = setting(24, "Farthest place that is pointed at.", unit="px", low=4)
    temperature: float = setting(0.07, "Temperature of the pointing.", low=0.01, high=10)


class WeakSettings(Settings):
    """Of the game `weak`."""

    share: float = setting(
        0.02, "Largest share of the pixels of a crop that the simple detector may call an event.", low=0.001, high=0.5
    )
    own_opinion: float = setting(
        0.2,
        "Weight of the head's own opinion in the second half of the training, which corrects the detector.",
        low=0,
        high=0.9,
    )
