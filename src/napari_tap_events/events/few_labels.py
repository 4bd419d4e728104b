"""Few labels: which event each window belongs to, and how to teach by some events as if nobody had marked the others."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.table import UNCERTAIN

NOBODY = -1


def owners(labels: NDArray[np.int8], truth: pd.DataFrame, grid: WindowGrid) -> NDArray[np.int32]:
    """Say which true event each event window shows.

    A window shows the nearest event; a frame counts like a whole crop, so that one of another frame pair is the last choice.

    Parameters
    ----------
    labels : (T-1, K, rows, columns) int8
        1 event, 0 none, -1 unknown.
    truth : events table
        Uncertain rows own nothing.
    grid : WindowGrid
        That the labels lie on.

    Returns
    -------
    (T-1, rows, columns) int32
        Row position in `truth`; -1 for windows that are no event, or where there is no true event at all.
    """
    owner = np.full((labels.shape[0], *labels.shape[2:]), NOBODY, np.int32)
    certain = np.flatnonzero(truth["kind"].to_numpy(dtype=object) != UNCERTAIN)
    windows = np.argwhere((labels == 1).any(1))
    if not len(certain) or not len(windows):
        return owner
    unit = np.array([grid.crop_px, 1.0, 1.0])
    places = truth[["t", "y", "x"]].to_numpy(dtype=np.float64)[certain] * unit
    centres = np.stack([windows[:, 0], *grid.centre_px(windows[:, 1], windows[:, 2])], axis=1) * unit  # type: ignore[arg-type]
    for (t, i, j), centre in zip(windows, centres, strict=True):
        owner[t, i, j] = certain[np.argmin(((places - centre) ** 2).sum(1))]
    return owner


def forget(labels: NDArray[np.int8], owner: NDArray[np.int32], kept: Collection[int]) -> NDArray[np.int8]:
    """Return the labels with the windows of all events but the kept ones unknown: they are neither events nor none."""
    lost = (owner != NOBODY) & ~np.isin(owner, list(kept))
    return np.where(lost[:, None] & (labels == 1), np.int8(-1), labels)
