"""Settings of the review: which places a person is asked about, and how what they say is used."""

from __future__ import annotations

from typing import Literal

from napari_tap_events.settings.declare import FrameRange, Settings, setting


class QueueSettings(Settings):
    """Which places are asked about, and in which order."""

    uncertain: int = setting(
        10, "Of each round of cards: events that the model is least sure of.", unit="cards", low=0, high=100
    )
    confident: int = setting(
        4, "Of each round: events that it is sure of and nobody has confirmed.", unit="cards", low=0, high=100
    )
    audit: int = setting(
        4,
        "Of each round: windows drawn by chance, which measure what is missed and never teach.",
        unit="cards",
        low=0,
        high=100,
    )
    errors: int = setting(
        2, "Of each round: marks that the model doubts, and events it sees where none is marked.", unit="cards", low=0, high=100
    )
    order: Literal["mix", "uncertain", "confident", "random"] = setting(
        "mix", "Order of the cards: the mix above, one sort of card alone, or candidates in any order."
    )
    card_px: int = setting(
        56, "Side of the square that a card asks about; a no says that all of it is empty.", unit="px", low=8, high=512
    )
    reach_frames: int = setting(
        2, "A yes or no speaks of so many frame pairs before and after the one on the card.", unit="frames", low=0, high=10
    )
    audit_px: int = setting(96, "Side of the windows of the audit, about.", unit="px", low=16, high=1024, advanced=True)
    audit_frames: int = setting(
        6, "Frame pairs in a window of the audit, about.", unit="frames", low=1, high=100, advanced=True
    )
    audit_from: int = setting(
        20,
        "Answers before the windows of the audit are drawn: what was found until then teaches, and is counted as it is.",
        unit="answers",
        low=0,
        high=10000,
        advanced=True,
    )
    sure: float = setting(0.9, "Probability from which the model counts as sure.", low=0.5, high=1, advanced=True)
    queue_seed: int = setting(0, "Seed of what is drawn by chance.", low=0, advanced=True)


class ReviewSettings(QueueSettings):
    """The review: cards, and the head that learns from the answers."""

    begin_with: str = setting(
        "",
        "Begin with this head, taught elsewhere; its folder. Answers put its probabilities right; a lesson is only given when told.",
    )
    stamp_px: float = setting(8.0, "Radius of the mark that a yes sets.", unit="px", low=1, high=100)
    retrain_every: int = setting(10, "Retrain after so many answers; 0 only when told.", unit="answers", low=0, high=1000)
    locked_frames: FrameRange = setting(
        "", "Frames A:B whose answers never teach and judge every new head; by default the audit's windows do.", advanced=True
    )
    cache: str = setting("", "Folder for kept feature maps; by default `features` in the project.", advanced=True)
    cache_gb: float = setting(
        20.0, "Most that kept feature maps may take on disk.", unit="GB", low=0.1, high=10000, advanced=True
    )


class SimulationSettings(Settings):
    """A simulated review: who answers, and on which frames the heads are scored."""

    decisions: int = setting(60, "Cards that are answered, windows of the audit included.", unit="cards", low=1, high=10000)
    error_rate: float = setting(0.0, "Share of cards that are answered the wrong way round.", low=0, high=1)
    held_frames: FrameRange = setting(
        "", "Frames A:B that are never asked about and score the heads; by default the last third."
    )
    compare: bool = setting(True, "Do the same with cards in any order, to compare.")
    target_f1: float = setting(0.7, "F1 of which it is told after how many cards it was reached.", low=0, high=1)
    person_seed: int = setting(0, "Seed of the simulated person's errors.", low=0, advanced=True)
