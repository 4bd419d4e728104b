"""Boxes of a movie that were looked at, one by one, and boxes that must not teach: a CSV beside the mask."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MaskError
from napari_tap_events.movies.scope import Scope
from napari_tap_events.writing import all_or_nothing

COLUMNS = ("what", "t0", "t1", "y0", "y1", "x0", "x1")
NOWHERE = Scope(range(0), 0, 0, 0, 0)


@dataclass(frozen=True)
class Known:
    """What is known of a movie beside, or in place of, its scope.

    Attributes
    ----------
    seen : tuple of Scope
        Boxes in which every event is marked.
    hidden : tuple of Scope
        Boxes that neither teach nor judge, whatever is known of them: windows of an audit, locked frames.
    """

    seen: tuple[Scope, ...] = ()
    hidden: tuple[Scope, ...] = ()


def write_known(path: Path, known: Known) -> None:
    """Write the boxes: all of them, or nothing.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    with all_or_nothing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for what, boxes in (("seen", known.seen), ("hidden", known.hidden)):
            table.writerows([what, b.frames.start, b.frames.stop, b.y0, b.y1, b.x0, b.x1] for b in boxes)


def read_known(path: Path) -> Known:
    """Read boxes.

    Raises
    ------
    MaskError
        When the file cannot be read, or a line of it says something else.
    """
    found: dict[str, list[Scope]] = {"seen": [], "hidden": []}
    number = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                number += 1
                t0, t1, y0, y1, x0, x1 = (int(row[name]) for name in COLUMNS[1:])
                found[row["what"]].append(Scope(range(t0, t1), y0, y1, x0, x1))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MaskError(f"the boxes '{path}' cannot be read: {error}.") from None
    except (KeyError, TypeError, ValueError):
        raise MaskError(
            f"line {number} of the boxes '{path.name}' cannot be read; it needs {', '.join(COLUMNS)}, the first 'seen' or 'hidden'."
        ) from None
    return Known(tuple(found["seen"]), tuple(found["hidden"]))


def boxes_at(boxes: Iterable[Scope], t: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of frame `t` that lie in a box, (Y, X) bool."""
    inside = np.zeros(shape, dtype=bool)
    for box in boxes:
        if t in box.frames:
            inside[box.y0 : box.y1, box.x0 : box.x1] = True
    return inside
