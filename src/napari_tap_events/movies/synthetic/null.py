"""Movies in which time has no direction: whoever finds one in them is wrong."""

from __future__ import annotations

import numpy as np

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
