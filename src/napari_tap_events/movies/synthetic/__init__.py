"""Synthetic movies: living cells made up from a seed, with every division and death known."""

from napari_tap_events.movies.synthetic.film import SyntheticMovie, TruthRow, synthesise, write_synthetic
from napari_tap_events.movies.synthetic.null import noise_movie, palindrome, wallpaper
from napari_tap_events.movies.synthetic.scene import Difficulty, at_difficulty, difficulty, random_settings
from napari_tap_events.settings import Look, SyntheticSettings

__all__ = [
    "Difficulty",
    "Look",
    "SyntheticMovie",
    "SyntheticSettings",
    "TruthRow",
    "at_difficulty",
    "difficulty",
    "noise_movie",
    "palindrome",
    "random_settings",
    "synthesise",
    "wallpaper",
    "write_synthetic",
]
