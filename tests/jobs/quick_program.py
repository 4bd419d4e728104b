"""A program for tests of jobs: no network, no torch, but the same way in and out as the real commands.

It is started as the command line is: COMMAND [WORDS] --out DIR --job DIR [--resume]; the first word says how it behaves.
"""

from __future__ import annotations

import faulthandler
import sys
import time
from pathlib import Path

from napari_tap_events.errors import JobStopped, MovieError
from napari_tap_events.follow import Reports, follow
from napari_tap_events.jobs.job_end import outer_door
from napari_tap_events.jobs.output import STARTED, Run, start
from napari_tap_events.reports import Control, Report
from napari_tap_events.settings import DetectSettings

TOTAL, HELD = 20, 5


def work(control: Control, out: Path, steps: int):
    """Count to `steps`, going on from where the count in the folder stands; every stop writes it down."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / STARTED).exists():
        (out / STARTED).write_text("{}")
    count = out / "count.txt"
    done = int(count.read_text()) if "--resume" in sys.argv and count.exists() else 0
    while done < steps:
        if control.wait_or_stop():
            count.write_text(str(done))
            raise JobStopped(f"stopped after {done} of {steps} steps; the same command with --resume goes on.")
        if sys.argv[2] in ("hold", "marks") and done == HELD and "--resume" not in sys.argv:
            time.sleep(0.01)
            continue
        done += 1
        yield Report("work", done, steps, values={"loss": 1 / done})
        time.sleep(0.01)
    (out / "result.json").write_text('{"command": "explain", "summary": {"insets": 3}, "warnings": ["Count them."]}')


def deaf(control: Control, out: Path, steps: int):
    """Never look whether to stop."""
    yield Report("work", 0, steps)
    while True:
        time.sleep(0.01)


def begin(out: Path) -> None:
    """Write down other marks each time."""
    start(Run(out, resume="--resume" in sys.argv), "train", DetectSettings(), {}, marks=str(sys.argv))


def misbehave(how: str) -> None:
    """Do what programs do."""
    if how == "print":
        sys.stdout.write('{"stage": "half a line, printed by a library')
        sys.stdout.flush()
    elif how == "mistake":
        raise MovieError("the movie is no movie; give one.")
    elif how == "memory":
        raise MemoryError
    elif how == "bug":
        raise KeyError("lost")
    elif how == "crash":
        faulthandler._sigsegv()
    elif how == "leave":
        sys.exit(7)


def main() -> None:
    how, out, job = (sys.argv[2], *(Path(sys.argv[sys.argv.index(flag) + 1]) for flag in ("--out", "--job")))
    with outer_door(job):
        misbehave(how)
        if how == "marks":
            begin(out)
        control = Control()
        recipe = deaf if how == "deaf" else work
        follow(recipe(control, out, 10**9 if how == "forever" else TOTAL), control, Reports.text, job)
    if how == "silent":
        (job / "reports.jsonl").write_text("")


if __name__ == "__main__":
    main()
