"""Going to a place of the open movie."""

from __future__ import annotations

from napari.components import ViewerModel

from napari_tap_events.gui.event_points import go_to_frame, look_at
from napari_tap_events.gui.layers import world_of
from napari_tap_events.movies.movie import Movie


def go_to(viewer: ViewerModel, movie: Movie | None, place: tuple[float, float, float]) -> None:
    """Show the place (t, y, x), in frames and pixels, of a movie; nothing where no movie is open."""
    if movie is None:
        return
    t, y, x = place
    world = world_of(movie)
    go_to_frame(viewer, t, world)
    look_at(viewer, (y * world.per_pixel, x * world.per_pixel))
