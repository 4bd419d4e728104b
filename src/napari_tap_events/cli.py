"""The command line: the same recipes as in the window, with the same names."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from napari_tap_events import __version__
from napari_tap_events.errors import JobStopped, MovieError, SettingsError, TapEventsError
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports, follow
from napari_tap_events.jobs.job_end import outer_door
from napari_tap_events.settings import (
    ComputeSettings,
    DemoSettings,
    DetectSettings,
    ExplainSettings,
    HeadSettings,
    LabelSettings,
    MovieSettings,
    PretrainSettings,
    ReviewSettings,
    ScoreSettings,
    SimulationSettings,
    SyntheticSettings,
)

if TYPE_CHECKING:
    from napari_tap_events.jobs.output import Run
    from napari_tap_events.reports import Report

app = typer.Typer(
    name="napari-tap-events",
    help="Find cell divisions and deaths in time-lapse movies with few labels. The usual order: info, pretrain, train, detect, open.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

MovieArg = Annotated[Path, typer.Argument(metavar="MOVIE", help="TIFF, OME-TIFF, OME-Zarr, AVI, or a folder of frames.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what the folder holds.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
ReportsOpt = Annotated[
    Reports,
    typer.Option(
        "--reports", help="Progress for people, or one JSON report per line on stdout.", rich_help_panel="For programs"
    ),
]
Job = Annotated[
    Path | None,
    typer.Option(
        "--job",
        metavar="DIR",
        help="Write reports.jsonl here, and look here for orders to pause and to stop in control.json.",
        rich_help_panel="For programs",
    ),
]
Masks = Annotated[
    Path | None, typer.Option("--masks", metavar="FILE", help="Event masks (T, Y, X): 0 nothing, 1 division, 2 death.")
]
Events = Annotated[
    Path | None, typer.Option("--events", metavar="CSV", help="True events, and what is uncertain; else taken from the mask.")
]
Known = Annotated[
    Path | None,
    typer.Option(
        "--known", metavar="CSV", help="Boxes that were looked at, beside the scope or in place of it; else all of the movie."
    ),
]

INTERRUPTED = 130
"""Exit code after Ctrl-C; typer, too, ends with it when a KeyboardInterrupt reaches it."""


def main() -> None:
    """Run the command line; what a user can put right ends with one sentence and exit code 2, a stopped job with 130."""
    try:
        app()
    except JobStopped as error:
        _say(error)
        sys.exit(INTERRUPTED)
    except TapEventsError as error:
        _say(error)
        sys.exit(2)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            sys.stderr.write("Stopped at once; what was finished before is kept.\n")
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _say(error: TapEventsError) -> None:
    if "--reports json" in " ".join(sys.argv).replace("--reports=", "--reports "):
        typer.echo(json.dumps({"stage": "error", "kind": type(error).__name__, "message": str(error)}))
    text = str(error)
    names_setting = text.partition(" ")[2].startswith("= ")  # "patch_px = 64 ..." keeps its name as it is written
    typer.echo(text if names_setting else text[:1].upper() + text[1:], err=True)


def _run(out: Path, overwrite: bool, resume: bool, compute: ComputeSettings, opening: MovieSettings) -> Run:
    from napari_tap_events.jobs.output import Run

    if overwrite and resume:
        raise SettingsError("--overwrite and --resume contradict each other: give one of them.")
    return Run(out, overwrite, resume, compute, opening)


def as_job(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with the option --job end with a word in the folder of that job, whatever happens to it."""

    @wraps(command)
    def guarded(**given: Any) -> None:
        with outer_door(given["job"]):
            command(**given)

    return guarded


def _work(reports: Generator[Report, None, Any], run: Run, how: Reports, job: Path | None) -> Any:
    return follow(reports, run.control, how, job)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
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


@app.command()
@spread
def marks(
    movie: Annotated[Path, typer.Option("--movie", metavar="MOVIE", help="The movie.")],
    masks: Annotated[Path, typer.Option("--masks", metavar="FILE", help="Its event masks.")],
    settings: LabelSettings,
    opening: MovieSettings,
    events: Events = None,
    known: Known = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what event masks would teach: events by kind, and windows that are events by each criterion."""
    from napari_tap_events.jobs.labelled import Labelled
    from napari_tap_events.jobs.marks import describe_marks

    about = describe_marks(Labelled(movie, masks, events, known), opening, settings)
    typer.echo(json.dumps(about, indent=2) if as_json else about["text"])


@app.command()
@as_job
@spread
def pretrain(
    movies: Annotated[list[Path], typer.Argument(metavar="MOVIE...", help="One or more movies; no labels are needed.")],
    out: Out,
    settings: PretrainSettings,
    compute: ComputeSettings,
    opening: MovieSettings,
    overwrite: Overwrite = False,
    resume: Resume = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Teach an encoder the arrow of time, without labels."""
    from napari_tap_events.jobs.pretrain import pretrain as recipe

    run = _run(out, overwrite, resume, compute, opening)
    _work(recipe(movies, settings, run), run, reports, job)
    _done(out, reports)


@app.command()
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
    overwrite: Overwrite = False,
    resume: Resume = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Train an event head on marked events, calibrate it, and score it on frames it never saw."""
    from napari_tap_events.jobs.labelled import Labelled
    from napari_tap_events.jobs.train import train as recipe

    counts = {"--movie": len(movie), "--masks": len(masks), "--events": len(events or movie), "--known": len(known or movie)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {flag}" for flag, count in counts.items())
        raise SettingsError(f"{told} do not go together: give one of each for every movie.")
    nothing: list[Path | None] = [None] * len(movie)
    labelled = [Labelled(*item) for item in zip(movie, masks, events or nothing, known or nothing, strict=True)]
    run = _run(out, overwrite, resume, compute, opening)
    _work(recipe(labelled, settings, run, cache), run, reports, job)
    _done(out, reports)


@app.command()
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
        Path | None, typer.Option("--encoder", metavar="DIR", help="Folder that pretrain wrote: candidates without any label.")
    ] = None,
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Map the probability of events over a movie, and list the events."""
    from napari_tap_events.jobs.arrow import detect_arrow
    from napari_tap_events.jobs.detect import detect as recipe

    if (head is None) == (encoder is None):
        raise SettingsError("give --head DIR, or --encoder DIR to rank candidates without labels: exactly one of them.")
    run = _run(out, overwrite, False, compute, opening)
    work = recipe(movie, head, settings, run) if head else detect_arrow(movie, encoder or Path(), settings, run)
    _work(work, run, reports, job)
    _done(out, reports)


@app.command()
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
        Path | None, typer.Option("--encoder", metavar="DIR", help="Folder that pretrain wrote: explain the arrow of time.")
    ] = None,
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Show where a network looks: Grad-CAM maps and ranked insets."""
    from napari_tap_events.jobs.explain import explain as recipe

    run = _run(out, overwrite, False, compute, opening)
    _work(recipe(movie, settings, run, head=head, encoder=encoder), run, reports, job)
    _done(out, reports)


@app.command()
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


@app.command()
def export(
    source: Annotated[Path, typer.Argument(metavar="EVENTS.csv|DIR", help="Events table, or folder that a command wrote.")],
    form: Annotated[
        Literal["csv", "geff", "trackmate"],
        typer.Option("--format", metavar="FORMAT", help="csv (spreadsheets), geff (libraries for tracks) or trackmate (Fiji)."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; for geff a folder, usually NAME.geff.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Write events for other programs: as CSV, GEFF or TrackMate XML."""
    from napari_tap_events.study.exporting import export_from

    many = export_from(source, out, form, overwrite=overwrite)
    typer.echo(f"Wrote {many} event{'' if many == 1 else 's'} to {out}")


@app.command()
def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a command wrote.")]) -> None:
    """Write report.html for a result folder."""
    from napari_tap_events.study.report import write_report

    typer.echo(f"Wrote {write_report(folder)}")


@app.command("open")
def open_results(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a command wrote.")]) -> None:
    """Show a result folder in napari: movie, masks, maps, events."""
    from napari_tap_events.gui.results import show

    show(folder)


@app.command("import-tap")
def import_tap(
    state: Annotated[Path, typer.Argument(metavar="STATE.pt", help="State dict of the public TAP code: model_state.pt.")],
    out: Out,
) -> None:
    """Turn published TAP weights into an encoder folder; only tensors are read, nothing in the file is run."""
    from napari_tap_events.encoder.import_tap import import_tap as recipe

    if out.exists() and any(out.iterdir()):
        raise SettingsError(f"'{out}' is not empty; choose another --out.")
    card = recipe(state, out)
    typer.echo(f"Wrote an encoder with {card.features} features for {card.channels} channel(s) to {out}")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is installed here, what is missing, and what that means."""
    from napari_tap_events.jobs.doctor import diagnosis, facts

    typer.echo(json.dumps(facts(), indent=2) if as_json else diagnosis())


def _done(out: Path, how: Reports) -> None:
    if how is Reports.text:
        from napari_tap_events.jobs.summary import summary_text

        typer.echo(summary_text(out))


@app.command()
@spread
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for movie.tif, masks.tif and truth.csv.")],
    settings: SyntheticSettings,
    overwrite: Overwrite = False,
) -> None:
    """Make a movie of living cells whose every division and death is known."""
    from napari_tap_events.jobs.synth import synth as recipe

    typer.echo(recipe(out, settings, overwrite))


@app.command()
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
    run = _run(out, overwrite, resume, compute, opening)
    _work(recipe(movie, masks, events, settings, run), run, reports, job)
    _done(out, reports)


ProjectArg = Annotated[Path, typer.Argument(metavar="PROJECT", help="Project folder.")]
MovieName = Annotated[str, typer.Option("--movie", metavar="NAME", help="Movie of the project; by default the only one.")]


@app.command()
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

    run = _run(out, overwrite, False, compute, MovieSettings())
    _work(simulate_review(project, movie, simulate, (head, settings, simulation), run), run, reports, job)
    if reports is Reports.text:
        typer.echo((out / "curve.csv").read_text(encoding="utf-8"))


@app.command(hidden=True)
@spread
def worker(
    project: ProjectArg, settings: ReviewSettings, head: HeadSettings, compute: ComputeSettings, movie: MovieName = ""
) -> None:
    """Work on the orders of a review, one JSON object a line, until the input ends; the window starts it."""
    from napari_tap_events.jobs.desk import Desk
    from napari_tap_events.jobs.worker import serve

    serve(Desk(project, movie, head, settings, compute))


if __name__ == "__main__":
    main()
