"""What alterations of a movie do to a detector without labels: cell size, frame interval, noise, blur, light, shake.

    python benchmarks/altered.py ENCODER... --data FOLDER --out DIR [--only "cells,noise"] [--threads 1]

FOLDER and ENCODER as in `zero_labels.py`, whose protocol this follows. Each movie is altered in one way at a time, and the truth with it:
places and the radius where the size changes, times where frames are left out. Finished rows are kept. Writes `rows.json` and `table.md`
into DIR.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import resize

from benchmarks.zero_labels import REAL, Judge, one, publish, rows_of
from napari_tap_events.events.table import read_events, write_events
from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.registration import canvas_for, held_places, levelled, shift_between
from napari_tap_events.settings import MovieSettings, RegisterSettings

Frames = NDArray[np.float32]
"""(T, Y, X); 0 is the first percentile of the movie, 1 is percentile 99.9."""
LEVELS_16_BIT, BLACK = 40_000, 10_000


@dataclass(frozen=True)
class Film:
    """Frames with the true events and the radius of a dividing cell."""

    frames: Frames
    truth: pd.DataFrame
    radius_px: float


def of_size(factor: float) -> Callable[[Film], Film]:
    def alter(film: Film) -> Film:
        shape = [round(side * factor) for side in film.frames.shape[1:]]
        frames = np.stack([resize(frame, shape, order=1, anti_aliasing=factor < 1) for frame in film.frames])
        truth = film.truth.assign(y=(film.truth["y"] + 0.5) * factor - 0.5, x=(film.truth["x"] + 0.5) * factor - 0.5)
        return Film(frames.astype(np.float32), truth, film.radius_px * factor)

    return alter


def every(step: int) -> Callable[[Film], Film]:
    def alter(film: Film) -> Film:
        frames = film.frames[::step]
        truth = film.truth.assign(t=film.truth["t"] // step)
        return replace(film, frames=frames, truth=truth[truth["t"] < len(frames) - 1])

    return alter


def frame_by_frame(change: Callable[[Frames, np.random.Generator], NDArray[np.floating]]) -> Callable[[Film], Film]:
    def alter(film: Film) -> Film:
        rng = np.random.default_rng(0)
        return replace(film, frames=np.stack([change(frame, rng) for frame in film.frames]).astype(np.float32))

    return alter


def noisy(sd: float) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, rng: frame + rng.normal(0, sd, frame.shape))


def blurred(sigma_px: float) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, _: ndimage.gaussian_filter(frame, sigma_px))


def gamma(power: float) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, _: np.clip(frame, 0, None) ** power)


def flickering(share: float) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, rng: frame * (1 + share * rng.uniform(-1, 1)) + share * rng.uniform(-1, 1))


def shaken(most_px: float) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, rng: ndimage.shift(frame, rng.uniform(-most_px, most_px, 2), order=1, mode="nearest"))


def registered(first: Callable[[Film], Film]) -> Callable[[Film], Film]:
    """Alter a movie, then hold it still as `register` does; what leaves the field is no event any more."""

    def alter(film: Film) -> Film:
        film = first(film)
        even = [levelled(frame[None]) for frame in film.frames]
        shifts = [shift_between(*pair, RegisterSettings().max_shift_px) for pair in pairwise(even)]
        canvas = canvas_for(held_places(shifts), film.frames.shape[1], film.frames.shape[2], RegisterSettings().field)
        frames = np.concatenate([canvas.placed(frame[None], t) for t, frame in enumerate(film.frames)])
        corners, truth = canvas.corners[film.truth["t"]], film.truth
        truth = truth.assign(y=truth["y"] + corners[:, 0], x=truth["x"] + corners[:, 1])
        inside = truth["y"].between(0, canvas.height - 1) & truth["x"].between(0, canvas.width - 1)
        return replace(film, frames=frames, truth=truth[inside].reset_index(drop=True))

    return alter


def levels(number: int) -> Callable[[Film], Film]:
    return frame_by_frame(lambda frame, _: np.round(np.clip(frame, 0, 1) * (number - 1)) / (number - 1))


def dark_corners(frame: Frames, _: np.random.Generator) -> NDArray[np.floating]:
    y, x = (np.linspace(-1, 1, side) for side in frame.shape)
    return frame * (1 - 0.4 * (y[:, None] ** 2 + x**2))


def hot_pixels(frame: Frames, rng: np.random.Generator) -> NDArray[np.floating]:
    return np.where(rng.random(frame.shape) < 0.002, 3, frame)


ALTERATIONS: dict[str, Callable[[Film], Film]] = {
    "as it is": lambda film: film,
    **{f"cells {factor:g} times the size": of_size(factor) for factor in (0.35, 0.5, 0.7, 1.4, 2.0, 3.0)},
    **{f"every {step} frames": every(step) for step in (2, 3)},
    **{f"noise, sd {sd:g}": noisy(sd) for sd in (0.1, 0.2, 0.4)},
    **{f"blur, sigma {sigma:g} px": blurred(sigma) for sigma in (1.5, 3)},
    **{f"gamma {power:g}": gamma(power) for power in (0.5, 2)},
    "negative": frame_by_frame(lambda frame, _: 1 - frame),
    "light flickers by 20 %": flickering(0.2),
    "dark corners": frame_by_frame(dark_corners),
    **{f"shake of up to {most:g} px": shaken(most) for most in (2, 5)},
    **{f"shake of up to {most:g} px; registered": registered(shaken(most)) for most in (2, 5)},
    "registered though it stood still": registered(lambda film: film),
    "16 grey levels": levels(16),
    "hot pixels, 0.2 %": frame_by_frame(hot_pixels),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="Only alterations whose name contains one of these, comma-separated.")
    parser.add_argument("--movies", default="", help="Only movies whose name contains one of these, comma-separated.")
    parser.add_argument("--scale", type=float, default=None, help="At which encoders see frames; by default as detect chooses.")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    for encoder in given.encoders:
        for movie in (name for name in REAL if named(name, given.movies)):
            for name in (name for name in ALTERATIONS if named(name, given.only)):
                print(one(encoder, altered(movie, name, given.data, given.out), "simulated", given), flush=True)
    report(given.out)


def named(name: str, parts: str) -> bool:
    return not parts or any(part in name for part in parts.split(","))


def altered(movie: str, name: str, data: Path, out: Path) -> Judge:
    """Return a movie altered in one way, written once as 16-bit TIFF."""
    folder = out / "movies" / f"{movie}, {name}".replace(" ", "-")
    film = ALTERATIONS[name](film_of(movie, data))
    if not (folder / "truth.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        stored = np.clip(film.frames * LEVELS_16_BIT + BLACK, 0, 65_535).round().astype(np.uint16)
        tifffile.imwrite(folder / "movie.tif", stored, photometric="minisblack", metadata={"axes": "TYX"})
        write_events(folder / "truth.csv", film.truth)
    return Judge(f"{movie}, {name}", folder / "movie.tif", folder / "truth.csv", film.radius_px)


def film_of(movie: str, data: Path) -> Film:
    opened = single_channel(open_movie(data / f"{movie}.tif", MovieSettings()))
    frames = np.stack([opened.frame(t)[0] for t in range(opened.n_frames)]).astype(np.float32)
    low, high = np.percentile(frames, (1, 99.9))
    return Film((frames - low) / (high - low), read_events(data / f"{movie}_events.csv"), REAL[movie])


def report(out: Path) -> None:
    """Write the table of all rows that are there."""
    rows = rows_of(out)
    columns = sorted({(row["encoder"], row["movie"].split(", ")[0]) for row in rows})
    lines = ["| | " + " | ".join(f"{encoder}: {movie}" for encoder, movie in columns) + " |", "|---|" + "---|" * len(columns)]
    for name in ALTERATIONS:
        mine = {(row["encoder"], row["movie"].split(", ")[0]): row for row in rows if row["movie"].split(", ", 1)[1] == name}
        if mine:
            lines.append(f"| {name} | " + " | ".join(cell(mine.get(column)) for column in columns) + " |")
    publish(out, rows, lines)


def cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    if row["events"] <= 3:
        return f"places {', '.join(map(str, row['ranks']))}"
    return f"AP {row['ap']:.2f}, F1 {row['f1']:.2f}"


if __name__ == "__main__":
    main()
