"""Feature maps that are kept on disk, to be used again: one folder for each movie, encoder and normalisation.

Anything in it may be deleted at any moment: what is missing is computed again. Above a size cap the folders that were used longest ago go
first. Labels have no part in maps, so that a corrected frame costs nothing here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps, encode_movie
from napari_tap_events.encoder.features import FeatureSource
from napari_tap_events.errors import ModelError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import NORMALISATION
from napari_tap_events.reports import Control, Report

USED = "used"
"""An empty file whose time says when a folder was used last."""


@dataclass(frozen=True)
class FeatureCache:
    """Feature maps on disk.

    Attributes
    ----------
    folder : Path
    most_bytes : int
        Size from which the maps that were used longest ago are removed.
    """

    folder: Path
    most_bytes: int

    def place(self, movie: Movie, source: FeatureSource, stride_px: int) -> Path:
        """Return the folder of a movie's maps; another movie, encoder, normalisation or stride has another."""
        how = hashlib.sha256(repr((sorted(NORMALISATION.items()), stride_px)).encode()).hexdigest()[:8]
        return self.folder / f"{movie.name}-{movie.content_hash()[:12]}-{source.fingerprint()[:12]}-{how}"

    def maps(
        self, movie: Movie, source: FeatureSource, compute: Compute, stride_px: int, control: Control | None = None
    ) -> Generator[Report, None, FeatureMaps]:
        """Return the maps of a movie; frames that are there already are not computed again.

        Yields
        ------
        Report

        Returns
        -------
        FeatureMaps
        """
        place = self.place(movie, source, stride_px)
        self.make_room([place])
        try:
            return (yield from encode_movie(movie, source, compute, place, stride_px, control))
        except ModelError:  # damaged, as after a full disk: it is only a cache
            shutil.rmtree(place, ignore_errors=True)
            _touch(place)
            return (yield from encode_movie(movie, source, compute, place, stride_px, control))

    def make_room(self, places: Sequence[Path]) -> None:
        """Note that maps are about to be used, or computed, at these places, and remove others until the rest is below the cap."""
        for place in places:
            _touch(place)
        self.prune(*places)

    def prune(self, *keep: Path) -> list[Path]:
        """Remove what was used longest ago, but for what is to be kept, until the rest is below the cap; return what was removed."""
        try:
            folders = sorted((path for path in self.folder.iterdir() if path.is_dir()), key=_used)
        except OSError:
            return []
        sizes = {path: _size(path) for path in folders}
        total, removed = sum(sizes.values()), []
        for path in folders:
            if total <= self.most_bytes:
                break
            if path not in keep:
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]
                removed.append(path)
        return removed


def _touch(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / USED).touch()
    now = time.time()
    os.utime(place / USED, (now, now))


def _used(path: Path) -> float:
    try:
        return (path / USED).stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    """Return the bytes of a folder; files that vanish meanwhile count nothing."""
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total
