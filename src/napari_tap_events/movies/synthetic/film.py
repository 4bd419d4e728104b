"""From life histories to a movie, its event mask and its table of true events."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_tap_events.errors import OutputError
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.synthetic.camera import Camera
from napari_tap_events.movies.synthetic.canvas import Painter, Patch, lay, mark
from napari_tap_events.movies.synthetic.life import Pose
from napari_tap_events.movies.synthetic.nuclei import NucleiPainter
from napari_tap_events.movies.synthetic.phase import PhasePainter
from napari_tap_events.movies.synthetic.population import Population
from napari_tap_events.settings import SyntheticSettings

Role = Literal["mother", "daughter", "dying", "dead", ""]


@dataclass(frozen=True)
class TruthRow:
    """One body of one true event.

    Attributes
    ----------
    event_id : int
        Counted from 1, in the order of time.
    kind : "division", "death" or "uncertain"
        Uncertain where a body of the event lies outside of the frame.
    role : "mother", "daughter", "dying", "dead" or ""
        Mother and dying cell in frame t; daughters and dead in frame t + 1. Empty where it is uncertain.
    t : int
        Frame, counted from 0.
    y, x : float
        Centre in pixels.
    radius : float
        Radius of the disc of the same area, in pixels.
    certainty : "certain", "probable" or "border"
        Probable where the cell is dim, border where the frame's border cuts it.
    note : str
    """

    event_id: int
    kind: Literal["division", "death", "uncertain"]
    role: Role
    t: int
    y: float
    x: float
    radius: float
    certainty: Literal["certain", "probable", "border"]
    note: str = ""


@dataclass(frozen=True)
class SyntheticMovie:
    """A made-up movie and all that is true about it.

    Attributes
    ----------
    movie : Movie
        (T, 1, Y, X) uint8 or uint16.
    labels : (T, Y, X) uint8
        0 nothing, 1 division (mother's area in t, daughters' in t + 1), 2 death (dying cell's area in t, remains in t + 1).
    events : tuple of TruthRow
        One row per body: three of a division, two of a death.
    settings : SyntheticSettings
        What it was made from.
    cut : tuple of TruthRow
        Of divisions and deaths that the frame does not hold whole, one row per body in view: whether such a one is found counts
        neither way.
    """

    movie: Movie
    labels: NDArray[np.uint8]
    events: tuple[TruthRow, ...]
    settings: SyntheticSettings
    cut: tuple[TruthRow, ...] = ()

    @property
    def n_events(self) -> int:
        """Number of divisions and deaths."""
        return len({row.event_id for row in self.events})


def synthesise(settings: SyntheticSettings) -> SyntheticMovie:
    """Make a movie of moving, dividing and dying cells, with its truth.

    The same settings give the same pixels. Time has a direction in it: daughters relax slowly, remains stay.
    """
    life, eye, lens = (np.random.default_rng([settings.seed, part]) for part in (1, 2, 3))
    camera, painter = Camera(settings, lens), _painter(settings, eye)
    population = Population(settings, life).founders()
    shape = (settings.frames, settings.height, settings.width)
    pixels = np.zeros(shape, np.uint8 if settings.bits == 8 else np.uint16)
    involved: dict[int, list[tuple[int, Pose]]] = defaultdict(list)
    for t in range(settings.frames):
        poses = population.poses(camera.drift_px[t])
        pixels[t] = camera.shoot(_scene(poses, painter, settings, camera.drift_px[t]), t)
        for pose in poses:
            if pose.event:
                involved[pose.event_key].append((t, pose))
        population.step()
    labels, events, cut = _truth(involved, painter, shape)
    name = f"synthetic-{settings.look}-{settings.seed}"
    movie = movie_from_array(pixels, name, settings.pixel_size_um, settings.interval_s)
    return SyntheticMovie(movie, labels, events, settings, cut)


def _painter(settings: SyntheticSettings, rng: np.random.Generator) -> Painter:
    return NucleiPainter(settings, rng) if settings.look == "nuclei" else PhasePainter(settings, rng)


def _scene(
    poses: list[Pose], painter: Painter, settings: SyntheticSettings, drift_px: NDArray[np.float64]
) -> NDArray[np.float32]:
    canvas = np.zeros((painter.n_layers, settings.height, settings.width), np.float32)
    reach = painter.reach_cells * settings.cell_px + 4
    for pose in poses:
        if -reach < pose.y < settings.height + reach and -reach < pose.x < settings.width + reach:
            patch = painter.paint(pose)
            if patch is not None:
                lay(canvas, patch)
    return painter.finish(canvas, drift_px)


def _truth(
    involved: dict[int, list[tuple[int, Pose]]], painter: Painter, shape: tuple[int, int, int]
) -> tuple[NDArray[np.uint8], tuple[TruthRow, ...], tuple[TruthRow, ...]]:
    """Paint the event mask (T, Y, X) and write the tables of what lies whole in the frame, and of what does not."""
    labels = np.zeros(shape, np.uint8)
    rows: list[TruthRow] = []
    cut: list[list[tuple[int, Pose]]] = []
    for bodies in sorted(involved.values(), key=lambda bodies: (bodies[0][0], bodies[0][1].cell)):
        if len(bodies) != (3 if bodies[0][1].event == 1 else 2):  # the movie begins or ends with it
            continue
        inside = [0 <= pose.y <= shape[1] - 1 and 0 <= pose.x <= shape[2] - 1 for _, pose in bodies]
        if all(inside):
            rows += _write(bodies, painter, labels, 1 + (rows[-1].event_id if rows else 0))
        elif any(inside):
            cut.append([(t, pose) for (t, pose), here in zip(bodies, inside, strict=True) if here])
    first = 1 + (rows[-1].event_id if rows else 0)
    return labels, tuple(rows), tuple(_cut_row(body, painter, first + n) for n, bodies in enumerate(cut) for body in bodies)


def _cut_row(body: tuple[int, Pose], painter: Painter, event_id: int) -> TruthRow:
    """Return the row of a body whose event the frame does not hold whole; which of them it is, nobody needs to know."""
    t, pose = body
    patch = painter.paint(pose)
    radius = 0.0 if patch is None else _radius(_area(patch))
    return TruthRow(event_id, "uncertain", "", t, round(pose.y, 2), round(pose.x, 2), radius, "border")


def _area(patch: Patch) -> int:
    """Return how many pixels a body covers, those outside of the frame too."""
    return int((patch.cover > 0.4).sum())


def _radius(area: int) -> float:
    """Return the radius of a disc of so many pixels."""
    return round(float(np.sqrt(max(area, 1) / np.pi)), 1)


def _write(bodies: list[tuple[int, Pose]], painter: Painter, labels: NDArray[np.uint8], event_id: int) -> list[TruthRow]:
    division = bodies[0][1].event == 1
    roles: tuple[Role, ...] = ("mother", "daughter", "daughter") if division else ("dying", "dead")
    rows, cut = [], False
    for (t, pose), role in zip(bodies, roles, strict=True):
        patch = painter.paint(pose)
        if patch is None:
            raise AssertionError(f"a {role} without a picture")
        own_side = _own_side(patch, pose, bodies[1:]) if role == "daughter" else None
        whole = _area(patch)
        cut |= mark(labels[t], patch, pose.event, own_side) < 0.85 * whole
        kind: Literal["division", "death"] = "division" if division else "death"
        rows.append(TruthRow(event_id, kind, role, t, round(pose.y, 2), round(pose.x, 2), _radius(whole), "certain"))
    dim = bodies[0][1].glow < 0.3
    certainty: Literal["certain", "probable", "border"] = "border" if cut else "probable" if dim else "certain"
    return [replace(row, certainty=certainty) for row in rows]


def _own_side(patch: Patch, pose: Pose, daughters: list[tuple[int, Pose]]) -> NDArray[np.bool_]:
    """Return the pixels nearer to this daughter than to her sister, less a narrow gap, (h, w)."""
    sister = next(p for _, p in daughters if p.cell != pose.cell)
    y = np.arange(patch.cover.shape[0])[:, None] + patch.top
    x = np.arange(patch.cover.shape[1])[None] + patch.left
    away = np.array([pose.y - sister.y, pose.x - sister.x])
    away /= max(float(np.hypot(*away)), 1e-6)
    side: NDArray[np.bool_] = away[0] * (y - (pose.y + sister.y) / 2) + away[1] * (x - (pose.x + sister.x) / 2) > 0.8
    return side


def write_synthetic(folder: Path, synthetic: SyntheticMovie) -> None:
    """Write movie.tif, masks.tif (ImageJ TIFF, TYX, with pixel size and interval) and truth.csv into a folder.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_tiff(folder / "movie.tif", synthetic.movie.as_array()[:, 0], synthetic.settings)
        _write_tiff(folder / "masks.tif", synthetic.labels, synthetic.settings)
        with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, [column.name for column in fields(TruthRow)])
            table.writeheader()
            table.writerows(asdict(row) for row in (*synthetic.events, *synthetic.cut))
    except OSError as error:
        raise OutputError(
            f"the synthetic movie cannot be written to '{folder}': {error.strerror}; choose another folder."
        ) from error


def _write_tiff(path: Path, frames: NDArray[np.uint8] | NDArray[np.uint16], settings: SyntheticSettings) -> None:
    tifffile.imwrite(
        path,
        frames,
        imagej=True,
        compression="zlib",
        resolution=(1 / settings.pixel_size_um, 1 / settings.pixel_size_um),
        metadata={"axes": "TYX", "unit": "um", "finterval": settings.interval_s},
    )
