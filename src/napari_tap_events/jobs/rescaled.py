"""A movie at another resolution, as a file: what the time arrow sees through a crop of the same pixels is then more, or less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import MovieSettings


def rescaled(path: Path, opening: MovieSettings, factor: float, out: Path) -> Path:
    """Write a movie with `factor` times as many pixels to each side, float32, unless it is there already.

    Parameters
    ----------
    path : Path
    opening : MovieSettings
    factor : float
        Below 1 frames are smoothed first, so that fine structure does not turn into coarse.
    out : Path
        A TIFF file.

    Returns
    -------
    Path
        `out`.
    """
    if out.exists():
        return out
    import tifffile

    movie = single_channel(open_movie(path, opening))
    frames = np.stack([_resized(movie.frame(t)[0], factor) for t in range(movie.n_frames)])
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name("partial-" + out.name)
    tifffile.imwrite(partial, frames, photometric="minisblack", metadata={"axes": "TYX"})
    partial.replace(out)
    return out


def _resized(frame: NDArray[np.generic], factor: float) -> NDArray[np.float32]:
    from skimage.transform import resize

    shape = tuple(max(1, round(side * factor)) for side in frame.shape)
    resized = resize(  # type: ignore[no-untyped-call]
        frame.astype(np.float32), shape, order=1, anti_aliasing=factor < 1, preserve_range=True
    )
    return np.asarray(resized, dtype=np.float32)
