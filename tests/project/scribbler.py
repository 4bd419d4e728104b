"""Makes processes that mark at random and say what they have done, until they are killed.

One process imports everything; for each line "folder seed" on its input it splits off another, which works in the project. That
one prints its number, then after each action the number of the newest entry of the journal and a digest of the marks. When it
has been killed the first prints "gone".
"""

from __future__ import annotations

import hashlib
import os
import random
import sys

import scipy.sparse.csgraph  # noqa: F401
import zarr  # noqa: F401

from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project


def digest(a: Annotations) -> str:
    """Return a short hash of all marks."""
    return hashlib.sha256(a.labels.tobytes() + repr((a.points, a.scope, a.kinds, a.undo_words)).encode()).hexdigest()[:16]


def act(project: Project, a: Annotations, rng: random.Random) -> None:
    """Stamp, mark a point, set the scope, undo, redo or save the masks."""
    gesture = rng.randrange(16)
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
    else:
        project.save()


def scribble(folder: str, seed: int) -> None:
    """Work on a project until the end."""
    project = Project.open(folder)
    a, rng = project.annotations("film"), random.Random(seed)
    while True:
        say(a.now[0], project.trouble or digest(a))
        act(project, a, rng)


def say(*words: object) -> None:
    """Write a line at once, in one piece."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def main() -> None:
    """Split off a process for each line of the input."""
    for line in sys.stdin:
        folder, seed = line.rstrip("\n").rsplit(" ", 1)
        process = os.fork()
        if not process:
            say(os.getpid())
            scribble(folder, int(seed))
        os.waitpid(process, 0)
        say("gone")


if __name__ == "__main__":
    main()
