"""A movie in a project: where it lies, how it is opened, and how to know it again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from napari_tap_events.movies.movie import Movie, stem_of
from napari_tap_events.settings import MovieSettings

_FRAMES_HASHED = 5


@dataclass(frozen=True)
class MovieEntry:
    """A movie of a project.

    Attributes
    ----------
    name : str
        Unique in the project; names its mask file and its lines in the journal.
    path : str
        From the project's folder where that is possible, with "/"; else absolute.
    content_hash : str
        Of the movie as it is opened, see `content_hash`.
    opening : MovieSettings
        How it is opened.
    shape : tuple of int
        (T, C, Y, X).
    seen_at : str
        Its absolute path when it was last opened, for a project that was moved without its movies.
    cell_px : float or None
        Diameter of a typical cell, pixels, where somebody has said it.
    """

    name: str
    path: str
    content_hash: str
    opening: MovieSettings = field(default_factory=MovieSettings)
    shape: tuple[int, int, int, int] = (0, 0, 0, 0)
    seen_at: str = ""
    cell_px: float | None = None

    def places(self, folder: Path) -> tuple[Path, ...]:
        """Return where the movie may lie, likeliest first; `folder` is the project's."""
        return tuple(
            dict.fromkeys(folder / place for place in (Path(PurePosixPath(self.path)), Path(self.seen_at)) if place.parts)
        )

    def place(self, folder: Path) -> Path | None:
        """Return where the movie lies, None where it is missing."""
        return next((place for place in self.places(folder) if place.exists()), None)


def content_hash(movie: Movie) -> str:
    """Return a hash of a movie's shape, type and five of its frames, spread evenly: quick, also for a movie of gigabytes.

    It is the same wherever the file lies and however it is packed, and tells one movie from another. It is not the hash in
    models and results, which is made of every pixel.
    """
    digest = hashlib.sha256(f"{movie.shape}{movie.dtype.newbyteorder('=')}".encode())
    for t in sorted(set(np.linspace(0, movie.n_frames - 1, _FRAMES_HASHED).round().astype(int).tolist())):
        frame = movie.frame(t)
        digest.update(np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("=")).tobytes())
    return f"{_FRAMES_HASHED} frames: {digest.hexdigest()}"


def free_name(movie_name: str, taken: Collection[str]) -> str:
    """Return a name for a movie that can be part of a file name, and that no other has, whatever the case of its letters."""
    stem = re.sub(r"[^\w-]+", "_", stem_of(movie_name)).strip("_") or "movie"
    known = {name.lower() for name in taken}
    numbered = (stem if i == 1 else f"{stem}-{i}" for i in range(1, len(known) + 2))
    return next(name for name in numbered if name.lower() not in known)


def path_from(folder: Path, target: Path) -> str:
    """Return a path from a folder, with "/", also upwards; absolute where both lie on different drives."""
    try:
        return Path(os.path.relpath(target.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return target.resolve().as_posix()
