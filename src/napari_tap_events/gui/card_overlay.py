"""A map over the pictures of a card, in the colours that it has in the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from napari.utils.colormaps import Colormap
from numpy.typing import NDArray

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.card_crops import Crops
from napari_tap_events.gui.colours import grad_cam_colormap, probability_colormap
from napari_tap_events.movies.ome_zarr import StoredMap, open_map

COLOURS = {"probability": probability_colormap, "grad_cam": grad_cam_colormap}
GRAD_CAM = "grad_cam.ome.zarr"
RGB = NDArray[np.uint8]


class CardMaps:
    """The maps that can be laid over the cards of a movie: its probability map, and where a network looks.

    Parameters
    ----------
    overlay : Path
        Of the probability map.
    results : callable
        Yields the folders of the movie's results that hold a map of this name, the newest first.

    Attributes
    ----------
    role : str
        Of the map that is chosen; "" for none.
    """

    def __init__(self, overlay: Path, results: Callable[[str], Iterator[Path]]) -> None:
        self._overlay, self._results = overlay, results
        self._grad_cam: Path | None = None
        self.role = ""

    def paths(self) -> Mapping[str, Path]:
        """Return which maps there are, by role."""
        if self._grad_cam is None:
            newest = next(self._results(GRAD_CAM), None)
            self._grad_cam = None if newest is None else newest / GRAD_CAM
        found = {"probability": self._overlay} if self._overlay.exists() else {}
        return found | ({"grad_cam": self._grad_cam} if self._grad_cam is not None and self._grad_cam.exists() else {})

    def lay_over(self, crops: Crops) -> NDArray[np.uint8]:
        """Return the pictures of a card, with the chosen map over them where it can be read."""
        path = self.paths().get(self.role) if self.role else None
        laid = None if path is None else laid_over(crops, path, self.role)
        return crops.pictures if laid is None else laid


def laid_over(crops: Crops, path: Path, role: str) -> RGB | None:
    """Return the pictures of a card (N, side, side, 3) uint8 with a map over them; None where the map cannot be read.

    Parameters
    ----------
    crops : Crops
    path : Path
        Of the map.
    role : str
        "probability" or "grad_cam".
    """
    try:
        stored = open_map(path)
    except TapEventsError:
        return None
    limit, colours = (1.0 if role == "probability" else _highest(stored)), COLOURS[role]()
    return np.stack(
        [
            _mixed(picture, _values(stored, crops, t), limit, colours)
            for t, picture in zip(crops.frames, crops.pictures, strict=True)
        ]
    )


def _values(stored: StoredMap, crops: Crops, t: int) -> NDArray[np.float32]:
    """Return the value of the map at each pixel of a picture, 0 beyond its ends."""
    n, height, width = stored.array.shape
    i = min(max(t - stored.frame_offset, 0), n - 1)
    rows, columns = (
        np.round((start + np.arange(crops.side) - stored.offset_px) / stored.stride_px).astype(int)
        for start in (crops.y0, crops.x0)
    )
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    patch = np.asarray(stored.array[i, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], dtype=np.float32)
    values = patch[np.ix_(rows - rows[0], columns - columns[0])]
    return np.where(inside & np.isfinite(values), values, 0).astype(np.float32)


def _mixed(picture: NDArray[np.uint8], values: NDArray[np.float32], limit: float, colours: Colormap) -> RGB:
    rgba = np.asarray(colours.map(np.clip(values / limit, 0, 1).ravel()))  # type: ignore[no-untyped-call]
    rgb, opaque = rgba.reshape(*values.shape, 4)[..., :3], rgba.reshape(*values.shape, 4)[..., 3:]
    grey = np.repeat(picture[..., None] / 255.0, 3, axis=2)
    added = colours.colors[0][3] == 1  # opaque at 0: made to be added
    mixed = grey + rgb if added else grey * (1 - opaque) + rgb * opaque
    painted: RGB = (np.clip(mixed, 0, 1) * 255).astype(np.uint8)
    return painted


def _highest(stored: StoredMap) -> float:
    top = float(np.nanmax(np.asarray(stored.array[stored.array.shape[0] // 2]), initial=0.0))
    return top if 0 < top < np.inf else 1.0
