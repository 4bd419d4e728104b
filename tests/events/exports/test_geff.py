"""A GEFF of ours is one to the reference library: valid, and with every event in its place."""

from __future__ import annotations

from pathlib import Path

import geff
import numpy as np
import pytest
from geff.validate.data import ValidationConfig

from napari_tap_events.events.exports import MovieFacts, export_events
from napari_tap_events.events.exports.geff import VERSION, is_geff
from napari_tap_events.events.table import EventRow, events_table

FACTS = MovieFacts(Path("somewhere/movie.tif"), 9, 30, 40, 0.65, 600.0, 8.0)
ROWS = [
    EventRow(4, 10.5, 20, "division", 0.9, "head"),
    EventRow(7, 3, 6.25, "mitotic slippage", None, "", "added"),
    EventRow(1, 1, 1, "death", 0.2, "head", "rejected"),
]


def read(path: Path) -> tuple[dict[int, dict], geff.GeffMetadata]:
    everything = ValidationConfig(graph=True, sphere=True)
    graph, metadata = geff.read(path, structure_validation=True, data_validation=everything)
    assert graph.number_of_edges() == 0
    return dict(graph.nodes(data=True)), metadata


def test_the_reference_library_reads_every_event_that_counts(tmp_path: Path) -> None:
    out = export_events(events_table(ROWS), tmp_path / "a.geff", "geff", FACTS)
    nodes, metadata = read(out)
    first = {"t": 4, "y": 10.5, "x": 20.0, "kind": "division", "probability": 0.9, "source": "head", "status": "proposed"}
    assert nodes[1] == {**first, "radius": 8.0}
    assert (nodes[2]["kind"], nodes[2]["source"], "probability" in nodes[2]) == ("mitotic slippage", "", False)
    assert set(nodes) == {1, 2}
    assert [(a.name, a.type, a.unit, a.scale, a.scaled_unit, a.min, a.max) for a in metadata.axes] == [
        ("t", "time", "frame", 600.0, "second", 4, 7),
        ("y", "space", "pixel", 0.65, "micrometer", 3, 10.5),
        ("x", "space", "pixel", 0.65, "micrometer", 6.25, 20),
    ]
    assert metadata.sphere == "radius"
    assert metadata.geff_version == VERSION
    assert metadata.extra["napari-tap-events"]["movie"] == "movie.tif"
    assert str(tmp_path) not in (out / ".zattrs").read_text()


def test_without_a_scale_axes_are_frames_and_pixels(tmp_path: Path) -> None:
    _, metadata = read(export_events(events_table(ROWS), tmp_path / "a.geff", "geff"))
    assert [(axis.unit, axis.scale) for axis in metadata.axes] == [("frame", None), ("pixel", None), ("pixel", None)]


@pytest.mark.filterwarnings("ignore:.*fixed-width:FutureWarning")
def test_no_events_are_a_valid_graph_too(tmp_path: Path) -> None:
    nodes, _ = read(export_events(events_table([]), tmp_path / "a.geff", "geff"))
    assert nodes == {}


def test_twenty_thousand_events_keep_their_ids(tmp_path: Path) -> None:
    rows = [EventRow(i % 90, i / 100, i / 50, "division", i / 20_000, "head", id=3 * i) for i in range(20_000)]
    out = export_events(events_table(rows), tmp_path / "a.geff", "geff")
    reader = geff.GeffReader(out)
    np.testing.assert_array_equal(reader.nodes[:], 3 * np.arange(20_000))


def test_a_folder_is_a_geff_when_it_says_so(tmp_path: Path) -> None:
    assert is_geff(export_events(events_table(ROWS), tmp_path / "a.geff", "geff"))
    assert not is_geff(tmp_path)
    assert not is_geff(tmp_path / "nothing")
