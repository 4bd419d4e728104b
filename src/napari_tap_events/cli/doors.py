"""How every command begins and ends: its folder, its estimate, its reports, its last words."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.errors import JobStopped, SettingsError, TapEventsError
from napari_tap_events.follow import Reports, follow
from napari_tap_events.jobs.job_end import outer_door
from napari_tap_events.settings import ComputeSettings, MovieSettings, Settings

if TYPE_CHECKING:
    from napari_tap_events.jobs.labelled import Labelled
    from napari_tap_events.jobs.output import Run
    from napari_tap_events.reports import Report

INTERRUPTED = 130
"""Exit code after Ctrl-C; typer, too, ends with it when a KeyboardInterrupt reaches it."""


def main() -> None:
    """Run the command line; what a user can put right ends with one sentence and exit code 2, a stopped job with 130."""
    # threads that spin while they wait slow down a busy computer several times
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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


def as_job(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with the option --job end with a word in the folder of that job, whatever happens to it."""

    @wraps(command)
    def guarded(**given: Any) -> None:
        with outer_door(given["job"]):
            command(**given)

    return guarded


def run_of(out: Path, overwrite: bool, resume: bool, compute: ComputeSettings, opening: MovieSettings) -> Run:
    """Return where a command writes and with what it computes."""
    from napari_tap_events.jobs.output import Run

    if overwrite and resume:
        raise SettingsError("--overwrite and --resume contradict each other: give one of them.")
    return Run(out, overwrite, resume, compute, opening)


def labelled_of(
    movies: list[Path], masks: list[Path], events: list[Path] | None, known: list[Path] | None = None
) -> list[Labelled]:
    """Put movies, their masks and their tables together, one of each for every movie."""
    from napari_tap_events.jobs.labelled import Labelled

    counts = {"--movie": len(movies), "--masks": len(masks), "--events": len(events or movies), "--known": len(known or movies)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {flag}" for flag, count in counts.items())
        raise SettingsError(f"{told} do not go together: give one of each for every movie.")
    nothing: list[Path | None] = [None] * len(movies)
    return [Labelled(*item) for item in zip(movies, masks, events or nothing, known or nothing, strict=True)]


def only_said(say: bool, command: str, movies: list[Path], model: str, run: Run, settings: Settings) -> bool:
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


def work(reports: Generator[Report, None, Any], run: Run, how: Reports, job: Path | None) -> Any:
    """Follow a recipe to its end, on the terminal or for the program that has started it."""
    return follow(reports, run.control, how, job)


def say_summary(out: Path, how: Reports) -> None:
    """Tell a person in the terminal what a command has come to."""
    if how is Reports.text:
        from napari_tap_events.jobs.summary import summary_text

        typer.echo(summary_text(out))
