"""The mask of a movie on disk: an OME-Zarr that follows the journal; only frames that have changed are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_tap_events.errors import MovieError, OutputError, ProjectError
from napari_tap_events.movies.masks import MARKS
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import create_map, open_map
from napari_tap_events.project.annotations import Annotations


def write_masks(path: Path, a: Annotations, movie: Movie | None = None) -> None:
    """Bring the mask at `path` up to date with the marks.

    Parameters
    ----------
    path : Path
        The `.zarr` folder.
    a : Annotations
    movie : Movie, optional
        Its scale is written into a new file.

    Raises
    ------
    ProjectError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        since = _up_to(path, a)
        if since is None:
            _create(path, a, movie)
        _write_frames(path, a, since or 0)
    except (OSError, OutputError) as error:
        raise ProjectError(
            f"the mask cannot be written to '{path}': {error}; make room, or save the project elsewhere."
        ) from None


def _create(path: Path, a: Annotations, movie: Movie | None) -> None:
    scale = {"pixel_size_um": movie.pixel_size_um, "interval_s": movie.interval_s} if movie else {}
    create_map(path, a.shape, "uint8", name=path.stem, overwrite=True, **scale)  # type: ignore[arg-type]


def _write_frames(path: Path, a: Annotations, since: int) -> None:
    import zarr

    array = open_map(path, writable=True).array
    for t in sorted(a.frames_since(since)):
        array[t] = a.labels[t]
    group = zarr.open_group(str(path), mode="r+")
    group.attrs[MARKS] = {"journal": list(a.now), "kinds": {str(kind.value): kind.name for kind in a.kinds}}


def _up_to(path: Path, a: Annotations) -> int | None:
    """Return the number of the journal's entry up to which a mask is current, None where it must be written anew."""
    import zarr

    try:
        group = zarr.open_group(str(path), mode="r")
        told: Any = group.attrs[MARKS]
        n, time = told["journal"]
        fits = open_map(path).array.shape == a.shape and a.was(int(n), str(time))
    except (OSError, MovieError, KeyError, TypeError, ValueError):
        return None
    return int(n) if fits else None
