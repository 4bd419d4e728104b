"""Pictures of the report: frames, maps over them and events on top, as SVG of three layers that can be shown and hidden.

Frames are 8-bit PNG, at most `LARGEST_PX` wide, in `GREYS` shades of grey: enough to see a cell, small enough to send by mail.
A map is a small transparent PNG of its own, laid over the frame by the browser.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.movies.ome_zarr import StoredMap
from napari_tap_events.study.figures import kind_colour
from napari_tap_events.study.words import plural

LARGEST_PX = 420
GREYS = 48
MAP_COLOURS = {"probability": "magma", "simulated": "magma", "arrow": "YlGnBu_r", "grad_cam": "inferno"}
MOST_OPAQUE = 0.75


@dataclass(frozen=True)
class Picture:
    """A picture of the report: `svg`, what it shows in a few words, and the same for those who cannot see it."""

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Window:
    """A rectangle of a frame in pixels: rows y0..y0+height-1, columns x0..x0+width-1; it may reach over the border."""

    y0: int
    x0: int
    height: int
    width: int


def frame_picture(
    movie: Movie,
    t: int,
    events: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    stored: StoredMap | None = None,
    radius_px: float = 15.0,
    frames: int = 0,
    look: str = "probability",
) -> Picture:
    """Draw a whole frame with the events that begin in it, and fainter those that begin up to `frames` frames from it.

    Parameters
    ----------
    movie : Movie
    t : int
        Frame.
    events, truth : events tables, optional
        Marks by kind, and dashed rings for true events.
    stored : StoredMap, optional
        Laid over the frame.
    radius_px : float
        Radius of the marks in pixels.
    frames : int
        Frames to each side whose events are drawn too.
    look : "probability", "simulated", "arrow" or "grad_cam"
        Colours of the map.
    """
    window = Window(0, 0, movie.height, movie.width)
    near, true = (_around(table, t, frames) for table in (events, truth))
    here = near[near["t"] == t]
    layers = [frame_layer(movie, t, window)]
    if stored is not None:
        layers.append(map_layer(stored, t, window, look))
    radius = max(radius_px, movie.width / 40)
    layers.append(f'<g class="marks">{_rings(true, t, radius * 1.35)}{_marks(near, t, radius)}</g>')
    caption = f"frame {t}{clock(t, movie.interval_s)}"
    counted = ", ".join(plural(int(number), str(kind)) for kind, number in here["kind"].value_counts().items())
    counted = counted or ("no event" if events is not None else "nothing")
    over = "" if stored is None else f" under its {look.replace('_', ' ')} map"
    caption += f": {counted}" if events is not None else ""
    return Picture(_svg(window, layers), caption, f"Frame {t} of the movie{over}, with {counted} marked.")


def pair_pictures(
    movie: Movie, place: tuple[int, float, float], side_px: int, stored: StoredMap, look: str
) -> tuple[Picture, Picture, Picture]:
    """Draw a place (t, y, x) at t, at t + 1, and at t under a map; `side_px` is the side of the square in pixels."""
    t, y, x = place
    window = Window(round(y) - side_px // 2, round(x) - side_px // 2, side_px, side_px)
    after = min(t + 1, movie.n_frames - 1)
    first, second = (frame_layer(movie, frame, window) for frame in (t, after))
    where = f"around row {y:.0f}, column {x:.0f}"
    return (
        Picture(_svg(window, [first]), f"frame {t}", f"Frame {t} {where}."),
        Picture(_svg(window, [second]), f"frame {after}", f"Frame {after} {where}."),
        Picture(_svg(window, [first, map_layer(stored, t, window, look)]), "map", f"The map over frame {t} {where}."),
    )


def frame_layer(movie: Movie, t: int, window: Window) -> str:
    """Return a frame's first channel within a window as an SVG image; what lies over the border is black."""
    image = normalise(movie.frame(t))[0]
    y1, x1 = window.y0 + window.height, window.x0 + window.width
    top, left = max(window.y0, 0), max(window.x0, 0)
    piece = image[top : max(y1, 0), left : max(x1, 0)]
    canvas = np.zeros((window.height, window.width), dtype=np.float32)
    canvas[top - window.y0 : top - window.y0 + piece.shape[0], left - window.x0 : left - window.x0 + piece.shape[1]] = piece
    shades = np.round(np.clip(shrink(canvas, LARGEST_PX), 0, 1) * (GREYS - 1)) * (255 / (GREYS - 1))
    return _image(_png(shades.astype(np.uint8)), window.x0, window.y0, window.width, window.height)


def map_layer(stored: StoredMap, t: int, window: Window, look: str) -> str:
    """Return a map at the frame pair (t, t + 1) as an SVG image, transparent where it is 0; empty where there is no such pair.

    Only the values within the window are kept, and those around it.
    """
    index = t - stored.frame_offset
    if not 0 <= index < stored.array.shape[0]:
        return ""
    step, offset = stored.stride_px, stored.offset_px
    rows, columns = stored.array.shape[1:]
    j0, j1 = _reach(window.y0, window.height, step, offset, rows)
    k0, k1 = _reach(window.x0, window.width, step, offset, columns)
    if j0 >= j1 or k0 >= k1:
        return ""
    values = np.nan_to_num(np.asarray(stored.array[index, j0:j1, k0:k1], dtype=np.float32))
    if look == "arrow":
        # a logit: twice the probability of the true order, less one, is 0 for a guess and 1 for certainty
        values = np.maximum(2 * expit(values) - 1, 0)
    high, wide = values.shape
    place = (offset + k0 * step + 0.5 - step / 2, offset + j0 * step + 0.5 - step / 2, wide * step, high * step)
    return f'<g class="map">{_image(_png(coloured(shrink(values, LARGEST_PX // 2), look)), *place)}</g>'


def coloured(values: NDArray[np.float32], look: str) -> NDArray[np.uint8]:
    """Return a map (Y, X), 0..1, as colours (Y, X, 4): clear at 0, most opaque from 0.5 up."""
    from matplotlib import colormaps

    shown = np.clip(values, 0, 1)
    colours = colormaps[MAP_COLOURS[look]](0.25 + 0.75 * shown, bytes=True)
    colours[..., 3] = np.round(255 * MOST_OPAQUE * np.clip(shown / 0.5, 0, 1))
    return np.asarray(colours, dtype=np.uint8)


def colour_bar(look: str) -> str:
    """Return the colours of a map from 0 to 1 as a PNG data address."""
    ramp = np.linspace(0, 1, 128, dtype=np.float32)[None]
    return _png(np.repeat(coloured(ramp, look), 4, axis=0))


def shrink(values: NDArray[np.float32], largest: int) -> NDArray[np.float32]:
    """Average whole blocks until neither side of (Y, X) is larger than `largest`."""
    factor = -(-max(values.shape) // largest)
    if factor <= 1:
        return values
    high, wide = (side // factor for side in values.shape)
    blocks = values[: high * factor, : wide * factor].reshape(high, factor, wide, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def mark_sample(kind: str) -> str:
    """Return the mark of a kind of event, to stand in a legend."""
    shape = f'<path stroke="{kind_colour(kind)}" d="{_shape(kind, 10, 10, 6)}"/>'
    return _svg(Window(0, 0, 20, 20), [f'<g class="mark"><path class="halo" d="{_shape(kind, 10, 10, 6)}"/>{shape}</g>'])


def ring_sample() -> str:
    """Return the ring of a true event, to stand in a legend."""
    return _svg(Window(0, 0, 20, 20), ['<circle class="true" cx="10" cy="10" r="8"/>'])


def strongest_frames(events: pd.DataFrame, number: int) -> list[int]:
    """Return the frames of the most probable events, at most `number`, in their order in time."""
    ranked = events.sort_values("probability", ascending=False, kind="stable")["t"]
    return sorted(int(t) for t in ranked.drop_duplicates().head(number))


def telling_frames(events: pd.DataFrame | None, n_frames: int, number: int) -> list[int]:
    """Return frames spread over the movie: of each stretch of time the one with most events, or its middle."""
    edges = np.linspace(0, n_frames, min(number, n_frames) + 1).astype(int)
    chosen = []
    for start, stop in itertools.pairwise(edges.tolist()):
        counts = np.bincount(_times(events, start, stop) - start, minlength=stop - start)
        chosen.append(start + (int(np.argmax(counts)) if counts.any() else (stop - start) // 2))
    return chosen


def clock(t: int, interval_s: float | None) -> str:
    """Return the time of a frame in brackets, or nothing where the interval is not known."""
    if not interval_s:
        return ""
    minutes = t * interval_s / 60
    return f" ({int(minutes // 60)} h {int(minutes % 60):02d} min)" if minutes >= 60 else f" ({minutes:.3g} min)"


def _times(events: pd.DataFrame | None, start: int, stop: int) -> NDArray[np.int64]:
    if events is None:
        return np.zeros(0, dtype=np.int64)
    t = events["t"].to_numpy(dtype=np.int64)
    return t[(t >= start) & (t < stop)]


def _around(table: pd.DataFrame | None, t: int, frames: int) -> pd.DataFrame:
    """Return the rows within so many frames of frame `t`."""
    none = pd.DataFrame({"t": [], "y": [], "x": [], "kind": []})
    return none if table is None else table[(table["t"] - t).abs() <= frames]


def _reach(start: int, length: int, step: int, offset: float, size: int) -> tuple[int, int]:
    """Return the first and the last but one index of map values whose cells touch a window along one axis."""
    first, last = np.floor((start - 0.5 - offset) / step), np.ceil((start + length - 0.5 - offset) / step)
    return max(int(first), 0), min(int(last) + 1, size)


def _rings(true: pd.DataFrame, t: int, radius: float) -> str:
    return "".join(
        f'<circle class="true{_faint(row, t)}" cx="{row.x + 0.5:.1f}" cy="{row.y + 0.5:.1f}" r="{radius:.1f}"/>'
        for row in _rows(true)
    )


def _marks(events: pd.DataFrame, t: int, radius: float) -> str:
    marks = []
    for row in _rows(events):
        probability = getattr(row, "probability", float("nan"))
        told = "" if np.isnan(probability) else f", probability {probability:.2f}"
        shape = _shape(str(row.kind), row.x + 0.5, row.y + 0.5, radius)
        title = f"<title>{escape(str(row.kind))} in frame {row.t}{told}</title>"
        drawn = f'<path class="halo" d="{shape}"/><path stroke="{kind_colour(str(row.kind))}" d="{shape}"/>'
        marks.append(f'<g class="mark{_faint(row, t)}">{title}{drawn}</g>')
    return "".join(marks)


def _faint(row: Any, t: int) -> str:
    return "" if row.t == t else " faint"


def _rows(table: pd.DataFrame) -> Iterable[Any]:
    return table.itertuples(index=False)


def _shape(kind: str, x: float, y: float, r: float) -> str:
    """Return the outline of a mark: a disc for divisions, a diamond for deaths, a cross for uncertain ones, else a square."""
    if kind == "division":
        return f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0z"
    if kind == "death":
        d = 1.2 * r
        return f"M{x:.1f} {y - d:.1f}l{d:.1f} {d:.1f}l{-d:.1f} {d:.1f}l{-d:.1f} {-d:.1f}z"
    if kind == "uncertain":
        return f"M{x - r:.1f} {y - r:.1f}l{2 * r:.1f} {2 * r:.1f}m0 {-2 * r:.1f}l{-2 * r:.1f} {2 * r:.1f}"
    return f"M{x - r:.1f} {y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z"


def _svg(window: Window, layers: list[str]) -> str:
    box = f"{window.x0} {window.y0} {window.width} {window.height}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" aria-hidden="true">{"".join(layers)}</svg>'


def _image(png: str, x: float, y: float, width: float, height: float) -> str:
    return f'<image href="{png}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" preserveAspectRatio="none"/>'


def _png(pixels: NDArray[np.uint8]) -> str:
    """Return (Y, X) grey or (Y, X, 4) colour pixels as a PNG data address."""
    from PIL import Image

    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(memory.getvalue()).decode("ascii")
