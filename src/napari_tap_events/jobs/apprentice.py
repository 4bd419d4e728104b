"""The model that learns from what a person says: from cached maps and all answers so far to a head, its candidates and what they are worth.

Each time it learns from all answers, not from the last ones. The head that is kept is taught first, so that its map can be shown, as one
that nobody has proven yet, while others are taught that find out what it is worth: answers are shared out over blocks of time; what a
place is said to be by a head that was not taught in its block ("held out") calibrates, sets the threshold, and tells which marks are
doubtful.

Answers are given where a model points, so that there are many events among them. Fitted to them alone, a calibration promises events all
over the movie. Of what nobody has judged, all but the strongest quarter therefore counts as no event when probabilities are fitted, as in
learning from positive and unlabelled data (Elkan and Noto 2008, "Learning classifiers from only positive and unlabeled data"); what is
strong may be an event that is still to come, and counts for nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events.calibration import Calibrator, fit_calibrator
from napari_tap_events.events.criteria import label_pairs, told_apart
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import Candidate, MaximaFinder, in_sequence, less_successors, score_frame, score_grid
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.learning import HeadLearner, Lesson, check_lessons
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.ranking import promised_threshold
from napari_tap_events.events.stacking import PRIOR_MEAN, fit_weights
from napari_tap_events.jobs.answers import Answers
from napari_tap_events.jobs.first_sight import FirstSight, table_of
from napari_tap_events.jobs.held_heads import SAME, HeldHeads
from napari_tap_events.jobs.labelled import training_stride_px
from napari_tap_events.jobs.learned import Learned, Unproven
from napari_tap_events.jobs.teaching import head_shape, inputs_of
from napari_tap_events.reports import Control, Report
from napari_tap_events.review.places import near_any
from napari_tap_events.settings import HeadSettings
from napari_tap_events.training.loop import Plan, fit
from napari_tap_events.training.side_by_side import side_by_side

FOLDS = 3
WARM_SHARE = 0.4
"""Share of the steps that a head needs which goes on from another, or has a guide beside it."""
SKETCH_SHARE = 0.06
"""Share of the steps after which a head that goes on from the one in use is shown."""
TILE_PX = 32
"""Side of the tiles that teach: answers speak of small squares, larger tiles hold mostly what is not known."""

BATCH = 16
ROUGH_PAIRS = 12
"""By so many frame pairs a head is calibrated before any other was held out."""
UNJUDGED_SHARE = 0.75
"""Of the places that nobody has judged so many are taken for no event when probabilities are fitted, the weakest ones."""
FIRST_PLACES = 24
"""So many of the strongest places of the arrow map are taken for events by the head that answers lead on from."""

Scores = NDArray[np.float32]
Lessons = Generator[Report, None, EventHead]


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
    at_once : int
        So many heads are taught at the same time, where several do not need each other.

    Attributes
    ----------
    first : FirstSight
        What is known before any answer.
    """

    def __init__(
        self,
        maps: FeatureMaps,
        grid: WindowGrid,
        settings: HeadSettings,
        compute: Compute,
        at_once: int = 1,
    ) -> None:
        self.maps, self.grid, self.compute, self.at_once = maps, grid, compute, at_once
        self.settings = settings.model_copy(update={"tile_px": max(TILE_PX, training_stride_px(settings)), "batch": BATCH})
        self.tiles = MapTiles(maps, inputs_of(settings), compute)
        self.pairs = range(maps.n_frames - 1)
        self.first = FirstSight(maps, self.settings)
        self._like_arrow: dict[int, EventHead] = {}

    def learn(
        self, answers: Answers, frames: range | None = None, control: Control | None = None
    ) -> Generator[Report, None, Learned]:
        """Learn from all answers: `teach`, then `prove`."""
        taught = yield from self.teach(answers, control)
        return (yield from self.prove(taught, frames, control))

    def teach(self, answers: Answers, control: Control | None = None) -> Generator[Report, None, Unproven]:
        """Teach a head by all answers.

        Parameters
        ----------
        answers : Answers
        control : Control, optional

        Returns
        -------
        Unproven

        Raises
        ------
        ScopeError
            When there is no event, or nothing that is none, among the answers.
        """
        kinds = told_apart(answers.kinds, self.settings)
        labels = label_pairs(answers.masks, self.grid, self.settings, kinds)
        check_lessons([Lesson(self.tiles, labels, list(self.pairs))])
        warm = None
        if self.settings.arrow and not self.first.guided:
            warm = yield from self._like_the_arrow(labels.shape[1], control)
        taught = Unproven(self._head_for(answers, kinds, warm), answers, labels, warm, kinds)
        yield from self._go_on(taught.head, labels, list(self.pairs), "head", self._steps(warm), control)
        return taught

    def sketch(
        self, head: EventHead | None, answers: Answers, control: Control | None = None
    ) -> Generator[Report, None, Unproven | None]:
        """Let a copy of a head go on learning for a moment: what it says then is near to what the next head will say.

        It is there to be shown, not to be kept: it knows earlier answers better than the last ones.

        Parameters
        ----------
        head : EventHead or None
            The one in use. Where there is none, one beside the guide, which leads it anyway.
        answers : Answers
        control : Control, optional

        Returns
        -------
        Unproven or None
            None where there is neither a head for the kinds of event that there are now, nor a guide.

        Raises
        ------
        ScopeError
            When there is no event, or nothing that is none, among the answers.
        """
        kinds = told_apart(answers.kinds, self.settings)
        labels = label_pairs(answers.masks, self.grid, self.settings, kinds)
        if head is not None and labels.shape[1] == head.shape.kinds:
            begun = copy.deepcopy(head)
        elif self.first.guided:
            begun = self._head_for(answers, kinds)
        else:
            return None
        steps = max(1, round(SKETCH_SHARE * self.settings.steps_for(0)))
        made = yield from self._go_on(begun, labels, list(self.pairs), "a sketch of the head", steps, control)
        return Unproven(made, answers, labels, None, kinds)

    def prove(
        self, taught: Unproven, frames: range | None = None, control: Control | None = None
    ) -> Generator[Report, None, Learned]:
        """Find out by heads that were not taught everywhere what a head is worth, and what it finds.

        Parameters
        ----------
        taught : Unproven
        frames : range, optional
            Frames in which candidates are sought; by default all.
        control : Control, optional

        Returns
        -------
        Learned
            With the head of `taught`, which is weighed now.
        """
        head, answers, labels = taught.head, taught.answers, taught.labels
        folds = self._folds(labels)
        others = yield from side_by_side("folds", [self._without(fold, taught) for fold in folds], self.at_once, control)
        said = {t: other for fold, other in zip(folds, others, strict=True) for t in fold}
        busy = set(np.flatnonzero((labels >= 0).any((1, 2, 3))).tolist())
        held = HeldHeads({t: said[t] for t in busy if t in said}, self.tiles, self.settings)
        _weigh(head, held, answers)
        found = yield from self._candidates(held.dense(head), frames or range(self.maps.n_frames), control)
        return replace(
            self._calibrated(taught, found, held), windows=self._window_calibrators(held, labels), kinds=taught.kinds
        )

    def rough(self, taught: Unproven) -> tuple[Calibrator, ...]:
        """Calibrate each answer of a head by some of the windows that taught it: too sure of itself, but of the right size."""
        busy = np.flatnonzero((taught.labels >= 0).any((1, 2, 3)))
        some = busy[np.unique(np.linspace(0, len(busy) - 1, ROUGH_PAIRS).astype(int))]
        heads = HeldHeads(dict.fromkeys(some.tolist(), taught.head), self.tiles, self.settings)
        return self._window_calibrators(heads, taught.labels)

    def look_again(
        self, head: EventHead, calibrator: Calibrator, kinds: Sequence[str] = (), control: Control | None = None
    ) -> Generator[Report, None, pd.DataFrame]:
        """Return the candidates of a head that was taught before, and tells these kinds apart."""
        found = yield from self._candidates(DenseHead(head), range(self.maps.n_frames), control)
        return table_of(in_sequence(found, self.settings), calibrator, "head", kinds)

    def _like_the_arrow(self, answers: int, control: Control | None) -> Generator[Report, None, EventHead]:
        """Return a head with so many answers that says what the arrow map says: from there a person leads on, and no label went into it.

        Answers speak of a few places that look like events. A head that begins anywhere learns what tells these apart, and may say
        anything of all the rest of the movie.
        """
        if answers not in self._like_arrow:
            found = self.first.candidates().nlargest(FIRST_PLACES, "probability")
            labels = np.zeros((len(self.pairs), answers, *self.grid.shape), np.int8)
            for t, y, x in found[["t", "y", "x"]].to_numpy():
                rows, columns = (self._windows_at(place, size) for place, size in zip((y, x), self.grid.shape, strict=True))
                for at, label in ((t - 1, -1), (t + 1, -1), (t, 1)):
                    if 0 <= at < len(labels):
                        labels[int(at), :, rows, columns] = label
            head = self._new_head(answers)
            self._like_arrow[answers] = yield from self._go_on(
                head, labels, list(self.pairs), "first head", self._steps(None), control
            )
        return self._like_arrow[answers]

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
        left = np.concatenate([labels[: max(0, away.start - 1), 0], labels[away.stop + 1 :, 0]])
        return bool((left == 1).any() and (left == 0).any())

    def _without(self, fold: range, taught: Unproven) -> Callable[[Control], Lessons]:
        """Return what teaches a head as another one was taught, by all that lies outside of a block."""
        pairs = [t for t in self.pairs if not (fold.start - 1 <= t < fold.stop + 1)]
        head = self._head_for(taught.answers, taught.kinds, taught.warm)  # now: threads must not draw from one source
        return lambda control: self._go_on(head, taught.labels, pairs, "fold", self._steps(taught.warm), control)

    def _steps(self, warm: EventHead | None) -> int:
        """Return for how many steps a head learns: as few as for few events, since a person waits."""
        alone, steps = warm is None and not self.first.guided, self.settings.steps_for(0)
        return steps if alone else max(1, round(WARM_SHARE * steps))

    def _head_for(self, answers: Answers, kinds: Sequence[str], warm: EventHead | None = None) -> EventHead:
        """Return a head that tells kinds apart and has learned nothing yet, or goes on from another."""
        head = self._new_head(answers_for(kinds))
        if isinstance(head, GuidedHead):
            head.heed(answers.masks.kinds, kinds)
        if warm is not None:
            head.load_state_dict(warm.state_dict())
        return head

    def _new_head(self, answers: int) -> EventHead:
        torch.manual_seed(self.settings.seed)
        head = make_head(self.settings.head, head_shape(self.maps, self.settings, answers), self.settings.pair)
        return head.to(self.compute.device)

    def _go_on(
        self,
        head: EventHead,
        labels: NDArray[np.int8],
        pairs: Sequence[int],
        stage: str,
        steps: int,
        control: Control | None,
    ) -> Generator[Report, None, EventHead]:
        settings, known = self.settings, [t for t in pairs if (labels[t] >= 0).any()]
        learner = HeadLearner(head, [Lesson(self.tiles, labels, known)], settings, self.compute)
        plan = Plan(stage, steps, max(1, steps // 4), settings.learning_rate, settings.weight_decay, "one-cycle")
        yield from fit(learner, plan, control)
        return head.eval()

    def _candidates(self, dense: DenseHead, frames: range, control: Control | None) -> Generator[Report, None, list[Candidate]]:
        grid, found = score_grid(dense.head, self.maps.stride_px), list[Candidate]()
        finder = MaximaFinder(grid, self.settings.radius_px, self.settings.radius_frames)
        pairs = range(frames.start, min(frames.stop - 1, len(self.pairs)))
        for t in pairs:
            found += finder.add(t, score_frame(dense, self.tiles, t, self.settings.radius_px))
            if t % 8 == 0:
                yield Report("candidates", t - pairs.start, len(pairs))
        return found + finder.rest()

    def _calibrated(self, taught: Unproven, found: list[Candidate], held: HeldHeads) -> Learned:
        """Calibrate by held-out scores of what was answered, and say of every candidate what a held-out head says."""
        places = np.array([(c.t, c.y, c.x) for c in found], dtype=np.float64).reshape(-1, 3)
        own = np.array([c.score for c in found])
        head, answers = taught.head, taught.answers
        asked, truth = answers.judged
        guided = isinstance(head, GuidedHead)  # its opinions are on one scale by now
        scales = {id(one): SAME for one in held.each} if guided else held.scales(head, asked)
        alone = held.scores(places, own, scales)
        everywhere = less_successors(places, alone, places, alone, self.settings).astype(np.float32)
        raw = held.scores(asked, np.full(len(asked), np.nan), scales)
        scores = less_successors(asked, raw, places, alone, self.settings).astype(np.float32)
        usable = np.isfinite(scores)
        unjudged = everywhere[~near_any(places, asked, self.settings)]
        logits, events = _with_unjudged(scores[usable], truth[usable], unjudged)
        both = bool(events.any() and not events.all())
        calibrator = fit_calibrator(logits, events, "platt") if both else self._uncalibrated()
        told = calibrator.probability(everywhere)
        table = table_of(in_sequence(found, self.settings), calibrator, "head", taught.kinds).assign(held_out=np.round(told, 6))
        threshold = promised_threshold(table["probability"].to_numpy()) if both and found else self.first.threshold
        return Learned(head, calibrator, threshold, table, answers.count)

    def _uncalibrated(self) -> Calibrator:
        """Return what stands in where no answer was held out: beside a guide, which then has all the weight, its own probability."""
        return Calibrator(PRIOR_MEAN[0], 0.0, "temperature") if self.first.guided else Calibrator()

    def _window_calibrators(self, held: HeldHeads, labels: NDArray[np.int8]) -> tuple[Calibrator, ...]:
        """Fit what a window's logit means, by heads that were not taught in its block."""
        if not held.heads:
            return tuple(self._uncalibrated() for _ in range(labels.shape[1]))
        logits, labels = held.window_logits(), labels[sorted(held.heads)]
        kinds: list[Calibrator] = []
        for k in range(labels.shape[1]):
            known = labels[:, k] >= 0
            scores, truth = _with_unjudged(logits[:, k][known], labels[:, k][known] == 1, logits[:, k][~known])
            both = truth.any() and not truth.all()
            kinds.append(fit_calibrator(scores, truth, "platt") if both else self._uncalibrated())
        return tuple(kinds)


def _with_unjudged(judged: Scores, truth: NDArray[np.bool_], unjudged: Scores) -> tuple[Scores, NDArray[np.bool_]]:
    """Put beside what was judged what nobody has judged and what is weak, as no events."""
    weak = unjudged[unjudged <= np.quantile(unjudged, UNJUDGED_SHARE)] if unjudged.size else unjudged
    return np.concatenate([judged, weak]), np.concatenate([truth, np.zeros(weak.size, bool)])


def _weigh(head: EventHead, held: HeldHeads, answers: Answers) -> None:
    """Set in all heads what guide and head are worth, by what held-out heads say of the places that were answered."""
    if not isinstance(head, GuidedHead):
        return
    asked, truth = answers.judged
    scales = held.scales(head, asked)
    others = [one for one in held.each if isinstance(one, GuidedHead)]
    for one in others:
        one.rescale(*scales[id(one)])
    opinions = held.opinions(asked)
    usable = np.isfinite(opinions).all(1)
    weights = fit_weights(opinions[usable], truth[usable])
    for one in (head, *others):
        one.weigh(weights)
