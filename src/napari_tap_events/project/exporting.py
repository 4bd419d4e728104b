"""Marks as files for others: a mask as TIFF or OME-Zarr, and a table of the events."""

from __future__ import annotations

from math import pi, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from napari_tap_events.errors import OutputError, ProjectError
from napari_tap_events.movies.masks import save_masks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.regions import MarkedRegion
from napari_tap_events.writing import all_or_nothing

if TYPE_CHECKING:
    import pandas as pd


def export_masks(a: Annotations, path: str | Path, movie: Movie | None = None) -> None:
    """Write the mask (T, Y, X) uint8: a folder for a name that ends with ".zarr", else a TIFF.

    Parameters
    ----------
    a : Annotations
    path : path
        What lies there is replaced; a folder only where it is a zarr.
    movie : Movie, optional
        Its scale is written into an OME-Zarr.

    Raises
    ------
    ProjectError
        When it cannot be written.
    """
    target = Path(path)
    if target.is_dir() and not (target / "zarr.json").exists():
        raise ProjectError(f"'{target}' is a folder that holds something else; choose another name.")
    try:
        if target.suffix.lower() != ".zarr":
            with all_or_nothing(target) as partial:
                save_masks(partial, a.labels)
            return
        scale = {"pixel_size_um": movie.pixel_size_um, "interval_s": movie.interval_s} if movie else {}
        array = create_map(target, a.shape, "uint8", name=target.stem, overwrite=True, **scale)  # type: ignore[arg-type]
        for t in sorted({frame for region in a.events for frame in region.frames}):
            array[t] = a.labels[t]
    except (OSError, OutputError) as error:
        raise ProjectError(f"the mask cannot be written to '{target}': {error}; choose another place.") from None


def marked_table(a: Annotations, movie: Movie | None = None) -> pd.DataFrame:
    """Return the marked events, and the uncertain places, as an events table with the further column `radius`, in pixels.

    Points "nothing here" are left out: for whoever reads a table each row is an event. Write it with `events.table.write_events`.
    """
    from napari_tap_events.events.table import EventRow, events_table

    uncertain = [point for point in a.points if point.meaning == "uncertain"]
    rows = [EventRow(r.event.t, r.event.y, r.event.x, r.event.kind, source="person", status="added") for r in a.events]
    rows += [EventRow(p.t, p.y, p.x, "uncertain", source="person", status="added") for p in uncertain]
    table = events_table(rows, movie.interval_s if movie else None, movie.pixel_size_um if movie else None)
    radii = [_radius_px(region) for region in a.events] + [point.radius_px for point in uncertain]
    return table.assign(radius=[round(radius, 2) for radius in radii])


def _radius_px(region: MarkedRegion) -> float:
    """Return the radius of the disc that has the mean area of an event in its frames."""
    return sqrt(sum(len(pixels) for _, pixels in region.blobs) / len(region.frames) / pi)
