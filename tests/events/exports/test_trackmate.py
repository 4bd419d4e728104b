"""TrackMate's XML holds every event where it is, with all that TrackMate's own reader insists on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import geff
import pytest
from geff.convert import from_trackmate_xml_to_geff

from napari_tap_events.events.exports import MovieFacts, export_events
from napari_tap_events.events.table import EventRow, events_table

FACTS = MovieFacts(Path("/data/movie.tif"), 9, 30, 40, 0.5, 600.0, 8.0)
ROWS = [
    EventRow(4, 10.5, 20, "division", 0.9, "head"),
    EventRow(7, 3, 6.25, "death", None, "person", "added"),
    EventRow(1, 1, 1, "death", 0.2, "head", "rejected"),
    EventRow(4, 8, 9, "<odd> & \x00kind", 0.4, "head"),
]
DIMENSIONS = {"NONE", "QUALITY", "COST", "POSITION", "LENGTH", "TIME"}


@dataclass(frozen=True)
class Read:
    """What a reader gets: spots by id, frames of spots, tracks of (source, target) by name, ids of the tracks that are shown."""

    spots: dict[int, dict[str, float]]
    names: dict[int, str]
    frames: dict[int, int]
    tracks: dict[str, list[tuple[int, int]]]
    shown: set[int]
    image: dict[str, str]


def read(path: Path) -> Read:
    """Read as TrackMate does: what it looks for must be there, and what it takes for a number must be one."""
    root = ET.parse(path).getroot()  # noqa: S314
    assert root.tag == "TrackMate"
    assert tuple(int(part) for part in root.attrib["version"].split(".")) >= (2, 1, 0)
    model, settings = one(root, "Model"), one(root, "Settings")
    assert {"spatialunits", "timeunits"} <= set(model.attrib)
    declared = declarations(one(model, "FeatureDeclarations"))
    spots, names, frames = {}, {}, {}
    collection = one(model, "AllSpots")
    for frame in collection:
        for spot in frame:
            number = int(spot.attrib["ID"])
            assert number not in spots
            features = {name: float(value) for name, value in spot.attrib.items() if name not in ("ID", "name")}
            assert set(features) == declared["SpotFeatures"]
            spots[number], names[number], frames[number] = features, spot.attrib["name"], int(frame.attrib["frame"])
    assert int(collection.attrib["nspots"]) == len(spots)
    assert [int(frame.attrib["frame"]) for frame in collection] == list(range(len(collection)))
    tracks, ids = {}, set()
    for track in one(model, "AllTracks"):
        assert {name for name in track.attrib if name != "name"} == declared["TrackFeatures"]
        edges = [(int(edge.attrib["SPOT_SOURCE_ID"]), int(edge.attrib["SPOT_TARGET_ID"])) for edge in track]
        assert all(source in spots and target in spots and source != target for source, target in edges)
        tracks[track.attrib["name"]] = edges
        ids.add(int(track.attrib["TRACK_ID"]))
    shown = {int(track.attrib["TRACK_ID"]) for track in one(model, "FilteredTracks")}
    assert shown <= ids
    check_settings(settings)
    assert one(root, "GUIState").attrib["state"] == "ConfigureViews"
    return Read(spots, names, frames, tracks, shown, one(settings, "ImageData").attrib)


def one(parent: ET.Element, tag: str) -> ET.Element:
    found = parent.findall(tag)
    assert len(found) == 1, tag
    return found[0]


def declarations(parent: ET.Element) -> dict[str, set[str]]:
    declared = {}
    for group in ("SpotFeatures", "EdgeFeatures", "TrackFeatures"):
        for feature in one(parent, group):
            assert set(feature.attrib) == {"feature", "name", "shortname", "dimension", "isint"}
            assert feature.attrib["dimension"] in DIMENSIONS
            assert feature.attrib["isint"] in ("true", "false")
        declared[group] = {feature.attrib["feature"] for feature in one(parent, group)}
    return declared


def check_settings(settings: ET.Element) -> None:
    image, crop = one(settings, "ImageData").attrib, one(settings, "BasicSettings").attrib
    for name in ("pixelwidth", "pixelheight", "voxeldepth", "timeinterval"):
        assert float(image[name]) > 0
    for side, name in (("width", "xend"), ("height", "yend"), ("nslices", "zend"), ("nframes", "tend")):
        assert int(crop[name]) == int(image[side]) - 1
    detector = one(settings, "DetectorSettings").attrib
    assert detector["DETECTOR_NAME"] == "MANUAL_DETECTOR"
    assert float(detector["RADIUS"]) > 0
    assert one(settings, "TrackerSettings").attrib["TRACKER_NAME"] == "MANUAL_TRACKER"
    assert set(one(settings, "InitialSpotFilter").attrib) == {"feature", "value", "isabove"}
    assert [part.tag for part in one(settings, "AnalyzerCollection")] == ["SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"]
    for name in ("SpotFilterCollection", "TrackFilterCollection"):
        one(settings, name)


def test_every_event_that_counts_is_a_track_of_two_spots_at_its_place(tmp_path: Path) -> None:
    told = read(export_events(events_table(ROWS), tmp_path / "a.xml", "trackmate", FACTS))
    assert set(told.tracks) == {"division 1", "death 2", "<odd> & kind 4"}
    assert told.shown == {0, 1, 2}
    ((first, second),) = told.tracks["division 1"]
    assert (told.frames[first], told.frames[second]) == (4, 5)
    assert told.names[first] == "division 1"
    for spot, frame in ((first, 4), (second, 5)):
        features = told.spots[spot]
        assert (features["POSITION_X"], features["POSITION_Y"], features["POSITION_Z"]) == (10.0, 5.25, 0.0)
        assert (features["FRAME"], features["POSITION_T"]) == (frame, 600.0 * frame)
        assert (features["RADIUS"], features["QUALITY"], features["EVENT_ID"]) == (4.0, 0.9, 1)
    ((by_hand, _),) = told.tracks["death 2"]
    assert told.spots[by_hand]["QUALITY"] == -1
    assert told.spots[by_hand]["EVENT_KIND"] != told.spots[first]["EVENT_KIND"]
    assert (told.image["filename"], told.image["folder"]) == ("movie.tif", str(Path("/data")))
    assert [told.image[side] for side in ("width", "height", "nframes")] == ["40", "30", "9"]


def test_without_a_scale_positions_are_pixels_and_frames(tmp_path: Path) -> None:
    out = export_events(events_table(ROWS), tmp_path / "a.xml", "trackmate")
    told = read(out)
    ((first, second),) = told.tracks["division 1"]
    assert (told.spots[first]["POSITION_X"], told.spots[second]["POSITION_T"]) == (20.0, 5.0)
    assert 'spatialunits="pixel" timeunits="frame"' in out.read_text(encoding="utf-8")
    assert int(told.image["nframes"]) == 9, "as long as the last event needs"
    assert int(told.image["width"]) >= 21


def test_a_table_without_events_is_a_file_that_opens(tmp_path: Path) -> None:
    told = read(export_events(events_table([]), tmp_path / "a.xml", "trackmate", FACTS))
    assert (told.spots, told.tracks) == ({}, {})
    assert int(told.image["nframes"]) == 9


def test_another_program_reads_it_too(tmp_path: Path) -> None:
    """The converter of the GEFF library was written for TrackMate's own files."""
    out = export_events(events_table(ROWS), tmp_path / "a.xml", "trackmate", FACTS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Missing tag\(s\): \['DisplaySettings'\]")
        warnings.filterwarnings("ignore", message=".*not in valid OME-Zarr units")
        from_trackmate_xml_to_geff(out, tmp_path / "b.geff")
        graph, _ = geff.read(tmp_path / "b.geff")
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (6, 3)
    assert sorted(frame for _, frame in graph.nodes(data="FRAME")) == [4, 4, 5, 5, 7, 8]
    assert {graph.nodes[node]["TRACK_ID"] for node in graph} == {0, 1, 2}


@pytest.mark.parametrize("kind", ["death", "ein Wort ☃", ""])
def test_any_kind_name_can_be_written(tmp_path: Path, kind: str) -> None:
    told = read(export_events(events_table([EventRow(0, 0, 0, kind)]), tmp_path / "a.xml", "trackmate"))
    assert list(told.tracks) == [f"{kind} 1"]
