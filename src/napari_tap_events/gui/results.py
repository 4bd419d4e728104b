"""Open the results of a command: movie, masks, probability, evidence and events, one over the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari.viewer
import pandas as pd
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points
from napari.utils.notifications import show_warning

from napari_tap_events.errors import MovieError
from napari_tap_events.events.table import read_events
from napari_tap_events.gui import layers as show_as
from napari_tap_events.gui.event_points import event_layers, jump_to_event, most_probable, truth_layer
from napari_tap_events.gui.result_folder import ResultFolder, read_result
from napari_tap_events.gui.world import World
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import StoredMap, open_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings

PLUGIN = "napari-tap-events"
PANEL = "Results"

MAP_LAYERS: dict[str, Callable[[StoredMap, World], Image]] = {
    "arrow": show_as.arrow_layer,
    "grad_cam": show_as.grad_cam_layer,
    "probability": show_as.probability_layer,
}


def show(folder: str | Path) -> None:
    """Open a window on a result folder, with the list of events beside it, and stay until it is closed."""
    viewer = napari.Viewer(title=f"TAP Events: {Path(folder).name}")
    viewer.window.add_plugin_dock_widget(PLUGIN, PANEL)
    open_results(viewer, folder)
    napari.run()


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
    result = read_result(folder)
    movie = _open_movie(result, movie_path)
    world = show_as.world_of(movie)
    added: list[Layer] = [*show_as.movie_layers(movie), *_overlays(result, movie)]
    for layer in added:
        viewer.add_layer(layer)
    if result.missing:
        show_warning(f"'{result.path.name}' is not complete: {', '.join(result.missing)} is not there.")
    viewer.canvas.overlays.scale_bar.visible = movie.pixel_size_um is not None
    _go_to_best(viewer, added, world)
    return added


def _open_movie(result: ResultFolder, movie_path: str | Path | None) -> Movie:
    path = Path(movie_path) if movie_path is not None else result.files.get("movie")
    if path is None:
        raise MovieError(
            f"the movie of '{result.path.name}' is not where it was, '{result.movie_name}'; "
            "put it beside the result folder, or tell where it is now."
        )
    return open_movie(path, result.movie_settings if movie_path is not None or _is_input(result) else MovieSettings())


def _is_input(result: ResultFolder) -> bool:
    """Say whether the movie is the one that went in, not a copy of ours that tells its own axes and scale."""
    return not result.files["movie"].is_relative_to(result.path)


def _overlays(result: ResultFolder, movie: Movie) -> list[Layer]:
    """Make the layers over the movie, the lowest first."""
    files, world = result.files, show_as.world_of(movie)
    overlays: list[Layer] = []
    if "masks" in files:
        overlays.append(show_as.masks_layer(open_movie(files["masks"]).as_array()[:, 0], world))
    overlays += [make(open_map(files[role]), world) for role, make in MAP_LAYERS.items() if role in files]
    if "truth" in files:
        overlays.append(truth_layer(read_events(files["truth"]), world))
    if "events" in files:
        overlays += event_layers(read_events(files["events"]), world, movie.n_frames)
    return overlays


def _go_to_best(viewer: ViewerModel, added: list[Layer], world: World) -> None:
    for layer in added:
        if isinstance(layer, Points) and layer.metadata.get(show_as.ROLE) == "events":
            viewer.layers.selection.active = layer
            best = most_probable(pd.DataFrame(layer.features))
            if best is not None:
                jump_to_event(viewer, layer, best, world)
