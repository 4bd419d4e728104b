"""A whole movie through the encoder: every frame once, onto disk.

Maps are kept at a stride of one or two pixels (2 x 2 means), in float16, in plain .npy files that are read back as memory maps: the
memory this takes does not grow with the movie.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import FeatureSource, SeenFrame
from napari_tap_events.encoder.resampling import pooled
from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.movies.movie import Movie, check_finite
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.reports import Control, Report


@dataclass(frozen=True)
class FeatureMaps:
    """Maps of a whole movie, as arrays that are read from disk when they are used.

    Attributes
    ----------
    frames : (T, F + C, h, w) float16
        Features z of every frame, then the normalised image, both as means over `stride_px` x `stride_px` pixels.
    pairs : (T-1, A, h, w) float16
        Maps of the frame pairs (t, t+1): the arrow map, where there is one, then what a pair head says of each kind.
    features : int
        F, the channels of `frames` that are features.
    stride_px : int
        Pixels of the movie per pixel of the maps.
    simulated : int
        How many of the last channels of `pairs` come from a pair head.
    """

    frames: NDArray[np.float16]
    pairs: NDArray[np.float16]
    features: int
    stride_px: int
    simulated: int = 0

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return len(self.frames)

    @property
    def nbytes(self) -> int:
        """Size of all maps, in bytes."""
        return self.frames.nbytes + self.pairs.nbytes


@dataclass(frozen=True)
class EncodedFrame:
    """The maps that one more frame adds.

    Attributes
    ----------
    t : int
    frame : (F + C, h, w) float16
        Features and normalised image of frame t.
    pair : (A, h, w) float16 or None
        Map of the frame pair (t - 1, t); None for the first frame.
    """

    t: int
    frame: NDArray[np.float16]
    pair: NDArray[np.float16] | None


def encoded_frames(
    movie: Movie, source: FeatureSource, compute: Compute, stride_px: int, frames: range
) -> Iterator[EncodedFrame]:
    """Encode successive frames, each once; memory is that of two frames.

    Yields
    ------
    EncodedFrame
    """
    before: SeenFrame | None = None
    for t in frames:
        raw = movie.frame(t)
        check_finite(raw, t, movie.name)
        image = torch.from_numpy(normalise(raw)).to(compute.device)
        now = source.seen(image, stride_px)
        pair = None if before is None else _half(source.pair(before, now, stride_px))
        yield EncodedFrame(t, _half(torch.cat([now.small, pooled(image, stride_px)])), pair)
        before = now


def encode_movie(
    movie: Movie, source: FeatureSource, compute: Compute, folder: Path, stride_px: int, control: Control | None = None
) -> Generator[Report, None, FeatureMaps]:
    """Encode every frame once and keep the maps in a folder; frames already there are not computed again.

    Returns
    -------
    FeatureMaps

    Raises
    ------
    JobStopped
        When the control asks to stop; what is done stays.
    """
    control = control or Control()
    shape = (movie.n_frames, source.features + movie.n_channels, movie.height // stride_px, movie.width // stride_px)
    frames, pairs, done = _files(folder, shape, source.pair_features)
    first = int(np.argmin(done)) if not done.all() else movie.n_frames
    start = max(0, first - 1) if first < movie.n_frames else first
    for encoded in encoded_frames(movie, source, compute, stride_px, range(start, movie.n_frames)):
        frames[encoded.t] = encoded.frame
        if encoded.pair is not None:
            pairs[encoded.t - 1] = encoded.pair
        done[encoded.t] = True
        yield Report("features", encoded.t + 1, movie.n_frames)
        if control.wait_or_stop() and encoded.t + 1 < movie.n_frames:
            raise JobStopped(
                f"stopped after {encoded.t + 1} of {movie.n_frames} frames; the same command with --resume goes on."
            )
    return FeatureMaps(frames, pairs, source.features, stride_px, source.simulated_features)


def passing_maps(
    movie: Movie, source: FeatureSource, compute: Compute, stride_px: int, frames: range
) -> Iterator[tuple[int, FeatureMaps]]:
    """Encode frames without keeping them.

    Yields
    ------
    t, maps : int, FeatureMaps
        For every frame pair (t, t + 1) of the range, the maps of these two frames alone.
    """
    before: EncodedFrame | None = None
    for now in encoded_frames(movie, source, compute, stride_px, frames):
        if before is not None and now.pair is not None:
            both = np.stack([before.frame, now.frame])
            yield before.t, FeatureMaps(both, now.pair[None], source.features, stride_px, source.simulated_features)
        before = now


def _half(maps: Tensor) -> NDArray[np.float16]:
    return cast(NDArray[np.float16], maps.clamp(-65504, 65504).half().cpu().numpy())


def _files(folder: Path, shape: tuple[int, int, int, int], pair_features: int) -> tuple[Any, Any, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    pair_shape = (shape[0] - 1, pair_features, *shape[2:])
    return (
        _memmap(folder / "frames.npy", shape, np.float16),
        _memmap(folder / "pairs.npy", pair_shape, np.float16),
        _memmap(folder / "done.npy", (shape[0],), np.bool_),
    )


def _memmap(path: Path, shape: tuple[int, ...], dtype: Any) -> Any:
    if 0 in shape:
        return np.zeros(shape, dtype)
    if path.exists():
        try:
            found = np.load(path, mmap_mode="r+")
        except (ValueError, EOFError, OSError) as error:
            raise ModelError(f"'{path}' cannot be read ({error}): delete the folder, it is only a cache.") from None
        if found.shape == shape and found.dtype == dtype:
            return found
        raise ModelError(
            f"'{path}' holds maps of shape {found.shape}, expected {shape}: delete the folder, it is only a cache."
        )
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
