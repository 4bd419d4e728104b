"""A movie and what was marked in it, as a head is taught by them: the scope, the true events, the grid of windows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_tap_events.errors import SettingsError
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.table import UNCERTAIN, EventRow, events_table, read_events
from napari_tap_events.movies.known import NOWHERE, Known, read_known
from napari_tap_events.movies.masks import EventMasks, Scope, events_in_masks, open_masks
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import LabelSettings, MovieSettings, frame_range

MAP_STRIDE_PX = 2
"""Maps for heads are kept at half the resolution of the movie: a quarter of the memory and of the time."""
TRAINING_STRIDE_PX = 8
"""Distance of the windows that a head is taught on, at most."""


@dataclass(frozen=True)
class Labelled:
    """Paths of a movie, its mask, an events table with the truth and with what is uncertain, and boxes that were looked at."""

    movie: Path
    masks: Path
    events: Path | None = None
    known: Path | None = None


def open_labelled(labelled: Labelled, opening: MovieSettings, settings: LabelSettings) -> tuple[Movie, EventMasks]:
    """Open a movie and what was marked in it; where boxes tell what was looked at, no scope means that nothing else was.

    Raises
    ------
    MovieError, MaskError, SettingsError
        When one of the files cannot be read, or they do not go together.
    """
    movie = single_channel(open_movie(labelled.movie, opening))
    known = read_known(labelled.known) if labelled.known else Known()
    alone = bool(known.seen) and not (settings.scope_frames or settings.scope_region)
    scope = NOWHERE if alone else scope_of(movie, settings)
    return movie, open_masks(labelled.masks, movie, labelled.events, scope, known=known)


def scope_of(movie: Movie, settings: LabelSettings) -> Scope:
    """Return what was annotated of a movie.

    Raises
    ------
    SettingsError
        When the settings leave nothing of it.
    """
    frames = frame_range(settings.scope_frames, movie.n_frames, "scope_frames")
    region = settings.scope_region or ":,:"
    found = re.fullmatch(r"(-?\d*):(-?\d*),(-?\d*):(-?\d*)", region.replace(" ", ""))
    if found is None:
        raise SettingsError(f"scope_region = '{region}' is no rectangle; write it as y0:y1,x0:x1, e.g. 0:200,:.")
    ends = [int(end) if end.strip("-") else None for end in found.groups()]
    rows, columns = slice(*ends[:2]), slice(*ends[2:])
    (y0, y1, _), (x0, x1, _) = rows.indices(movie.height), columns.indices(movie.width)
    if y1 <= y0 or x1 <= x0:
        raise SettingsError(f"scope_region = '{region}' leaves nothing of frames of {movie.height} x {movie.width} px.")
    return Scope(frames, y0, y1, x0, x1)


def truth_of(item: Labelled, masks: EventMasks) -> pd.DataFrame:
    """Return the true events: those of the events table or, where it names none but uncertain ones, those of the mask.

    Events outside of what was looked at count neither way, like uncertain ones.
    """
    told = None if item.events is None else read_events(item.events)
    if told is not None and (told["kind"] != UNCERTAIN).any():
        truth = told
    else:
        marked = events_table(
            EventRow(e.t, e.y, e.x, e.kind, source="mask", status="confirmed") for e in events_in_masks(masks)
        )
        truth = marked if told is None else pd.concat([marked, told], ignore_index=True)
    inside = [masks.knows(t, y, x) for t, y, x in truth[["t", "y", "x"]].to_numpy(dtype=float)]
    return truth.assign(kind=np.where(inside, truth["kind"], UNCERTAIN))


def marks_hash(masks: Sequence[EventMasks], truths: Sequence[pd.DataFrame]) -> str:
    """Return a short hash of all that was marked in some movies: labels, their kinds, what is known or uncertain, the true events."""
    digest = hashlib.sha256()
    for mask, truth in zip(masks, truths, strict=True):
        events = truth[["t", "y", "x", "kind", "status"]].to_csv(index=False)
        digest.update(repr((mask.shape, mask.kinds, mask.scope, mask.uncertain, mask.known, events)).encode())
        for t in range(mask.shape[0]):
            digest.update(mask.frame(t).tobytes())
    return digest.hexdigest()[:12]


def window_grid(movie: Movie, settings: LabelSettings, stride_px: int | None = None) -> WindowGrid:
    """Return the grid on which windows are labelled and taught, or one of another stride."""
    height, width = (side // MAP_STRIDE_PX * MAP_STRIDE_PX for side in (movie.height, movie.width))
    return WindowGrid(height, width, settings.crop_px, stride_px or training_stride_px(settings))


def training_stride_px(settings: LabelSettings) -> int:
    """Return the distance of the windows that are taught: a third of the crop, at most 8 px, and a divisor of the crop."""
    stride = min(TRAINING_STRIDE_PX, max(MAP_STRIDE_PX, settings.crop_px // 3))
    while settings.crop_px % stride or stride % MAP_STRIDE_PX:
        stride -= 1
    return stride
