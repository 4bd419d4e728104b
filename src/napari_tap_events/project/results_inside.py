"""The results that lie in a project: a folder for each, by what it holds."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Literal

from napari_tap_events.errors import ProjectError

Shelf = Literal["encoders", "heads", "maps", "movies", "jobs"]
BROUGHT = "brought.json"
"""Lies in a model that was made elsewhere, and says where."""
_FINISHED = "result.json"


def new_folder(project: Path, shelf: Shelf, stem: str) -> Path:
    """Make an empty folder on a shelf, with a name that is free: "stem", "stem-2" and so on.

    Raises
    ------
    ProjectError
        When it cannot be made.
    """
    clean = re.sub(r"[^\w-]+", "_", stem).strip("_") or shelf
    try:
        (project / shelf).mkdir(exist_ok=True)
        for i in count(1):
            path = project / shelf / (clean if i == 1 else f"{clean}-{i}")
            if not path.exists():
                path.mkdir()
                return path
    except OSError as error:
        raise ProjectError(
            f"no folder can be made in '{project / shelf}': {error.strerror or error}; make room, or save the project elsewhere."
        ) from None
    raise AssertionError("counting has come to an end")


def results(project: Path, shelf: Shelf) -> tuple[Path, ...]:
    """Return the finished results on a shelf that were made in the project, newest first."""
    made = [path for path in (project / shelf).glob(f"*/{_FINISHED}") if not (path.parent / BROUGHT).exists()]
    finished = [(path.stat().st_mtime, path.parent) for path in made]
    return tuple(folder for _, folder in sorted(finished, reverse=True))
