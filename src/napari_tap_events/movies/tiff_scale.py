"""Pixel size, frame interval and channel names, as ImageJ, OME-XML or the resolution tags of a TIFF tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_tap_events.movies.units import to_seconds, to_um

if TYPE_CHECKING:
    from tifffile import TiffFile

_LARGEST_PIXEL_UM = 20.0
"""A resolution in inches that means larger pixels than this is meant for printers (72 dpi = 353 um)."""
_RESOLUTION_UNITS = {2: "inch", 3: "cm"}


def described_scale(file: TiffFile, notes: list[str]) -> dict[str, Any]:
    """Return what the file says of `pixel_size_um`, `interval_s` and `channel_names`, as keywords; add to `notes`."""
    if file.is_ome and file.ome_metadata:
        found = _ome_scale(file.ome_metadata, notes)
        if found:
            return found
    if file.is_imagej:
        return _imagej_scale(file, notes)
    return {"pixel_size_um": _tag_pixel_um(file, notes)}


def _imagej_scale(file: TiffFile, notes: list[str]) -> dict[str, Any]:
    about: Mapping[str, Any] = file.imagej_metadata or {}
    unit = str(about.get("unit", ""))
    x, y = _pixels_per_unit(file)
    interval = to_seconds(about.get("finterval"), str(about.get("tunit", "s")))
    rate = about.get("fps")
    if interval is None and isinstance(rate, int | float) and rate > 0 and "finterval" not in about and about.get("frames"):
        notes.append(f"The file names {rate:g} frames per second; that may be the speed of display: check the interval.")
    return {"pixel_size_um": _square(to_um(x and 1 / x, unit), to_um(y and 1 / y, unit), notes), "interval_s": interval}


def _tag_pixel_um(file: TiffFile, notes: list[str]) -> float | None:
    tag: Any = file.pages.first.tags.get("ResolutionUnit")
    unit = _RESOLUTION_UNITS.get(int(tag.value) if tag else 0)
    if unit is None:
        return None
    x, y = _pixels_per_unit(file)
    size = _square(to_um(x and 1 / x, unit), to_um(y and 1 / y, unit), notes)
    return size if size is not None and size <= _LARGEST_PIXEL_UM else None


def _pixels_per_unit(file: TiffFile) -> tuple[float | None, float | None]:
    tags = file.pages.first.tags
    return _ratio(tags.get("XResolution")), _ratio(tags.get("YResolution"))


def _ratio(tag: Any) -> float | None:
    try:
        above, below = tag.value
        return float(above / below) if above and below else None
    except (AttributeError, TypeError, ValueError):
        return None


def _square(x_um: float | None, y_um: float | None, notes: list[str]) -> float | None:
    """Return one side for both directions; tell where they differ by more than 1 %."""
    if x_um is None or y_um is None:
        return x_um or y_um
    if abs(x_um - y_um) > 0.01 * max(x_um, y_um):
        notes.append(f"Pixels are not square ({y_um:.4g} um high, {x_um:.4g} um wide); sizes in um are means of both.")
        return (x_um + y_um) / 2
    return x_um


def _ome_scale(xml: str, notes: list[str]) -> dict[str, Any]:
    from tifffile import xml2dict

    try:
        image = _first(xml2dict(xml)["OME"]["Image"])
        pixels = image["Pixels"]
    except (KeyError, TypeError, ValueError, SyntaxError, IndexError):
        return {}
    x, y = (to_um(pixels.get(f"PhysicalSize{a}"), str(pixels.get(f"PhysicalSize{a}Unit", "um"))) for a in "XY")
    interval = to_seconds(pixels.get("TimeIncrement"), str(pixels.get("TimeIncrementUnit", "s")))
    channels = _all(pixels.get("Channel"))
    names = tuple(str(c["Name"]) for c in channels if c.get("Name"))
    return {
        "pixel_size_um": _square(x, y, notes),
        "interval_s": interval or _plane_interval(_all(pixels.get("Plane")), notes),
        "channel_names": names if len(names) == len(channels) else (),
    }


def _plane_interval(planes: list[Mapping[str, Any]], notes: list[str]) -> float | None:
    """Return the mean time between frames from the time stamps of the planes."""
    stamps: dict[int, float] = {}
    for plane in planes:
        seconds = to_seconds(plane.get("DeltaT"), str(plane.get("DeltaTUnit", "s")))
        first = not plane.get("TheC") and not plane.get("TheZ")
        if first and (seconds is not None or plane.get("DeltaT") in (0, 0.0, "0", "0.0")):
            stamps[int(plane.get("TheT", 0))] = seconds or 0.0
    if len(stamps) < 2:
        return None
    first_t, last_t = min(stamps), max(stamps)
    interval = (stamps[last_t] - stamps[first_t]) / (last_t - first_t)
    if interval <= 0:
        return None
    notes.append(f"The interval, {interval:.4g} s, is the mean of the time stamps of the planes.")
    return interval


def _first(entry: Any) -> Any:
    return entry[0] if isinstance(entry, list | tuple) else entry


def _all(entry: Any) -> list[Mapping[str, Any]]:
    return [] if entry is None else list(entry) if isinstance(entry, list | tuple) else [entry]
