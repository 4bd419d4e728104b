"""How well encoders find events without any label: real movies, and synthetic ones of three difficulties and two looks.

    python benchmarks/zero_labels.py ENCODER... --data FOLDER --out DIR [--by simulated,arrow,both] [--threads 1]

FOLDER holds the movies with their events tables (`hela_h2b.tif`, `hela_h2b_events.csv`, ...); movies that are not there are left out.
An encoder is a folder that `pretrain` wrote, or `shipped`. A prediction counts within one cell radius and 2 frames, one to one; AP needs
no threshold; in brackets it stands for divisions and for deaths alone, other events counting neither way. F1 is that of the best
threshold, so it flatters. Finished rows are kept. Writes `rows.json` and `table.md` into DIR.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import ModelError
from napari_tap_events.events.matching import match_events
from napari_tap_events.events.ranking import pr_curve
from napari_tap_events.events.table import UNCERTAIN, read_events
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.movies.synthetic import Difficulty, difficulty, synthesise, write_synthetic
from napari_tap_events.settings import ComputeSettings, DetectSettings, Look, ScoreSettings

REAL = {"hela_h2b": 15.0, "t98g_phase_left": 22.0}
"""Movies with true events, and the radius of a dividing cell in pixels: of the movie, not tuned."""
LEVELS: tuple[Difficulty, ...] = ("easy", "medium", "hard")
LOOKS: tuple[Look, ...] = ("nuclei", "phase")
KINDS = ("division", "death")
SYNTHETIC_SEED, FRAMES = 4242, 48
"""Synthetic movies that judge; the games draw other seeds and other scenes."""


@dataclass(frozen=True)
class Judge:
    """A movie with its true events."""

    name: str
    movie: Path
    truth: Path
    radius_px: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="+")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--by", default="simulated,arrow,both")
    parser.add_argument("--movies", default="", help="Only movies whose name contains one of these, comma-separated.")
    parser.add_argument("--scale", type=float, default=None, help="At which encoders see frames; by default as detect chooses.")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    wanted = [part for part in given.movies.split(",") if part]
    for encoder in given.encoders:
        for judge in judges(given.data, given.out):
            if not wanted or any(part in judge.name for part in wanted):
                for by in given.by.split(","):
                    row = one(encoder, judge, by, given)
                    if row:
                        print(row, flush=True)
    report(given.out)


def judges(data: Path | None, out: Path) -> Iterator[Judge]:
    for name, radius in REAL.items():
        if data is not None and (data / f"{name}.tif").exists():
            yield Judge(name, data / f"{name}.tif", data / f"{name}_events.csv", radius)
    for look in LOOKS:
        for level in LEVELS:
            folder = out / "synthetic" / f"{look}-{level}"
            settings = difficulty(level, SYNTHETIC_SEED, look, FRAMES)
            if not (folder / "truth.csv").exists():
                write_synthetic(folder, synthesise(settings))
            yield Judge(f"{look} {level}", folder / "movie.tif", folder / "truth.csv", 0.75 * settings.cell_px)


def one(encoder: str, judge: Judge, by: str, given: argparse.Namespace) -> dict[str, Any] | None:
    """Return the numbers of one encoder, movie and ranking, computing what is not there yet; None where the encoder lacks the head."""
    name = Path(encoder).name
    path = given.out / "rows" / f"{name}-{judge.name.replace(' ', '-')}-{by}.json"
    if not path.exists():
        run = Run(given.out / "found" / path.stem, overwrite=True, compute=ComputeSettings(device="cpu", threads=given.threads))
        settings = DetectSettings(by=by, radius_px=judge.radius_px, scale=given.scale)
        try:
            for _ in detect_without_labels(judge.movie, encoder, settings, run):
                pass
        except ModelError:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        seen = load_encoder(encoder_folder(encoder))[1].movies
        found = {"encoder": name, "movie": judge.name, "by": by, "own": judge.movie.stem in [m.name for m in seen]}
        path.write_text(json.dumps({**found, **numbers(run.out / "candidates.csv", judge)}))
    row: dict[str, Any] = json.loads(path.read_text())
    return row


def numbers(candidates: Path, judge: Judge) -> dict[str, Any]:
    predicted, truth = read_events(candidates), read_events(judge.truth)
    score = ScoreSettings(radius_px=judge.radius_px)
    curve = pr_curve(predicted, truth, score)
    best = float(np.max(curve.f1)) if len(curve.f1) else 0.0
    kinds = {kind: ap_of_kind(predicted, truth, kind, score) for kind in KINDS if (truth["kind"] == kind).any()}
    return {
        "ap": curve.average_precision,
        "f1": best,
        "events": curve.n_true,
        "ranks": ranks(predicted, truth, score),
        "kinds": kinds,
    }


def ap_of_kind(predicted: pd.DataFrame, truth: pd.DataFrame, kind: str, score: ScoreSettings) -> float:
    """Return the average precision of the whole list for the events of one kind; those of others count neither way."""
    others = truth.assign(kind=truth["kind"].where(truth["kind"] == kind, UNCERTAIN))
    return pr_curve(predicted, others, score).average_precision


def ranks(predicted: pd.DataFrame, truth: pd.DataFrame, score: ScoreSettings) -> list[int]:
    """Return at which places of the list of candidates, counted from 1, the true events stand."""
    certain = truth[truth["kind"] != UNCERTAIN]
    ordered = predicted.sort_values("probability", ascending=False, kind="stable").reset_index(drop=True)
    places: list[int] = []
    for n in range(1, min(len(ordered), 300) + 1):
        matched = match_events(ordered[:n], certain, score.radius_px, score.frames).tp
        places += [n] * (matched - len(places))
        if matched == len(certain):
            break
    return places


def report(out: Path) -> None:
    """Write the table of all rows that are there."""
    rows = rows_of(out)
    movies = list(dict.fromkeys([*REAL, *(row["movie"] for row in rows)]))
    lines = ["| encoder | by | " + " | ".join(movies) + " |", "|---|---|" + "---|" * len(movies)]
    for name, by in sorted({(row["encoder"], row["by"]) for row in rows}):
        mine = {row["movie"]: row for row in rows if (row["encoder"], row["by"]) == (name, by)}
        lines.append(f"| {name} | {by} | " + " | ".join(cell(mine.get(movie)) for movie in movies) + " |")
    publish(out, rows, lines)


def rows_of(out: Path) -> list[dict[str, Any]]:
    """Return the rows that are finished."""
    return [json.loads(path.read_text()) for path in sorted((out / "rows").glob("*.json"))]


def publish(out: Path, rows: list[dict[str, Any]], lines: list[str]) -> None:
    """Write rows and their table, and print the table."""
    text = "\n".join(lines) + "\n"
    (out / "table.md").write_text(text)
    (out / "rows.json").write_text(json.dumps(rows, indent=1))
    print(text)


def cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    own = "*" if row["own"] else ""
    if row["events"] <= 3:
        return f"places {', '.join(map(str, row['ranks']))}{own}"
    kinds = " / ".join(f"{row['kinds'][kind]:.2f}" if kind in row["kinds"] else "-" for kind in KINDS)
    return f"AP {row['ap']:.2f} ({kinds}), F1 {row['f1']:.2f}{own}"


if __name__ == "__main__":
    main()
