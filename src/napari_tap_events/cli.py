"""The command line: the same recipes as in the window, with the same names."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
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
    AdoptSettings,
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
    Settings,
    SimulationSettings,
    StudyName,
    StudySettings,
    SyntheticSettings,
)

if TYPE_CHECKING:
    from napari_tap_events.jobs.labelled import Labelled
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
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Only say how long it will take and how much memory, roughly; nothing is started.")
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

STUDIES = (
    "features (pretrained or not, by head), criteria (what counts as an event), content-view (size of crops), errors, calibration, "
    "labels (how many are enough), splits (what a random split would promise), seeds (how much is luck) "
    "or pretexts (which game teaches the best features)."
)
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
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # threads that spin while they wait slow down a busy computer several times
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


def _labelled(
    movies: list[Path], masks: list[Path], events: list[Path] | None, known: list[Path] | None = None
) -> list[Labelled]:
    from napari_tap_events.jobs.labelled import Labelled

    counts = {"--movie": len(movies), "--masks": len(masks), "--events": len(events or movies), "--known": len(known or movies)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {flag}" for flag, count in counts.items())
        raise SettingsError(f"{told} do not go together: give one of each for every movie.")
    nothing: list[Path | None] = [None] * len(movies)
    return [Labelled(*item) for item in zip(movies, masks, events or nothing, known or nothing, strict=True)]


def as_job(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with the option --job end with a word in the folder of that job, whatever happens to it."""

    @wraps(command)
    def guarded(**given: Any) -> None:
        with outer_door(given["job"]):
            command(**given)

    return guarded


def _only_said(say: bool, command: str, movies: list[Path], model: str, run: Run, settings: Settings) -> bool:
    """Say what a command will take, where only that was asked for; else see that the limit of memory allows it."""
    if say:
        _say_estimate(command, movies, model, run, settings)
    elif run.compute.memory_limit is not None:
        from napari_tap_events.jobs.self_speed import check_memory

        check_memory(command, movies, model, run, settings)
    return say


def _say_estimate(command: str, movies: list[Path], model: str, run: Run, settings: Settings) -> None:
    from napari_tap_events.jobs.self_speed import estimate_for

    told = estimate_for(command, movies, model, run, settings)
    typer.echo(f"{told.text[:1].upper()}{told.text[1:]}. {told.why}")


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

    run = _run(out, overwrite, resume, compute, opening)
    if _only_said(only_estimate, "pretrain", movies or [], "", run, settings):
        return
    if int(os.environ.get("RANK", "0")):  # of several processes that learn together, the first one tells
        deque(recipe(movies or [], settings, run), maxlen=0)
        return
    _work(recipe(movies or [], settings, run), run, reports, job)
    _done(out, reports)


@app.command()
def games(
    name: Annotated[
        str | None, typer.Argument(metavar="[GAME]", help="One game, with its settings.", show_default=False)
    ] = None,
) -> None:
    """List the games by which pretrain can teach an encoder: what each learns, and when it misleads."""
    from napari_tap_events.jobs.games import games_text

    typer.echo(games_text(name))


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
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Train an event head on marked events, calibrate it, and score it on frames it never saw."""
    from napari_tap_events.jobs.train import train as recipe

    labelled = _labelled(movie, masks, events, known)
    run = _run(out, overwrite, resume, compute, opening)
    if only_estimate:
        from napari_tap_events.jobs.marks import events_marked

        settings = settings.model_copy(update={"folds": settings.folds_for(events_marked(labelled, opening, settings))})
    if _only_said(only_estimate, "train", movie, settings.encoder, run, settings):
        return
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
    run = _run(out, overwrite, False, compute, opening)
    if _only_said(only_estimate, "detect", [movie], str(head or encoder), run, settings):
        return
    how = (settings, run, first_frame)
    work = recipe(movie, head, *how) if head else detect_without_labels(movie, encoder or Path(), *how)
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
    only_estimate: EstimateOnly = False,
    reports: ReportsOpt = Reports.text,
    job: Job = None,
) -> None:
    """Show where a network looks: Grad-CAM maps and ranked insets."""
    from napari_tap_events.jobs.explain import explain as recipe

    run = _run(out, overwrite, False, compute, opening)
    if _only_said(only_estimate, "explain", [movie], str(head or encoder), run, settings):
        return
    _work(recipe(movie, settings, run, head=head, encoder=encoder), run, reports, job)
    _done(out, reports)


@app.command()
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

    run = _run(out, overwrite, resume, compute, opening)
    _work(recipe(name, _labelled(movies, masks, events), settings, run), run, reports, job)
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
@spread
def adopt(
    settings: AdoptSettings,
    opening: MovieSettings,
    checkpoint: Annotated[
        Path | None,
        typer.Argument(metavar="[CHECKPOINT]", help="State dict of a trained network, on this disk.", show_default=False),
    ] = None,
    adapter: Annotated[
        str | None,
        typer.Option(
            "--adapter",
            metavar="FILE.py",
            help="Python that makes the network; FILE.py:FUNCTION and package.module:FUNCTION will do, too. This code is run.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder to write to.")] = None,
    movie: Annotated[
        list[Path] | None,
        typer.Option("--movie", metavar="MOVIE", help="Movies that say which features are worth keeping; may be repeated."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", metavar="DIR", help="Instead: let the code in an adopted encoder of somebody else run from now on."
        ),
    ] = None,
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
) -> None:
    """Make an encoder of a network that somebody else has trained, from a checkpoint on this disk; nothing is downloaded."""
    from napari_tap_events.jobs.adopt import adopt as recipe
    from napari_tap_events.jobs.adopt import trust as trusted

    if trust is not None:
        typer.echo(f"From now on this computer runs {trusted(trust)}")
        return
    if checkpoint is None or adapter is None or out is None:
        raise SettingsError("give CHECKPOINT, --adapter FILE.py and --out DIR; or --trust DIR alone.")
    run = _run(out, overwrite, False, ComputeSettings(), opening)
    _work(recipe(checkpoint, adapter, movie or [], settings, run), run, reports, None)
    _done(out, reports)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    speed: Annotated[bool, typer.Option("--speed", help="Measure how fast this computer is; takes a second or two.")] = False,
) -> None:
    """Say what is installed here, what is missing, and what that means."""
    from napari_tap_events.jobs.doctor import diagnosis, facts

    typer.echo(json.dumps(facts(speed), indent=2) if as_json else diagnosis(speed))


def _done(out: Path, how: Reports) -> None:
    if how is Reports.text:
        from napari_tap_events.jobs.summary import summary_text

        typer.echo(summary_text(out))


@app.command()
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
