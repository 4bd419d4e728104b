"""Movies with nothing to find: no direction of time, or labels that say nothing. Whoever finds something in them is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.movie import Movie, movie_from_array


def noise_movie(
    seed: int, frames: int = 16, height: int = 128, width: int = 128, mean: float = 100.0, spread: float = 20.0
) -> Movie:
    """Return a movie of independent pixels: normal, (frames, 1, height, width) uint8, `mean` and `spread` in grey levels."""
    drawn = np.random.default_rng(seed).normal(mean, spread, (frames, height, width))
    return movie_from_array(np.clip(np.rint(drawn), 0, 255).astype(np.uint8), f"noise-{seed}")


def palindrome(movie: Movie) -> Movie:
    """Return the movie followed by its reverse, 2 T frames: played backwards it is the same."""
    forth = movie.as_array()
    both = np.concatenate([forth, forth[::-1]])
    return movie_from_array(both, f"{movie.name}-palindrome", movie.pixel_size_um, movie.interval_s)


def wallpaper(
    seed: int, frames: int = 40, size: int = 64, tile_px: int = 16, hold_frames: int = 4, share: float = 0.1
) -> tuple[Movie, NDArray[np.uint8]]:
    """Return a movie whose labels can be remembered and not be learned, and its event mask.

    Every tile shows a random pattern for `hold_frames` frames, then another; a coin decides whether this tile is an event all that
    time. The coin knows nothing of the pattern. A split that shows a tile to those who learn, and the same tile a frame later to those
    who judge, promises everything; blocks of time, with a guard of `hold_frames`, tell the truth: chance.

    Parameters
    ----------
    seed : int
    frames, hold_frames : int
    size, tile_px : int
        Sides of the frames and of the tiles, pixels.
    share : float
        Of the tiles that are events, 0..1.

    Returns
    -------
    movie : Movie
        (T, 1, Y, X) uint8.
    labels : (T, Y, X) uint8
    """
    rng = np.random.default_rng(seed)
    epochs, tiles = -(-frames // hold_frames), size // tile_px
    # grains of 4 px: fine enough to be many patterns, coarse enough for maps at half resolution
    grains = np.kron(rng.normal(110, 40, (epochs, size // 4, size // 4)), np.ones((1, 4, 4)))
    patterns = np.repeat(grains, hold_frames, axis=0)[:frames]
    seen = patterns + rng.normal(0, 3, patterns.shape)
    chosen = np.repeat(rng.random((epochs, tiles, tiles)) < share, hold_frames, axis=0)[:frames]
    labels = np.kron(chosen, np.ones((1, tile_px, tile_px))).astype(np.uint8)
    return movie_from_array(np.clip(np.rint(seen), 0, 255).astype(np.uint8), f"wallpaper-{seed}"), labels
