"""The events in a painted mask: a mother at t and her daughters at t + 1 are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.blobs import Blob, blobs_in, near_blobs

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


@dataclass(frozen=True)
class Group:
    """The blobs of one event, as far as they are linked.

    Attributes
    ----------
    first : int
        Its first frame.
    blobs : tuple of (int, Blob)
        With the frame of each.
    last : tuple of Blob
        Those of its newest frame.
    """

    first: int
    blobs: tuple[tuple[int, Blob], ...]
    last: tuple[Blob, ...]

    @property
    def value(self) -> int:
        """Of the mask."""
        return self.last[0].value

    @cached_property
    def place(self) -> tuple[float, float]:
        """The mean of the centres of its blobs, (y, x) in pixels."""
        y, x = np.mean([blob.centre for _, blob in self.blobs], axis=0)
        return float(y), float(x)

    @cached_property
    def reach_px(self) -> float:
        """From its place to the far edge of the farthest blob."""
        y, x = self.place
        return max(float(np.hypot(blob.centre[0] - y, blob.centre[1] - x)) + blob.radius_px for _, blob in self.blobs)

    def event(self, kinds: Sequence[str]) -> MarkedEvent:
        """Return what is marked here; value k is `kinds[k - 1]`."""
        return MarkedEvent(self.first, *self.place, kinds[self.value - 1])


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
    return sorted(group.event(kinds) for group in groups_in(frames, kinds))


def groups_in(frames: Iterable[NDArray[Any]], kinds: Sequence[str]) -> list[Group]:
    """Return the blobs of every event of a mask, linked as by `linked_events`, in no order."""
    done: list[Group] = []
    current: tuple[Group, ...] = ()
    for t, (blobs, after) in enumerate(_with_next(_blobs(frame) for frame in frames)):
        current, ended = link_frame(current, blobs, after, t, kinds)
        done += ended
    return [*done, *current]


def _blobs(frame: NDArray[Any]) -> list[Blob]:
    marked = np.flatnonzero(frame)
    return blobs_in(marked, frame.reshape(-1)[marked].astype(np.uint8), frame.shape[1])


def _with_next(frames: Iterable[list[Blob]]) -> Iterator[tuple[list[Blob], list[Blob]]]:
    """Yield the blobs of every frame together with those of the next."""
    frames = iter(frames)
    now = next(frames, [])
    for after in frames:
        yield now, after
        now = after
    yield now, []


def link_frame(
    groups: Sequence[Group], blobs: Sequence[Blob], after: Sequence[Blob], t: int, kinds: Sequence[str]
) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Take the linking one frame further.

    Parameters
    ----------
    groups : sequence of Group
        The events that reach to frame t - 1.
    blobs, after : sequence of Blob
        Of the frames t and t + 1.
    t : int
    kinds : sequence of str
        Names of the values 1, 2, ...

    Returns
    -------
    tuple of Group, tuple of Group
        The events that reach to frame t, and those of `groups` that end before it.
    """
    followers = _followers(groups, blobs, after, t, kinds)
    ended = tuple(group for i, group in enumerate(groups) if i not in followers)
    gone_on = [_longer(groups[i], t, [blobs[j] for j in found]) for i, found in followers.items()]
    taken = {j for found in followers.values() for j in found}
    begun = [Group(t, ((t, blob),), (blob,)) for j, blob in enumerate(blobs) if j not in taken]
    return (*gone_on, *begun), ended


def _longer(group: Group, t: int, found: list[Blob]) -> Group:
    return Group(group.first, group.blobs + tuple((t, blob) for blob in found), tuple(found))


def _followers(
    groups: Sequence[Group], blobs: Sequence[Blob], after: Sequence[Blob], t: int, kinds: Sequence[str]
) -> dict[int, list[int]]:
    """Return the numbers of the blobs of frame `t` that carry events on, nearest first; none carries on two."""
    pairs: list[tuple[float, int, int, int]] = []
    lasts = [(i, last) for i, group in enumerate(groups) for last in group.last]
    near_after, near_last = near_blobs(blobs, after), near_blobs(blobs, [last for _, last in lasts])
    for j, blob in enumerate(blobs):
        nearest: dict[int, tuple[float, float]] = {}
        for i, last in (lasts[k] for k in near_last[j]):
            nearest[i] = min(nearest.get(i, (inf, inf)), (last.gap_px(blob), 2 * max(last.radius_px, blob.radius_px)))
        stays = bool(nearest) and any(blob.gap_px(after[k]) == 0 for k in near_after[j])
        for i, (gap, allowed) in nearest.items():
            if gap == 0 or (gap <= allowed and t == groups[i].first + 1 and not stays):
                pairs.append((gap, len(pairs), i, j))
    followers: dict[int, list[int]] = {}
    taken: set[int] = set()
    for _, _, i, j in sorted(pairs):
        most = _MOST_AFTER.get(kinds[blobs[j].value - 1], inf)
        if j not in taken and len(followers.get(i, ())) < most:
            followers.setdefault(i, []).append(j)
            taken.add(j)
    return followers
