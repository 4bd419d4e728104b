"""Marks at random; see `killing`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import numpy as np
import scipy.sparse.csgraph  # noqa: F401
import zarr  # noqa: F401

from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project


def digest(a: Annotations) -> str:
    """Return a short hash of all marks."""
    return hashlib.sha256(a.labels.tobytes() + repr((a.points, a.scope, a.kinds, a.undo_words)).encode()).hexdigest()[:16]


def act(project: Project, a: Annotations, rng: random.Random) -> None:
    """Stamp, mark a point, set the scope, undo, redo, save the masks, paint, wipe out an event or change its kind."""
    gesture = rng.randrange(20)
    t, y, x = rng.randrange(a.shape[0]), rng.uniform(0, a.shape[1] - 1), rng.uniform(0, a.shape[2] - 1)
    if gesture < 8:
        a.do(marking.stamp(a, rng.choice(a.kinds), t, y, x, rng.randrange(1, 6)))
    elif gesture < 10:
        a.do(marking.mark_point(a, rng.choice(("nothing", "uncertain")), t, y, x, 3))
    elif gesture < 11:
        a.do(marking.set_scope(a, range(t, a.shape[0]), (0, int(y), 0, int(x))))
    elif gesture < 13:
        a.undo()
    elif gesture < 15:
        a.redo()
    elif gesture < 16:
        project.save()
    elif gesture < 18 or not a.events:
        stroke = np.arange(6) + int(y) * a.shape[2] + min(int(x), a.shape[2] - 6)
        a.do(marking.paint(a, t, stroke, rng.randrange(3)))
    elif gesture < 19:
        a.do(marking.erase_event(a, rng.choice(a.events)))
    else:
        a.do(marking.change_kind(a, rng.choice(a.events), rng.choice(a.kinds)))


def work(folder: str, seed: int) -> Iterator[tuple[int, str]]:
    """Work on a project without end."""
    project = Project.open(folder)
    a, rng = project.annotations("film"), random.Random(seed)
    while True:
        yield a.now[0], project.trouble or digest(a)
        act(project, a, rng)
