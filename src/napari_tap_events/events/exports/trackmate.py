"""TrackMate's XML: every event a track of two spots, one in `t` and one in `t + 1`, so that Fiji lists and shows it as a track.

Both spots lie at the event's place: where the daughters of a division lie is not in an events table, so no split is made up. The
quality of a spot is the event's probability, or -1, as of TrackMate's own manual spots, where a person set it. Positions are in
micrometres and seconds where these are known, else in pixels and frames.

Elements and attributes are those that TrackMate 7 reads (its `TmXmlReader`). What a program of ours cannot know, such as the
reader's own display settings, is left out: TrackMate then takes the user's.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from napari_tap_events.events.exports.facts import MovieFacts

FILE_VERSION = "7.11.1"
BY_HAND = -1.0
SPOT_FEATURES = (
    ("QUALITY", "Quality", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "T", "TIME", False),
    ("FRAME", "Frame", "Frame", "NONE", True),
    ("RADIUS", "Radius", "R", "LENGTH", False),
    ("VISIBILITY", "Visibility", "Visibility", "NONE", True),
    ("EVENT_ID", "Event", "Event", "NONE", True),
    ("EVENT_KIND", "Kind of event", "Kind", "NONE", True),
)
EDGE_FEATURES = (
    ("SPOT_SOURCE_ID", "Source spot ID", "Source ID", "NONE", True),
    ("SPOT_TARGET_ID", "Target spot ID", "Target ID", "NONE", True),
    ("LINK_COST", "Edge cost", "Cost", "COST", False),
)
TRACK_FEATURES = (
    ("TRACK_INDEX", "Track index", "Index", "NONE", True),
    ("TRACK_ID", "Track ID", "ID", "NONE", True),
    ("NUMBER_SPOTS", "Number of spots in track", "N spots", "NONE", True),
    ("TRACK_DURATION", "Duration of track", "Duration", "TIME", False),
    ("TRACK_START", "Track start", "T start", "TIME", False),
    ("TRACK_STOP", "Track stop", "T stop", "TIME", False),
    ("TRACK_MEAN_QUALITY", "Track mean quality", "Mean Q", "QUALITY", False),
)
"""Name, long name, short name, dimension, and whether it is a whole number."""


def write_trackmate(events: pd.DataFrame, path: Path, facts: MovieFacts) -> None:
    """Write events as tracks of two spots.

    Parameters
    ----------
    events : events table
    path : Path
    facts : MovieFacts
        Size and scale; its `path` lets TrackMate open the movie.
    """
    root = ET.Element("TrackMate", version=FILE_VERSION)
    kinds = sorted({str(kind) for kind in events["kind"]})
    ET.SubElement(root, "Log").text = _log(kinds)
    told = _Told(events, facts, kinds)
    root.append(_model(told))
    root.append(_settings(told))
    ET.SubElement(root, "GUIState", state="ConfigureViews")
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


class _Told:
    """Events as TrackMate counts them: numbered from 0, in its units."""

    def __init__(self, events: pd.DataFrame, facts: MovieFacts, kinds: list[str]) -> None:
        self.rows: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in events.to_dict("records")
        ]
        self.facts, self.kinds = facts, kinds
        self.per_pixel, self.per_frame = facts.pixel_size_um or 1.0, facts.interval_s or 1.0
        self.n_frames = max([facts.n_frames, *(int(row["t"]) + 2 for row in self.rows)])

    def side(self, known: int, axis: str) -> int:
        """Return the side of the movie along an axis, at least as long as the events need."""
        return max([known, *(int(np.ceil(row[axis])) + 1 for row in self.rows)])

    def name(self, row: dict[str, Any]) -> str:
        return f"{row['kind']} {row['id']}"

    def quality(self, row: dict[str, Any]) -> float:
        return BY_HAND if pd.isna(row["probability"]) else float(row["probability"])


def _log(kinds: list[str]) -> str:
    numbers = ", ".join(f"{number} is {kind}" for number, kind in enumerate(kinds))
    told = f" EVENT_KIND: {numbers}." if numbers else ""
    return _text(
        f"Written by napari-tap-events {version('napari-tap-events')}. Every track is one event: its first spot lies in the last "
        "frame before the event, its second in the frame after, at the same place. Quality is the probability, -1 where a person "
        f"set the event.{told}"
    )


def _model(told: _Told) -> ET.Element:
    space, time = ("µm" if told.facts.pixel_size_um else "pixel"), ("sec" if told.facts.interval_s else "frame")
    model = ET.Element("Model", spatialunits=space, timeunits=time)
    declared = ET.SubElement(model, "FeatureDeclarations")
    for name, features in (("SpotFeatures", SPOT_FEATURES), ("EdgeFeatures", EDGE_FEATURES), ("TrackFeatures", TRACK_FEATURES)):
        group = ET.SubElement(declared, name)
        for feature, long, short, dimension, whole in features:
            ET.SubElement(
                group, "Feature", feature=feature, name=long, shortname=short, dimension=dimension, isint=_word(whole)
            )
    model.append(_spots(told))
    tracks, shown = ET.SubElement(model, "AllTracks"), ET.SubElement(model, "FilteredTracks")
    for index, row in enumerate(told.rows):
        tracks.append(_track(told, index, row))
        ET.SubElement(shown, "TrackID", TRACK_ID=str(index))
    return model


def _spots(told: _Told) -> ET.Element:
    spots = ET.Element("AllSpots", nspots=str(2 * len(told.rows)))
    frames = [ET.SubElement(spots, "SpotsInFrame", frame=str(frame)) for frame in range(told.n_frames)]
    for index, row in enumerate(told.rows):
        for later in (0, 1):
            frame = int(row["t"]) + later
            ET.SubElement(
                frames[frame], "Spot", _attributes(_spot(told, row, frame), ID=2 * index + later, name=told.name(row))
            )
    return spots


def _spot(told: _Told, row: dict[str, Any], frame: int) -> dict[str, float]:
    """Return the features of the spot of an event in a frame."""
    return {
        "QUALITY": told.quality(row),
        "POSITION_X": row["x"] * told.per_pixel,
        "POSITION_Y": row["y"] * told.per_pixel,
        "POSITION_Z": 0.0,
        "POSITION_T": frame * told.per_frame,
        "FRAME": frame,
        "RADIUS": told.facts.radius_px * told.per_pixel,
        "VISIBILITY": 1,
        "EVENT_ID": int(row["id"]),
        "EVENT_KIND": told.kinds.index(str(row["kind"])),
    }


def _track(told: _Told, index: int, row: dict[str, Any]) -> ET.Element:
    start = int(row["t"]) * told.per_frame
    features = {
        "TRACK_INDEX": index,
        "TRACK_ID": index,
        "NUMBER_SPOTS": 2,
        "TRACK_DURATION": told.per_frame,
        "TRACK_START": start,
        "TRACK_STOP": start + told.per_frame,
        "TRACK_MEAN_QUALITY": told.quality(row),
    }
    track = ET.Element("Track", _attributes(features, name=told.name(row)))
    link = {"SPOT_SOURCE_ID": 2 * index, "SPOT_TARGET_ID": 2 * index + 1, "LINK_COST": 0.0}
    ET.SubElement(track, "Edge", _attributes(link))
    return track


def _settings(told: _Told) -> ET.Element:
    """Return the settings without which TrackMate does not open a file: the image, and that nothing is to be sought or linked."""
    settings, facts = ET.Element("Settings"), told.facts
    width, height = told.side(facts.width, "x"), told.side(facts.height, "y")
    image = {
        "filename": facts.path.name if facts.path else "",
        "folder": str(facts.path.parent) if facts.path else "",
        "width": width,
        "height": height,
        "nslices": 1,
        "nframes": told.n_frames,
        "pixelwidth": told.per_pixel,
        "pixelheight": told.per_pixel,
        "voxeldepth": 1.0,
        "timeinterval": told.per_frame,
    }
    crop = {"xstart": 0, "xend": width - 1, "ystart": 0, "yend": height - 1, "zstart": 0, "zend": 0}
    ET.SubElement(settings, "ImageData", _attributes(image))
    ET.SubElement(settings, "BasicSettings", _attributes(crop, tstart=0, tend=told.n_frames - 1))
    radius = {"RADIUS": facts.radius_px * told.per_pixel}
    ET.SubElement(settings, "DetectorSettings", _attributes(radius, DETECTOR_NAME="MANUAL_DETECTOR"))
    ET.SubElement(settings, "InitialSpotFilter", feature="QUALITY", value=str(BY_HAND), isabove="true")
    ET.SubElement(settings, "SpotFilterCollection")
    ET.SubElement(settings, "TrackerSettings", TRACKER_NAME="MANUAL_TRACKER")
    ET.SubElement(settings, "TrackFilterCollection")
    analyzers = ET.SubElement(settings, "AnalyzerCollection")
    for name in ("SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"):
        ET.SubElement(analyzers, name)
    return settings


def _attributes(values: dict[str, Any], **more: Any) -> dict[str, str]:
    return {name: _text(value) for name, value in {**more, **values}.items()}


def _text(value: Any) -> str:
    """Write a value; letters that XML cannot hold are left out, and what rounding adds far behind the point."""
    return f"{value:.10g}" if isinstance(value, float) else "".join(filter(str.isprintable, str(value)))


def _word(truth: bool) -> str:
    return "true" if truth else "false"
