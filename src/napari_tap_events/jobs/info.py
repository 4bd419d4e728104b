"""What is known of a movie, in words and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.precheck import precheck
from napari_tap_events.settings import MovieSettings


def describe_movie(path: Path, settings: MovieSettings, check: bool = True) -> dict[str, Any]:
    """Return all that is known of a movie, what the pre-check found, and `text`, the same for people."""
    movie = open_movie(path, settings)
    findings = precheck(movie) if check else ()
    values: dict[str, Any] = {
        "name": movie.name,
        "path": movie.source,
        "shape": dict(zip("TCYX", movie.shape, strict=True)),
        "dtype": str(movie.dtype),
        "file_axes": movie.file_axes,
        "channel_names": list(movie.channel_names),
        "pixel_size_um": movie.pixel_size_um,
        "interval_s": movie.interval_s,
        "notes": list(movie.notes),
        "checked": check,
        "findings": [{**asdict(finding), "frames": list(finding.frames)} for finding in findings],
    }
    return {**values, "text": "\n".join(_lines(movie, values))}


def _lines(movie: Movie, values: dict[str, Any]) -> list[str]:
    t, c, y, x = movie.shape
    size = t * c * y * x * movie.dtype.itemsize / 1e6
    pixel = f"{movie.pixel_size_um:g} um" if movie.pixel_size_um else "not in the file (--pixel-size-um)"
    interval = f"{movie.interval_s:g} s" if movie.interval_s else "not in the file (--interval-s)"
    channels = f"{c}" + (f" ({', '.join(movie.channel_names)})" if movie.channel_names else "")
    lines = [
        f"{movie.name}",
        f"  frames      {t}",
        f"  frame size  {y} x {x} px (rows x columns)",
        f"  channels    {channels}",
        f"  pixels      {movie.dtype}, {size:,.1f} MB in all; axes in the file: {movie.file_axes}",
        f"  pixel size  {pixel}",
        f"  interval    {interval}",
        *(f"  note        {note}" for note in movie.notes),
    ]
    if not values["checked"]:
        return lines
    found = [f"  {finding['severity']:<11} {finding['sentence']}" for finding in values["findings"]]
    return lines + (found or ["  pre-check   nothing found that could fool the time arrow"])
