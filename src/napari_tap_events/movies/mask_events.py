"""The events in a painted mask: a mother at t and her daughters at t + 1 are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MOST_AFTER = {"division": 2}
"""So many blobs at t + 1 become of one at t, by kind: two daughters. A dying cell may fall into any number of pieces."""


class MarkedEvent(NamedTuple):
    """An event as a mask marks it.

    Attributes
    ----------
    t : int
        Its first frame.
    y, x : float
        The mean of the centres of its blobs, pixels from the centre of the first pixel.
    kind : str
    """

    t: int
    y: float
    x: float
    kind: str


@dataclass(eq=False)
class _Blob:
    """A connected area of one kind in one frame: pixels (N, 2) as (y, x)."""

    pixels: NDArray[np.int64]
    value: int

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        centre: NDArray[np.float64] = self.pixels.mean(axis=0)
        return centre

    @cached_property
    def radius_px(self) -> float:
        return sqrt(len(self.pixels) / pi)

    @cached_property
    def reach_px(self) -> float:
        return float(np.max(np.linalg.norm(self.pixels - self.centre, axis=1)))


@dataclass(eq=False)
class _Group:
    """The blobs of one event so far; `last` are those of the newest frame."""

    first: int
    blobs: list[_Blob]
    last: list[_Blob]


def linked_events(frames: Iterable[NDArray[Any]], kinds: tuple[str, ...]) -> list[MarkedEvent]:
    """Find the events of a mask.

    A blob and the nearest blobs of its kind in the next frame, no further away than a diameter of the larger, are one event
    (of a division, two of them at most); but a blob that stays upon its own pixels in the frame after begins an event of its
    own, unless it touches the first. Blobs that go on covering pixels of an event belong to it.

    Parameters
    ----------
    frames : iterable of (Y, X) integer arrays
        Value k is `kinds[k - 1]`, 0 is nothing.
    kinds : tuple of str

    Returns
    -------
    list of MarkedEvent
        In the order of time.
    """
    done: list[_Group] = []
    current: list[_Group] = []
    for t, (blobs, after) in enumerate(_with_next(_blobs(frame) for frame in frames)):
        followers = _followers(current, blobs, after, t, kinds)
        done += [group for group in current if group not in followers]
        taken: set[_Blob] = set()
        for group, found in followers.items():
            group.last = found
            group.blobs += found
            taken |= set(found)
        current = [*followers, *(_Group(t, [blob], [blob]) for blob in blobs if blob not in taken)]
    return sorted(_event(group, kinds) for group in done + current)


def _with_next(frames: Iterable[list[_Blob]]) -> Iterator[tuple[list[_Blob], list[_Blob]]]:
    """Yield the blobs of every frame together with those of the next."""
    frames = iter(frames)
    now = next(frames, [])
    for after in frames:
        yield now, after
        now = after
    yield now, []


def _event(group: _Group, kinds: tuple[str, ...]) -> MarkedEvent:
    y, x = np.mean([blob.centre for blob in group.blobs], axis=0)
    return MarkedEvent(group.first, float(y), float(x), kinds[group.blobs[0].value - 1])


def _blobs(frame: NDArray[Any]) -> list[_Blob]:
    from scipy import ndimage

    blobs: list[_Blob] = []
    for value in np.unique(frame[frame > 0]):
        labels, n = ndimage.label(frame == value, structure=np.ones((3, 3)))
        for number, box in enumerate(ndimage.find_objects(labels, max_label=n), start=1):
            inside = np.argwhere(labels[box] == number) + [part.start for part in box]
            blobs.append(_Blob(inside, int(value)))
    return blobs


def _followers(
    groups: list[_Group], blobs: list[_Blob], after: list[_Blob], t: int, kinds: tuple[str, ...]
) -> dict[_Group, list[_Blob]]:
    """Return the blobs of frame `t` that carry events on, nearest first; none carries on two."""
    pairs: list[tuple[float, int, _Group, _Blob]] = []
    for blob in blobs:
        stays = any(_gap_px(blob, other) == 0 for other in after)
        for group in groups:
            gap, allowed = min((_gap_px(last, blob), 2 * max(last.radius_px, blob.radius_px)) for last in group.last)
            if gap == 0 or (gap <= allowed and t == group.first + 1 and not stays):
                pairs.append((gap, len(pairs), group, blob))
    followers: dict[_Group, list[_Blob]] = {}
    taken: set[_Blob] = set()
    for _, _, group, blob in sorted(pairs, key=lambda pair: pair[:2]):
        most = _MOST_AFTER.get(kinds[blob.value - 1], inf)
        if blob not in taken and len(followers.get(group, ())) < most:
            followers.setdefault(group, []).append(blob)
            taken.add(blob)
    return followers


def _gap_px(one: _Blob, other: _Blob) -> float:
    """Return the least distance between two blobs, 0 where they share a pixel, infinite for two kinds or far away."""
    from scipy.spatial import cKDTree

    far = float(np.linalg.norm(one.centre - other.centre)) - one.reach_px - other.reach_px
    if one.value != other.value or far > 2 * max(one.radius_px, other.radius_px):
        return inf
    distances, _ = cKDTree(one.pixels).query(other.pixels)
    return float(np.min(distances))
