"""Events as napari points: one colour and symbol per kind, a table of features, and the way to jump to one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from napari.components import ViewerModel
from napari.layers import Points

from napari_tap_events.gui.colours import looks_of
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.places import go_to_frame, look_at
from napari_tap_events.gui.world import World

DEFAULT_DIAMETER_PX = 30.0
TRUTH_SHARE = 1.35
"""Diameter of a true event's mark, as a share of a found one's, so that both can be seen in one place."""
TRUTH_COLOUR = "white"


def event_layers(events: pd.DataFrame, world: World, n_frames: int, diameter_px: float = DEFAULT_DIAMETER_PX) -> list[Points]:
    """Show found events as open marks around the cell, at their frame, and thinner one frame before and after.

    Parameters
    ----------
    events : DataFrame
        With columns t (frames), y, x (px), kind, and usually id and probability (0..1).
    world : World
    n_frames : int
        Length of the movie, beyond which nothing is shown.
    diameter_px : float
        Diameter of a mark: about a cell.

    Returns
    -------
    list of Points
        The neighbouring frames' marks, then the events themselves with their features; none where there are no events.
    """
    beside = pd.concat([events.assign(t=events["t"] - 1), events.assign(t=events["t"] + 1)], ignore_index=True)
    beside = beside[beside["t"].between(0, n_frames - 1)]
    beside = beside.reset_index(drop=True)
    neighbours = _marks(beside, world, "events ±1 frame", diameter_px, border_width=0.025, opacity=0.6, features=beside)
    marks = _marks(events, world, "events", diameter_px, border_width=0.08, features=events.reset_index(drop=True))
    neighbours.metadata[ROLE] = "neighbours"
    marks.metadata[ROLE] = "events"
    return [neighbours, marks]


def truth_layer(events: pd.DataFrame, world: World, diameter_px: float = DEFAULT_DIAMETER_PX) -> Points:
    """Show known true events as white marks around those of found ones, at their frame; the symbol tells the kind."""
    layer = _marks(
        events,
        world,
        "true events",
        diameter_px * TRUTH_SHARE,
        border_width=0.04,
        features=events.reset_index(drop=True),
    )
    layer.border_color = TRUTH_COLOUR
    layer.metadata[ROLE] = "truth"
    return layer


def jump_to_event(viewer: ViewerModel, points: Points, row: int, world: World) -> None:
    """Show event number `row` of a layer: go to its frame, move it towards the middle of the canvas, select it.

    Parameters
    ----------
    viewer : ViewerModel
    points : Points
        A layer made by `event_layers` or `truth_layer`.
    row : int
        Number of the point in the layer, counted from 0.
    world : World
        The world of the layer.
    """
    t, y, x = points.data[row]
    go_to_frame(viewer, t, world)
    look_at(viewer, (y * world.per_pixel, x * world.per_pixel))
    points.selected_data = {row}


def most_probable(events: pd.DataFrame) -> int | None:
    """Return the row number of the most probable event, the first event where none has a probability, None of none."""
    if events.empty:
        return None
    if "probability" not in events or events["probability"].isna().all():
        return 0
    return int(np.nanargmax(events["probability"].to_numpy(dtype=float)))


def _marks(events: pd.DataFrame, world: World, name: str, diameter_px: float, **options: Any) -> Points:
    kinds = events["kind"].astype(str)
    looks = looks_of(kinds)
    points: Points = Points(
        events[["t", "y", "x"]].to_numpy(dtype=float),
        ndim=3,
        name=name,
        size=diameter_px,
        face_color="transparent",
        blending="translucent_no_depth",
        **options,
        **world.layer_place(),
    )
    if len(events):
        points.symbol = [looks[kind].symbol for kind in kinds]
        points.border_color = [looks[kind].colour for kind in kinds]
    return points
