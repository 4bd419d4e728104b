"""What a review makes of a whole movie: how many events its probabilities promise among what nobody has judged, and how many there are.

    python -m benchmarks.review_whole MOVIE EVENTS.csv --crop-px 24 --radius-px 15 [--answers 6,10,20,30,40]

A simulated perfect person answers cards from zero labels on; no block of time is held out. At each point the head that was learned is told
beside the same head calibrated by the answers alone. F1 counts the candidates above the threshold against all events, answered or not.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from benchmarks.review import ended
from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.errors import ScopeError
from napari_tap_events.events.calibration import fit_calibrator
from napari_tap_events.events.matching import match_events
from napari_tap_events.events.ranking import promised_threshold
from napari_tap_events.events.table import UNCERTAIN, read_events
from napari_tap_events.jobs.answers import Answers, answers_of
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.feature_cache import FeatureCache
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, window_grid
from napari_tap_events.jobs.learned import Learned, listed
from napari_tap_events.jobs.simulate import answer_next
from napari_tap_events.jobs.teaching import settled
from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.places import near_any
from napari_tap_events.review.queue import Proposals
from napari_tap_events.settings import ComputeSettings, HeadSettings, MovieSettings, ReviewSettings

COLUMNS = ("answers", "yes, no", "events left", "promised", "promised by the answers alone", "F1", "F1 by the answers alone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("movie", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--crop-px", type=int, default=24)
    parser.add_argument("--radius-px", type=float, default=15.0)
    parser.add_argument("--answers", default="6,10,20,30,40")
    given = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    with TemporaryDirectory() as cache:
        for line in rows(given, Path(cache)):
            print(line, flush=True)


def rows(given: argparse.Namespace, cache: Path) -> Iterator[str]:
    """Yield a line of the table for each number of answers."""
    movie = single_channel(open_movie(given.movie, MovieSettings()))
    compute = compute_for(ComputeSettings(device="cpu", threads=1))
    source = feature_source("shipped", [movie], "unet16", 0, compute)
    settings = settled(HeadSettings(encoder="shipped", crop_px=given.crop_px, radius_px=given.radius_px), source)
    maps = ended(FeatureCache(cache, 10**10).maps(movie, source, compute, MAP_STRIDE_PX))
    apprentice = Apprentice(maps, window_grid(movie, settings), settings, compute)
    desk = _Desk(
        apprentice, Annotator(read_events(given.events), settings), ReviewSettings(card_px=max(40, 2 * given.radius_px))
    )
    a = Annotations((movie.n_frames, movie.height, movie.width))
    for answers in (int(part) for part in given.answers.split(",")):
        desk.answer_until(a, answers)
        try:
            yield desk.told(a, ended(apprentice.learn(answers_of(a))))
        except ScopeError as missing:
            yield f"| {answers} | {missing} |"


@dataclass
class _Desk:
    """A person at the cards."""

    apprentice: Apprentice
    person: Annotator
    review: ReviewSettings
    proposals: Proposals | None = None

    def answer_until(self, a: Annotations, answers: int) -> None:
        """Answer cards until so many answers are there, or no card is left."""
        proposals = self.proposals or Proposals(self.apprentice.first.candidates())
        while len(a.verdicts) + len(a.audits) < answers and answer_next(a, proposals, self.person, self.review):
            pass

    def told(self, a: Annotations, learned: Learned) -> str:
        """Tell what a head makes of the movie, and show its candidates from now on."""
        self.proposals = Proposals(learned.candidates, True)
        near, answers, table = self.person.near, answers_of(a), learned.candidates
        truth = self.person.truth[self.person.truth["kind"] != UNCERTAIN].reset_index(drop=True)
        open_ = ~near_any(table[["t", "y", "x"]].to_numpy(np.float64), answers.judged[0], near)
        hit = np.zeros(len(table), bool)
        hit[match_events(table, truth, near.radius_px, near.radius_frames).predicted] = True
        alone = by_answers_alone(table, answers, near)
        said = [verdict.answer for verdict in a.verdicts]
        cells = [
            str(len(said) + len(a.audits)),
            f"{said.count('yes')}, {said.count('no')}",
            str(int((hit & open_).sum())),
            f"{table['probability'][open_].sum():.0f}",
            "cannot say" if alone is None else f"{alone[open_].sum():.0f}",
            f"{f1(table, learned.threshold, truth, near):.2f}",
            "" if alone is None else f"{f1(table.assign(probability=alone), promised_threshold(alone), truth, near):.2f}",
        ]
        return f"| {' | '.join(cells)} |"


def by_answers_alone(table: pd.DataFrame, answers: Answers, near: Any) -> np.ndarray | None:
    """Return the candidates' probabilities, fitted to what was answered and nothing else; None where all answers are alike."""
    places, truth = answers.judged
    match = match_events(table, pd.DataFrame(places, columns=["t", "y", "x"]), near.radius_px, near.radius_frames)
    outcome = truth[match.truth]
    if len(set(outcome.tolist())) < 2:
        return None
    logits = logit(table["held_out"].clip(1e-6, 1 - 1e-6).to_numpy())
    fitted = fit_calibrator(logits[match.predicted], outcome, "platt")
    return np.asarray(fitted.probability(logits))


def f1(table: pd.DataFrame, threshold: float, truth: pd.DataFrame, near: Any) -> float:
    match = match_events(listed(table, threshold), truth, near.radius_px, near.radius_frames)
    return 2 * match.tp / max(1, 2 * match.tp + match.fp + match.fn)


if __name__ == "__main__":
    main()
