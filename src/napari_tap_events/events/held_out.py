"""What a head says about frames it was not taught, and what is learned from that: calibration and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from napari_tap_events.errors import ModelError
from napari_tap_events.events import candidates as near
from napari_tap_events.events.calibration import Calibrator, Method, fit_calibrator
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import Candidate, find_maxima, in_sequence
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.learning import Lesson
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.matching import found_in_order
from napari_tap_events.events.ranking import promised_threshold
from napari_tap_events.events.table import ANY_KIND, EventRow, events_table
from napari_tap_events.movies.masks import EventMasks
from napari_tap_events.settings import EventSettings, ScoreSettings

APART_FRAMES = 10_000_000
"""Tables of several movies are put behind each other in time, so far apart that no event can be matched across."""


@dataclass(frozen=True)
class HeldOut:
    """Answers of a head on the held-out frame pairs of one movie.

    Attributes
    ----------
    movie : int
        Index of the movie.
    t : (N,) int64
        Frame pair of every known window.
    corner : (N, 2) int64
        Its upper left corner in pixels of the movie.
    logits : (N, K) float32
    labels : (N, K) int8
        1 event, 0 none.
    candidates : tuple of Candidate
    opinions : (opinions, N, K) float32 or None
        What the logits were weighed from, where there is more than one opinion.
    near : EventSettings or None
        By which the scores of candidates are told in sequence (`detection.in_sequence`); None leaves them as they are.
    """

    movie: int
    t: NDArray[np.int64]
    corner: NDArray[np.int64]
    logits: NDArray[np.float32]
    labels: NDArray[np.int8]
    candidates: tuple[Candidate, ...]
    opinions: NDArray[np.float32] | None = None
    near: EventSettings | None = None


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities, and when an event is reported.

    Attributes
    ----------
    windows : tuple of Calibrator
        For the window map, one for each answer: any event, then each kind that is told apart.
    events : Calibrator
        For the scores of candidates.
    threshold : float
        Least probability of an event, 0..1: the one with the best F1 that the probabilities of held-out data promise.
    prior : float
        Log odds that a candidate of the held-out data is an event.
    """

    windows: tuple[Calibrator, ...]
    events: Calibrator
    threshold: float
    prior: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Read from what `to_dict` returned.

        Raises
        ------
        ModelError
            When something is missing.
        """
        try:
            windows = tuple(Calibrator(**entry) for entry in values["windows"])
            return cls(windows, Calibrator(**values["events"]), float(values["threshold"]), float(values.get("prior", 0.0)))
        except (KeyError, TypeError, ValueError):
            raise ModelError("the head's card holds no usable calibration: train the head again.") from None

    def levelled(self, prior: float) -> Calibration:
        """Return what it would be, were candidates events with other log odds; the order of candidates stays, and which are listed.

        A fold that holds many events leaves few to calibrate by, and one that holds none leaves many: their probabilities side by
        side would rank by what each fold does not hold.
        """
        shift = prior - self.prior
        events = replace(self.events, bias=self.events.bias + shift)
        return replace(self, events=events, threshold=float(expit(logit(self.threshold) + shift)), prior=prior)

    def following(self, events: Calibrator, threshold: float) -> Calibration:
        """Return it with another calibrator of candidates and another threshold; the windows follow by the same line in log odds."""
        slope = self.events.temperature / events.temperature
        shift = events.bias - slope * self.events.bias
        windows = tuple(replace(c, temperature=c.temperature / slope, bias=slope * c.bias + shift) for c in self.windows)
        return replace(self, windows=windows, events=events, threshold=threshold)

    def map(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn window logits (K, rows, columns) into probabilities: of any event, then of each kind that is told apart."""
        return np.stack([c.probability(z) for c, z in zip(self.windows, logits, strict=True)]).astype(np.float32)


def judge(
    head: EventHead, tiles: MapTiles, lesson: Lesson, movie: int, events: EventSettings, masks: EventMasks | None = None
) -> HeldOut:
    """Ask a head about the frame pairs of a lesson that it was not taught, on the maps of that movie.

    Candidates outside of what was looked at are dropped: nobody knows whether they are events.
    """
    pairs = list(lesson.pairs)
    labels = lesson.labels[pairs]
    dense = DenseHead(head)
    opinions = np.stack([dense.window_opinions(tiles, t) for t in pairs], axis=1)  # (opinions, t, K, rows, columns)
    logits = head.weighed(opinions)
    known = labels[:, 0] >= 0
    index, i, j = np.nonzero(known)
    step = head.shape.stride * head.shape.map_stride_px
    found = find_maxima(head, tiles, pairs, events.radius_px, events.radius_frames)
    return HeldOut(
        movie=movie,
        t=np.asarray(pairs, dtype=np.int64)[index],
        corner=np.stack([i, j], axis=1) * step,
        logits=logits.transpose(0, 2, 3, 1)[known],
        labels=labels.transpose(0, 2, 3, 1)[known],
        candidates=tuple(c for c in found if masks is None or masks.knows(c.t, c.y, c.x)),
        opinions=opinions.transpose(0, 1, 3, 4, 2)[:, known] if head.opinions > 1 else None,
        near=EventSettings(radius_px=events.radius_px, radius_frames=events.radius_frames),
    )


def calibrate(held: Sequence[HeldOut], truths: Sequence[pd.DataFrame], method: Method, score: ScoreSettings) -> Calibration:
    """Fit calibrators and choose the threshold on held-out answers.

    Parameters
    ----------
    held : sequence of HeldOut
        At their natural prevalence.
    truths : sequence of DataFrame
        True events of every movie, by index; only those within the held-out frames count.
    method : {"platt", "temperature", "none"}
    score : ScoreSettings
        When a candidate counts as a true event.
    """
    windows = window_calibrators(held, method)
    chosen, hit, n_true = _outcome(held, truths, score)
    scores = chosen["score"].to_numpy()
    events = fit_calibrator(scores, hit, "platt") if len(scores) else Calibrator(method="platt")
    threshold = promised_threshold(events.probability(scores), n_true) if hit.any() else 0.5
    prior = float(np.log((hit.sum() + 0.5) / ((~hit).sum() + 0.5)))
    return Calibration(windows, events, threshold, prior)


def _outcome(
    held: Sequence[HeldOut], truths: Sequence[pd.DataFrame], score: ScoreSettings
) -> tuple[pd.DataFrame, NDArray[np.bool_], int]:
    """Return the candidates that count, the strongest first, which of them are events, and how many events there are.

    The table is that of `candidate_table`.
    """
    raw = candidate_table(held, None, ())
    found = near.candidates(raw, held_truth(held, truths), score.radius_px, score.frames)
    order = np.argsort(-raw["score"].to_numpy()[found.rows_predicted], kind="stable")
    _, hit = found_in_order(found, order)
    counts = hit | ~found.excused[order]
    return raw.iloc[found.rows_predicted[order][counts]], hit[counts], found.rows_truth.size


def outcome_of_candidates(
    held: Sequence[HeldOut], truths: Sequence[pd.DataFrame], score: ScoreSettings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the opinions (N, opinions) on all candidates that count, and which of them are events, (N,)."""
    chosen, hit, _ = _outcome(held, truths, score)
    opinions = [[one[0] for one in candidate.opinions] for part in held for candidate in part.candidates]
    return np.array([opinions[row] for row in chosen.index], dtype=np.float64), hit


def window_calibrators(held: Sequence[HeldOut], method: Method) -> tuple[Calibrator, ...]:
    """Fit a calibrator of window logits for each answer, on held-out windows at their natural prevalence."""
    logits = np.concatenate([part.logits for part in held])
    labels = np.concatenate([part.labels for part in held])
    return tuple(fit_calibrator(logits[:, k], labels[:, k] == 1, method) for k in range(logits.shape[1]))


def candidate_table(held: Sequence[HeldOut], calibration: Calibration | None, kinds: Sequence[str]) -> pd.DataFrame:
    """Return the candidates of held-out answers as an events table with a column `score`; movies behind each other in time."""
    parts = [
        (part.movie, candidate)
        for part in held
        for candidate in (part.candidates if part.near is None else in_sequence(part.candidates, part.near))
    ]
    scores = np.array([candidate.score for _, candidate in parts], dtype=np.float64)
    probability = np.zeros(len(parts)) if calibration is None else calibration.events.probability(scores)
    rows = [
        EventRow(m * APART_FRAMES + c.t, c.y, c.x, kind_name(c, kinds), float(p), source="head")
        for (m, c), p in zip(parts, probability, strict=True)
    ]
    return events_table(rows).assign(score=scores, movie=[m for m, _ in parts])


def kind_name(candidate: Candidate, kinds: Sequence[str]) -> str:
    """Return the name of a candidate's kind; where kinds are merged all have one name, "event" where none is given."""
    return kinds[candidate.kind] if kinds else ANY_KIND


def held_truth(held: Sequence[HeldOut], truths: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the true events within the held-out frame pairs, movies behind each other in time."""
    parts = []
    for m in sorted({part.movie for part in held}):
        pairs = {int(t) for part in held if part.movie == m for t in np.unique(part.t)}
        truth = truths[m]
        inside = truth[truth["t"].isin(pairs)]
        parts.append(inside.assign(t=inside["t"] + m * APART_FRAMES))
    return pd.concat(parts, ignore_index=True)
