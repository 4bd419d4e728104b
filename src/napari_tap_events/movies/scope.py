"""What of a movie was looked at: a box of frames, rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """What was looked at: a range of frames, and a rectangle in them; outside of it nothing is known.

    Attributes
    ----------
    frames : range
        Frames, first included, last not.
    y0, y1, x0, x1 : int
        Rows and columns in pixels, first included, last not.
    """

    frames: range
    y0: int
    y1: int
    x0: int
    x1: int

    @classmethod
    def whole(cls, shape: Sequence[int]) -> Scope:
        """Return all of a movie of shape (T, ..., Y, X)."""
        return cls(range(shape[0]), 0, shape[-2], 0, shape[-1])

    def clipped(self, shape: Sequence[int]) -> Scope:
        """Return the part inside of a movie of shape (T, ..., Y, X); it may be empty."""
        start, stop = max(0, self.frames.start), min(shape[0], self.frames.stop)
        y0, x0 = max(0, self.y0), max(0, self.x0)
        y1, x1 = max(y0, min(shape[-2], self.y1)), max(x0, min(shape[-1], self.x1))
        return Scope(range(start, max(start, stop)), y0, y1, x0, x1)

    def contains(self, t: float, y: float, x: float) -> bool:
        """Say whether a place, in frames and pixels, was looked at."""
        return self.frames.start <= t < self.frames.stop and self.y0 <= y < self.y1 and self.x0 <= x < self.x1
