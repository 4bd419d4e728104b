"""What tells of a registered movie where its frames lay before: a table beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENDING = "-registered.ome.tif"
"""How the name of a registered movie ends."""
SHIFTS = "shifts.csv"


def write_corners(folder: Path, corners: NDArray[np.integer]) -> Path:
    """Write the row and column of the registered field at which the first pixel of each frame lies, (T, 2).

    Raises
    ------
    OSError
        When it cannot be written.
    """
    path = folder / SHIFTS
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["t", "y", "x"])
        table.writerows([t, int(y), int(x)] for t, (y, x) in enumerate(corners))
    return path


def corners_of(movie: Path) -> NDArray[np.int64] | None:
    """Return what `write_corners` wrote beside a registered movie, (T, 2); None for any other, or where it is missing or damaged.

    The place of a pixel in the movie before is its place in this one less the corner of its frame.
    """
    if not movie.name.endswith(ENDING):
        return None
    try:
        with (movie.parent / SHIFTS).open(newline="", encoding="utf-8") as file:
            rows = [(int(row["t"]), int(row["y"]), int(row["x"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError):
        return None
    if not rows or [t for t, _, _ in rows] != list(range(len(rows))):
        return None
    return np.array([corner for _, *corner in rows], dtype=np.int64)
