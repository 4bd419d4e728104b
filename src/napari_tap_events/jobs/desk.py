"""A review at work on one movie of a project: maps, head and candidates are at hand, the answers are read from the journal.

Nothing that a person said is kept here: it can be thrown away at any moment, and made again from the journal and the head's folder.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_tap_events.encoder.compute import Compute, compute_for
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.features import FeatureSource
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.encoder.weights import load_card
from napari_tap_events.errors import ModelError, ProjectError
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.table import name_for_all
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.feature_cache import FeatureCache
from napari_tap_events.jobs.kept_heads import HeadShelf, plain
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, window_grid
from napari_tap_events.jobs.learned import Learned, Unproven
from napari_tap_events.jobs.review_maps import OVERLAY, SKETCH, ReviewMaps, Speaker
from napari_tap_events.jobs.teaching import oof_stride_px, settled
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.reading import ProjectReader
from napari_tap_events.reports import Control, Report
from napari_tap_events.review.gate import HeadHistory, HeadRecord, Ruling, read_history, rule, write_history
from napari_tap_events.review.locked import locked_units, within
from napari_tap_events.review.proposals import ProposalsOnDisk, read_proposals, review_folder, write_proposals
from napari_tap_events.review.queue import Proposals
from napari_tap_events.review.transfer import (
    ENOUGH_ANSWERS,
    OF_EITHER_KIND,
    Refit,
    feature_shift,
    refit_to,
    settings_of_head,
    summarise,
    summary_from_json,
    trust,
)
from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings, ScoreSettings

HISTORY = "heads.json"
TAUGHT = "taught"
"""Stage of the report that a head was taught which nobody has proven yet."""
TAKEN_OVER = "It was taught elsewhere; what it says here was not compared with answers yet."


@dataclass
class Desk:
    """Everything that a review of one movie needs, once `open` has run.

    Attributes
    ----------
    project : Path
    name : str
        Of the movie; "" for the only one.
    settings : HeadSettings
    review : ReviewSettings
    compute_settings : ComputeSettings
    control : Control
    kept : Path, optional
        Folder of all that can be made again; by default the one in the project.
    in_use, unproven : Speaker or None
        The head in use, and during a lesson the one that was taught and is not proven yet.
    """

    project: Path
    name: str
    settings: HeadSettings
    review: ReviewSettings
    compute_settings: ComputeSettings = field(default_factory=ComputeSettings)
    control: Control = field(default_factory=Control)
    kept: Path | None = None

    def open(self) -> Generator[Report, None, None]:
        """Open the movie, compute or find its maps, and take up the head that is in use; or what is known without any.

        Raises
        ------
        TapEventsError
            When something of that is missing.
        """
        reader = ProjectReader.open(self.project)
        self.name = reader.entry(self.name).name
        if self.review.begin_with:
            self.settings = settings_of_head(Path(self.review.begin_with), self.settings)
        self.movie: Movie = single_channel(reader.movie(self.name))
        self.compute: Compute = compute_for(self.compute_settings)
        self.source: FeatureSource = feature_source(
            self.settings.encoder,
            [self.movie],
            self.settings.preset,
            self.settings.seed,
            self.compute,
            self.settings.radius_px,
            self.settings.scale,
        )
        self.settings = settled(self.settings, self.source)
        if self.settings.arrow and self.source.pair_features == self.source.simulated_features:
            raise ModelError(f"the encoder '{self.settings.encoder}' has no arrow head; add --no-arrow.")
        cache = FeatureCache(Path(self.review.cache or self.project / "features"), round(self.review.cache_gb * 1e9))
        self.maps: FeatureMaps = yield from cache.maps(self.movie, self.source, self.compute, MAP_STRIDE_PX, self.control)
        at_once = torch.get_num_threads() if self.compute.device.type == "cpu" else 1
        grid = window_grid(self.movie, self.settings)
        self.apprentice = Apprentice(self.maps, grid, self.settings, self.compute, at_once)
        self.shelf = HeadShelf(self.movie, self.source, self.maps, self.settings, self.compute)
        self.folder = self.kept or review_folder(self.project, self.name)
        fine = window_grid(self.movie, self.settings, oof_stride_px(self.settings))
        self.drawn = ReviewMaps(self.folder, self.movie, self.apprentice.tiles, fine)
        self.in_use: Speaker | None = None
        self.unproven: Speaker | None = None
        self._mapped: set[int] = set()
        self.told = self._resumed() or (yield from self._taken_up())
        self.drawn.opened(OVERLAY, empty=self.in_use is None)

    def annotations(self) -> Annotations:
        """Read what was marked and answered until now."""
        return ProjectReader.open(self.project).annotations(self.name)

    def retrain(self) -> Generator[Report, None, dict[str, Any]]:
        """Learn from all answers; the gate decides whether the new head takes the place of the old.

        Yields
        ------
        Report
            At stage `TAUGHT` a head is there that nobody has proven: until the end `predict` draws what it says. First a sketch of the
            new one, then the new one.

        Returns
        -------
        dict
            What became of it, fit for JSON.

        Raises
        ------
        ScopeError
            When the answers hold no event, or nothing that is none.
        """
        started = time.perf_counter()
        a = self.annotations()
        learned = yield from self._learn(a)
        ruling = self._rule(a, learned)
        history = read_history(self.folder / HISTORY)
        folder = f"heads/review-{self.name}-{len(history.heads) + 1}"
        kinds = learned.kinds or (name_for_all(region.event.kind for region in a.events),)
        self.shelf.keep(self.project / folder, learned, ruling, kinds)
        words, begun_with = ruling.words, self._begun_with()
        record = HeadRecord(folder, learned.answers, ruling.accepted, plain(ruling.ap), words, begun_with=begun_with)
        self._write(history.with_head(record))
        if ruling.accepted:
            self._use(learned.head, learned.windows)
            self.told = ProposalsOnDisk(Proposals(learned.candidates, True), learned.threshold, folder, learned.answers)
            write_proposals(self.folder, self.told)
        took = round(time.perf_counter() - started, 2)
        about = {"head": folder, "accepted": ruling.accepted, "words": ruling.words, "answers": learned.answers}
        return about | {"ap": plain(ruling.ap), "threshold": learned.threshold, "seconds": took, "in_use": self.told.head}

    def go_back(self, folder: str) -> Generator[Report, None, dict[str, Any]]:
        """Put an earlier head in use again, and find its candidates.

        Raises
        ------
        ProjectError, ModelError
            When there is none, or it cannot be loaded.
        """
        self.told = yield from self._take(read_history(self.folder / HISTORY).going_back(folder))
        return {"head": folder, "accepted": True, "words": "Back to an earlier head.", "in_use": folder}

    def _take(self, history: HeadHistory) -> Generator[Report, None, ProposalsOnDisk]:
        """Put the head in use that is so in a history, find its candidates, and write both down.

        Raises
        ------
        ProjectError, ModelError
            When it cannot be loaded, or was made for another encoder or other settings.
        """
        folder = self.project / history.in_use
        head, calibration = self.shelf.load(folder)
        answers = history.record.answers if history.record is not None else 0
        kinds = load_card(folder, "head").details["kinds"]
        candidates = yield from self.apprentice.look_again(head, calibration.events, kinds, self.control)
        self._use(head, calibration.windows)
        told = ProposalsOnDisk(Proposals(candidates, True), calibration.threshold, history.in_use, answers)
        write_proposals(self.folder, told)
        self._write(history)
        return told

    def _write(self, history: HeadHistory) -> None:
        write_history(self.folder / HISTORY, replace(history, begun_with=self._begun_with()))

    @property
    def elsewhere(self) -> bool:
        """Whether the head in use was taught elsewhere."""
        return self._record_from_elsewhere() is not None

    def trust(self) -> dict[str, Any]:
        """Say whether to trust a head that was taught elsewhere, by the answers to cards on this movie.

        Returns
        -------
        dict
            `shift` of the features in standard deviations, `answers` that there are of the `needed` ones, how many must be yes and no
            (`of_either`), `ranks` (see `Refit`), `words`.

        Raises
        ------
        ModelError
            When the head in use was taught here.
        """
        return self._examined()[0]

    def correct(self) -> dict[str, Any]:
        """Put the probabilities of a head that was taught elsewhere right by the answers to cards, and say whether to trust it.

        Returns
        -------
        dict
            As `trust`, and `head`: the folder of the head that came of it, "" where there is nothing new.

        Raises
        ------
        ModelError
            When the head in use was taught here: a lesson is what it needs.
        """
        about, found = self._examined()
        new = found is not None and about["answers"] > self.told.answers
        return about | {"head": self._put_right(found, about["answers"], about["words"]) if found is not None and new else ""}

    def _examined(self) -> tuple[dict[str, Any], Refit | None]:
        record = self._record_from_elsewhere()
        if record is None:
            raise ModelError("the head in use was taught on this movie: a lesson ('retrain') puts it right, too.")
        answers, found = refit_to(self.told.proposals.candidates, answers_of(self.annotations()).asked, self.settings)
        taught = summary_from_json(load_card(self.project / record.folder, "head").details.get("feature_summary"))
        shift = None if taught is None else round(feature_shift(summarise(self.maps.frames), taught), 3)
        ranks = None if found is None else round(found.ranks, 4)
        asked = {"answers": answers, "needed": ENOUGH_ANSWERS, "of_either": OF_EITHER_KIND}
        return {"shift": shift, **asked, "ranks": ranks, "words": trust(shift, found)}, found

    def _record_from_elsewhere(self) -> HeadRecord | None:
        record = read_history(self.folder / HISTORY).record if self.told.head else None
        return record if record is not None and record.elsewhere else None

    def _put_right(self, found: Refit, answers: int, words: str) -> str:
        """Use the head that was taught elsewhere with what the answers say of its probabilities."""
        before = self.project / self.told.head
        history, table = read_history(self.folder / HISTORY), self.told.proposals.candidates
        folder, words = f"heads/review-{self.name}-{len(history.heads) + 1}", words or f"Put right by {answers} answers."
        head, calibration = self.shelf.keep_put_right(self.project / folder, before, found, answers, words)
        begun_with = history.record.begun_with if history.record is not None else ""
        self._write(history.with_head(HeadRecord(folder, answers, True, None, words, elsewhere=True, begun_with=begun_with)))
        p = found.calibrator.probability(table["score"].to_numpy())
        proposals = Proposals(table.assign(probability=np.round(p, 6)), True)
        self.told = ProposalsOnDisk(proposals, found.threshold, folder, answers)
        self._use(head, calibration.windows)
        write_proposals(self.folder, self.told)
        return folder

    def _begun_with(self) -> str:
        """Return the folder of the head with which this review begins, from the project's, so that both can move; "" for none."""
        folder, project = Path(self.review.begin_with).absolute(), self.project.absolute()
        if not self.review.begin_with:
            return ""
        return folder.relative_to(project).as_posix() if folder.is_relative_to(project) else str(folder)

    def _taken_up(self) -> Generator[Report, None, ProposalsOnDisk]:
        """Go on with the head in use, or the newest, of a review that had begun as this one does; where there is none, begin it.

        Raises
        ------
        ModelError
            When the head with which it begins cannot be used, or was taught on this very movie.
        """
        history, begun_with = read_history(self.folder / HISTORY), self._begun_with()
        in_use = [history.record] if history.record is not None else []
        for record in [*in_use, *reversed(history.heads)]:
            if record.accepted and record.begun_with == begun_with:
                with suppress(ModelError, ProjectError):  # gone, or made for another encoder: an older one may do
                    return (yield from self._take(history.going_back(record.folder)))
        if not begun_with:
            return self._begun()
        movies = load_card(self.project / begun_with, "head").movies
        if self.movie.content_hash() in [movie.content_hash for movie in movies]:
            raise ModelError(
                f"the head '{Path(begun_with).name}' was taught on this movie, so answers here prove nothing of it: "
                "begin with a new one, or with a head of another movie."
            )
        record = HeadRecord(begun_with, 0, True, None, TAKEN_OVER, elsewhere=True, begun_with=begun_with)
        return (yield from self._take(history.with_head(record)))

    def predict(self, first: int) -> Generator[Report, None, None]:
        """Write the probability map, the frame pair on screen first, then its neighbours, then the rest that is not mapped yet.

        While a head is there that is not proven, it draws the frame pair on screen, into a map of its own, and no other.

        Yields
        ------
        Report
            stage `OVERLAY` or `SKETCH`, `done` is the frame pair that was written.
        """
        if self.unproven is not None:
            yield from self.drawn.draw(SKETCH, self.unproven, [first])
        elif self.in_use is not None:
            left = sorted(set(range(self.movie.n_frames - 1)) - self._mapped, key=lambda t: abs(t - first))
            for report in self.drawn.draw(OVERLAY, self.in_use, left):
                self._mapped.add(report.done)
                yield report

    def warm_up(self) -> Generator[Report, None, None]:
        """Load what only the first lesson needs, before somebody waits for it."""
        yield from ()
        torch.optim.Adam([torch.zeros(1, requires_grad=True)])

    def _learn(self, a: Annotations) -> Generator[Report, None, Learned]:
        """Learn from all answers; until a head is proven or given up, it is there to be shown, and before it one that is nearly it."""
        answers = answers_of(a)
        try:
            before = None if self.in_use is None else self.in_use.head
            sketch = yield from self.apprentice.sketch(before, answers, self.control)
            if sketch is not None:
                self.unproven = self._sketched(sketch)
                yield Report(TAUGHT, 0, 1)
            taught = yield from self.apprentice.teach(answers, self.control)
            self.unproven = self._sketched(taught)
            yield Report(TAUGHT, 1, 1)
            return (yield from self.apprentice.prove(taught, control=self.control))
        finally:
            self.unproven = None

    def _use(self, head: EventHead, windows: tuple[Calibrator, ...]) -> None:
        """Put a head in use: nothing is mapped by it yet."""
        self.in_use, self._mapped = Speaker(head, windows), set()

    def _sketched(self, taught: Unproven) -> Speaker:
        """Return a head as it can be shown before it is weighed and calibrated: as the one in use was, else by what taught it."""
        head, before = copy.deepcopy(taught.head), self.in_use
        if before is None or len(before.windows) != head.shape.kinds:
            return Speaker(head, self.apprentice.rough(taught))
        if isinstance(head, GuidedHead) and isinstance(before.head, GuidedHead):
            head.weigh(before.head.weights.tolist())
        return Speaker(head, before.windows)

    def _begun(self) -> ProposalsOnDisk:
        told = ProposalsOnDisk(Proposals(self.apprentice.first.candidates()), self.apprentice.first.threshold, "", 0)
        write_proposals(self.folder, told)
        self._write(replace(read_history(self.folder / HISTORY), in_use=""))
        return told

    def _resumed(self) -> ProposalsOnDisk | None:
        """Take up where an earlier worker ended; None where there is nothing, or it does not fit these settings any more."""
        told, history = read_proposals(self.folder), read_history(self.folder / HISTORY)
        if told is None or not told.head or told.head != history.in_use or history.begun_with != self._begun_with():
            return None
        try:
            head, calibration = self.shelf.load(self.project / told.head)
        except (ModelError, ProjectError):
            return None
        self._use(head, calibration.windows)
        return told

    def _rule(self, a: Annotations, learned: Learned) -> Ruling:
        boxes, truth = locked_units(a, self.settings)
        new = [within(learned.candidates, box) for box in boxes]
        before = [within(self.told.proposals.candidates, box) for box in boxes] if self.told.head else None
        score = ScoreSettings(radius_px=self.settings.radius_px, frames=self.settings.radius_frames)
        return rule(new, before, truth, score, self.review.queue_seed)
