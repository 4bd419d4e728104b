"""Movies, masks and maps as napari layers, all in one world: each with scale, units and axis labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari.viewer
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_tap_events.gui.colours import arrow_colormap, grad_cam_colormap, mask_colormap, probability_colormap
from napari_tap_events.gui.lazy_movie import LazyMovie
from napari_tap_events.gui.world import World
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.ome_zarr import StoredMap

CHANNEL_COLOURS = ("gray", "green", "magenta", "cyan", "yellow", "red", "blue")
FRAMES_LOOKED_AT = 12
PIXELS_LOOKED_AT = 500_000
"""So many pixels of a frame settle its contrast."""
ROLE = "tap_events_role"
"""Key in a layer's metadata under which we write what the layer is: movie, masks, events ..."""
KIND_MAP = "probability_kind"
"""Role of the map of one kind of event."""
NAMES = {"grad_cam": "Grad-CAM"}
"""Of maps that are not called by their role."""


def world_of(movie: Movie) -> World:
    """Return the world in which a movie lies."""
    return World(movie.pixel_size_um, movie.interval_s)


def movie_layers(movie: Movie) -> list[Image]:
    """Show each channel of a movie as a lazily read (T, Y, X) image.

    The contrast is set from percentiles of one frame, so that it is right from the first moment and costs little.
    """
    several = movie.n_channels > 1
    layers = []
    for channel in range(movie.n_channels):
        pixels: Any = LazyMovie(movie, channel)
        layer = Image(
            pixels,
            name=channel_name(movie, channel),
            colormap=CHANNEL_COLOURS[(channel + several) % len(CHANNEL_COLOURS)],
            blending="additive" if channel else "translucent_no_depth",
            contrast_limits=contrast_of(_telling_frame(pixels)),
            projection_mode="none",
            metadata={ROLE: "movie"},
            **world_of(movie).layer_place(),
        )
        layer.contrast_limits_range = _slider_range(pixels.dtype, layer.contrast_limits)
        layers.append(layer)
    return layers


def _telling_frame(pixels: LazyMovie) -> NDArray[Any]:
    """Return the first frame, or where it is all alike, as a dark or damaged one is, one from the middle or the end."""
    frame = pixels[0]
    for t in (len(pixels) // 2, len(pixels) - 1):
        if frame.min() < frame.max():
            break
        frame = pixels[t]
    return frame


def contrast_of(frame: NDArray[Any]) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles of a frame, of some of its pixels where it is large; never an empty range."""
    step = max(1, int((frame.size / PIXELS_LOOKED_AT) ** 0.5))
    frame = frame[::step, ::step]
    finite = frame[np.isfinite(frame)] if np.issubdtype(frame.dtype, np.inexact) else frame
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, (0.1, 99.9)))
    return (low, high) if high > low else (low, low + 1.0)


def lay_over_movie(viewer: napari.viewer.Viewer, layer: Image) -> None:
    """Put a map into the viewer, above the movie and other maps of it, but below marks and events, which it must not hide."""
    images = [number for number, there in enumerate(viewer.layers) if isinstance(there, Image) and ROLE in there.metadata]
    viewer.layers.insert(max(images, default=-1) + 1, layer)


def masks_layer(masks: Any, world: World, name: str = "masks") -> Labels:
    """Show painted event masks, (T, Y, X) uint8; a brush stroke touches one frame."""
    layer = Labels(masks, name=name, colormap=mask_colormap(), opacity=0.5, metadata={ROLE: "masks"}, **world.layer_place())
    layer.n_edit_dimensions = 2
    return layer


def probability_layer(stored: StoredMap, world: World) -> Image:
    """Show the event probability (0..1) with its colour bar, each value over the centre of its window."""
    layer = _map_layer(stored, world, "probability", probability_colormap(), contrast_limits=(0.0, 1.0), blending="translucent")
    layer.colorbar.visible = True
    return layer


def kind_layer(stored: StoredMap, world: World, kind: str) -> Image:
    """Show the probability of one kind of event (0..1), hidden until it is asked for."""
    layer = _map_layer(
        stored, world, KIND_MAP, probability_colormap(), contrast_limits=(0.0, 1.0), blending="translucent", visible=False
    )
    layer.name = f"probability of {kind}"
    return layer


def simulated_layer(stored: StoredMap, world: World) -> Image:
    """Show where events are as in simulated movies (0..1, not calibrated), hidden until it is asked for."""
    return _map_layer(
        stored, world, "simulated", probability_colormap(), contrast_limits=(0.0, 1.0), blending="translucent", visible=False
    )


def arrow_layer(stored: StoredMap, world: World) -> Image:
    """Show the arrow map, hidden until it is asked for."""
    limits = 0.0, _highest(stored)
    return _map_layer(stored, world, "arrow", arrow_colormap(), contrast_limits=limits, blending="translucent", visible=False)


def grad_cam_layer(stored: StoredMap, world: World) -> Image:
    """Show Grad-CAM, added to what lies below, hidden until it is asked for."""
    limits = 0.0, _highest(stored)
    return _map_layer(
        stored, world, "grad_cam", grad_cam_colormap(), contrast_limits=limits, blending="additive", visible=False
    )


def evidence_layer(stored: StoredMap, world: World) -> Image:
    """Show where an evidence head saw evidence of an event, hidden until it is asked for."""
    limits = 0.0, _highest(stored)
    return _map_layer(
        stored, world, "evidence", probability_colormap(), contrast_limits=limits, blending="translucent", visible=False
    )


def _highest(stored: StoredMap) -> float:
    """Return the highest finite value in some frames of a map, 1 where there is none above 0; one frame alone may be empty."""
    frames = np.linspace(0, stored.array.shape[0] - 1, FRAMES_LOOKED_AT).astype(int)
    top = max((float(np.nanmax(np.asarray(stored.array[t]), initial=0.0)) for t in set(frames.tolist())), default=0.0)
    return top if 0 < top < np.inf else 1.0


def _map_layer(stored: StoredMap, world: World, role: str, colormap: Any, **options: Any) -> Image:
    return Image(
        stored.array,
        name=NAMES.get(role, role),
        colormap=colormap,
        interpolation2d="linear",
        projection_mode="none",
        metadata={ROLE: role},
        **world.layer_place(stored.stride_px, stored.offset_px, stored.frame_offset),
        **options,
    )


def channel_name(movie: Movie, channel: int) -> str:
    """Return how the layer of a channel is called: by the file, and by the channel where there are several."""
    name = Path(movie.name).stem or "movie"
    if movie.n_channels == 1:
        return name
    named = movie.channel_names[channel] if channel < len(movie.channel_names) else f"channel {channel}"
    return f"{name} {named}"


def _slider_range(dtype: np.dtype[Any], limits: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of the contrast slider: room on both sides of the limits, within what the type can hold."""
    low, high = limits
    span = high - low
    low, high = low - span, high + 2 * span
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        low, high = max(low, float(info.min)), min(high, float(info.max))
    return low, high
