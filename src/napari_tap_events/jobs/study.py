"""The recipe `study`: many trials, several seeds, one page. Every trial has a folder of its own, complete or not.

A stopped or killed study goes on where it was; a trial that fails becomes a row that says why, and the rest goes on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch

from napari_tap_events.errors import JobStopped, OutputError, TapEventsError
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.jobs.game_encoders import game_encoder, told_by_encoder
from napari_tap_events.jobs.labelled import Labelled, marks_hash, open_labelled, truth_of
from napari_tap_events.jobs.output import Run, describe, finish, read_json, start, write_json
from napari_tap_events.jobs.pretext_ranks import ranks
from napari_tap_events.jobs.pretext_trials import affordable, names_of
from napari_tap_events.jobs.study_summary import DONE, summarise
from napari_tap_events.jobs.trial import Marked, Trial
from napari_tap_events.jobs.trials import trials
from napari_tap_events.jobs.try_out import FEATURES, RESCALED, Bench, Row, encoder_of, try_out
from napari_tap_events.movies.movie import Movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import ScoreSettings, StudyName, StudySettings
from napari_tap_events.study import pretext_tables
from napari_tap_events.study.page import check_installed
from napari_tap_events.study.report import write_report
from napari_tap_events.study.study_tables import main_tables, markdown

FAILED, PRETEXTS = "failed", "pretexts"
GROWING = ("seeds", "rows")
"""Settings that may be others when a study goes on: they add trials."""
Result = TypeVar("Result")


def run_study(
    name: StudyName, labelled: Sequence[Labelled], settings: StudySettings, run: Run
) -> Generator[Report, None, Path]:
    """Try all rows of a study with several seeds, and write tables and a page.

    Parameters
    ----------
    name : {"features", "criteria", "content-view", "errors", "calibration", "labels", "splits", "seeds", "pretexts"}
        Which question.
    labelled : sequence of Labelled
        Movies with marked events.
    settings : StudySettings
    run : Run

    Yields
    ------
    Report

    Returns
    -------
    Path
        The folder: `rows.csv` (every trial), `summary.csv` (seeds joined), `table.md`, `report.html`, `result.json`.
    """
    check_installed()
    settings = affordable(settings) if name == PRETEXTS else settings
    opened = [open_labelled(item, run.movie, settings) for item in labelled]
    truths = [truth_of(item, masks) for item, (_, masks) in zip(labelled, opened, strict=True)]
    counts = [int((truth["kind"] != UNCERTAIN).sum()) for truth in truths]
    n_true, names = sum(counts), names_of([item.movie for item in labelled])
    grid = trials(name, settings, Marked(n_true, len(labelled), dict(zip(names, counts, strict=True))))
    recorded = settings.model_copy(update={one: StudySettings.declared()[one].default for one in GROWING})
    inputs = {part: [getattr(item, part) for item in labelled] for part in ("movie", "masks", "events")}
    start(run, f"study {name}", recorded, inputs, marks_hash([masks for _, masks in opened], truths))
    bench = Bench(tuple(labelled), settings, run)
    rows = []
    for number, trial in enumerate(grid, 1):
        yield Report("study", number - 1, len(grid), f"{trial.row}, seed {trial.seed}")
        rows.append((yield from _row(bench.of(trial), trial, f"trial {number}/{len(grid)}")))
        if trial.pretext and (number == len(grid) or grid[number].pretext != trial.pretext):
            shutil.rmtree(run.out / FEATURES, ignore_errors=True)  # no later trial needs the maps of this encoder
    if all(row["status"] == FAILED for row in rows):
        raise OutputError(f"every trial failed; the first: {rows[0]['why']}")
    _keep(name, bench, [movie for movie, _ in opened], pd.DataFrame(rows), n_true)
    yield Report("study", len(grid), len(grid), f"wrote {write_report(run.out)}")
    return run.out


def _row(bench: Bench, trial: Trial, stage: str) -> Generator[Report, None, Row]:
    """Return the row of a trial: what an earlier run measured, or what it measures now, or why it could not."""
    path = bench.run.out / "trials" / trial.folder / "row.json"
    stored = read_json(path)
    if stored is not None and stored["status"] == DONE:
        return stored
    row: Row = {"row": trial.row, "seed": trial.seed, "status": DONE, "why": "", "how": trial.how}
    row |= {"published": trial.published, "folder": trial.folder, **trial.told}
    try:
        encoder = yield from _under((game_encoder if trial.pretext else encoder_of)(bench, trial), f"encoder, {stage}")
        began = time.process_time()
        measured = yield from _under(try_out(bench, trial, encoder), stage)
        row |= {"cpu_s": time.process_time() - began, **measured, **(told_by_encoder(Path(encoder)) if trial.pretext else {})}
    except JobStopped as stopped:
        raise JobStopped(f"{stage}: {stopped}") from None
    except (TapEventsError, MemoryError, torch.OutOfMemoryError) as error:
        row |= {"status": FAILED, "why": str(error) or type(error).__name__}
        yield Report("study", message=f"{trial.row}, seed {trial.seed}, failed: {row['why']}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, row)
    return row


def _under(reports: Generator[Report, None, Result], stage: str) -> Generator[Report, None, Result]:
    """Pass reports on under the name of the trial."""
    while True:
        try:
            report = next(reports)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield replace(report, stage=f"{stage}, {report.stage}")


def _keep(name: StudyName, bench: Bench, movies: Sequence[Movie], rows: pd.DataFrame, n_true: int) -> None:
    """Write the tables and `result.json`, and clear away what only trials needed."""
    out, settings = bench.run.out, bench.settings
    score = ScoreSettings(radius_px=settings.radius_px, frames=settings.radius_frames)
    summary = summarise(rows, out, score, movies[0].n_frames if len(movies) == 1 else None)
    rows.to_csv(out / "rows.csv", index=False)
    summary.to_csv(out / "summary.csv", index=False)
    ranked = None
    if name == PRETEXTS:
        names = names_of([item.movie for item in bench.labelled])
        frames = {one: movie.n_frames for one, movie in zip(names, movies, strict=True)}
        ranked = ranks(rows, out, score, frames)
        ranked.to_csv(out / "ranks.csv", index=False)
    tables = main_tables(name, summary) if ranked is None else pretext_tables.tables(ranked, summary, rows)
    (out / "table.md").write_text("\n".join(markdown(table) for table in tables), encoding="utf-8")
    described = [describe(movie) for movie in movies]
    inputs: dict[str, Any] = {"movie": described[0], "movies": described, "masks": str(bench.labelled[0].masks.resolve())}
    files = {"rows": "rows.csv", "summary": "summary.csv", "table": "table.md"}
    files |= {} if ranked is None else {"ranks": "ranks.csv"}
    failed = rows[rows["status"] == FAILED]
    told = {"rows": len(summary), "trials": len(rows), "failed": len(failed), "seeds": settings.seeds, "n_true": n_true}
    warnings = [f"{len(failed)} of {len(rows)} trials failed; the page says which and why."] if len(failed) else []
    if n_true < 30:
        warnings.append(f"There are {n_true} true events: differences between rows that lie within the intervals are noise.")
    finish(bench.run, f"study {name}", {"study": settings}, inputs, files, told, warnings)
    for scratch in (FEATURES, RESCALED):
        shutil.rmtree(out / scratch, ignore_errors=True)
