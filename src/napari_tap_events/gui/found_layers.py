"""What a model found in the open movie, as layers: maps and event points; those of the next result take their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari.viewer
import pandas as pd
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points
from napari.utils.notifications import show_warning

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.table import read_events
from napari_tap_events.gui import layers as show_as
from napari_tap_events.gui.event_points import event_layers, jump_to_event, most_probable
from napari_tap_events.gui.result_layers import RESULT
from napari_tap_events.gui.world import World
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import open_map

MAPS = {
    "probability": ("probability.ome.zarr", show_as.probability_layer),
    "simulated": ("simulated.ome.zarr", show_as.simulated_layer),
    "arrow": ("arrow.ome.zarr", show_as.arrow_layer),
    "grad_cam": ("grad_cam.ome.zarr", show_as.grad_cam_layer),
    "evidence": ("evidence.ome.zarr", show_as.evidence_layer),
}

OF_A_KIND = "probability_"
"""How the roles of the maps of single kinds begin."""
GROWING = ("probability", "simulated", "arrow")
"""What can be seen while it is computed: the first of them that there is."""


def maps_of(viewer: ViewerModel) -> list[Layer]:
    """Return the layers that are maps of a movie, that of a review among them."""
    return [layer for layer in viewer.layers if layer.metadata.get(show_as.ROLE) in (*MAPS, show_as.KIND_MAP)]


Judge = Callable[[pd.DataFrame], pd.DataFrame]


def _as_found(candidates: pd.DataFrame) -> pd.DataFrame:
    return candidates


class FoundLayers:
    """The layers of the newest result.

    Attributes
    ----------
    points : tuple of Points
        The marks one frame beside the candidates, and those of the candidates themselves, with their probability.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self._mine: dict[str, list[Layer]] = {}
        self._growing: Path | None = None
        self._done, self._first = 0, 0
        self.points: tuple[Points, ...] = ()

    def show(self, folder: Path, movie: Movie, radius_px: float, judge: Judge = _as_found) -> None:
        """Show the maps and the candidates of a folder that `detect`, `train` or `explain` wrote.

        Parameters
        ----------
        folder : Path
        movie : Movie
            The open movie, in whose place in the world the layers lie.
        radius_px : float
            Radius of a cell; half the size of the marks.
        judge : callable
            Returns the candidates with their `status` as a person has judged them.
        """
        world = show_as.world_of(movie)
        if (folder / "probability.ome.zarr").exists():
            self._show_kinds(folder, world)
        for role, (name, make) in MAPS.items():
            if (folder / name).exists():
                try:
                    self._replace(role, [make(open_map(folder / name), world)])
                except TapEventsError as error:
                    show_warning(str(error))
        if (folder / "candidates.csv").exists():
            self.show_candidates(folder, movie, radius_px, judge)

    def grow(self, folder: Path, movie: Movie, done: int) -> str:
        """Show what a running job has mapped so far; frames that it has not reached are empty.

        Parameters
        ----------
        folder : Path
            Into which `detect` writes.
        movie : Movie
        done : int
            Frame pairs that it has finished, besides the one that was visible when it began.

        Returns
        -------
        str
            Which of `MAPS` has just been put up; empty where there is none yet, or it is there already.
        """
        begun = self._put_up(folder, movie) if self._growing != folder else ""
        visible = self._viewer.dims.current_step[0] - self._first
        if not begun and self._done <= visible < done:
            for role in GROWING:
                for layer in self._mine.get(role, []):
                    layer.refresh()
        self._done = done
        return begun

    def _put_up(self, folder: Path, movie: Movie) -> str:
        for role in GROWING:
            name, make = MAPS[role]
            if (folder / name).exists():
                try:
                    stored = open_map(folder / name)
                except TapEventsError:  # it is just being made
                    return ""
                self.clear()
                self._replace(role, [make(stored, show_as.world_of(movie))])
                self._growing, self._first = folder, stored.frame_offset
                return role
        return ""

    def show_only(self, role: str) -> None:
        """Show one of the maps, by its role, and hide the others, also that of a review; "" hides all."""
        mine = self._mine.get(role, [])
        for layer in maps_of(self._viewer):
            layer.visible = layer in mine

    def roles(self) -> tuple[str, ...]:
        """Return which maps there are: names in `MAPS`, and `OF_A_KIND` with the name of a kind."""
        kinds = sorted(role for role in self._mine if role.startswith(OF_A_KIND) and self._mine[role])
        others = [role for role in MAPS if self._mine.get(role)]
        at = others.index("probability") + 1 if "probability" in others else 0
        return (*others[:at], *kinds, *others[at:])

    def go_to_best(self, movie: Movie) -> None:
        """Show the most probable event of a movie, where there is any."""
        if self.points:
            best = most_probable(self.points[-1].features)
            if best is not None:
                jump_to_event(self._viewer, self.points[-1], best, show_as.world_of(movie))

    def clear(self) -> None:
        """Take all layers away."""
        for role in list(self._mine):
            self._replace(role, [])
        self._growing, self.points = None, ()

    def _show_kinds(self, folder: Path, world: World) -> None:
        """Show the maps of the kinds that a head tells apart; those of the result before go."""
        for role in [role for role in self._mine if role.startswith(OF_A_KIND)]:
            self._replace(role, [])
        for path in sorted(folder.glob(f"{OF_A_KIND}*.ome.zarr")):
            role = path.name.removesuffix(".ome.zarr")
            try:
                self._replace(role, [show_as.kind_layer(open_map(path), world, role.removeprefix(OF_A_KIND))])
            except TapEventsError as error:
                show_warning(str(error))

    def show_candidates(self, folder: Path, movie: Movie, radius_px: float, judge: Judge = _as_found) -> None:
        """Show the candidates alone; as for `show`."""
        candidates = judge(read_events(folder / "candidates.csv"))
        points = event_layers(candidates, show_as.world_of(movie), movie.n_frames, 2 * radius_px)
        points[-1].metadata[RESULT] = folder
        self._replace("events", list(points))
        self.points = tuple(points)

    def _replace(self, role: str, layers: list[Layer]) -> None:
        for layer in self._mine.get(role, []):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        for layer in layers:
            if isinstance(layer, Image):
                show_as.lay_over_movie(self._viewer, layer)
            else:
                self._viewer.add_layer(layer)
        self._mine[role] = layers
