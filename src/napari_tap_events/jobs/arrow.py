"""The recipe `detect` without any label, by the arrow of time alone: places where a movie cannot run backwards."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.reports import Report
from napari_tap_events.settings import DetectSettings


def detect_arrow(
    movie_path: Path, encoder: Path, settings: DetectSettings, run: Run, first_frame: int | None = None
) -> Generator[Report, None, Path]:
    """Rank the places of a movie by their arrow of time, whatever else the encoder has learned.

    Parameters
    ----------
    movie_path, encoder : Path
    settings : DetectSettings
        `by` is taken as "arrow"; `threshold` is 0.5 unless given.
    run : Run
    first_frame : int, optional
        As of `detect_without_labels`.
    """
    by_arrow = settings.model_copy(update={"by": "arrow"})
    return (yield from detect_without_labels(movie_path, encoder, by_arrow, run, first_frame))
