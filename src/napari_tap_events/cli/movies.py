"""Commands that look at movies and marks, or make a movie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import as_job, run_of, say_summary, work
from napari_tap_events.cli.options import Events, Job, Known, MovieArg, Out, Overwrite, ReportsOpt
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports
from napari_tap_events.settings import (
    ComputeSettings,
    LabelSettings,
    MovieSettings,
    RegisterSettings,
    SplitSettings,
    SyntheticSettings,
)

PANEL = "Movies and marks"


@app.command(rich_help_panel=PANEL)
@spread
def info(
    movie: MovieArg,
    opening: MovieSettings,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Look for what can fool the time arrow.")] = True,
) -> None:
    """Print all that is known of a movie, and what in it could mislead."""
    from napari_tap_events.jobs.info import describe_movie

    about = describe_movie(movie, opening, check)
    typer.echo(json.dumps(about, indent=2) if as_json else about["text"])


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def register(
    movie: MovieArg,
    out: Out,
    settings: RegisterSettings,
    opening: MovieSettings,
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Write a movie anew in which the picture stays where it is, though the stage shook or drifted."""
    from napari_tap_events.jobs.register import register as recipe

    run = run_of(out, overwrite, False, ComputeSettings(), opening)
    work(recipe(movie, settings, run), run, reports, job)
    say_summary(out, reports)


@app.command(rich_help_panel=PANEL)
@spread
def marks(
    movie: Annotated[Path, typer.Option("--movie", metavar="MOVIE", help="The movie.")],
    masks: Annotated[Path, typer.Option("--masks", metavar="FILE", help="Its event masks.")],
    settings: LabelSettings,
    split: SplitSettings,
    opening: MovieSettings,
    events: Events = None,
    known: Known = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what event masks would teach, events by kind and windows by criterion, and how the head would be judged."""
    from napari_tap_events.jobs.labelled import Labelled
    from napari_tap_events.jobs.marks import describe_marks

    about = describe_marks(Labelled(movie, masks, events, known), opening, settings, split)
    typer.echo(json.dumps(about, indent=2) if as_json else about["text"])


@app.command(rich_help_panel=PANEL)
@spread
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for movie.tif, masks.tif and truth.csv.")],
    settings: SyntheticSettings,
    difficulty: Annotated[
        Literal["easy", "medium", "hard"] | None,
        typer.Option("--difficulty", help="Settings by difficulty; flags and files given beside come before it."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a movie of living cells whose every division and death is known."""
    from napari_tap_events.jobs.synth import synth as recipe

    if difficulty:
        from napari_tap_events.movies.synthetic import at_difficulty

        settings = at_difficulty(difficulty, settings)
    typer.echo(recipe(out, settings, overwrite))
