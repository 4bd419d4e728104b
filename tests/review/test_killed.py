"""A review that is killed at any moment loses at most the decision in progress."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tap_events.project.folder import Project

from ..killing import annotations_after, module_of, nursery_of, work_and_die

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
    with nursery_of(ANSWERER) as process:
        yield process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to make many processes in little time")
@pytest.mark.parametrize("seed", [0, 1])
def test_after_every_kill_all_but_the_decision_in_progress_is_there(project, nursery, seed):
    digest, rng, caught = module_of(ANSWERER).digest, random.Random(seed), 0
    for kill in range(KILLS):
        n, told = work_and_die(nursery, project, rng, actions=15, pause_s=0.02)
        again = Project.open(project)
        a = again.annotations("film")
        moment = f"seed {seed}, kill {kill}: told of entry {n}, the journal holds {a.now[0]}"
        assert again.trouble == "", moment
        assert n <= a.now[0] <= n + 1, moment
        assert digest(annotations_after(project, n, SHAPE)) == told, moment
        assert digest(annotations_after(project, a.now[0], SHAPE)) == digest(a)
        caught += a.now[0] > n
        again.close()
    assert a.verdicts
    assert a.audits
    assert caught < KILLS
