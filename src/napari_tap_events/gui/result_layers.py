"""The results of a command as layers: movie, masks, probability, evidence and events, one over the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from napari.components import ViewerModel
from napari.layers import Layer, Points
from napari.utils.notifications import show_warning

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.table import read_events
from napari_tap_events.gui import layers as show_as
from napari_tap_events.gui.event_points import DEFAULT_DIAMETER_PX, event_layers, jump_to_event, most_probable, truth_layer
from napari_tap_events.gui.world import World
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.study.result_folder import ResultFolder, read_result_folder

RESULT = "tap_events_result"
"""Key in a layer's metadata under which we write the result folder that it shows."""


@dataclass(frozen=True)
class _Below:
    """What lies under the overlays, and how large their marks are."""

    result: ResultFolder
    movie: Movie
    world: World
    diameter_px: float


def _masks(path: Path, below: _Below) -> list[Layer]:
    return [show_as.masks_layer(open_masks(path, below.movie).labels, below.world)]


def _arrow(path: Path, below: _Below) -> list[Layer]:
    return [show_as.arrow_layer(open_map(path), below.world)]


def _simulated(path: Path, below: _Below) -> list[Layer]:
    return [show_as.simulated_layer(open_map(path), below.world)]


def _grad_cam(path: Path, below: _Below) -> list[Layer]:
    return [show_as.grad_cam_layer(open_map(path), below.world)]


def _probability(path: Path, below: _Below) -> list[Layer]:
    return [show_as.probability_layer(open_map(path), below.world)]


def _truth(path: Path, below: _Below) -> list[Layer]:
    return [truth_layer(below.result.of_movie(read_events(path)), below.world, below.diameter_px)]


def _events(path: Path, below: _Below) -> list[Layer]:
    events = below.result.of_movie(read_events(path))
    return list(event_layers(events, below.world, below.movie.n_frames, below.diameter_px))


OVERLAYS: dict[str, Callable[[Path, _Below], list[Layer]]] = {
    "masks": _masks,
    "simulated": _simulated,
    "arrow": _arrow,
    "grad_cam": _grad_cam,
    "probability": _probability,
    "truth": _truth,
    "events": _events,
}
"""How the files of a result are shown, by role, the lowest layer first."""


def open_results(viewer: ViewerModel, folder: str | Path, movie_path: str | Path | None = None) -> list[Layer]:
    """Add all layers of a result folder to a viewer and go to its most probable event.

    Parameters
    ----------
    viewer : ViewerModel
    folder : path
        With a `result.json`.
    movie_path : path, optional
        Where the movie is now, if it was moved since.

    Returns
    -------
    list of Layer
        The added layers, the lowest first.

    Raises
    ------
    OutputError
        When the folder holds no result.
    MovieError
        When the movie is gone; the message says how to tell where it is.
    """
    result = read_result_folder(folder)
    movie = result.open_movie(movie_path)
    world = show_as.world_of(movie)
    added: list[Layer] = [*show_as.movie_layers(movie), *_overlays(result, movie)]
    for layer in added:
        layer.metadata[RESULT] = result.folder
        viewer.add_layer(layer)
    if result.missing:
        show_warning(f"'{result.folder.name}' is not complete: {', '.join(result.missing)} is not there.")
    viewer.canvas.overlays.scale_bar.visible = movie.pixel_size_um is not None
    _go_to_best(viewer, added, world)
    return added


def _overlays(result: ResultFolder, movie: Movie) -> list[Layer]:
    """Make the layers over the movie, the lowest first; a file that will not do is named and left out."""
    diameter_px = 2 * result.radius_px if result.radius_px else DEFAULT_DIAMETER_PX
    below = _Below(result, movie, show_as.world_of(movie), diameter_px)
    overlays: list[Layer] = []
    for role, make in OVERLAYS.items():
        if role not in result.files:
            continue
        try:
            overlays += make(result.files[role], below)
        except TapEventsError as error:
            show_warning(str(error))
    return overlays


def _go_to_best(viewer: ViewerModel, added: list[Layer], world: World) -> None:
    for layer in added:
        if isinstance(layer, Points) and layer.metadata.get(show_as.ROLE) == "events":
            viewer.layers.selection.active = layer
            best = most_probable(pd.DataFrame(layer.features))
            if best is not None:
                jump_to_event(viewer, layer, best, world)
