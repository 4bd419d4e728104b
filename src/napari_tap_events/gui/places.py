"""Going to a frame, and to a place, of the open movie."""

from __future__ import annotations

from napari.components import ViewerModel

from napari_tap_events.gui.layers import world_of
from napari_tap_events.gui.world import World
from napari_tap_events.movies.movie import Movie


def go_to(viewer: ViewerModel, movie: Movie | None, place: tuple[float, float, float]) -> None:
    """Show the place (t, y, x), in frames and pixels, of a movie; nothing where no movie is open."""
    if movie is None:
        return
    t, y, x = place
    world = world_of(movie)
    go_to_frame(viewer, t, world)
    look_at(viewer, (y * world.per_pixel, x * world.per_pixel))


def go_to_frame(viewer: ViewerModel, t: float, world: World) -> None:
    """Move the time slider to a frame, whatever the scale of time and however long other layers are."""
    axis = viewer.dims.ndim - 3
    span = viewer.dims.range[axis]
    step = round((round(t) * world.per_frame - span.start) / (span.step or 1.0))
    viewer.dims.set_current_step(axis, step)


def look_at(viewer: ViewerModel, place: tuple[float, float]) -> None:
    """Move the camera to a place (y, x) in world units, but not past the movie's edges: what fits the canvas stays whole."""
    extent = viewer.layers.extent.world
    centre: list[float] = []
    for axis, wanted in enumerate(place):
        low, high = (float(edge) for edge in extent[:, axis - 2])
        half = viewer.canvas.size[axis] / viewer.scene.camera.zoom / 2
        if high - low <= 2 * half:
            centre.append((low + high) / 2)
        else:
            centre.append(min(max(wanted, low + half), high - half))
    viewer.scene.camera.center = (0.0, centre[0], centre[1])
