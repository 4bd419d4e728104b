"""The model that learns from what a person says: from cached maps and all answers so far to a head, its candidates and what they are worth.

Each time it learns from all answers, not from the last ones. Answers are shared out over blocks of time; what a place is said to be by a
head that was not taught in its block ("held out") calibrates, sets the threshold, and tells which marks are doubtful.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import expit

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.pair_head import EVENT_KINDS
from napari_tap_events.events.calibration import Calibrator, fit_calibrator
from napari_tap_events.events.criteria import label_pairs
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import Candidate, MaximaFinder, ScoreGrid, opinion_frame, score_frame, score_grid
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.learning import HeadLearner, Lesson, check_lessons
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.stacking import PRIOR_MEAN, fit_weights
from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.events.without_labels import ARROW_BLUR, RANKINGS
from napari_tap_events.jobs.answers import Answers
from napari_tap_events.jobs.labelled import training_stride_px
from napari_tap_events.jobs.teaching import head_shape, inputs_of
from napari_tap_events.reports import Control, Report
from napari_tap_events.review.transfer import best_cut
from napari_tap_events.settings import HeadSettings
from napari_tap_events.training.loop import Plan, fit

FOLDS = 3
WARM_SHARE = 0.4
"""Share of the steps that a head needs which goes on from another, or has a guide beside it."""
TILE_PX = 32
"""Side of the tiles that teach: answers speak of small squares, larger tiles hold mostly what is not known."""

BATCH = 16
SPREAD, MOST_SLOPE = (0.5, 0.999), 4.0
"""Quantiles of scores by which two heads are brought to one scale, and by how much at most."""
LEAST_EVIDENCE = 1e-6
FIRST_PLACES = 24
"""So many of the strongest places of the arrow map are taken for events by the head that answers lead on from."""

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Learned:
    """What came of one lesson.

    Attributes
    ----------
    head : EventHead
    calibrator : Calibrator
        Score of a candidate to probability.
    threshold : float
        Probability from which a candidate is listed.
    candidates : events table
        With `probability`, `score`, and `held_out`: the probability that a head gives which was not taught there.
    answers : int
        How many it learned from.
    windows : tuple of Calibrator
        Logit of a window to probability, for each kind.
    """

    head: EventHead
    calibrator: Calibrator
    threshold: float
    candidates: pd.DataFrame
    answers: int
    windows: tuple[Calibrator, ...] = ()


class Apprentice:
    """Learns from answers on one movie.

    Parameters
    ----------
    maps : FeatureMaps
        Of the whole movie.
    grid : WindowGrid
        Of the windows that are taught.
    settings : HeadSettings
        With every input settled.
    compute : Compute
    kinds : sequence of str
        Of the events that are looked for.
    """

    def __init__(
        self,
        maps: FeatureMaps,
        grid: WindowGrid,
        settings: HeadSettings,
        compute: Compute,
        kinds: Sequence[str] = EVENT_KINDS,
    ) -> None:
        self.maps, self.grid, self.compute, self.kinds = maps, grid, compute, tuple(kinds)
        self.settings = settings.model_copy(update={"tile_px": max(TILE_PX, training_stride_px(settings)), "batch": BATCH})
        self.tiles = MapTiles(maps, inputs_of(settings), compute)
        self.pairs = range(maps.n_frames - 1)
        self._first: EventHead | None = None

    @property
    def guided(self) -> bool:
        """Whether heads have a guide that simulated movies have taught."""
        return bool(inputs_of(self.settings).simulated and self.maps.simulated)

    @property
    def first_threshold(self) -> float:
        """Probability from which candidates are listed before there is any answer."""
        return RANKINGS["simulated" if self.guided else "arrow"].threshold

    def first_candidates(self) -> pd.DataFrame:
        """Rank places without any answer: by what simulated movies have taught, by the arrow map, or by how much changes."""
        stride = self.maps.stride_px
        finder = MaximaFinder(ScoreGrid(stride, (stride - 1) / 2), self.settings.radius_px, self.settings.radius_frames)
        found: list[Candidate] = []
        for t in self.pairs:
            found += finder.add(t, self._zero_label(t))
        return table_of(found + finder.rest(), Calibrator(), "simulated" if self.guided else "arrow")

    def _zero_label(self, t: int) -> Scores:
        """Return logits without any label, (K, h, w)."""
        radius = self.settings.radius_px / self.maps.stride_px
        here = replace(self.maps, frames=self.maps.frames[t : t + 2], pairs=self.maps.pairs[t : t + 1])
        if self.guided:
            evidence = RANKINGS["simulated"].score(here, radius)
            return np.log(np.expm1(np.maximum(evidence, LEAST_EVIDENCE)))
        if self.maps.pairs.shape[1] > self.maps.simulated:
            return RANKINGS["arrow"].score(here, radius)
        now, after = (np.asarray(frame[self.maps.features :], dtype=np.float32) for frame in here.frames)
        changed = np.abs(after - now).mean(0, keepdims=True)
        return np.asarray(ndi.gaussian_filter(changed, (0, ARROW_BLUR * radius, ARROW_BLUR * radius)))

    def learn(
        self, answers: Answers, frames: range | None = None, warm: EventHead | None = None, control: Control | None = None
    ) -> Generator[Report, None, Learned]:
        """Learn from all answers.

        Parameters
        ----------
        answers : Answers
        frames : range, optional
            Frames in which candidates are sought; by default all. Teaching keeps to what is known anyway.
        warm : EventHead, optional
            Head to go on from.
        control : Control, optional

        Returns
        -------
        Learned

        Raises
        ------
        ScopeError
            When there is no event, or nothing that is none, among the answers.
        """
        labels = label_pairs(answers.masks, self.grid, self.settings)
        check_lessons([Lesson(self.tiles, labels, list(self.pairs))])
        if warm is None and self.settings.arrow and not self.guided:
            warm = yield from self._like_the_arrow(labels.shape[1], control)
        folds = self._folds(labels)
        said: dict[int, EventHead] = {}
        for number, fold in enumerate(folds, 1):
            taught = [t for t in self.pairs if not (fold.start - 1 <= t < fold.stop + 1)]
            head = yield from self._teach(labels, taught, f"fold {number} of {len(folds)}", warm, control)
            said |= dict.fromkeys(fold, head)
        head = yield from self._teach(labels, list(self.pairs), "head", warm, control)
        busy = set(np.flatnonzero((labels >= 0).any((1, 2, 3))).tolist())
        there = {t: said[t] for t in busy if t in said}
        self._weigh(head, there, answers)
        found = yield from self._candidates(head, frames or range(self.maps.n_frames), control)
        return replace(self._weighed(head, found, there, answers), windows=self._window_calibrators(there, labels))

    def look_again(
        self, head: EventHead, calibrator: Calibrator, control: Control | None = None
    ) -> Generator[Report, None, pd.DataFrame]:
        """Return the candidates of a head that was taught before."""
        found = yield from self._candidates(head, range(self.maps.n_frames), control)
        return table_of(found, calibrator, "head")

    def _like_the_arrow(self, kinds: int, control: Control | None) -> Generator[Report, None, EventHead]:
        """Return a head that says what the arrow map says: from there answers lead on, and no label went into it.

        Answers speak of a few places that look like events. A head that begins anywhere learns what tells these apart, and may say
        anything of all the rest of the movie.
        """
        if self._first is None:
            found = self.first_candidates().nlargest(FIRST_PLACES, "probability")
            labels = np.zeros((len(self.pairs), kinds, *self.grid.shape), np.int8)
            for t, y, x in found[["t", "y", "x"]].to_numpy():
                rows, columns = (self._windows_at(place, size) for place, size in zip((y, x), self.grid.shape, strict=True))
                for at, label in ((t - 1, -1), (t + 1, -1), (t, 1)):
                    if 0 <= at < len(labels):
                        labels[int(at), :, rows, columns] = label
            self._first = yield from self._teach(labels, list(self.pairs), "first head", None, control)
        return self._first

    def _windows_at(self, place: float, size: int) -> slice:
        """Return the windows of a row or column in whose middle half a place lies."""
        reach, at = 0.5 * (0.5 * self.grid.crop_px), (place - self.grid.offset_px) / self.grid.stride_px
        near = reach / self.grid.stride_px
        return slice(max(0, int(np.ceil(at - near))), min(size, int(np.floor(at + near)) + 1))

    def _folds(self, labels: NDArray[np.int8]) -> list[range]:
        """Cut time into blocks that hold as many events each; none where there are too few."""
        busy = np.flatnonzero((labels == 1).any((1, 2, 3)))
        runs = np.split(busy, np.flatnonzero(np.diff(busy) > 1) + 1) if len(busy) else []
        if len(runs) < 2:
            return []
        parts = np.array_split(np.arange(len(runs)), min(FOLDS, len(runs)))
        edges = [0, *((int(runs[part[0]][0]) + int(runs[part[0] - 1][-1])) // 2 + 1 for part in parts[1:]), len(self.pairs)]
        blocks = [range(start, stop) for start, stop in pairwise(edges)]
        return [b for b in blocks if self._teachable(labels, b)]

    def _teachable(self, labels: NDArray[np.int8], away: range) -> bool:
        """Say whether enough is left to learn from without a block."""
        left = np.concatenate([labels[: max(0, away.start - 1)], labels[away.stop + 1 :]])
        return bool((left == 1).any() and (left == 0).any())

    def _teach(
        self, labels: NDArray[np.int8], pairs: Sequence[int], stage: str, warm: EventHead | None, control: Control | None
    ) -> Generator[Report, None, EventHead]:
        torch.manual_seed(self.settings.seed)
        settings = self.settings
        head = make_head(settings.head, head_shape(self.maps, settings, labels.shape[1]), settings.pair)
        head.to(self.compute.device)
        if isinstance(head, GuidedHead):
            head.heed(self.kinds)
        steps = settings.steps if warm is None and not self.guided else max(1, round(WARM_SHARE * settings.steps))
        if warm is not None:
            head.load_state_dict(warm.state_dict())
        known = [t for t in pairs if (labels[t] >= 0).any()]
        learner = HeadLearner(head, [Lesson(self.tiles, labels, known)], settings, self.compute)
        plan = Plan(stage, steps, max(1, steps // 4), settings.learning_rate, settings.weight_decay, "one-cycle")
        yield from fit(learner, plan, control)
        return head.eval()

    def _candidates(self, head: EventHead, frames: range, control: Control | None) -> Generator[Report, None, list[Candidate]]:
        finder = MaximaFinder(score_grid(head, self.maps.stride_px), self.settings.radius_px, self.settings.radius_frames)
        dense, found = DenseHead(head), list[Candidate]()
        pairs = range(frames.start, min(frames.stop - 1, len(self.pairs)))
        for t in pairs:
            found += finder.add(t, score_frame(dense, self.tiles, t, self.settings.radius_px))
            if t % 8 == 0:
                yield Report("candidates", t - pairs.start, len(pairs))
        return found + finder.rest()

    def _weigh(self, head: EventHead, said: dict[int, EventHead], answers: Answers) -> None:
        """Set in all heads what guide and head are worth, by what held-out heads say of the places that were answered."""
        if not isinstance(head, GuidedHead):
            return
        asked, truth = answers.judged
        scales = self._scales(head, said, asked)
        for one in said.values():
            if isinstance(one, GuidedHead):
                one.rescale(*scales[id(one)])
        opinions = self._held_opinions(said, asked)
        usable = np.isfinite(opinions).all(1)
        weights = fit_weights(opinions[usable], truth[usable])
        for one in (head, *said.values()):
            if isinstance(one, GuidedHead):
                one.weigh(weights)

    def _weighed(self, head: EventHead, found: list[Candidate], said: dict[int, EventHead], answers: Answers) -> Learned:
        """Calibrate by held-out scores of what was answered, and say of every candidate what a held-out head says."""
        places = np.array([(c.t, c.y, c.x) for c in found], dtype=np.float64).reshape(-1, 3)
        own = np.array([c.score for c in found])
        asked, truth = answers.judged
        same = {id(one): (1.0, 0.0) for one in said.values()}
        scale = same if isinstance(head, GuidedHead) else self._scales(head, said, asked)
        held = self._held_scores(said, places, own, scale)
        scores = self._held_scores(said, asked, np.full(len(asked), np.nan), scale)
        usable = np.isfinite(scores)
        both = usable.any() and len(np.unique(truth[usable])) == 2
        calibrator = fit_calibrator(scores[usable], truth[usable], "platt") if both else self._uncalibrated()
        table = table_of(found, calibrator, "head").assign(held_out=np.round(calibrator.probability(held), 6))
        threshold = best_cut(calibrator.probability(scores[usable]), truth[usable]) if both else self.first_threshold
        return Learned(head, calibrator, threshold, table, answers.count)

    def _uncalibrated(self) -> Calibrator:
        """Return what stands in where no answer was held out: beside a guide, which then has all the weight, its own probability."""
        return Calibrator(PRIOR_MEAN[0], 0.0, "temperature") if self.guided else Calibrator()

    def _window_calibrators(self, said: dict[int, EventHead], labels: NDArray[np.int8]) -> tuple[Calibrator, ...]:
        """Fit what a window's logit means, by heads that were not taught in its block."""
        dense = _each_once(said)
        frames = sorted(said)
        if not frames:
            return tuple(self._uncalibrated() for _ in range(labels.shape[1]))
        logits = np.stack([dense[id(said[t])].window_logits(self.tiles, t) for t in frames])
        kinds: list[Calibrator] = []
        for k in range(labels.shape[1]):
            known = labels[frames, k] >= 0
            truth = labels[frames, k][known] == 1
            both = truth.any() and not truth.all()
            kinds.append(fit_calibrator(logits[:, k][known], truth, "platt") if both else self._uncalibrated())
        return tuple(kinds)

    def _scales(
        self, head: EventHead, said: dict[int, EventHead], asked: NDArray[np.float64]
    ) -> dict[int, tuple[float, float]]:
        """Return what brings the scores of each held-out head to the scale of the final one: (slope, shift), by its id.

        A head that was taught by fewer answers is less sure of itself. Both look at the same frames, away from what was answered,
        which neither was taught; there their scores should be spread alike. The guide of two heads is the same, so that only their own
        opinions are compared.
        """
        seen: dict[int, list[tuple[Scores, Scores]]] = {}
        own, dense = DenseHead(head), _each_once(said)
        for t, one in sorted(said.items()):
            away = self._away_from(asked, t, score_grid(head, self.maps.stride_px))
            both = [opinion_frame(which, self.tiles, t, self.settings.radius_px)[-1].max(0) for which in (dense[id(one)], own)]
            mask = away(both[0].shape)
            seen.setdefault(id(one), []).append((both[0][mask], both[1][mask]))
        scales = {}
        for key, parts in seen.items():
            (low, high), (own_low, own_high) = (
                np.quantile(np.concatenate([part[side] for part in parts]), SPREAD) for side in (0, 1)
            )
            slope = float(np.clip((own_high - own_low) / max(high - low, 1e-6), 1 / MOST_SLOPE, MOST_SLOPE))
            scales[key] = slope, float(own_low - slope * low)
        return scales

    def _away_from(self, asked: NDArray[np.float64], t: int, grid: ScoreGrid) -> Callable[[tuple[int, ...]], NDArray[np.bool_]]:
        """Return what says which values of a score map of frame pair `t` lie away from every place that was answered."""
        near = asked[np.abs(asked[:, 0] - t) <= self.settings.radius_frames, 1:]

        def mask(shape: tuple[int, ...]) -> NDArray[np.bool_]:
            rows, columns = (grid.offset_px + grid.stride_px * np.arange(size) for size in shape)
            free = np.ones(shape, bool)
            for y, x in near:
                free &= (rows[:, None] - y) ** 2 + (columns - x) ** 2 > (2 * self.settings.radius_px) ** 2
            return free

        return mask

    def _held_scores(
        self,
        said: dict[int, EventHead],
        places: NDArray[np.float64],
        otherwise: NDArray[np.float64],
        scale: dict[int, tuple[float, float]],
    ) -> Scores:
        """Return the greatest score within half a radius of each place (N, 3), t y x, by heads not taught there."""
        dense = _each_once(said)
        scores = np.array(otherwise, dtype=np.float32)
        for t in sorted({int(t) for t in places[:, 0]} & set(said)):
            head = said[t]
            slope, shift = scale[id(head)]
            values = score_frame(dense[id(head)], self.tiles, t, self.settings.radius_px).max(0)
            for row in np.flatnonzero(places[:, 0] == t):
                scores[row] = slope * values[self._around(head, values, places[row, 1:])].max() + shift
        return scores

    def _held_opinions(self, said: dict[int, EventHead], places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the opinions (N, opinions) where the score is greatest within half a radius of each place, as `_held_scores`."""
        dense = _each_once(said)
        opinions = np.full((len(places), 2), np.nan)
        for t in sorted({int(t) for t in places[:, 0]} & set(said)):
            head = said[t]
            maps = opinion_frame(dense[id(head)], self.tiles, t, self.settings.radius_px)
            values = head.weighed(maps)
            kind, values = values.argmax(0), values.max(0)
            for row in np.flatnonzero(places[:, 0] == t):
                part = self._around(head, values, places[row, 1:])
                y, x = np.unravel_index(values[part].argmax(), values[part].shape)
                y, x = y + part[0].start, x + part[1].start
                opinions[row] = maps[:, kind[y, x], y, x]
        return opinions

    def _around(self, head: EventHead, values: Scores, place: NDArray[np.float64]) -> tuple[slice, slice]:
        """Return the part of a score map within half a radius of a place (y, x)."""
        grid = score_grid(head, self.maps.stride_px)
        reach = max(1, round(0.5 * self.settings.radius_px / grid.stride_px))
        at = np.clip(np.round((place - grid.offset_px) / grid.stride_px).astype(int), 0, np.array(values.shape) - 1)
        return slice(max(0, at[0] - reach), at[0] + reach + 1), slice(max(0, at[1] - reach), at[1] + reach + 1)


def _each_once(said: dict[int, EventHead]) -> dict[int, DenseHead]:
    """Return every head of a few, ready to read whole frames, by its id."""
    return {key: DenseHead(head) for key, head in {id(head): head for head in said.values()}.items()}


def table_of(found: Sequence[Candidate], calibrator: Calibrator, source: str) -> pd.DataFrame:
    """Return candidates as an events table with a column `score`, in logits."""
    scores = np.array([c.score for c in found], dtype=np.float64)
    p = calibrator.probability(scores) if calibrator.method != "none" else expit(scores)
    rows = [EventRow(c.t, c.y, c.x, "event", float(q), source=source) for c, q in zip(found, p, strict=True)]
    return events_table(rows).assign(score=scores)


def listed(table: pd.DataFrame, threshold: float, column: str = "probability") -> pd.DataFrame:
    """Return the candidates that are listed."""
    return table[table[column] >= threshold].reset_index(drop=True)
