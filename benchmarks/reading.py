"""Reading movies against the disk and the codec, and how fast this machine copies memory; files are not in the cache when read."""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tifffile

from benchmarks import made
from benchmarks.timing import Row, seconds_of
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings

COUNT, SIDE, GB = 48, 1024, 1e9


def machine(repeats: int) -> Iterator[Row]:
    """Time a copy of memory, and a plain read of a file."""
    block = np.ones(2**26, np.uint8)
    other = np.empty_like(block)
    copied = median(seconds_of(lambda: np.copyto(other, block)) for _ in range(max(3, repeats)))
    yield {"what": "memory copied, 64 MiB at a time", "measured": f"{block.nbytes / copied / GB:.1f} GB/s"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "block"
        path.write_bytes(block.tobytes())
        cold, warm = _read_cold(path.read_bytes, [path]), seconds_of(path.read_bytes)
    told = f"{block.nbytes / cold / GB:.2f} GB/s from the disk, {block.nbytes / warm / GB:.1f} GB/s from its cache"
    yield {"what": "a plain file read, 64 MiB", "measured": told}


def reading(repeats: int) -> Iterator[Row]:
    """Time movies frame by frame, each beside the plain read of its bytes, and where it is compressed the codec alone."""
    four = made.frames(4, SIDE)
    movie = np.stack([four[t % 4] for t in range(COUNT)])
    with tempfile.TemporaryDirectory() as folder:
        for name, write in _formats(movie).items():
            path = write(Path(folder))
            files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
            opened = open_movie(path, MovieSettings(axes="TYX"))
            pairs = []
            for _ in range(max(3, repeats // 2)):
                plain = _read_cold(lambda files=files: [file.read_bytes() for file in files], files)
                ours = _read_cold(lambda opened=opened: [opened.frame(t) for t in range(COUNT)], files)
                pairs.append((plain, ours))
            plain, ours = (median(times) for times in zip(*pairs, strict=True))
            codec = _codec_seconds(movie) if "zlib" in name else 0.0
            limit = max(plain, codec)
            yield {
                "what": f"{COUNT} x {SIDE} x {SIDE} uint16 read, {name}, from the disk",
                "measured": f"{movie.nbytes / ours / GB:.2f} GB/s",
                "limit": f"{movie.nbytes / limit / GB:.2f} GB/s, the {'codec' if codec > plain else 'disk'}",
                "ratio": limit / ours,
            }


def _formats(movie: np.ndarray[Any, Any]) -> dict[str, Callable[[Path], Path]]:
    def tiff(folder: Path) -> Path:
        tifffile.imwrite(folder / "plain.tif", movie, metadata={"axes": "TYX"})
        return folder / "plain.tif"

    def packed(folder: Path) -> Path:
        tifffile.imwrite(folder / "packed.tif", movie, metadata={"axes": "TYX"}, compression="zlib", photometric="minisblack")
        return folder / "packed.tif"

    def chunks(folder: Path) -> Path:
        import zarr

        array = zarr.create_array(
            str(folder / "m.zarr"), shape=movie.shape, chunks=(1, SIDE, SIDE), dtype="u2", compressors=None
        )
        array[:] = movie
        return folder / "m.zarr"

    return {"TIFF": tiff, "TIFF, zlib": packed, "zarr, a chunk for each frame": chunks}


def _codec_seconds(movie: np.ndarray[Any, Any]) -> float:
    packed = [zlib.compress(frame.tobytes(), 6) for frame in movie[:4]]
    return seconds_of(lambda: [zlib.decompress(part) for part in packed]) * len(movie) / 4


def _read_cold(work: Callable[[], Any], files: list[Path]) -> float:
    """Return the time of reading files that the system does not hold in memory, as far as it lets go of them."""
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
