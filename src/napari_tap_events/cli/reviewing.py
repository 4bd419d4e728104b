"""Review from the terminal: by a simulated person, and the worker behind the window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import as_job, run_of, work
from napari_tap_events.cli.options import Job, Out, Overwrite, ReportsOpt
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports
from napari_tap_events.settings import ComputeSettings, HeadSettings, MovieSettings, ReviewSettings, SimulationSettings

PANEL = "Review"
ProjectArg = Annotated[Path, typer.Argument(metavar="PROJECT", help="Project folder.")]
MovieName = Annotated[str, typer.Option("--movie", metavar="NAME", help="Movie of the project; by default the only one.")]


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def review(
    project: ProjectArg,
    simulate: Annotated[
        Path, typer.Option("--simulate", metavar="TRUTH.csv", help="True events, by which a simulated person answers.")
    ],
    out: Out,
    settings: ReviewSettings,
    simulation: SimulationSettings,
    head: HeadSettings,
    compute: ComputeSettings,
    movie: MovieName = "",
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Let a simulated person review a movie: F1 against the number of answers. A real person reviews in the window."""
    from napari_tap_events.jobs.review import simulate_review

    run = run_of(out, overwrite, False, compute, MovieSettings())
    work(simulate_review(project, movie, simulate, (head, settings, simulation), run), run, reports, job)
    if reports is Reports.text:
        typer.echo((out / "curve.csv").read_text(encoding="utf-8"))


@app.command(hidden=True, rich_help_panel=PANEL)
@spread
def worker(
    project: ProjectArg, settings: ReviewSettings, head: HeadSettings, compute: ComputeSettings, movie: MovieName = ""
) -> None:
    """Work on the orders of a review, one JSON object a line, until the input ends; the window starts it."""
    from napari_tap_events.jobs.desk import Desk
    from napari_tap_events.jobs.worker import serve

    serve(Desk(project, movie, head, settings, compute))
