"""What a limit of memory leaves room for: the side of the tiles in which frames are encoded, and the bytes of movies that teach."""

from __future__ import annotations

GB, LOADED_BYTES = 10**9, 450 << 20
"""What a job takes before it has done anything: torch, and the first step's buffers."""
TILES_PX, HALO_PX = (512, 256, 128, 64), 112
"""Sides of tiles, and what is added for the pixels around them."""
TILE_BYTES = 35 * 32
"""Bytes per pixel of a tile that the widest network holds at once."""
TILE_SHARE, MOVIE_SHARE = 0.5, 0.25


def tile_for(limit_gb: float | None) -> int:
    """Return the side of the tiles, in pixels; smaller ones take less memory, and more time for what they share with their neighbours."""
    room = float("inf") if limit_gb is None else (limit_gb * GB - LOADED_BYTES) * TILE_SHARE
    return next((side for side in TILES_PX if TILE_BYTES * (side + HALO_PX) ** 2 <= room), TILES_PX[-1])


def movie_bytes(limit_gb: float) -> int:
    """Return how many bytes of movies may be held at a time."""
    return round(limit_gb * GB * MOVIE_SHARE)
