"""A process that is killed at any moment loses at most what it was doing."""

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

import numpy as np
import pytest

from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS

SCRIBBLER = Path(__file__).with_name("scribbler.py")
KILLS = 50


@pytest.fixture
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Start the process that splits off those which are to be killed."""
    with subprocess.Popen(
        [sys.executable, str(SCRIBBLER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def scribble_and_die(nursery: subprocess.Popen[str], folder: Path, rng: random.Random) -> tuple[int, str]:
    """Let a process mark for a while and kill it; return the number and the digest that it told last."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{folder} {rng.randrange(10**6)}\n")
    process = int(nursery.stdout.readline())
    told = [nursery.stdout.readline() for _ in range(rng.randrange(1, 20))]
    time.sleep(rng.uniform(0, 0.01))  # the moment of the kill: anywhere in the actions that follow
    os.kill(process, signal.SIGKILL)
    while told[-1] != "gone\n":
        told.append(nursery.stdout.readline())
    n, digest = told[-2].split()
    return int(n), digest


def digest_after(folder: Path, n: int) -> str:
    """Return the digest of the marks as they were after the first `n` entries."""
    journal = Journal()
    for entry in Journal(folder / "journal.jsonl").entries()[:n]:
        journal.append(entry["what"], entry["movie"], entry.get("correction"))
    return digest(Annotations((6, 40, 50), chronicle=Chronicle(journal, DEFAULT_KINDS), movie="film").replay())


def digest(a: Annotations) -> str:
    spec = importlib.util.spec_from_file_location("scribbler", SCRIBBLER)
    assert spec is not None
    assert spec.loader is not None
    scribbler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scribbler)
    return str(scribbler.digest(a))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to make fifty processes in little time")
def test_after_every_kill_all_that_was_acknowledged_is_there(project: Project, nursery: subprocess.Popen[str]) -> None:
    project.close()
    rng, caught = random.Random(0), 0
    for _ in range(KILLS):
        n, told = scribble_and_die(nursery, project.path, rng)
        again = Project.open(project.path)
        a = again.annotations("film")
        assert again.trouble == ""
        assert n <= a.now[0] <= n + 1
        assert digest_after(project.path, n) == told
        caught += a.now[0] > n
        again.save()
        np.testing.assert_array_equal(open_map(project.path / "masks" / "film.zarr").array[:], a.labels)
        again.close()
    assert a.now[0] > KILLS
    assert caught < KILLS
