"""A trial: one row of a study, for one seed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TAP = "tap"
FEATURES_ALONE: dict[str, Any] = {"features": True, "arrow": False, "intensity": False, "simulated": False}
"""Inputs of a head where features or heads are compared, so that nothing else differs."""


@dataclass(frozen=True)
class Trial:
    """One row of a study, for one seed.

    Attributes
    ----------
    row : str
        What is tried, in words.
    seed : int
    how : {"head", "arrow", "pretrain", "paper"}
        A head is trained; the arrow map alone ranks; an encoder is pretrained; a head is trained by the paper's protocol.
    encoder : str
        "tap" for the study's own encoder of this seed, or what `HeadSettings.encoder` takes.
    changes : mapping
        Settings that differ from the study's: of the head, or of the pretraining.
    published : str
        Name of the published row that stands beside; empty where there is none.
    encoder_seed : int or None
        Where the encoder's seed differs from that of the head.
    resolution : float
        Pixels of the movie tried per pixel of the movie given.
    pretext : str
        Games by which the encoder of this trial is taught; empty where it is the study's.
    movie : int or None
        The only movie of this trial; None for all together.
    told : mapping
        Columns of the row beside what is measured.
    """

    row: str
    seed: int
    how: Literal["head", "arrow", "pretrain", "paper"] = "head"
    encoder: str = TAP
    changes: Mapping[str, Any] = field(default_factory=dict)
    published: str = ""
    encoder_seed: int | None = None
    resolution: float = 1.0
    pretext: str = ""
    movie: int | None = None
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"{re.sub('[^A-Za-z0-9]+', '-', self.row).strip('-')}-{self.seed}"


@dataclass(frozen=True)
class Marked:
    """What is known of the movies before anything is tried: true events in all, how many movies; and of each its name and events."""

    n_true: int
    n_movies: int
    movies: Mapping[str, int] = field(default_factory=dict)
