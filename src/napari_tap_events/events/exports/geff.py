"""GEFF, the graph exchange file format: a zarr group in which every event is a node; there are no edges.

Written from the published specification, https://liveimagetrackingtools.org/geff, version 1.3, with zarr alone; a test reads it
with the reference library. Zarr format 2, which programs in Java read too.

Axes are `t` in frames and `y`, `x` in pixels, (0, 0) the centre of the first pixel; the factors to seconds and micrometres are
told as `scale`. A node's id is the event's.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.exports.facts import MovieFacts

if TYPE_CHECKING:
    import zarr

VERSION = "1.3"
MEANINGS = {
    "t": "first frame of the frame pair (t, t + 1) of the event",
    "y": "row",
    "x": "column",
    "kind": "kind of event",
    "probability": "probability that this is an event, 0 to 1",
    "source": "who found it",
    "status": "proposed, confirmed or added",
    "radius": "radius of a cell",
}
UNITS = {"t": "frame", "y": "pixel", "x": "pixel", "radius": "pixel"}


def write_geff(events: pd.DataFrame, path: Path, facts: MovieFacts) -> None:
    """Write events as nodes of a graph without edges.

    Parameters
    ----------
    events : events table
    path : Path
        Folder that is not there yet.
    facts : MovieFacts
    """
    props = _node_props(events, facts)
    import zarr  # half a second that the window need not wait for when it opens

    group = zarr.open_group(path, mode="w", zarr_format=2)
    _write(group, "nodes/ids", events["id"].to_numpy(dtype=np.uint64))
    _write(group, "edges/ids", np.empty((0, 2), dtype=np.uint64))
    group.require_group("edges/props")
    for name, values in props.items():
        known = ~pd.isna(values)
        if known.all():
            _write(group, f"nodes/props/{name}/values", values)
        else:
            _write(group, f"nodes/props/{name}/values", np.where(known, values, 0.0))
            _write(group, f"nodes/props/{name}/missing", ~known)
    # what makes it a GEFF comes last
    group.attrs["geff"] = _metadata(props, facts)


def is_geff(path: Path) -> bool:
    """Say whether a folder is a GEFF."""
    import zarr

    try:
        return "geff" in zarr.open_group(path, mode="r").attrs
    except (OSError, ValueError, KeyError):
        return False


def _node_props(events: pd.DataFrame, facts: MovieFacts) -> dict[str, NDArray[Any]]:
    texts = {name: np.array(events[name].astype(str).tolist(), dtype=np.str_) for name in ("kind", "source", "status")}
    return {
        "t": events["t"].to_numpy(dtype=np.int64),
        "y": events["y"].to_numpy(dtype=np.float64),
        "x": events["x"].to_numpy(dtype=np.float64),
        "probability": events["probability"].to_numpy(dtype=np.float64),
        "radius": np.full(len(events), facts.radius_px),
        **texts,
    }


def _metadata(props: dict[str, NDArray[Any]], facts: MovieFacts) -> dict[str, Any]:
    scales = {
        "t": (facts.interval_s, "second"),
        "y": (facts.pixel_size_um, "micrometer"),
        "x": (facts.pixel_size_um, "micrometer"),
    }
    return {
        "geff_version": VERSION,
        "directed": True,
        "axes": [_axis(name, props[name], *scales[name]) for name in ("t", "y", "x")],
        "node_props_metadata": {name: _property(name, values) for name, values in props.items()},
        "edge_props_metadata": {},
        "sphere": "radius",
        "display_hints": {"display_horizontal": "x", "display_vertical": "y", "display_time": "t"},
        "extra": {
            "napari-tap-events": {"version": version("napari-tap-events"), "movie": facts.path.name if facts.path else ""}
        },
    }


def _axis(name: str, values: NDArray[Any], scale: float | None, scaled_unit: str) -> dict[str, Any]:
    axis = {"name": name, "type": "time" if name == "t" else "space", "unit": UNITS[name]}
    ends = {"min": float(values.min()), "max": float(values.max())} if values.size else {}
    return axis | ends | ({"scale": scale, "scaled_unit": scaled_unit} if scale else {})


def _property(name: str, values: NDArray[Any]) -> dict[str, Any]:
    dtype = "str" if values.dtype.kind == "U" else str(values.dtype)
    told = {"identifier": name, "dtype": dtype, "varlength": False, "description": MEANINGS[name]}
    return told | ({"unit": UNITS[name]} if name in UNITS else {})


def _write(group: zarr.Group, name: str, values: NDArray[Any]) -> None:
    """Write an array in one piece; zarr cannot hold text of no letters, so such text is given room for one."""
    if values.dtype.kind == "U" and values.dtype.itemsize == 0:
        values = values.astype("<U1")
    chunks = tuple(max(1, side) for side in values.shape)
    group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks)[...] = values
