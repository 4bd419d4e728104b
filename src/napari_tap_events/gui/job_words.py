"""What is said of a job: how far it is, how it ended, and all that helps to find a fault."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from napari_tap_events.jobs.runner import Job
from napari_tap_events.jobs.summary import findings_text
from napari_tap_events.reports import clock
from napari_tap_events.versions import versions

STAGES = {
    "": "Starting",
    "starting": "Starting",
    "synth": "Making a synthetic movie",
    "synthetic movies": "Making synthetic movies",
    "pretrain": "Learning without labels",
    "shifts": "Measuring how the picture moves",
    "write": "Writing the movie",
    "labels": "Reading the marks",
    "features": "Computing features of every frame",
    "head": "Teaching the head",
    "detect": "Going over the movie",
    "explain": "Looking where the network looks",
    "report": "Writing the report",
}
RECIPES = {
    "pretrain": "pretraining",
    "train": "training",
    "detect": "finding events",
    "explain": "explaining",
    "register": "registering",
}
SHOWN = ("detect",)
"""Commands whose findings the panel shows itself: their numbers follow what a person does with them."""
STILL_RUNS = "The project cannot be saved elsewhere while {jobs} still runs in it: wait until it is done, or stop it."


def stage_words(stage: str) -> str:
    """Return what goes on in a stage; one that has no words of its own says it by its name."""
    if stage in STAGES:
        return STAGES[stage]
    return f"Teaching {stage}" if stage.endswith("heads") else stage[:1].upper() + stage[1:]


def progress_words(job: Job) -> str:
    """Say where a job is: what it does, and how far it is with it."""
    pace, where = job.pace, stage_words(job.pace.stage)
    count = f", {pace.done} of {pace.total}" if pace.total else " …"
    if job.state == "paused":
        return f"Paused. {where}{count}"
    if job.state == "stopping":
        return "Stopping …"
    left = f", {clock(pace.left_s)} left" if pace.left_s is not None and pace.share < 1 else ""
    return f"{where}{count}{left}"


def short_words(job: Job) -> str:
    """Say where a job is, in the few words that fit beside a title."""
    if job.state in ("paused", "stopping", "stopped"):
        return job.state
    pace = job.pace
    if not pace.total:
        return "running"
    left = f", {clock(pace.left_s)} left" if pace.left_s is not None else ""
    return f"{percent(job)} %{left}"


def percent(job: Job) -> int:
    """Return how much of the stage is done, 0..100."""
    return int(100 * job.pace.share)


def still_runs(jobs: Sequence[Job]) -> str:
    """Say why a project stays where it is while jobs run in it; "" where none does."""
    names = dict.fromkeys(RECIPES.get(job.record.command, job.record.command) for job in jobs)
    return STILL_RUNS.format(jobs=" and ".join(names)) if names else ""


def end_words(job: Job) -> str:
    """Say how a job ended, and what it found."""
    if job.state == "done":
        found = "" if job.record.command in SHOWN else findings_text(job.record.out)
        return f"✓ Done in {clock(job.worked_s)}.\n{found}".strip()
    sentence = job.message.partition("; the same command")[0].partition("; start again with")[0].rstrip(".")
    if job.state == "stopped":
        return (_capital(sentence) or f"Stopped. {stage_words(job.pace.stage)}, {job.pace.done} of {job.pace.total}") + "."
    return f"⚠ {_capital(sentence)}."


def fault_report(job: Job) -> str:
    """Return versions, command line and log: what to send along when something went wrong."""
    lines = [
        ", ".join(f"{name} {found}" for name, found in versions().items()),
        f"command: {shlex.join(job.record.command_line(job.folder))}",
        f"state: {job.state}, {job.pace.stage} {job.pace.done} of {job.pace.total}",
        f"message: {job.message}",
        "log:",
        job.log_tail() or "(empty)",
    ]
    return "\n".join(lines)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
