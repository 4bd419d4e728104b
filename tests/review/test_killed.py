"""A review that is killed at any moment loses at most the decision in progress."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS

ANSWERER = Path(__file__).with_name("answerer.py")
SHAPE = (6, 40, 50)
KILLS = 25


@pytest.fixture
def project(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, SHAPE, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "film.tif", pixels, photometric="minisblack", metadata={"axes": "TYX"})
    made = Project.create(tmp_path / "review.tap")
    made.add_movie(tmp_path / "film.tif")
    made.close()
    return made.path


@pytest.fixture
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Start the process that splits off those which are to be killed."""
    with subprocess.Popen(
        [sys.executable, str(ANSWERER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def answerer() -> Any:
    spec = importlib.util.spec_from_file_location("answerer", ANSWERER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def review_and_die(nursery: subprocess.Popen[str], folder: Path, rng: random.Random) -> tuple[int, str]:
    """Let a process review for a while and kill it; return the number and the digest that it told last."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{folder} {rng.randrange(10**6)}\n")
    process = int(nursery.stdout.readline())
    told = [nursery.stdout.readline() for _ in range(rng.randrange(1, 15))]
    time.sleep(rng.uniform(0, 0.02))  # the moment of the kill: anywhere in the answers that follow
    os.kill(process, signal.SIGKILL)
    while told[-1] != "gone\n":
        told.append(nursery.stdout.readline())
    n, digest = told[-2].split()
    return int(n), digest


def after(folder: Path, n: int) -> Annotations:
    """Return what was said and marked after the first `n` entries of the journal."""
    journal = Journal()
    for entry in Journal(folder / "journal.jsonl").entries()[:n]:
        journal.append(entry["what"], entry["movie"], entry.get("correction"))
    return Annotations(SHAPE, chronicle=Chronicle(journal, DEFAULT_KINDS), movie="film").replay()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to make many processes in little time")
@pytest.mark.parametrize("seed", [0, 1])
def test_after_every_kill_all_but_the_decision_in_progress_is_there(project, nursery, answerer, seed):
    rng, caught = random.Random(seed), 0
    for kill in range(KILLS):
        n, told = review_and_die(nursery, project, rng)
        again = Project.open(project)
        a = again.annotations("film")
        moment = f"seed {seed}, kill {kill}: told of entry {n}, the journal holds {a.now[0]}"
        assert again.trouble == "", moment
        assert n <= a.now[0] <= n + 1, moment
        assert answerer.digest(after(project, n)) == told, moment
        assert answerer.digest(after(project, a.now[0])) == answerer.digest(a)
        caught += a.now[0] > n
        again.close()
    assert a.verdicts
    assert a.audits
    assert caught < KILLS
