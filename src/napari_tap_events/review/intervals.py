"""How sure a count is: what the windows that were looked at say about those that were not.

The windows of a movie are shared out into strata by how much the model expected in them, before the first answer. Within a stratum they
are looked at in an order drawn by chance, so those looked at are a fair sample of the stratum, however rare events are; that many
more are looked at where more is expected makes the sample worth its time. What is found in a window stands for `windows / looked at` of
them (Horvitz and Thompson 1952); the intervals are those of the windows *not* looked at, since the others are known.

For each stratum two things are uncertain. Of the listed events in windows not looked at, a share q is right; and each of these windows
holds events that are not listed, at some rate. For k of n, q is drawn from Beta(k + e, n - k + 1 - e), and for k in n windows the rate from
Gamma(k + e) / n, with e = 0.2 or 0.8 by the toss of a coin: between the exact intervals, which cover too much because counts are whole
numbers (e = 0 or 1: Clopper and Pearson 1934, Garwood 1936), and those of Jeffreys (e = 0.5), which cover too little where events are
rare. With q and the rate, the numbers of right and of missed events in the windows not looked at are drawn many times. What was
confirmed or rejected there limits the draws. Intervals are the central 95 % of the draws.

What it takes for granted: the person misses nothing in a window; what is listed was listed by a head that was not taught there (else the
unseen windows look better than they are); and within a stratum events come independently. Where events come in bursts, the intervals
are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
EDGE = 0.2
"""What a count of whole numbers is moved by, up or down: e above."""
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
    """Drawn numbers of events, (..., H, D) int64: among the listed, and missed, in windows not looked at."""

    right: Ints
    missed: Ints


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
    # a stratum without any listed event that was looked at leans on the others
    pooled = (right.sum(-2, keepdims=True) + 0.5) / ((right + wrong).sum(-2, keepdims=True) + 1)
    one = np.where(rng.random(shape) < np.where(right + wrong > 0, 0.5, pooled), 1 - EDGE, EDGE)
    q = rng.beta(right + one, wrong + 1 - one)
    of_listed = rng.binomial(np.broadcast_to(tally.listed[..., None], shape), q)
    most = (tally.listed - tally.rejected)[..., None]
    of_listed = np.clip(of_listed, tally.confirmed[..., None], most)
    more = np.where(rng.random(shape) < 0.5, 1 - EDGE, EDGE)
    rate = rng.gamma(tally.missed[..., None] + more) / np.maximum(tally.looked, 0.5)[..., None]
    unlisted = rng.poisson(rate * (tally.windows - tally.looked)[..., None])
    return Draws(of_listed, np.maximum(unlisted, tally.added[..., None]))


def totals(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn numbers of all events of the movie, (..., D)."""
    known = (tally.right + tally.missed).sum(-1)
    return np.asarray(known[..., None] + (drawn.right + drawn.missed).sum(-2), dtype=np.float64)


def recalls(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn shares of the events that are listed, (..., D); NaN where there are none."""
    right = tally.right.sum(-1)[..., None] + drawn.right.sum(-2)
    return _share(right, totals(tally, drawn))


def precisions(tally: Tally, drawn: Draws) -> Floats:
    """Return drawn shares of the listed that are events, (..., D); NaN where nothing is listed."""
    right = tally.right.sum(-1)[..., None] + drawn.right.sum(-2)
    listed = (tally.right + tally.wrong + tally.listed).sum(-1)[..., None]
    return _share(right, np.broadcast_to(listed, right.shape).astype(np.float64))


def ends(drawn: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the ends of the central part of draws (..., D)."""
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return low, high


def estimate(drawn: Floats) -> Estimate:
    """Return the median of draws (D,) and their interval."""
    if not np.isfinite(drawn).any():
        return Estimate(*[float("nan")] * 3)
    low, high = ends(drawn)
    return Estimate(float(np.nanmedian(drawn)), float(low), float(high))


def _share(part: NDArray[np.generic], whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share
