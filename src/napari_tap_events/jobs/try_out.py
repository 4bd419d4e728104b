"""Runs one trial of a study in a folder of its own: the recipes as they are, under changed settings."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tap_events.events.ranking import average_precision, best_threshold
from napari_tap_events.events.scoring import EventScore, score_events
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.arrow import detect_arrow
from napari_tap_events.jobs.labelled import Labelled, open_labelled, truth_of
from napari_tap_events.jobs.measure import COUNTS, RATIOS, accuracy_row, row_of
from napari_tap_events.jobs.output import RESULT, STARTED, Run, read_json
from napari_tap_events.jobs.paper import teach_as_published
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.rescaled import rescaled
from napari_tap_events.jobs.train import train
from napari_tap_events.jobs.trial import TAP, Trial
from napari_tap_events.reports import Report
from napari_tap_events.settings import DetectSettings, HeadSettings, PretrainSettings, ScoreSettings, StudySettings
from napari_tap_events.training.splits import even_blocks

ENCODERS, FEATURES, RESCALED, HEAD = "encoders", "features", "rescaled", "head"
Row = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What the trials of a study share.

    Attributes
    ----------
    labelled : tuple of Labelled
    settings : StudySettings
    run : Run
        Of the whole study.
    """

    labelled: tuple[Labelled, ...]
    settings: StudySettings
    run: Run

    def of(self, trial: Trial) -> Bench:
        """Return the bench of a trial: with its one movie, where it has only one."""
        return self if trial.movie is None else replace(self, labelled=(self.labelled[trial.movie],))

    def part(self, *names: str) -> Run:
        """Return the run of a part of the study: one that was begun goes on, what cannot go on is cleared away."""
        out = self.run.out.joinpath(*names)
        begun = (out / STARTED).exists()
        if out.exists() and not begun:
            shutil.rmtree(out)
        return Run(out, False, begun, self.run.compute, self.run.movie, self.run.control)

    def going_on(self, *names: str) -> Run:
        """Return the run of a part of the study that goes on from its checkpoint, where there is one."""
        return Run(self.run.out.joinpath(*names), False, True, self.run.compute, self.run.movie, self.run.control)


def try_out(bench: Bench, trial: Trial, encoder: str) -> Generator[Report, None, Row]:
    """Run a trial with the encoder that `encoder_of` gave, and return what it measured."""
    if trial.how == "pretrain":
        return (yield from _view(bench, trial))
    if trial.how == "arrow":
        return (yield from _arrow(bench, trial, Path(encoder)))
    changed = {"encoder": encoder, "seed": trial.seed, **trial.changes}
    if trial.how == "paper":
        # the fixed names are those of the published protocol; what the study sets elsewhere does not reach it
        asked = bench.settings.model_copy(update={"criterion": "size-either", "area_px": 40, **changed})
        return row_of((yield from teach_as_published(bench.labelled, asked, bench.going_on("trials", trial.folder, HEAD))))
    folder = yield from train(
        bench.labelled,
        head_settings(bench.settings, changed),
        bench.part("trials", trial.folder, HEAD),
        bench.run.out / FEATURES,
    )
    values = read_json(folder / "evaluation.json") or {}
    return row_of(values)


def head_settings(settings: StudySettings, changes: Mapping[str, Any]) -> HeadSettings:
    """Return the settings of one head of a study."""
    plain = {name: getattr(settings, name) for name in HeadSettings.declared()}
    return HeadSettings.checked(**(plain | dict(changes)))


def encoder_of(bench: Bench, trial: Trial) -> Generator[Report, None, str]:
    """Return what `HeadSettings.encoder` is to be, pretraining the encoder of this seed where there is none yet."""
    settings = bench.settings
    if trial.how == "pretrain":
        return ""
    seed = trial.seed if trial.encoder_seed is None else trial.encoder_seed
    if trial.encoder != TAP or settings.encoder:
        return settings.encoder.replace("{seed}", str(seed)) if trial.encoder == TAP else trial.encoder
    run = bench.part(ENCODERS, f"{TAP}-{seed}")
    yield from pretrain([item.movie for item in bench.labelled], pretrain_settings(settings, {"seed": seed}), run)
    return str(run.out)


def pretrain_settings(settings: StudySettings, changes: Mapping[str, Any]) -> PretrainSettings:
    """Return the settings of a study's encoder."""
    plain = {
        "preset": settings.preset,
        "patch_px": settings.patch_px,
        "steps": settings.pretrain_steps,
        "synthetic_movies": settings.synthetic_movies,
    }
    return PretrainSettings.checked(**(plain | dict(changes)))


def _view(bench: Bench, trial: Trial) -> Generator[Report, None, Row]:
    """Pretrain on another content view, and return the accuracy on frames that did not teach."""
    movies = [item.movie for item in bench.labelled]
    opening = bench.run.movie
    if trial.resolution != 1:
        folder = bench.run.out / RESCALED / f"{trial.resolution:g}"
        movies = [rescaled(path, opening, trial.resolution, folder / f"{m}.tif") for m, path in enumerate(movies)]
        opening = type(opening)()
    part = bench.part("trials", trial.folder, "encoder")
    run = Run(part.out, part.overwrite, part.resume, part.compute, opening, part.control)
    settings = pretrain_settings(bench.settings, {"seed": trial.seed, **trial.changes})
    yield from pretrain(movies, settings, run)
    return accuracy_row((read_json(run.out / RESULT) or {})["summary"])


def _arrow(bench: Bench, trial: Trial, encoder: Path) -> Generator[Report, None, Row]:
    """Rank by the arrow map alone; each movie's threshold for a block comes from its other blocks."""
    settings = bench.settings
    scores = []
    for m, item in enumerate(bench.labelled):
        run = bench.part("trials", trial.folder, f"arrow-{m}")
        if run.resume and not (run.out / RESULT).exists():
            shutil.rmtree(run.out)
            run = bench.part("trials", trial.folder, f"arrow-{m}")
        if not run.resume:
            asked = DetectSettings(radius_px=settings.radius_px, radius_frames=settings.radius_frames)
            yield from detect_arrow(item.movie, encoder, asked, run)
        movie, masks = open_labelled(item, run.movie, settings)
        size = (movie.n_frames, movie.height, movie.width, movie.pixel_size_um)
        scores.append(_score_of_ranking(run.out, truth_of(item, masks), size, settings))
    return _pooled(scores)


def _score_of_ranking(
    folder: Path, truth: pd.DataFrame, size: tuple[int, int, int, float | None], settings: StudySettings
) -> EventScore:
    score = ScoreSettings(radius_px=settings.radius_px, frames=settings.radius_frames)
    candidates = read_events(folder / "candidates.csv")
    kept = []
    for block in even_blocks(size[0] - 1, max(2, settings.folds), [int(t) for t in truth["t"] if t < size[0] - 1]):
        inside, there = candidates["t"].isin(block.pairs), truth["t"].isin(block.pairs)
        threshold = best_threshold(candidates[~inside], truth[~there], score)
        kept.append(candidates[inside & (candidates["probability"] >= threshold)])
    found = pd.concat(kept, ignore_index=True)
    found.to_csv(folder / "events.csv", index=False)
    truth.to_csv(folder / "truth.csv", index=False)
    told = score_events(found, truth, score, n_frames=size[0], height=size[1], width=size[2], pixel_size_um=size[3])
    return replace(told, average_precision=average_precision(candidates, truth, score))


def _pooled(scores: Sequence[EventScore]) -> Row:
    """Return the row of one movie, or of several: counts added up, ratios of single movies averaged."""
    rows = [score.to_dict() for score in scores]
    row: Row = {name: sum(one[name] for one in rows) for name in COUNTS}
    for name in (*RATIOS, "false_rate", "timing_median_frames", "timing_iqr_frames"):
        known = [one[name] for one in rows if one[name] is not None]
        row[name] = sum(known) / len(known) if known else None
    return row | {"false_rate_unit": rows[0]["false_rate_unit"], "leakage": 0.0}
