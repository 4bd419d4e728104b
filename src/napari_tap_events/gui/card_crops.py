"""What a card shows: small pictures of some frames around a place, read before they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.errors import MovieError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.review.cards import Card

BEFORE, AFTER = 3, 3
"""Frames shown before and after the one on the card."""
MARGIN_PX = 12
"""Around a window of the audit."""
PERCENTILES = (0.5, 99.7)
KEPT = 16

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Crops:
    """Pictures of one place.

    Attributes
    ----------
    frames : range
        Of the movie.
    y0, x0 : int
        Pixel of the movie in the first row and column; below 0 where the crop reaches out of the movie.
    pictures : (N, side, side) uint8
        Grey, as bright as the frame of the card allows; black outside of the movie.
    """

    frames: range
    y0: int
    x0: int
    pictures: Grey

    @property
    def side(self) -> int:
        """Pixels of the movie."""
        return int(self.pictures.shape[-1])

    def shows(self, t: float, y: float, x: float) -> bool:
        """Say whether a place of the movie lies in the pictures."""
        return t in self.frames and 0 <= y - self.y0 < self.side and 0 <= x - self.x0 < self.side


def cut(movie: Movie, card: Card, side_px: int) -> Crops:
    """Read what a card shows; a window of the audit is shown whole.

    A frame that cannot be read is black: the viewer says why.
    """
    first, last, side = card.t - BEFORE, card.t + AFTER, side_px
    if card.box is not None:
        first, last = card.box.frames.start, card.box.frames.stop
        side = max(card.box.y1 - card.box.y0, card.box.x1 - card.box.x0) + 2 * MARGIN_PX
    frames = range(max(0, first), min(last, movie.n_frames - 1) + 1)
    y0, x0 = round(card.y) - side // 2, round(card.x) - side // 2
    read = [_frame(movie, t) for t in frames]
    told = read[min(max(card.t - frames.start, 0), len(read) - 1)]
    low, high = np.percentile(told[::2, ::2], PERCENTILES)
    scale = 255 / max(float(high - low), 1e-9)
    pictures = np.stack([np.clip((_square(frame, y0, x0, side) - low) * scale, 0, 255) for frame in read])
    return Crops(frames, y0, x0, pictures.astype(np.uint8))


def _frame(movie: Movie, t: int) -> NDArray[np.float32]:
    try:
        return np.asarray(movie.frame(t)[0], dtype=np.float32)
    except MovieError:
        return np.zeros((movie.height, movie.width), np.float32)


def _square(frame: NDArray[np.float32], y0: int, x0: int, side: int) -> NDArray[np.float32]:
    square = np.full((side, side), -np.inf, np.float32)
    height, width = frame.shape
    top, left, bottom, right = max(y0, 0), max(x0, 0), min(y0 + side, height), min(x0 + side, width)
    square[top - y0 : bottom - y0, left - x0 : right - x0] = frame[top:bottom, left:right]
    return square


class CropShelf:
    """Crops of the cards to come, read in a thread; the last few are kept.

    Parameters
    ----------
    movie : Movie
    side_px : int
        Side of what is shown of a card that is no window.
    """

    def __init__(self, movie: Movie, side_px: int) -> None:
        self.movie, self.side_px = movie, side_px
        self._reader = ThreadPoolExecutor(1, "cards")
        self._crops: OrderedDict[str, Future[Crops]] = OrderedDict()

    def want(self, cards: Sequence[Card]) -> None:
        """Begin to read what these cards show."""
        for card in cards:
            if card.key not in self._crops:
                self._crops[card.key] = self._reader.submit(cut, self.movie, card, self.side_px)
        while len(self._crops) > KEPT:
            self._crops.popitem(last=False)[1].cancel()

    def ready(self, card: Card) -> bool:
        """Say whether a card could be shown at once."""
        return card.key in self._crops and self._crops[card.key].done()

    def take(self, card: Card) -> Crops:
        """Return what a card shows, as soon as it is read."""
        self.want([card])
        self._crops.move_to_end(card.key)
        return self._crops[card.key].result()

    def close(self) -> None:
        """Read no more."""
        self._reader.shutdown(wait=False, cancel_futures=True)
