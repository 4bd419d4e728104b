"""From maps to events: local maxima in space and time, streamed frame by frame.

Events are sought on a score map that is sharper than the window map: the evidence around every pixel (or, for heads without evidence,
the logits of the windows around it). A window's probability answers "is there an event in this crop", and has a plateau as wide as the
crop; the score answers "is it here". An event's probability is calibrated on held-out candidates: among candidates with probability p,
a share p are events.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.head import EventHead, EvidenceHead
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.settings import EventSettings

EVENT_BLUR, HEAD_BLUR = 0.33, 0.5
"""Widths of the Gaussians that gather evidence of a pair head and of an event head, as shares of a cell radius: the former lies on the few
pixels of the bodies themselves, the latter on each of the parts of an event."""
CANDIDATES_PER_MEGAPIXEL = 200
"""Candidates kept per frame and megapixel, the strongest: bounds the table, not what can be found."""
SUCCESSORS_REACH = 4
"""A cell prepares for an event within so many times the frames in which two events are one."""


@dataclass(frozen=True)
class Candidate:
    """A local maximum of a score map.

    Attributes
    ----------
    t : int
        Frame pair (t, t + 1).
    y, x : float
        Pixels of the movie.
    kind : int
        Index of the most likely one of the kinds that are told apart; 0 where none are.
    score : float
        In logits of the head, not calibrated.
    opinions : tuple of (K,) tuples of float
        Where scores were weighed from several opinions: these, of every answer.
    """

    t: int
    y: float
    x: float
    kind: int
    score: float
    opinions: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class ScoreGrid:
    """Where the values of a score map lie in the movie: at `offset_px + stride_px * index`."""

    stride_px: int
    offset_px: float


def score_grid(head: EventHead, map_stride_px: int) -> ScoreGrid:
    """Return where the values of a head's score maps lie."""
    if isinstance(head, EvidenceHead):
        return ScoreGrid(map_stride_px, (map_stride_px - 1) / 2)
    crop_px = head.shape.crop * map_stride_px
    return ScoreGrid(head.shape.stride * map_stride_px, (crop_px - 1) / 2)


def score_frame(head: DenseHead, tiles: MapTiles, t: int, radius_px: float) -> NDArray[np.float32]:
    """Return the score map of the frame pair (t, t + 1), (K, h, w) float32; see `opinion_frame`."""
    return head.head.weighed(opinion_frame(head, tiles, t, radius_px))


def opinion_frame(head: DenseHead, tiles: MapTiles, t: int, radius_px: float) -> NDArray[np.float32]:
    """Return the maps that scores of the frame pair (t, t + 1) are weighed from, (opinions, K, h, w) float32.

    Parameters
    ----------
    head : DenseHead
    tiles : MapTiles
    t : int
    radius_px : float
        A cell radius; evidence is gathered with a Gaussian of half that width, that of a guide with a third.
    """
    if isinstance(head.head, EvidenceHead):
        said = head.said_map(tiles, t)
        guides = len(said) - head.head.shape.kinds  # what a guide says comes first
        blurs = [
            share * radius_px / tiles.maps.stride_px for share in [EVENT_BLUR] * guides + [HEAD_BLUR] * (len(said) - guides)
        ]
        return head.head.spot_opinions(
            np.stack([ndi.gaussian_filter(one, blur) for one, blur in zip(said, blurs, strict=True)])
        )
    shape = head.head.shape
    return _box(head.window_logits(tiles, t), max(1, shape.crop // shape.stride))[None]


def _box(logits: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Average over as many windows as hold the same event: the plateau becomes a peak over its middle."""
    out: NDArray[np.float32] = ndi.uniform_filter(logits, (0, width, width), mode="nearest")
    return out


@dataclass(frozen=True)
class _Entry:
    """Score maps (K, h, w) of a frame pair, the greatest score of any event within a cell radius (h, w), and the opinions behind."""

    t: int
    scores: NDArray[np.float32]
    around: NDArray[np.float32]
    opinions: NDArray[np.float32] | None


class MaximaFinder:
    """Finds local maxima in space and time while score maps pass by; memory is that of `2 * radius_frames + 1` maps.

    Parameters
    ----------
    grid : ScoreGrid
    radius_px, radius_frames : float, int
        No two maxima are closer than this in space and in time, whatever their kinds.
    """

    def __init__(self, grid: ScoreGrid, radius_px: float, radius_frames: int) -> None:
        self.grid, self.reach_frames = grid, radius_frames
        self.footprint = _disc(max(1, math.ceil(radius_px / grid.stride_px)))
        self.window: deque[_Entry] = deque()

    def add(self, t: int, scores: NDArray[np.float32], opinions: NDArray[np.float32] | None = None) -> list[Candidate]:
        """Take the score maps (K, h, w) of the next frame pair; return the maxima that are now certain.

        Maxima are those of the first map, which is of any event; the others, of the kinds that are told apart, only name them. With
        opinions (opinions, K, h, w), candidates keep theirs.
        """
        around = greatest_around(scores[0], self.footprint)
        self.window.append(_Entry(t, scores, around, opinions))
        while self.window[0].t < t - 2 * self.reach_frames:
            self.window.popleft()
        return self._maxima_at(t - self.reach_frames)

    def rest(self) -> list[Candidate]:
        """Return the maxima of the last frame pairs, after which nothing comes."""
        if not self.window:
            return []
        last = self.window[-1].t
        return [found for t in range(last - self.reach_frames + 1, last + 1) for found in self._maxima_at(t)]

    def _maxima_at(self, t: int) -> list[Candidate]:
        here = next((entry for entry in self.window if entry.t == t), None)
        if here is None:
            return []
        best = here.scores[0]
        peak = best == here.around
        for other in self.window:
            if 0 < t - other.t <= self.reach_frames:
                peak &= best > other.around
            elif 0 < other.t - t <= self.reach_frames:
                peak &= best >= other.around
        return [self._candidate(here, y, x) for y, x in _one_per_plateau(peak, best, self.footprint)[: self.limit(best.size)]]

    def limit(self, size: int) -> int:
        """Return how many candidates of a map with so many values are kept."""
        return max(10, round(CANDIDATES_PER_MEGAPIXEL * size * self.grid.stride_px**2 / 1e6))

    def _candidate(self, entry: _Entry, y: int, x: int) -> Candidate:
        score, kind = score_and_kind(entry.scores[:, y, x])
        place = [self.grid.offset_px + self.grid.stride_px * index for index in (y, x)]
        opinions = () if entry.opinions is None else tuple(tuple(one) for one in entry.opinions[:, :, y, x].tolist())
        return Candidate(entry.t, place[0], place[1], kind, score, opinions)


def score_and_kind(scores: NDArray[np.float32]) -> tuple[float, int]:
    """Return of the scores of one place, (K,), that of any event, and which of the kinds that are told apart is most likely."""
    return float(scores[0]), int(scores[1:].argmax()) if len(scores) > 1 else 0


def with_any_kind(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put before the score maps (K, h, w) of several kinds that of any event, which is the greatest of them."""
    return scores if len(scores) == 1 else np.concatenate([scores.max(0, keepdims=True), scores])


def in_sequence(candidates: Sequence[Candidate], near: EventSettings) -> list[Candidate]:
    """Return candidates with their scores as they are when what follows at their places is known; see `less_successors`."""
    places = np.array([(c.t, c.y, c.x) for c in candidates], dtype=np.float64).reshape(-1, 3)
    scores = np.array([c.score for c in candidates], dtype=np.float64)
    left = less_successors(places, scores, places, scores, near)
    return [replace(c, score=float(score)) for c, score in zip(candidates, left, strict=True)]


def less_successors(
    places: NDArray[np.float64],
    scores: NDArray[np.floating],
    others: NDArray[np.float64],
    strengths: NDArray[np.floating],
    near: EventSettings,
    reach: int = SUCCESSORS_REACH,
) -> NDArray[np.float64]:
    """Take from each score by how much the strongest that follows at its place is stronger.

    A cell that gathers its chromatin to divide looks like one that dies, and some frames later it is plain which it was: the dead do not
    divide, and no cell divides twice in a row. So of two candidates that follow each other at one place, the weaker that comes first is
    most likely the same cell on its way.

    Parameters
    ----------
    places : (N, 3) float
        Frame pair, y and x in pixels.
    scores : (N,) float
        In logits, or on any scale on which differences count.
    others, strengths : (M, 3) and (M,) float
        The candidates that may follow, and their scores; those that are no numbers follow nothing.
    near : EventSettings
        When two candidates are at one place and time.
    reach : int
        One follows another within so many times its frames.

    Returns
    -------
    (N,) float64
    """
    known = np.isfinite(strengths)
    order = np.argsort(others[known, 0], kind="stable")
    others, strengths = others[known][order], strengths[known][order]
    left = np.array(scores, dtype=np.float64)
    frames = max(1, near.radius_frames)
    begin = np.searchsorted(others[:, 0], places[:, 0] + frames, side="right")
    end = np.searchsorted(others[:, 0], places[:, 0] + reach * frames, side="right")
    for row, (first, last) in enumerate(zip(begin, end, strict=True)):
        away = np.hypot(others[first:last, 1] - places[row, 1], others[first:last, 2] - places[row, 2])
        left[row] -= max(0.0, strengths[first:last][away <= near.radius_px].max(initial=left[row]) - left[row])
    return left


def find_maxima(
    head: EventHead, tiles: MapTiles, pairs: Iterable[int], radius_px: float, radius_frames: int
) -> list[Candidate]:
    """Return the local maxima of a head's score over frame pairs whose maps are at hand."""
    finder, dense = MaximaFinder(score_grid(head, tiles.maps.stride_px), radius_px, radius_frames), DenseHead(head)
    found: list[Candidate] = []
    for t in pairs:
        opinions = opinion_frame(dense, tiles, t, radius_px)
        found += finder.add(t, head.weighed(opinions), opinions if head.opinions > 1 else None)
    return found + finder.rest()


def _one_per_plateau(peak: NDArray[np.bool_], best: NDArray[np.float32], footprint: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return one place for each maximum, the strongest first; equal ones within the footprint are one and the same."""
    places = np.argwhere(peak)
    if not len(places):
        return []
    middle = len(footprint) // 2
    plateaus, count = ndi.label(peak, structure=footprint[middle - 1 : middle + 2, middle - 1 : middle + 2])
    centres = np.round(ndi.center_of_mass(peak, plateaus, range(1, count + 1))).astype(int)
    snapped = [places[((places - centre) ** 2).sum(1).argmin()] for centre in centres]
    free = np.ones(best.shape, bool)
    kept: list[tuple[int, int]] = []
    for y, x in sorted(snapped, key=lambda place: -best[place[0], place[1]]):
        if free[y, x]:
            kept.append((int(y), int(x)))
            _occupy(free, y, x, footprint)
    return kept


def _occupy(free: NDArray[np.bool_], y: int, x: int, footprint: NDArray[np.bool_]) -> None:
    reach = len(footprint) // 2
    rows, columns = (slice(max(0, place - reach), place + reach + 1) for place in (y, x))
    top, left = rows.start - (y - reach), columns.start - (x - reach)
    here = free[rows, columns]
    here &= ~footprint[top : top + here.shape[0], left : left + here.shape[1]]


def greatest_around(scores: NDArray[np.float32], disc: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the greatest score (h, w) within a disc around every place: row by row of the disc, in half the time of all at once."""
    reach = len(disc) // 2
    wide = {int(width): ndi.maximum_filter1d(scores, int(width), axis=1, mode="nearest") for width in np.unique(disc.sum(1))}
    greatest = wide[len(disc)].copy()
    for away in range(1, min(reach, len(scores) - 1) + 1):
        row = wide[int(disc[reach + away].sum())]
        np.maximum(greatest[:-away], row[away:], out=greatest[:-away])
        np.maximum(greatest[away:], row[:-away], out=greatest[away:])
    return greatest


def _disc(reach: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(y * y + x * x <= reach * reach)
