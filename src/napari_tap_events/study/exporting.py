"""The events of a result folder, or of a table alone, written for another program."""

from __future__ import annotations

from pathlib import Path

from napari_tap_events.errors import OutputError
from napari_tap_events.events.exports import FormatName, export_events, exported
from napari_tap_events.events.exports.facts import USUAL_RADIUS_PX, MovieFacts
from napari_tap_events.events.table import read_events
from napari_tap_events.movies.registered import corners_of
from napari_tap_events.study.result_folder import ResultFolder, read_result_folder


def export_from(source: Path, out: Path, form: FormatName, *, overwrite: bool = False) -> int:
    """Export the events of a result folder or of an events table.

    Parameters
    ----------
    source : Path
        A folder with a `result.json`, which also tells the movie's size and scale, or a CSV, which tells what it can.
    out : Path
        File to write; for GEFF a folder.
    form : {"csv", "geff", "trackmate"}
    overwrite : bool
        Replace what is there.

    Returns
    -------
    int
        How many events were written.

    Raises
    ------
    OutputError, MaskError
        When there are no events to read, or `out` cannot be written.
    """
    if not source.is_dir():
        events = read_events(source)
        export_events(events, out, form, overwrite=overwrite)
        return len(exported(events, form))
    result = read_result_folder(source)
    if "events" not in result.files:
        raise OutputError(f"'{source}' holds no events; give a folder that train, detect or demo wrote.")
    events = read_events(result.files["events"])
    of_movie = events if form == "csv" else result.of_movie(events)
    export_events(of_movie, out, form, movie_facts(result), overwrite=overwrite)
    return len(exported(of_movie, form))


def movie_facts(result: ResultFolder) -> MovieFacts:
    """Return what a result folder tells of its movie."""
    n_frames, _, height, width = result.shape or (0, 0, 0, 0)
    path = result.files["movie"].resolve() if "movie" in result.files else None
    return MovieFacts(
        path=path,
        n_frames=n_frames,
        height=height,
        width=width,
        pixel_size_um=result.pixel_size_um,
        interval_s=result.interval_s,
        radius_px=result.radius_px or USUAL_RADIUS_PX,
        corners=corners_of(path) if path else None,
    )
