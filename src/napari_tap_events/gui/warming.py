"""What the first layers and the first mark load is loaded beforehand, in a thread, while the person still looks for a movie."""

from __future__ import annotations

from importlib import import_module
from threading import Thread

NEEDED = ("scipy.ndimage", "pandas", "skimage.color.colorconv", "scipy.sparse.csgraph")
"""napari makes thumbnails with the first; of Labels, it keeps features in tables of the second and chooses colours with the third. With the
last the areas of a mask are told apart (`movies/blobs.py`)."""


def warm_up() -> Thread:
    """Begin to load; the window stands still for no more than some hundredths of a second meanwhile."""
    thread = Thread(target=_load, name="warm up")
    thread.start()
    return thread


def _load() -> None:
    for name in NEEDED:
        import_module(name)
