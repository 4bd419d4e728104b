"""What `train` is given of a movie's marks: a mask, uncertain places, and the scope."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.known import Known, write_known
from napari_tap_events.movies.marked_points import UNCERTAIN
from napari_tap_events.movies.masks import Scope
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import PointMark
from napari_tap_events.project.looked_at import known_of
from napari_tap_events.project.stored_masks import write_masks
from napari_tap_events.writing import all_or_nothing


@dataclass(frozen=True)
class TrainingFiles:
    """The marks of a movie as the command `train` takes them.

    Attributes
    ----------
    masks : Path
        For `--masks`.
    events : Path or None
        For `--events`: the uncertain places; None where there are none.
    scope_frames, scope_region : str
        For `--scope-frames` and `--scope-region`; empty where no scope is set.
    remarks : tuple of str
        What a person must know before training, one sentence each.
    known : Path or None
        For `--known`: the squares that were judged in a review; None where there was none.
    """

    masks: Path
    events: Path | None
    scope_frames: str = ""
    scope_region: str = ""
    remarks: tuple[str, ...] = ()
    known: Path | None = None


def write_training_files(folder: Path, name: str, a: Annotations, movie: Movie | None = None) -> TrainingFiles:
    """Write `NAME.zarr` and, where places are uncertain, `NAME.uncertain.csv`, and after a review `NAME.known.csv` into a folder.

    Points "nothing here" are not written: inside of the scope whatever is not marked counts as no event anyway, and what a review
    says "no" to is among the known boxes. Elsewhere `train` takes nothing to be known.

    Raises
    ------
    ProjectError
        When no event is marked, or the folder cannot be written.
    """
    if not a.events:
        raise ProjectError(f"no event is marked in '{name}' yet; mark some before training.")
    masks, table, boxes = (folder / f"{name}{end}" for end in (".zarr", ".uncertain.csv", ".known.csv"))
    write_masks(masks, a, movie)
    uncertain = [point for point in a.points if point.meaning == "uncertain"]
    known = known_of(a)
    try:
        _write_uncertain(table, uncertain)
        write_known(boxes, known)
    except OSError as error:
        raise ProjectError(
            f"'{folder}' cannot be written: {error.strerror or error}; make room, or save the project elsewhere."
        ) from None
    reviewed = boxes if known != Known() else None
    return TrainingFiles(masks, table if uncertain else None, *_scope_texts(a.scope), _remarks(a, known), reviewed)


def _write_uncertain(path: Path, points: list[PointMark]) -> None:
    """Write the table; one without rows stays where there was one, for a run that began with it and finds that the marks changed."""
    if not points and not path.exists():
        return
    with all_or_nothing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["event_id", "kind", "t", "y", "x", "radius"])
        table.writerows([f"point {p.id}", UNCERTAIN, p.t, round(p.y, 2), round(p.x, 2), round(p.radius_px, 2)] for p in points)


def _scope_texts(scope: Scope | None) -> tuple[str, str]:
    if scope is None:
        return "", ""
    return f"{scope.frames.start}:{scope.frames.stop}", f"{scope.y0}:{scope.y1},{scope.x0}:{scope.x1}"


def _remarks(a: Annotations, known: Known) -> tuple[str, ...]:
    """Say what does not teach; outside of the scope the squares that were judged in a review do."""
    remarks = []
    if a.scope is None and not a.verdicts:
        remarks.append("No scope is set, so the whole movie counts as marked: an event that is not marked teaches 'no event'.")
    taught: list[Scope] = [a.scope, *known.seen] if a.scope else []
    outside = [r for r in a.events if taught and not any(box.contains(r.event.t, r.event.y, r.event.x) for box in taught)]
    if outside:
        remarks.append(f"{len(outside)} of {len(a.events)} events lie outside of the scope and are not used.")
    nothing = [p for p in a.points if p.meaning == "nothing" and a.scope and not a.scope.contains(p.t, p.y, p.x)]
    if nothing:
        remarks.append(f"{len(nothing)} points 'nothing here' lie outside of the scope and are not used.")
    return tuple(remarks)
