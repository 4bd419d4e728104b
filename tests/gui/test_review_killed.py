"""A window that is killed in the middle of a review loses at most the decision in progress, and its worker goes by itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from napari_tap_events.project.folder import Project

from .reviewing import make_movie

WINDOW = Path(__file__).with_name("reviewing_window.py")
KILLS = 3


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_movie(tmp_path / "movie.tif")
    made = Project.create(tmp_path / "review.tap")
    made.add_movie(tmp_path / "movie.tif")
    made.close()
    return made.path


def review_and_die(project: Path, seed: int, rng: random.Random) -> tuple[int, int]:
    """Let a window review and kill it; return the number of answers it told last, and the process of its worker."""
    with subprocess.Popen([sys.executable, str(WINDOW), str(project), str(seed)], stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        worker = int(window.stdout.readline())
        told = [window.stdout.readline() for _ in range(rng.randrange(2, 10))]
        time.sleep(rng.uniform(0, 0.1))  # the moment of the kill: anywhere in the answers that follow
        os.kill(window.pid, signal.SIGKILL)
        told += window.stdout.readlines()
    assert told[-1].endswith("\n"), told
    return int(told[-1].split()[0]), worker


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_window_that_is_killed_at_any_moment_loses_at_most_the_decision_in_progress(project):
    rng, before = random.Random(0), 0
    for seed in range(KILLS):
        told, worker = review_and_die(project, seed, rng)
        again = Project.open(project)
        a = again.annotations("movie")
        kept = len(a.verdicts) + len(a.audits)
        moment = f"seed {seed}: {before} answers before, told of {told}, {kept} are there"
        assert again.trouble == "", moment
        assert before < told <= kept <= told + 1, moment
        assert sum(v.answer == "no" for v in a.verdicts) == len(a.points), moment
        again.close()
        _, alive = psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], timeout=60)
        assert not alive, moment
        before = kept
    assert (project / "review" / "movie" / "candidates.csv").exists()
