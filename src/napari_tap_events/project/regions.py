"""The events of a mask that is being painted: after a stroke only the frames that it touches are looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.blobs import Blob, changed_blobs
from napari_tap_events.movies.mask_events import Group, MarkedEvent, link_frame


@dataclass(frozen=True, eq=False)
class MarkedRegion:
    """An event with all pixels that mark it.

    Attributes
    ----------
    event : MarkedEvent
        Its first frame, place and kind.
    value : int
        Of its pixels in the mask.
    blobs : tuple of (int, (N,) int64)
        Frame and pixels (y * width + x, ascending) of each of its areas, in the order of time.
    """

    event: MarkedEvent
    value: int
    blobs: tuple[tuple[int, NDArray[np.int64]], ...] = field(repr=False)

    @cached_property
    def frames(self) -> frozenset[int]:
        """The frames in which it is marked."""
        return frozenset(t for t, _ in self.blobs)


class RegionFinder:
    """Keeps the blobs and their links of every frame, and brings them up to date where pixels have changed.

    Parameters
    ----------
    labels : (T, Y, X) uint8
        Is read where it has been touched; empty at the beginning.
    """

    def __init__(self, labels: NDArray[np.uint8]) -> None:
        self._labels = labels
        n = len(labels)
        self._touched: dict[int, list[NDArray[np.int64]]] = {}
        self._blobs: list[list[Blob]] = [[] for _ in range(n)]
        self._current: list[tuple[Group, ...]] = [() for _ in range(n)]
        self._ended: list[dict[Group, MarkedRegion]] = [{} for _ in range(n + 1)]
        self._names: tuple[str, ...] = ()
        self._all: tuple[MarkedRegion, ...] = ()

    def touch(self, t: int, pixels: NDArray[np.int64]) -> None:
        """Remember that pixels (y * width + x) of frame `t` may have changed."""
        self._touched.setdefault(t, []).append(pixels)

    def regions(self, names: Sequence[str]) -> tuple[MarkedRegion, ...]:
        """Return the marked events in the order of time; `names` are those of the values 1, 2, ..."""
        renamed = self._names != tuple(names)
        if self._touched or renamed:
            frames = self._look_again()
            if renamed:
                self._names = tuple(names)
                self._ended = [{} for _ in self._ended]
                frames = list(range(len(self._labels)))
            self._link(frames)
            every = chain.from_iterable(found.values() for found in self._ended)
            self._all = tuple(sorted(every, key=lambda region: region.event))
        return self._all

    def _look_again(self) -> list[int]:
        """Find the blobs of touched frames anew, and return the frames whose links can change by that."""
        for t, pixels in self._touched.items():
            self._blobs[t] = changed_blobs(self._blobs[t], self._labels[t], np.concatenate(pixels))
        frames = {t - back for t in self._touched for back in (0, 1) if t >= back}
        self._touched.clear()
        return sorted(frames)

    def _link(self, frames: Sequence[int]) -> None:
        """Link frames anew, and after each those that follow from it."""
        waiting = list(frames)
        heapify(waiting)
        while waiting:
            t = heappop(waiting)
            while waiting and waiting[0] == t:
                heappop(waiting)
            if self._link_one(t):
                heappush(waiting, t + 1)

    def _link_one(self, t: int) -> bool:
        """Link frame `t`, or finish what reaches the end of the movie, and say whether the frame after must follow."""
        before = self._current[t - 1] if t else ()
        if t == len(self._labels):
            self._ended[t] = self._regions(before, self._ended[t])
            return False
        after = self._blobs[t + 1] if t + 1 < len(self._labels) else []
        now, ended = link_frame(before, self._blobs[t], after, t, self._names)
        self._ended[t] = self._regions(ended, self._ended[t])
        changed = now != self._current[t]
        self._current[t] = now
        return changed or t + 1 == len(self._labels)

    def _regions(self, groups: Sequence[Group], known: Mapping[Group, MarkedRegion]) -> dict[Group, MarkedRegion]:
        return {group: known.get(group) or self._region(group) for group in groups}

    def _region(self, group: Group) -> MarkedRegion:
        return MarkedRegion(group.event(self._names), group.value, tuple((t, blob.flat) for t, blob in group.blobs))
