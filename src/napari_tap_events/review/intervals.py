"""How sure a count is: what the windows that were looked at say about those that were not.

The windows of a movie are shared out into strata by how much the model expected in them when they were drawn. Within a stratum they
are looked at in an order drawn by chance, so those looked at are a fair sample of the stratum, however rare events are; that many
more are looked at where more is expected makes the sample worth its time. What is found in a window stands for `windows / looked at` of
them (Horvitz and Thompson 1952); the intervals are those of the windows *not* looked at, since the others are known.

What was judged before the windows were drawn is counted as it is: one more stratum, without any window, in which nothing is
uncertain. In it lie the places that a model was least or most sure of, which are no fair sample: nothing is concluded from them.

For each stratum two things are uncertain. Of the listed events in windows not looked at, a share q is right; and each of these windows
holds events that are not listed, at some rate. For k of n, q is drawn from Beta(k + e, n - k + 1 - e), with e = 0.2 or 0.8 by the toss of a
coin; for k in n windows the rate is drawn from Gamma(k + e) / n, with e = 0.1 or 0.55, by one toss for all strata: what is rare is seen too
often, or too seldom, in all of them alike, or else three strata in which nothing was missed would add up to something that surely was.
These lie between the exact intervals, which cover too much because counts are whole numbers (e = 0 or 1: Clopper and Pearson 1934, Garwood
1936), and those of Jeffreys (e = 0.5), which cover too little where events are rare. They were set by simulation. With q and the rate, the
numbers of right and of missed events in the windows not looked at are drawn many times. What was confirmed or rejected there limits their
sums over the strata. Intervals are the central 95 % of the draws; the value told is what the windows looked at stand for.

What it takes for granted: the person misses nothing in a window; what is listed was listed by a head that was not taught there (else the
unseen windows look better than they are); and within a stratum events come independently. Where events come in bursts, the intervals
are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
SHARE_EDGES, RATE_EDGES = (0.2, 0.8), (0.1, 0.55)
"""What a count of whole numbers is moved by, down and up: e above, of shares and of rates."""
DRAWS = 4000


@dataclass(frozen=True)
class Tally:
    """What is known in each stratum, all (..., H) int64; leading axes are several reviews at once.

    Attributes
    ----------
    windows, looked : int
        Windows in the stratum, and those looked at.
    right, wrong, missed : int
        In windows looked at: listed events that are events, listed ones that are none, events that are not listed.
    listed : int
        Listed events in windows not looked at.
    confirmed, rejected : int
        Of those, how many a person confirmed and rejected.
    added : int
        Events in windows not looked at that are not listed, but known from a person.
    """

    windows: Ints
    looked: Ints
    right: Ints
    wrong: Ints
    missed: Ints
    listed: Ints
    confirmed: Ints
    rejected: Ints
    added: Ints


@dataclass(frozen=True)
class Draws:
    """Numbers of events in windows not looked at, (..., H, D): among the listed, and missed; drawn ones are whole, int64."""

    right: NDArray[Any]
    missed: NDArray[Any]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; NaN where nothing is known."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """High - low."""
        return self.high - self.low

    def to_json(self) -> list[float | None]:
        """Return [value, low, high]; None stands for NaN."""
        return [round(x, 6) if np.isfinite(x) else None for x in (self.value, self.low, self.high)]


def draw(tally: Tally, seed: int = 0, draws: int = DRAWS) -> Draws:
    """Draw how many events the windows hold that were not looked at."""
    rng = np.random.default_rng((seed, 2))
    shape = (*tally.windows.shape, draws)
    right, wrong = tally.right[..., None], tally.wrong[..., None]
    pooled = _pooled(tally)[..., None]
    low, high = SHARE_EDGES
    one = np.where(rng.random(shape) < np.where(right + wrong > 0, 0.5, pooled), high, low)
    q = rng.beta(right + one, wrong + 1 - one)
    of_listed = rng.binomial(np.broadcast_to(tally.listed[..., None], shape), q)
    toss = rng.integers(2, size=(*tally.windows.shape[:-1], 1, draws))
    more = np.array(RATE_EDGES)[toss]
    rate = rng.gamma(tally.missed[..., None] + more) / np.maximum(tally.looked, 0.5)[..., None]
    return Draws(of_listed, rng.poisson(rate * (tally.windows - tally.looked)[..., None]))


def expected(tally: Tally) -> Draws:
    """Return how many events the windows hold that were not looked at, as those looked at stand for them; D is 1."""
    seen = tally.right + tally.wrong
    q = np.where(seen > 0, tally.right / np.maximum(seen, 1), _pooled(tally))
    missed = tally.missed / np.maximum(tally.looked, 0.5) * (tally.windows - tally.looked)
    return Draws((tally.listed * q)[..., None], missed[..., None])


def _pooled(tally: Tally) -> Floats:
    """Return the share of the listed that is right in all windows looked at, (..., 1): a stratum where none was listed leans on it.

    What is no sample, because it was judged before the windows were drawn, says nothing of the rest.
    """
    sampled = tally.windows > 0
    right, all_ = ((part * sampled).sum(-1, keepdims=True) for part in (tally.right, tally.right + tally.wrong))
    pooled: Floats = (right + 0.5) / (all_ + 1)
    return pooled


def totals(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn numbers of all events of the movie, (..., D), not fewer than are known."""
    seen, most, least = (_sum(part) for part in (tally.right + tally.missed, _most(tally), tally.confirmed + tally.added))
    elsewhere = np.minimum(drawn.right.sum(-2), most) + drawn.missed.sum(-2)
    return np.asarray(seen + np.maximum(elsewhere, least), dtype=np.float64)


def recalls(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn shares of the events that are listed, (..., D); NaN where there are none."""
    right = _right(tally, drawn)
    missed = _sum(tally.missed) + np.maximum(drawn.missed.sum(-2), _sum(tally.added))
    return _share(right, right + missed)


def precisions(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn shares of the listed that are events, (..., D); NaN where nothing is listed."""
    right = _right(tally, drawn)
    return _share(right, np.broadcast_to(_sum(tally.right + tally.wrong + tally.listed), right.shape))


def _right(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn numbers of listed events, (..., D), within what was confirmed and rejected.

    The sum over strata is held there, not every stratum: a sum of numbers that were each pushed up is too high.
    """
    within = np.clip(drawn.right.sum(-2), _sum(tally.confirmed), _sum(_most(tally)))
    return np.asarray(_sum(tally.right) + within, dtype=np.float64)


def _most(tally: Tally) -> Ints:
    return tally.listed - tally.rejected


def _sum(part: Ints) -> Ints:
    """Return the sum over strata, (..., 1)."""
    return np.asarray(part.sum(-1, keepdims=True), dtype=np.int64)


def ends(drawn: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the ends of the central part of draws (..., D)."""
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return low, high


def estimate(drawn: Floats, value: float) -> Estimate:
    """Return a value and the interval of draws (D,); the value lies in it."""
    if not np.isfinite(drawn).any() or not np.isfinite(value):
        return Estimate(*[float("nan")] * 3)
    low, high = (float(end) for end in ends(drawn))
    return Estimate(min(max(value, low), high), low, high)


def _share(part: Floats, whole: NDArray[Any]) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return share
