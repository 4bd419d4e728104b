"""The recipes: pretrain, train, detect, explain, and all of them in one go."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import as_job, labelled_of, only_said, run_of, say_summary, work
from napari_tap_events.cli.options import EstimateOnly, Events, Job, Masks, MovieArg, Out, Overwrite, ReportsOpt, Resume
from napari_tap_events.errors import MovieError, SettingsError
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports
from napari_tap_events.settings import (
    ComputeSettings,
    DemoSettings,
    DetectSettings,
    ExplainSettings,
    HeadSettings,
    MovieSettings,
    PretrainSettings,
)

PANEL = "The job"


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def pretrain(
    out: Out,
    settings: PretrainSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    movies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[MOVIE...]",
            help="One or more movies; no labels are needed. The game 'simulated' alone is played without.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Teach an encoder without labels: by the arrow of time, by simulated movies, or by other games."""
    from napari_tap_events.jobs.pretrain import pretrain as recipe

    run = run_of(out, overwrite, resume, compute, opening)
    if only_said(only_estimate, "pretrain", movies or [], "", run, settings):
        return
    if int(os.environ.get("RANK", "0")):  # of several processes that learn together, the first one tells
        deque(recipe(movies or [], settings, run), maxlen=0)
        return
    work(recipe(movies or [], settings, run), run, reports, job)
    say_summary(out, reports)


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def train(
    movie: Annotated[list[Path], typer.Option("--movie", metavar="MOVIE", help="A movie with marked events; may be repeated.")],
    masks: Annotated[list[Path], typer.Option("--masks", metavar="FILE", help="Its event masks; one for each movie.")],
    out: Out,
    settings: HeadSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    events: Annotated[
        list[Path] | None, typer.Option("--events", metavar="CSV", help="True events and uncertain ones, one for each movie.")
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            "--known", metavar="CSV", help="Boxes that were looked at, beside the scope or in place of it; one for each movie."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Keep feature maps here, for the next head.")
    ] = None,
    cache_gb: Annotated[
        float | None,
        typer.Option(
            "--cache-gb", metavar="GB", min=0.1, help="Most that the maps in --cache may take; the longest unused go first."
        ),
    ] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Train an event head on marked events, calibrate it, and score it on frames it never saw."""
    from napari_tap_events.jobs.train import train as recipe

    labelled = labelled_of(movie, masks, events, known)
    run = run_of(out, overwrite, resume, compute, opening)
    counted = settings
    if only_estimate or compute.memory_limit is not None:
        from napari_tap_events.jobs.marks import decided_by_marks

        counted = decided_by_marks(labelled, opening, settings)
    if only_said(only_estimate, "train", movie, settings.encoder, run, counted):
        return
    work(recipe(labelled, settings, run, cache, cache_gb), run, reports, job)
    say_summary(out, reports)


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def detect(
    movie: MovieArg,
    out: Out,
    settings: DetectSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    head: Annotated[Path | None, typer.Option("--head", metavar="DIR", help="Folder that train wrote.")] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            "--encoder", metavar="DIR", help="Folder that pretrain wrote, or 'shipped': candidates without any label."
        ),
    ] = None,
    first_frame: Annotated[
        int | None,
        typer.Option(
            "--first-frame",
            metavar="T",
            min=0,
            help="Map this frame before all others, for one who looks at it; the results are the same.",
            rich_help_panel="For programs",
        ),
    ] = None,
    overwrite: Overwrite = False,
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Map the probability of events over a movie, and list the events."""
    from napari_tap_events.jobs.detect import detect as recipe
    from napari_tap_events.jobs.without_labels import detect_without_labels

    if (head is None) == (encoder is None):
        raise SettingsError("give --head DIR, or --encoder DIR to rank candidates without labels: exactly one of them.")
    run = run_of(out, overwrite, False, compute, opening)
    if only_said(only_estimate, "detect", [movie], str(head or encoder), run, settings):
        return
    how = (settings, run, first_frame)
    reported = recipe(movie, head, *how) if head else detect_without_labels(movie, encoder or Path(), *how)
    work(reported, run, reports, job)
    say_summary(out, reports)


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def explain(
    movie: MovieArg,
    out: Out,
    settings: ExplainSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    head: Annotated[Path | None, typer.Option("--head", metavar="DIR", help="Folder that train wrote: explain events.")] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            "--encoder",
            metavar="DIR",
            help="Folder that pretrain wrote, or 'shipped': explain the arrow of time, or, where it was not learned, "
            "the events of simulated movies.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Show where a network looks: Grad-CAM maps and ranked insets."""
    from napari_tap_events.jobs.explain import explain as recipe

    run = run_of(out, overwrite, False, compute, opening)
    if only_said(only_estimate, "explain", [movie], str(head or encoder), run, settings):
        return
    work(recipe(movie, settings, run, head=head, encoder=encoder), run, reports, job)
    say_summary(out, reports)


@app.command(rich_help_panel=PANEL)
@as_job
@spread
def demo(
    out: Out,
    settings: DemoSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    movie: Annotated[Path | None, typer.Argument(metavar="[MOVIE]", help="Your movie; by default a synthetic one.")] = None,
    masks: Masks = None,
    events: Events = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Do the whole job in one go: pretrain, train, detect, explain, report."""
    from napari_tap_events.jobs.demo import demo as recipe

    if movie is None and (masks or events):
        raise MovieError("--masks and --events belong to a movie: give the movie, too.")
    run = run_of(out, overwrite, resume, compute, opening)
    work(recipe(movie, masks, events, settings, run), run, reports, job)
    say_summary(out, reports)
