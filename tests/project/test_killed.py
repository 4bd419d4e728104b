"""A process that is killed at any moment loses at most what it was doing."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.project.folder import Project

from ..killing import annotations_after, module_of, nursery_of, work_and_die

SCRIBBLER = Path(__file__).with_name("scribbler.py")
KILLS = 50


@pytest.fixture
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Start the process that splits off those which are to be killed."""
    with nursery_of(SCRIBBLER) as process:
        yield process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to make fifty processes in little time")
def test_after_every_kill_all_that_was_acknowledged_is_there(project: Project, nursery: subprocess.Popen[str]) -> None:
    project.close()
    digest, rng, caught = module_of(SCRIBBLER).digest, random.Random(0), 0
    for _ in range(KILLS):
        n, told = work_and_die(nursery, project.path, rng, actions=20, pause_s=0.01)
        again = Project.open(project.path)
        a = again.annotations("film")
        assert again.trouble == ""
        assert n <= a.now[0] <= n + 1
        assert digest(annotations_after(project.path, n, a.shape)) == told
        caught += a.now[0] > n
        again.save()
        np.testing.assert_array_equal(open_map(project.path / "masks" / "film.zarr").array[:], a.labels)
        again.close()
    assert a.now[0] > KILLS
    assert caught < KILLS
