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
