"""What a mask would teach: its events by kind, and how many windows each criterion makes an event, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from napari_tap_events.errors import ScopeError
from napari_tap_events.events.criteria import UNKNOWN, count_positives, label_movie
from napari_tap_events.events.curriculum import LabelledMovie, has_events_to_judge, with_folds
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.jobs.labelled import Labelled, open_labelled, truth_of, window_grid
from napari_tap_events.movies.event_sizes import fitting_sizes
from napari_tap_events.settings import HeadSettings, LabelSettings, MovieSettings, SplitSettings

_AS_IT_COMES = SplitSettings()


def describe_marks(
    labelled: Labelled, opening: MovieSettings, settings: LabelSettings, split: SplitSettings = _AS_IT_COMES
) -> dict[str, Any]:
    """Count what a mask would teach, and say how it would be judged.

    Returns
    -------
    dict
        "events": number by kind; "uncertain": marks that count neither way; "windows": how many are known; "positives": how
        many of these are events, by criterion; "sizes", where anything is marked: `crop_px`, `radius_px` and `area_px` that fit
        the marks, and `reach_px`, which they follow; "judged", likewise: `split`, `folds`, `nested` as `train` decides them, and the
        sentence `words`; "text": the same for people.

    Raises
    ------
    MovieError, MaskError, SettingsError, ScopeError
        When the files do not go together, or nothing is left of them.
    """
    movie, masks = open_labelled(labelled, opening, settings)
    grid = window_grid(movie, settings)
    truth = truth_of(labelled, masks)
    lesson = LabelledMovie(label_movie(masks, grid, settings), truth)
    kinds, known = Counter(truth["kind"]), np.count_nonzero(lesson.labels != UNKNOWN)
    values: dict[str, Any] = {
        "events": {kind: count for kind, count in sorted(kinds.items()) if kind != UNCERTAIN},
        "uncertain": kinds.get(UNCERTAIN, 0),
        "windows": int(known),
        "positives": dict(count_positives(masks, grid, settings.area_px)),
    }
    sizes = fitting_sizes(masks)
    if sizes is not None:
        values |= {"sizes": asdict(sizes), "judged": _judged([lesson], split)}
    return {**values, "text": "\n".join(_lines(values, settings))}


def decided_by_marks(labelled: Sequence[Labelled], opening: MovieSettings, settings: HeadSettings) -> HeadSettings:
    """Return the settings with folds and steps decided by what is marked, as in `train`; errors are those of `describe_marks`."""
    lessons = []
    for item in labelled:
        movie, masks = open_labelled(item, opening, settings)
        labels = label_movie(masks, window_grid(movie, settings), settings)
        lessons.append(LabelledMovie(labels, truth_of(item, masks)))
    steps = settings.steps_for(sum(lesson.n_events for lesson in lessons))
    return with_folds(lessons, settings, settings.seed).model_copy(update={"steps": steps})


def _judged(lessons: Sequence[LabelledMovie], split: SplitSettings) -> dict[str, Any]:
    decided = with_folds(lessons, split, 0)
    return {"split": decided.split, "folds": decided.folds, "nested": decided.nested, "words": _judged_words(lessons, decided)}


def _judged_words(lessons: Sequence[LabelledMovie], decided: SplitSettings) -> str:
    if decided.split == "movies":
        return "movies are judged by heads that never saw them."
    try:
        if not has_events_to_judge(lessons, decided, 0):
            return (
                "there will be no score: no event lies where it could be kept for judging. Mark others, further away in time."
            )
    except ScopeError as error:
        return str(error)
    if decided.folds:
        return f"every event is judged by a head that never saw it ({decided.folds} blocks of time)."
    return "crops are drawn at random, which leaks." if decided.split == "random" else "the last fifth of the frames judges."


def _lines(values: dict[str, Any], settings: LabelSettings) -> list[str]:
    events = ", ".join(f"{count} {kind}" for kind, count in values["events"].items()) or "none"
    uncertain = f"; {values['uncertain']} uncertain, which count neither way" if values["uncertain"] else ""
    return [
        f"  events      {events}{uncertain}",
        f"  windows     {values['windows']:,} of {settings.crop_px} px; so many are events by each criterion:",
        *(f"    {criterion:<12} {count:,}" for criterion, count in values["positives"].items()),
        *([_sizes_line(values["sizes"]), f"  judging     {values['judged']['words']}"] if "sizes" in values else []),
    ]


def _sizes_line(sizes: dict[str, Any]) -> str:
    flags = " ".join(f"--{name.replace('_', '-')} {sizes[name]:g}" for name in ("crop_px", "radius_px", "area_px"))
    return f"  sizes       marks reach {sizes['reach_px']:g} px from the middle of an event; {flags} fit them"
