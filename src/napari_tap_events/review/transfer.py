"""A head on a movie that did not teach it: how foreign the movie is, what thirty answers put right, and when not to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from napari_tap_events.errors import ModelError, SettingsError
from napari_tap_events.events.calibration import Calibrator, fit_calibrator
from napari_tap_events.events.matching import match_events
from napari_tap_events.events.ranking import promised_threshold
from napari_tap_events.project.brought import look
from napari_tap_events.settings import EventSettings, HeadSettings

Floats = NDArray[np.float64]

WITHOUT_ENCODER = ("intensity", "difference")
"""Inputs of a head that need none."""
ENOUGH_ANSWERS, OF_EITHER_KIND = 30, 3
"""Answers from which on probabilities are put right, and how many of these at least must be yes, and no."""
SAMPLED_FRAMES, SAMPLED_STEP = 16, 4
FOREIGN, VERY_FOREIGN = 0.5, 1.5
"""Feature shift, in standard deviations, from which a movie is foreign to a head, and very foreign."""


def settings_of_head(folder: Path, given: HeadSettings) -> HeadSettings:
    """Return the settings of a head that was taught elsewhere: sizes, inputs and encoder are its own, lessons are as given.

    Raises
    ------
    ModelError
        When the folder holds no head, or its card tells too little.
    """
    found = look(folder)
    if found.kind != "head":
        raise ModelError(f"'{folder}' holds an {found.kind}; choose the folder of a head, which `train` or a review has made.")
    own = {name: value for name, value in found.settings.items() if name in HeadSettings.declared()}
    inside, control = folder / "encoder", found.details.get("source")
    if not inside.is_dir() and control not in WITHOUT_ENCODER:
        raise ModelError(f"the head '{folder}' has no encoder beside it; copy the whole folder, with `encoder` in it.")
    encoder = str(inside) if inside.is_dir() else str(control)
    try:
        return HeadSettings.checked(**own | {"encoder": encoder, "steps": given.steps, "seed": given.seed})
    except SettingsError as error:
        raise ModelError(f"the settings in the card of '{folder}' cannot be used ({error}); teach the head again.") from None


@dataclass(frozen=True)
class FeatureSummary:
    """What the features of a movie are like.

    Attributes
    ----------
    mean, sd : tuple of float
        Of each channel.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def to_json(self) -> dict[str, list[float]]:
        """Return it as JSON values, for the card of a head."""
        return {"mean": list(self.mean), "sd": list(self.sd)}


def summary_from_json(values: Mapping[str, Any] | None) -> FeatureSummary | None:
    """Return the summary that a card tells; None where it tells none."""
    if not values:
        return None
    return FeatureSummary(tuple(map(float, values["mean"])), tuple(map(float, values["sd"])))


def summarise(frames: NDArray[np.float16]) -> FeatureSummary:
    """Summarise maps (T, F, h, w) by some frames and every fourth pixel."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, SAMPLED_FRAMES).round().astype(int))
    sample = np.stack([np.asarray(frames[t, :, ::SAMPLED_STEP, ::SAMPLED_STEP], dtype=np.float64) for t in chosen])
    return FeatureSummary(tuple(sample.mean((0, 2, 3)).tolist()), tuple(sample.std((0, 2, 3)).tolist()))


def feature_shift(new: FeatureSummary, taught: FeatureSummary) -> float:
    """Return how far the features of a movie lie from those that taught, in their standard deviations.

    The root mean square over channels of the distance between two normal distributions (Wasserstein-2: the means' difference and
    the standard deviations' difference), each in units of the taught standard deviation. 0 for the same movie.
    """
    mean, sd, mean0, sd0 = (np.array(values) for values in (new.mean, new.sd, taught.mean, taught.sd))
    unit = np.maximum(sd0, 1e-3 * max(float(sd0.max()), 1e-9))
    return float(np.sqrt((((mean - mean0) ** 2 + (sd - sd0) ** 2) / unit**2).mean()))


@dataclass(frozen=True)
class Refit:
    """What answers on a new movie put right.

    Attributes
    ----------
    calibrator : Calibrator
        Score of a candidate to probability, on this movie.
    threshold : float
        Probability whose F1 on this movie is promised to be best.
    ranks : float
        Probability that a confirmed candidate scores higher than a rejected one, 0..1; 0.5 is chance.
    """

    calibrator: Calibrator
    threshold: float
    ranks: float


def refit_to(table: pd.DataFrame, asked: tuple[Floats, NDArray[np.bool_]], near: EventSettings) -> tuple[int, Refit | None]:
    """Fit to the candidates that were answered, and return how many those are.

    Parameters
    ----------
    table : events table
        All candidates of a movie, with `score`.
    asked : (N, 3) float and (N,) bool
        Places t, y, x that cards had asked about, and whether they are events. Marks that were set unasked must not be among them: they
        are of events alone, whatever their scores.
    near : EventSettings
        When a candidate is at such a place.
    """
    rows, truth = answered(table, asked, near)
    scores = table["score"].to_numpy(np.float64)
    return len(rows), refit(scores[rows], truth, scores)


def answered(
    table: pd.DataFrame, asked: tuple[Floats, NDArray[np.bool_]], near: EventSettings
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return which candidates were answered, rows of the table, and whether they are events; parameters as of `refit_to`."""
    places, truth = asked
    match = match_events(table, pd.DataFrame(places, columns=["t", "y", "x"]), near.radius_px, near.radius_frames)
    return match.predicted, truth[match.truth]


def enough(yes: int, no: int) -> bool:
    """Say whether so many candidates that were confirmed, and rejected, put probabilities right."""
    return yes + no >= ENOUGH_ANSWERS and min(yes, no) >= OF_EITHER_KIND


def refit(scores: ArrayLike, answers: ArrayLike, every: ArrayLike) -> Refit | None:
    """Fit temperature, bias and threshold to answers.

    Which candidates were asked about depends on their scores alone, which does not bend a fit of what a score means. Of those that score
    lower than all that was confirmed, and they are many, only the fitted line speaks: from the middle between the lowest yes and the
    next no on downwards nothing is listed.

    Parameters
    ----------
    scores : (N,) float
        Of the candidates that were answered, in logits of the head.
    answers : (N,) bool
    every : (M,) float
        Of all candidates of the movie, for the threshold.

    Returns
    -------
    Refit or None
        None where there are fewer than 30 answers, or fewer than 3 of either kind.
    """
    z, y = np.asarray(scores, dtype=np.float64), np.asarray(answers, dtype=bool)
    if not enough(int(y.sum()), int((~y).sum())):
        return None
    calibrator = fit_calibrator(z, y, "platt")
    ranks = float((z[y][:, None] > z[~y]).mean() + 0.5 * (z[y][:, None] == z[~y]).mean())
    lowest_yes = float(z[y].min())
    next_no = float(z[~y & (z < lowest_yes)].max(initial=-np.inf))
    known_down_to = float(calibrator.probability((lowest_yes + next_no) / 2))
    return Refit(calibrator, max(promised_threshold(calibrator.probability(every)), known_down_to), ranks)


def trust(shift: float | None, found: Refit | None) -> str:
    """Say in a sentence whether a head can be trusted on this movie; "" where nothing speaks against it."""
    if found is not None and found.ranks < 0.6:
        return (
            f"Do not trust this head here: it ranks what you confirmed hardly above what you rejected ({100 * found.ranks:.0f} %; 50 % is "
            "chance). Train one on this movie."
        )
    if shift is not None and shift >= VERY_FOREIGN and found is None:
        return "This movie looks very different from what taught the head: do not trust it before 30 answers."
    if shift is not None and shift >= FOREIGN and found is None:
        return "This movie looks different from what taught the head: answer 30 cards to correct it."
    return ""
