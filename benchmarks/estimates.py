"""What `--estimate` says of a job, beside what the job took: processor seconds of one thread, and memory at its peak.

    python -m benchmarks.estimates [--movie M.tif --masks M_masks.tif] [--only WORD ...] [--out FILE.json]

Without a movie two synthetic ones are made. Every job is the command itself, in a process of its own, with nothing known of earlier jobs;
seconds are those of its processor, so that what else the computer does tells less. The speed of the computer is measured before each job
and after it, since it drifts where others work on it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from napari_tap_events.jobs.estimate import Estimate
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.marks import decided_by_marks
from napari_tap_events.jobs.output import Run
from napari_tap_events.settings import ComputeSettings, DetectSettings, HeadSettings, MovieSettings, PretrainSettings, Settings

GIB, SIZES = 2**30, {"small": (48, 192, 192), "large": (32, 512, 512)}
WITHIN = 0.25
"""An estimate is right when it is no further off than this."""
KINDS: dict[str, type[Settings]] = {"pretrain": PretrainSettings, "train": HeadSettings, "detect": DetectSettings}


@dataclass(frozen=True)
class Movie:
    """A movie and its event masks."""

    name: str
    movie: Path
    masks: Path


@dataclass(frozen=True)
class Job:
    """A command, the settings that it differs by from its defaults, and the folder of a head or encoder that it reads."""

    name: str
    command: str
    settings: dict[str, object]
    model: str = ""


@dataclass(frozen=True)
class Compared:
    """What was said and what was taken: seconds, bytes."""

    job: str
    movie: str
    said_s: float
    took_s: float
    said_bytes: int
    took_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movie", type=Path)
    parser.add_argument("--masks", type=Path)
    parser.add_argument(
        "--only", nargs="*", default=[], help="Jobs whose name holds one of these words; training for them, too."
    )
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows: list[Compared] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # what this computer remembers of earlier jobs is of no account here
        own = Movie(given.movie.stem, given.movie, given.masks) if given.movie else None
        for movie in [own] if own else made(Path(folder)):
            for job in jobs(Path(folder) / movie.name):
                if job.name.startswith("make") or not given.only or any(word in job.name for word in given.only):
                    row = compared(job, movie, Path(folder))
                    rows += [] if job.name.startswith("make") else [row]
                    print(line(row), flush=True)
                    if given.out:
                        given.out.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    print("\n" + table(rows))


def made(folder: Path) -> Iterator[Movie]:
    """Make the synthetic movies."""
    for name, (frames, rows, columns) in SIZES.items():
        sizes = ["--frames", frames, "--height", rows, "--width", columns, "--cells", rows * columns // 1600]
        subprocess.run(cli("synth", str(folder / f"{name}-movie"), *map(str, sizes)), check=True, capture_output=True)
        yield Movie(name, folder / f"{name}-movie" / "movie.tif", folder / f"{name}-movie" / "masks.tif")


def jobs(folder: Path) -> list[Job]:
    """Return the jobs, those whose results others read before these."""
    head = folder / "make a head"
    return [
        Job("make a head", "train", {"steps": 20}),
        Job("detect", "detect", {}, str(head)),
        Job("train, encoder shipped", "train", {}),
        Job("train, encoder shipped, 4 folds nested", "train", {"folds": 4}),
        Job("train, features of it beside", "train", {"features": True, "folds": 0}),
        Job("train, encoder intensity", "train", {"encoder": "intensity", "folds": 0}),
        Job("train, resnet head on random features", "train", {"encoder": "random", "head": "resnet", "folds": 0}),
        Job("pretrain, time arrow", "pretrain", {"steps": 60}),
        Job("pretrain, simulated", "pretrain", {"steps": 60, "pretext": "simulated"}),
    ]


def compared(job: Job, movie: Movie, folder: Path) -> Compared:
    """Say what a job will take, and run it."""
    from napari_tap_events.jobs.self_speed import estimate_for

    compute = ComputeSettings(threads=1, device="cpu")
    settings = KINDS[job.command].checked(**job.settings)
    if isinstance(settings, HeadSettings):
        settings = decided_by_marks([Labelled(movie.movie, movie.masks)], MovieSettings(), settings)
    model = settings.encoder if isinstance(settings, HeadSettings) else job.model
    out = folder / movie.name / job.name
    movies = [] if job.settings.get("pretext") == "simulated" else [movie.movie]

    def told() -> Estimate:
        (folder / "napari-tap-events" / "speeds.json").unlink(missing_ok=True)
        return estimate_for(job.command, movies, model, Run(out, compute=compute), settings)

    before = told()
    seconds, peak = taken(cli(*words(job, movie, out)))
    said = ((before.seconds or 0.0) + (told().seconds or 0.0)) / 2
    return Compared(job.name, movie.name, said, seconds, before.nbytes, peak)


def words(job: Job, movie: Movie, out: Path) -> list[str]:
    """Return the words of a job's command line."""
    given = {
        "pretrain": [] if job.settings.get("pretext") == "simulated" else [str(movie.movie)],
        "train": ["--movie", str(movie.movie), "--masks", str(movie.masks)],
        "detect": [str(movie.movie), "--head", job.model],
    }[job.command]
    flags = [word for name, value in job.settings.items() for word in flag(name, value)]
    return [job.command, *given, *flags, "--out", str(out), "--threads", "1", "--device", "cpu"]


def flag(name: str, value: object) -> list[str]:
    """Return a setting as the command line writes it."""
    dashed = "--" + name.replace("_", "-")
    return [dashed] if value is True else [dashed, str(value)]


def cli(*words: str) -> list[str]:
    return [sys.executable, "-m", "napari_tap_events.cli", *words]


LAUNCHER = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
os._exit(0)
"""
"""Starts a job from a small process: what the starter holds would count as the memory of what it starts."""


def taken(command: Sequence[str]) -> tuple[float, int]:
    """Run a command; return its processor seconds and its greatest memory in bytes."""
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *command], capture_output=True, text=True, check=True)
    status, seconds, peak = json.loads(done.stdout)
    if status:
        raise SystemExit(f"'{' '.join(command[3:5])} ...' failed: {done.stderr[-500:]}")
    return seconds, peak


def line(row: Compared) -> str:
    return (
        f"| {row.job} | {row.movie} | {row.said_s:.0f} s | {row.took_s:.0f} s | {row.said_s / row.took_s:.2f} | "
        f"{row.said_bytes / GIB:.2f} GiB | {row.took_bytes / GIB:.2f} GiB | {row.said_bytes / row.took_bytes:.2f} |"
    )


def table(rows: Sequence[Compared]) -> str:
    """Return the rows as Markdown, and how many are right."""
    head = "| job | movie | said | took | ratio | memory said | memory taken | ratio |\n|---|---|---|---|---|---|---|---|"
    right = sum(abs(row.said_s / row.took_s - 1) <= WITHIN for row in rows)
    memory = sum(abs(row.said_bytes / row.took_bytes - 1) <= WITHIN for row in rows)
    told = f"Within {WITHIN:.0%}: {right} of {len(rows)} times, {memory} of {len(rows)} memories."
    return "\n".join([head, *(line(row) for row in rows), "", told])


if __name__ == "__main__":
    main()
