"""The probability map of a review in the viewer: it grows while the worker writes it, and frames come anew with every head."""

from __future__ import annotations

from pathlib import Path

import napari.viewer
from napari.layers import Image

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.layers import probability_layer, world_of
from napari_tap_events.gui.places import go_to_frame
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import open_map

NAME = "probability by review"


class ReviewOverlay:
    """One layer, put up when the first frame is mapped.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    movie : Movie
    path : Path
        Where the worker writes the map.
    """

    def __init__(self, viewer: napari.viewer.Viewer, movie: Movie, path: Path) -> None:
        self._viewer, self._movie, self.path = viewer, movie, path
        self.layer: Image | None = None

    def refresh(self, pair: int) -> None:
        """Show the map, where the frame on screen is the one that was written."""
        if self.layer is None or self.layer not in self._viewer.layers:
            self._put_up()
        elif pair == self.visible_pair():
            self.layer.refresh()

    def visible_pair(self) -> int:
        """Return the frame pair on screen."""
        dims, world = self._viewer.dims, world_of(self._movie)
        t = round(dims.point[dims.ndim - 3] / world.per_frame)
        return min(max(t, 0), self._movie.n_frames - 2)

    def clear(self) -> None:
        """Take the layer away."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def _put_up(self) -> None:
        if self.layer is not None:  # the person took it away
            return
        try:
            stored = open_map(self.path)
        except TapEventsError:  # it is just being made
            return
        active, t = self._viewer.layers.selection.active, self.visible_pair()
        self.layer = probability_layer(stored, world_of(self._movie))
        self.layer.name = NAME
        self._viewer.add_layer(self.layer)
        self._viewer.layers.selection.active = active
        if self.visible_pair() != t:
            go_to_frame(self._viewer, t, world_of(self._movie))
