"""The recipe `register`: a movie in which the picture stays where it is."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import JobStopped, OutputError
from napari_tap_events.jobs.output import Run, describe, finish, start
from napari_tap_events.movies.movie import Movie, check_finite, stem_of
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.registered import ENDING, SHIFTS, write_corners
from napari_tap_events.movies.registration import Canvas, canvas_for, held_places, levelled, shift_between
from napari_tap_events.movies.tiff_writing import write_ome_tiff
from napari_tap_events.reports import Report
from napari_tap_events.settings import RegisterSettings


def register(movie_path: Path, settings: RegisterSettings, run: Run) -> Generator[Report, None, Path]:
    """Undo the shake and the drift of the stage: write the movie anew, every frame moved by whole pixels.

    No pixel is interpolated. Where a channel was chosen, it alone tells the shifts; all channels are moved and written. Where a frame
    shows nothing of the new field, which happens only if that is more than what all show, its border goes on. Marks on the movie before
    do not fit the new one; `shifts.csv` tells by how much each frame was moved.

    Parameters
    ----------
    movie_path : Path
    settings : RegisterSettings
    run : Run

    Yields
    ------
    Report

    Returns
    -------
    Path
        The folder with `NAME-registered.ome.tif`, (T, C, Y, X) in the pixel type of the movie; `shifts.csv`, row (y) and column (x) of
        the new field at which the first pixel of each frame lies; `result.json`.

    Raises
    ------
    MovieError
        When the new field would be too large, or empty.
    """
    movie, whole = open_movie(movie_path, run.movie), open_movie(movie_path, run.movie.model_copy(update={"channel": None}))
    start(run, "register", settings, {"movie": [movie_path]})
    shifts: list[tuple[float, float]] = []
    for shift in _shifts(movie, settings.max_shift_px):
        shifts.append(shift)
        yield Report("shifts", len(shifts), movie.n_frames - 1)
        _stop_if_asked(run, "measuring")
    canvas = canvas_for(held_places(shifts), movie.height, movie.width, settings.field)
    name = f"{stem_of(movie.name)}{ENDING}"
    yield from _write(whole, canvas, run.out / name, run)
    write_corners(run.out, np.asarray(canvas.corners))
    finish(
        run,
        "register",
        {"register": settings},
        {"movie": describe(movie)},
        {"movie": name, "shifts": SHIFTS},
        _summary(movie, np.asarray(shifts), canvas),
        [],
    )
    return run.out


def _shifts(movie: Movie, most_px: int) -> Iterator[tuple[float, float]]:
    before: NDArray[np.float32] | None = None
    for t in range(movie.n_frames):
        frame = movie.frame(t)
        check_finite(frame, t, movie.name)
        after = levelled(frame)
        if before is not None:
            yield shift_between(before, after, most_px)
        before = after


def _write(movie: Movie, canvas: Canvas, path: Path, run: Run) -> Generator[Report, None, None]:
    """Write the frames as they lie on the canvas; what is half written does not bear the name of the whole."""
    partial = path.with_name(f"partial-{path.name}")
    frames = (canvas.placed(movie.frame(t), t) for t in range(movie.n_frames))
    shape = (movie.n_frames, movie.n_channels, canvas.height, canvas.width)
    try:
        for done in write_ome_tiff(partial, frames, shape, movie):
            yield Report("write", done, movie.n_frames)
            _stop_if_asked(run, "writing")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}; make room, or change --out.") from None
    finally:
        partial.unlink(missing_ok=True)


def _stop_if_asked(run: Run, stage: str) -> None:
    if run.control.wait_or_stop():
        raise JobStopped(f"stopped while {stage}; start again with --overwrite.")


def _summary(movie: Movie, shifts: NDArray[np.float64], canvas: Canvas) -> dict[str, Any]:
    lengths = np.linalg.norm(shifts, axis=1)
    wander = np.ptp(canvas.corners, axis=0)
    return {
        "frames": movie.n_frames,
        "typical_shift_px": round(float(np.median(lengths)), 2),
        "largest_shift_px": round(float(lengths.max()), 2),
        "largest_shift_to_frame": int(lengths.argmax()) + 1,
        "wander_y_px": int(wander[0]),
        "wander_x_px": int(wander[1]),
        "height_px": canvas.height,
        "width_px": canvas.width,
    }
