"""Heads that were each taught without a block of time, and what they say of places in it.

A head that was taught by fewer answers is less sure of itself. So its scores are brought to the scale of the final head, by frames of
its block, away from what was answered, which neither of the two was taught.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.events.dense import DenseHead, Said
from napari_tap_events.events.detection import ScoreGrid, opinion_frame, score_frame, score_grid
from napari_tap_events.events.guided import GuidedHead
from napari_tap_events.events.head import EventHead
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.settings import EventSettings

SPREAD, MOST_SLOPE = (0.5, 0.999), 4.0
"""Quantiles of scores by which two heads are brought to one scale, and by how much at most."""
FEWEST = 100
"""Of fewer scores, quantiles are worth no more than no scale: neighbours in a score map say much the same."""

Places = NDArray[np.float64]
Scores = NDArray[np.float32]
Scale = tuple[float, float]
"""Slope and shift of a head's scores."""
SAME: Scale = (1.0, 0.0)


@dataclass(frozen=True)
class HeldHeads:
    """Who speaks where.

    Attributes
    ----------
    heads : mapping of int to EventHead
        For frame pairs of which something is known, the head that was not taught there; none where no block could be held out.
    tiles : MapTiles
        Of the whole movie.
    near : EventSettings
    """

    heads: Mapping[int, EventHead]
    tiles: MapTiles
    near: EventSettings
    _said: dict[int, Said] = field(default_factory=lambda: defaultdict(Said), repr=False)

    @property
    def each(self) -> list[EventHead]:
        """Every head once."""
        return list({id(head): head for head in self.heads.values()}.values())

    def scales(self, final: EventHead, asked: Places) -> dict[int, Scale]:
        """Return what brings each head's own opinion to the scale of the final one's, by its id.

        The guide of two heads is the same, so that only their own opinions are compared. Where answers leave hardly a free place in
        a block, its head keeps its scale.
        """
        seen: dict[int, list[tuple[Scores, Scores]]] = {}
        own, dense = self.dense(final), self._dense()
        for t, head in sorted(self.heads.items()):
            both = [opinion_frame(which, self.tiles, t, self.near.radius_px)[-1][0] for which in (dense[id(head)], own)]
            away = self._away(both[0].shape, asked, t, score_grid(final, self.tiles.maps.stride_px))
            seen.setdefault(id(head), []).append((both[0][away], both[1][away]))
        return {
            key: _scale(*(np.concatenate([part[side] for part in parts]) for side in (0, 1))) for key, parts in seen.items()
        }

    def scores(self, places: Places, otherwise: Places, scales: Mapping[int, Scale]) -> Scores:
        """Return the greatest score within half a radius of each place (N, 3), t y x.

        Parameters
        ----------
        places : (N, 3) float64
        otherwise : (N,) float64
            What stands where no head was held out.
        scales : mapping of int to (slope, shift)
            By the id of each head.
        """
        dense, scores = self._dense(), np.array(otherwise, dtype=np.float32)
        for t, rows in self._by_pair(places):
            head = self.heads[t]
            slope, shift = scales[id(head)]
            values = score_frame(dense[id(head)], self.tiles, t, self.near.radius_px)[0]
            for row in rows:
                scores[row] = slope * values[self._around(head, values, places[row, 1:])].max() + shift
        return scores

    def opinions(self, places: Places) -> NDArray[np.float64]:
        """Return the opinions (N, 2) of guide and head where the score is greatest within half a radius of each place; else NaN."""
        dense, opinions = self._dense(), np.full((len(places), 2), np.nan)
        for t, rows in self._by_pair(places):
            head = self.heads[t]
            if not isinstance(head, GuidedHead):
                continue
            maps = opinion_frame(dense[id(head)], self.tiles, t, self.near.radius_px)
            values = head.weighed(maps)[0]
            for row in rows:
                part = self._around(head, values, places[row, 1:])
                y, x = np.unravel_index(values[part].argmax(), values[part].shape)
                y, x = y + part[0].start, x + part[1].start
                opinions[row] = maps[:, 0, y, x]
        return opinions

    def dense(self, head: EventHead) -> DenseHead:
        """Return a head as it is now, ready to read whole frames, with what it, or one that was weighed otherwise, said before."""
        return DenseHead(head, self._said[id(head)])

    def window_logits(self) -> NDArray[np.float32]:
        """Return the logits of all windows of the frame pairs of `heads`, in order, (N, K, rows, columns)."""
        dense = self._dense()
        return np.stack([dense[id(head)].window_logits(self.tiles, t) for t, head in sorted(self.heads.items())])

    def _dense(self) -> dict[int, DenseHead]:
        """Return every head as it is now, ready to read whole frames, by its id."""
        return {id(head): self.dense(head) for head in self.each}

    def _by_pair(self, places: Places) -> list[tuple[int, NDArray[np.int64]]]:
        """Return the frame pairs of places that a head speaks of, each with the rows of its places."""
        pairs = sorted({int(t) for t in places[:, 0]} & set(self.heads))
        return [(t, np.flatnonzero(places[:, 0] == t)) for t in pairs]

    def _away(self, shape: tuple[int, ...], asked: Places, t: int, grid: ScoreGrid) -> NDArray[np.bool_]:
        """Say which values of a score map of frame pair `t` lie away from every place that was answered."""
        rows, columns = (grid.offset_px + grid.stride_px * np.arange(size) for size in shape)
        free = np.ones(shape, bool)
        for y, x in asked[np.abs(asked[:, 0] - t) <= self.near.radius_frames, 1:]:
            free &= (rows[:, None] - y) ** 2 + (columns - x) ** 2 > (2 * self.near.radius_px) ** 2
        return free

    def _around(self, head: EventHead, values: Scores, place: Places) -> tuple[slice, slice]:
        """Return the part of a score map within half a radius of a place (y, x)."""
        grid = score_grid(head, self.tiles.maps.stride_px)
        reach = max(1, round(0.5 * self.near.radius_px / grid.stride_px))
        at = np.clip(np.round((place - grid.offset_px) / grid.stride_px).astype(int), 0, np.array(values.shape) - 1)
        return slice(max(0, at[0] - reach), at[0] + reach + 1), slice(max(0, at[1] - reach), at[1] + reach + 1)


def _scale(theirs: Scores, own: Scores) -> Scale:
    """Return slope and shift that spread their scores (N,) as the final head's own (N,); the same scale where N is too small to tell."""
    if theirs.size < FEWEST:
        return SAME
    (low, high), (own_low, own_high) = (np.quantile(values, SPREAD) for values in (theirs, own))
    slope = float(np.clip((own_high - own_low) / max(high - low, 1e-6), 1 / MOST_SLOPE, MOST_SLOPE))
    return slope, float(own_low - slope * low)
