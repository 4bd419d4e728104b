"""The probability maps of a review on disk: that of the head in use, and beside it frames by a head that nobody has proven yet."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import create_map, open_map
from napari_tap_events.reports import Report

OVERLAY, SKETCH = "overlay.ome.zarr", "sketch.ome.zarr"


@dataclass(frozen=True)
class Speaker:
    """A head, and what its logits mean.

    Attributes
    ----------
    head : EventHead
    windows : tuple of Calibrator
        Logit of a window to probability: of any event, then of each kind that is told apart.
    """

    head: EventHead
    windows: tuple[Calibrator, ...]


@dataclass(frozen=True)
class ReviewMaps:
    """Draws the maps of one movie.

    Attributes
    ----------
    folder : Path
        Of the review.
    movie : Movie
    tiles : MapTiles
        Of the whole movie.
    grid : WindowGrid
        Of the windows that a map has values for.
    """

    folder: Path
    movie: Movie
    tiles: MapTiles
    grid: WindowGrid

    def draw(self, name: str, speaker: Speaker, pairs: Iterable[int]) -> Generator[Report, None, None]:
        """Write what a head says of frame pairs into a map.

        Parameters
        ----------
        name : str
            `OVERLAY` or `SKETCH`; the stage of the reports, too.
        speaker : Speaker
        pairs : iterable of int

        Yields
        ------
        Report
            `done` is the frame pair that was written.
        """
        values, dense = self.opened(name), DenseHead(speaker.head)
        for t in pairs:
            logits = dense.window_logits(self.tiles, t, self.grid.stride_px // MAP_STRIDE_PX)
            values[t] = speaker.windows[0].probability(logits[0]).astype(np.float16)
            yield Report(name, t, self.movie.n_frames - 1)

    def opened(self, name: str, empty: bool = False) -> Any:
        """Open a map for writing; where there is none of this size, or it is to be empty, make one of zeros."""
        path, size = self.folder / name, (self.movie.n_frames - 1, *self.grid.shape)
        if path.exists() and not empty:
            found = open_map(path, writable=True).array
            if found.shape == size:
                return found
        place: dict[str, Any] = {"stride_px": self.grid.stride_px, "offset_px": self.grid.offset_px}
        scale: dict[str, Any] = {"pixel_size_um": self.movie.pixel_size_um, "interval_s": self.movie.interval_s}
        return create_map(path, size, name="probability", overwrite=True, **place, **scale)
