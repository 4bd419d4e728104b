"""Settings of a study: many heads, several seeds, one question."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_tap_events.settings.declare import setting
from napari_tap_events.settings.recipes import HeadSettings

StudyName = Literal["features", "criteria", "content-view", "errors", "calibration", "labels", "splits", "seeds", "pretexts"]
PAPER_STUDIES: tuple[StudyName, ...] = ("features", "criteria", "errors", "calibration")
"""Studies that the paper's protocol has an answer for."""


class StudySettings(HeadSettings):
    """What a study tries; the settings of a head are those of every trial, but for what the study varies."""

    encoder: str = setting(
        "", "Folder of a pretrained encoder; {seed} in it stands for the seed. By default one is pretrained for every seed."
    )
    folds: int = setting(6, "Time blocks for out-of-fold prediction; 0 splits once into 60/20/20 %.", low=0, high=50)
    seed: int = setting(0, "The first seed; the others follow.", low=0)
    seeds: int = setting(3, "How many seeds: 3 for a quick look, 10 for a table of record. --resume may ask for more.", low=1)
    rows: str = setting(
        "", "Only rows whose name contains one of these, separated by semicolons; by default all. --resume may add some."
    )
    pretrain_steps: int = setting(1200, "Steps of pretraining.", low=1)
    patch_px: int = setting(48, "Side of the crops that teach the time arrow.", unit="px", low=16, high=512)
    synthetic_movies: int = setting(
        0, "Synthetic movies to pretrain on beside your own; their truth is not used.", low=0, high=1000, advanced=True
    )
    budgets: tuple[Annotated[int, Field(ge=1)], ...] = setting(
        (1, 5, 10, 50, 200),
        "Studies labels and pretexts: events that teach; those that the movies have, and all.",
        unit="events",
        least=1,
    )
    games: str = setting(
        "",
        "Study pretexts: games and combinations, separated by semicolons, e.g. order;time_arrow:1,timecontrast:0.5; "
        "by default all that one channel allows.",
    )
    quick: bool = setting(
        False,
        "Study pretexts: a first look in minutes, with the smallest U-Net, one seed and few steps, where these are not said.",
    )
    pretrain_batch: int = setting(
        32, "Study pretexts: crop pairs per step; combinations share them out.", unit="pairs", low=4, high=4096, advanced=True
    )
    paper: bool = setting(False, "Also the paper's protocol, which leaks, beside the default one.")
    paper_pairs: int = setting(
        1000, "Paper's protocol: crop pairs drawn for each frame pair.", unit="pairs", low=1, advanced=True
    )
    paper_epochs: int = setting(
        0, "Paper's protocol: epochs of a head; 0 is 10 for linear, 30 for others.", low=0, advanced=True
    )
