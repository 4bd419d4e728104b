"""The probability map of a review in the viewer: frames come anew with every head, and the one on screen as soon as a head is taught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import napari.viewer
from napari.layers import Image, Layer

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.found_layers import maps_of
from napari_tap_events.gui.layers import lay_over_movie, probability_layer, world_of
from napari_tap_events.gui.places import go_to_frame
from napari_tap_events.gui.review_map import ReviewMap
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import StoredMap, open_map

OVERLAY, SKETCH = "overlay.ome.zarr", "sketch.ome.zarr"
"""As `jobs/review_maps.py` names them, which needs torch."""
NAME = "probability by review"
NONE_YET, PROVISIONAL = f"{NAME} (none yet)", f"{NAME} (provisional)"


class ReviewOverlay:
    """One layer; its name says what is on screen.

    It is put up before anything is mapped: to make it and to draw it for the first time holds the window up for a moment, which nobody
    notices while the first card is still to come.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    movie : Movie
    folder : Path
        Of the review, where the worker writes its maps.
    """

    def __init__(self, viewer: napari.viewer.Viewer, movie: Movie, folder: Path) -> None:
        self._viewer, self._movie, self._folder = viewer, movie, folder
        self.layer: Image | None = None
        self._map: ReviewMap | None = None
        self._mapped = False
        self._hidden: list[Layer] = []

    def put_up(self) -> None:
        """Make the layer as soon as there is a map; one that is there changes only where its size is another."""
        stored = self._stored(OVERLAY)
        if stored is None:  # the worker has yet to make it
            return
        if self._map is None or self._map.shape != stored.array.shape:
            self._show(stored)

    def refresh(self, pair: int) -> None:
        """Show the map, where the frame on screen is the one that was written."""
        visible = pair == self.visible_pair()
        if self._map is None or visible:  # to look what is stored takes some milliseconds: not for every frame that is mapped
            self.put_up()
        self._mapped = True
        if visible:
            self._read_again()
        self.tell()

    def set_provisional(self, pairs: frozenset[int]) -> None:
        """Show in these frame pairs what a head says that is not proven yet; in all others what the one in use says."""
        self.put_up()
        if self._map is None:
            return
        before, self._map.provisional = self._map.provisional, pairs
        if pairs and not before:
            stored = self._stored(SKETCH)
            self._map.sketch = None if stored is None else stored.array
        if self.visible_pair() in pairs | before:
            self._read_again()
        self.tell()

    def tell(self) -> None:
        """Say in the layer's name what is on screen."""
        if self.layer is None or self._map is None:
            return
        mapped = NAME if self._mapped else NONE_YET
        name = PROVISIONAL if self.visible_pair() in self._map.provisional else mapped
        if self.layer.name != name and self.layer.name.startswith(NAME):  # a name that the person gave stays
            self.layer.name = name

    def visible_pair(self) -> int:
        """Return the frame pair on screen."""
        return min(max(self.visible_frame(), 0), self._movie.n_frames - 2)

    def visible_frame(self) -> int:
        """Return the frame on screen."""
        dims, world = self._viewer.dims, world_of(self._movie)
        return round(dims.point[dims.ndim - 3] / world.per_frame)

    def clear(self) -> None:
        """Take the layer away, and show the maps again that it had taken the place of."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        for other in self._hidden:
            other.visible = True
        self.layer, self._map, self._hidden = None, None, []

    def _stored(self, name: str) -> StoredMap | None:
        try:
            return open_map(self._folder / name)
        except TapEventsError:  # there is none, or it is just being made
            return None

    def _show(self, stored: StoredMap) -> None:
        t = self.visible_pair()
        self._map = ReviewMap(stored.array)
        self._mapped = bool(self._map[t].any())
        made = probability_layer(replace(stored, array=self._map), world_of(self._movie))  # type: ignore[arg-type]
        if self.layer is not None and self.layer in self._viewer.layers:  # of another size: what the person has set stays
            self.layer.data, self.layer.scale, self.layer.translate = made.data, made.scale, made.translate
        else:
            self._add(made)
        self.tell()
        if self.visible_pair() != t:
            go_to_frame(self._viewer, t, world_of(self._movie))

    def _add(self, layer: Image) -> None:
        active, self.layer = self._viewer.layers.selection.active, layer
        layer.name = NAME
        self._hidden = [other for other in maps_of(self._viewer) if other.visible]
        for other in self._hidden:
            other.visible = False
        lay_over_movie(self._viewer, layer)
        self._viewer.layers.selection.active = active

    def _read_again(self) -> None:
        if self.layer is not None and self.layer in self._viewer.layers:
            self.layer.refresh()
