"""What napari's own brush has just painted, as a correction that can be journalled and undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.project.corrections import FramePatch, PaintMask, joined_patches


def painted(atoms: Iterable[Any], shape: tuple[int, ...], words: str) -> PaintMask:
    """Return a stroke as a correction whose pixels are in the masks already; it is empty where nothing has changed.

    Parameters
    ----------
    atoms : iterable
        The value of a Labels layer's `paint` event: the single changes of one stroke, in their order. Each is a box with a mask,
        the values that were there and the new one (napari 0.9), or the indices of pixels with their old and new values.
    shape : (T, Y, X)
    words : str
        The stroke, said to a person.
    """
    patches = (patch for atom in atoms for patch in _patches(atom, shape))
    return PaintMask(joined_patches(patches), words)


def _patches(atom: Any, shape: tuple[int, ...]) -> Iterator[FramePatch]:
    """Yield what one change did to each of its frames."""
    places, before, after = _pixels(atom, shape)
    frames, places = np.divmod(places, shape[1] * shape[2])
    for t in np.unique(frames):
        here = frames == t
        order = np.argsort(places[here])
        yield FramePatch(int(t), places[here][order], before[here][order], after[here][order])


def _pixels(atom: Any, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the flat places of a change in all frames, what was there and what is."""
    if hasattr(atom, "slice_key"):
        box = [np.arange(part.start, part.stop) for part in atom.slice_key]
        grid = np.ravel_multi_index(np.ix_(*box), shape)
        places = grid.ravel() if atom.mask is None else grid[atom.mask]
        old, new = atom.old_values, atom.new_value
    else:
        indices, old, new = atom
        places = np.ravel_multi_index(tuple(np.ravel(index) for index in indices), shape)
    before, after = (np.broadcast_to(np.ravel(np.asarray(values, np.uint8)), places.shape) for values in (old, new))
    return places.astype(np.int64), before, after
