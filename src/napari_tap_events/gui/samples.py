"""Sample data: two small invented movies with painted events and their true places, made on the spot."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
from napari.layers import Layer

from napari_tap_events.gui.event_points import truth_layer
from napari_tap_events.gui.layers import masks_layer, movie_layers, world_of
from napari_tap_events.movies.synthetic import SyntheticSettings, TruthRow, synthesise

LayerTuple = tuple[Any, dict[str, Any], str]


def dividing_nuclei() -> list[LayerTuple]:
    """Invent fluorescent nuclei that divide and die."""
    return _sample(SyntheticSettings(frames=48, seed=3), "dividing nuclei")


def dividing_cells_in_phase_contrast() -> list[LayerTuple]:
    """Invent cells in phase contrast that divide and die."""
    phase = SyntheticSettings(look="phase", frames=48, seed=3, cell_px=20, cells=14, background=0.45, contrast=0.12)
    return _sample(phase, "dividing cells, phase contrast")


def _sample(settings: SyntheticSettings, name: str) -> list[LayerTuple]:
    invented = synthesise(settings)
    world = world_of(invented.movie)
    layers: list[Layer] = [
        *movie_layers(invented.movie.renamed(name)),
        masks_layer(invented.labels, world),
        truth_layer(_one_row_an_event(invented.events), world, diameter_px=1.2 * settings.cell_px),
    ]
    return [layer.as_layer_data_tuple() for layer in layers]  # type: ignore[no-untyped-call]


def _one_row_an_event(rows: tuple[TruthRow, ...]) -> pd.DataFrame:
    """Join the bodies of every event: its first frame, their mean place (px)."""
    bodies = pd.DataFrame([asdict(row) for row in rows], columns=["event_id", "t", "y", "x", "kind", "certainty"])
    together = bodies.groupby("event_id", sort=True)
    events = together.agg({"t": "min", "y": "mean", "x": "mean", "kind": "first", "certainty": "first"})
    return events.reset_index(names="id")
