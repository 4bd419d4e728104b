"""What a mask would teach: its events by kind, and how many windows each criterion makes an event, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from napari_tap_events.events.criteria import UNKNOWN, count_positives, label_movie
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.jobs.labelled import Labelled, open_labelled, truth_of, window_grid
from napari_tap_events.movies.event_sizes import fitting_sizes
from napari_tap_events.settings import LabelSettings, MovieSettings


def describe_marks(labelled: Labelled, opening: MovieSettings, settings: LabelSettings) -> dict[str, Any]:
    """Count what a mask would teach.

    Returns
    -------
    dict
        "events": number by kind; "uncertain": marks that count neither way; "windows": how many are known; "positives": how
        many of these are events, by criterion; "sizes", where anything is marked: `crop_px`, `radius_px` and `area_px` that fit
        the marks, and `reach_px`, which they follow; "text": the same for people.

    Raises
    ------
    MovieError, MaskError, SettingsError, ScopeError
        When the files do not go together, or nothing is left of them.
    """
    movie, masks = open_labelled(labelled, opening, settings)
    grid = window_grid(movie, settings)
    kinds = Counter(truth_of(labelled, masks)["kind"])
    known = np.count_nonzero(label_movie(masks, grid, settings) != UNKNOWN)
    values: dict[str, Any] = {
        "events": {kind: count for kind, count in sorted(kinds.items()) if kind != UNCERTAIN},
        "uncertain": kinds.get(UNCERTAIN, 0),
        "windows": int(known),
        "positives": dict(count_positives(masks, grid, settings.area_px)),
    }
    sizes = fitting_sizes(masks)
    if sizes is not None:
        values["sizes"] = asdict(sizes)
    return {**values, "text": "\n".join(_lines(values, settings))}


def events_marked(labelled: Sequence[Labelled], opening: MovieSettings, settings: LabelSettings) -> int:
    """Return how many events are marked in all, those that nobody is sure of left out; parameters are those of `describe_marks`."""
    truths = [truth_of(item, open_labelled(item, opening, settings)[1]) for item in labelled]
    return sum(int((truth["kind"] != UNCERTAIN).sum()) for truth in truths)


def _lines(values: dict[str, Any], settings: LabelSettings) -> list[str]:
    events = ", ".join(f"{count} {kind}" for kind, count in values["events"].items()) or "none"
    uncertain = f"; {values['uncertain']} uncertain, which count neither way" if values["uncertain"] else ""
    return [
        f"  events      {events}{uncertain}",
        f"  windows     {values['windows']:,} of {settings.crop_px} px; so many are events by each criterion:",
        *(f"    {criterion:<12} {count:,}" for criterion, count in values["positives"].items()),
        *([_sizes_line(values["sizes"])] if "sizes" in values else []),
    ]


def _sizes_line(sizes: dict[str, Any]) -> str:
    flags = " ".join(f"--{name.replace('_', '-')} {sizes[name]:g}" for name in ("crop_px", "radius_px", "area_px"))
    return f"  sizes       marks reach {sizes['reach_px']:g} px from the middle of an event; {flags} fit them"
