"""Commands that judge: one table of events, or a method."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import as_job, labelled_of, run_of, say_summary, work
from napari_tap_events.cli.options import Job, Out, Overwrite, ReportsOpt, Resume
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports
from napari_tap_events.settings import ComputeSettings, MovieSettings, ScoreSettings, StudyName, StudySettings

PANEL = "Scores and studies"
STUDIES = (
    "features (pretrained or not, by head), criteria (what counts as an event), content-view (size of crops), errors, calibration, "
    "labels (how many are enough), splits (what a random split would promise), seeds (how much is luck) "
    "or pretexts (which game teaches the best features)."
)


@app.command(rich_help_panel=PANEL)
@spread
def score(
    events: Annotated[Path, typer.Argument(metavar="EVENTS.csv", help="Predicted events.")],
    truth: Annotated[
        Path, typer.Argument(metavar="TRUTH.csv", help="True events; rows of kind 'uncertain' count neither way.")
    ],
    settings: ScoreSettings,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a table of events against the true ones."""
    from napari_tap_events.jobs.score import score_tables

    result = score_tables(events, truth, settings)
    typer.echo(json.dumps(result.values, indent=2) if as_json else result.text)


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def study(
    name: Annotated[StudyName, typer.Argument(metavar="NAME", help=STUDIES)],
    movies: Annotated[list[Path], typer.Argument(metavar="MOVIE...", help="One or more movies with marked events.")],
    masks: Annotated[list[Path], typer.Option("--masks", metavar="FILE", help="Event masks; one for each movie.")],
    out: Out,
    settings: StudySettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    events: Annotated[
        list[Path] | None, typer.Option("--events", metavar="CSV", help="True events and uncertain ones, one for each movie.")
    ] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Answer one question about methods on your own movies: many heads, several seeds, one page with tables and figures."""
    from napari_tap_events.jobs.study import run_study as recipe

    run = run_of(out, overwrite, resume, compute, opening)
    work(recipe(name, labelled_of(movies, masks, events), settings, run), run, reports, job)
    say_summary(out, reports)
