"""The reader: movies in TIFF, OME-Zarr, folders of frames and video become lazily read layers with their scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.layers import Image, Layer
from napari.utils.notifications import show_info, show_warning

from napari_tap_events.errors import MovieError
from napari_tap_events.gui.layers import movie_layers
from napari_tap_events.movies.axes import UnknownAxesError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.opening import describe_file, open_movie
from napari_tap_events.settings import MovieSettings

PathOrPaths = str | list[str]
TIFF_SUFFIXES = (".tif", ".tiff", ".btf")
LIKELY_AXES = {3: "TYX", 4: "TCYX", 5: "TZCYX"}


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[Layer]] | None:
    """Offer to read a path; lists of files that are to be stacked are left to other readers."""
    return read if isinstance(path, str) else None


def read(path: PathOrPaths) -> list[Layer]:
    """Open a movie as layers; where a file does not tell its axes the likeliest are taken, and we say so.

    A TIFF that is no movie is shown as the plain image that it is.

    Raises
    ------
    MovieError
        When the path holds nothing that can be shown; the message says why.
    """
    source = Path(path if isinstance(path, str) else path[0])
    try:
        layers = _read_movie(source)
    except MovieError as error:
        if not source.name.lower().endswith(TIFF_SUFFIXES):
            raise
        layers = [_plain_image(source, error)]
        show_warning(f"'{source.name}' is shown as a plain image, for it is no movie to TAP Events: {error}")
    return layers


def _read_movie(path: Path) -> list[Layer]:
    try:
        movie = open_movie(path, MovieSettings())
    except UnknownAxesError as error:
        movie = _with_likely_axes(path, error)
    if movie.notes:
        show_info(" ".join(movie.notes))
    return list(movie_layers(movie))


def _with_likely_axes(path: Path, error: UnknownAxesError) -> Movie:
    axes = error.suggestion
    if not axes and "?" in describe_file(path).axes:
        axes = LIKELY_AXES.get(len(error.shape), "")
    if not axes:
        raise error
    movie = open_movie(path, MovieSettings(axes=axes))
    show_warning(f"'{path.name}' does not tell which of its axes {error.shape} is time: it is read as {axes}.")
    return movie


def _plain_image(path: Path, error: MovieError) -> Image:
    """Read the first image of a TIFF as napari itself would; raise `error` where there is none to read."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            pixels, axes = tiff.series[0].asarray(), str(tiff.series[0].axes).lower()
    except (OSError, ValueError, LookupError, tifffile.TiffFileError):
        raise error from None
    rgb = axes.endswith("s") and pixels.shape[-1] in (3, 4)
    labels = axes[:-1] if rgb else axes
    return Image(
        pixels,
        name=path.stem,
        rgb=rgb,
        scale=[1.0] * len(labels),
        units=["pixel"] * len(labels),
        axis_labels=[letter if labels.count(letter) == 1 else f"{letter}{i}" for i, letter in enumerate(labels)],
    )
