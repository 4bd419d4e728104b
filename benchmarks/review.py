"""How many answers a review needs from zero labels on, against cards in any order; blocks of time held out in turn and pooled.

    python benchmarks/review.py MOVIE EVENTS.csv --out DIR [--encoders shipped,DIR] [--orders mix,random] [--seeds 5] [--time-flips]

For each encoder, seed and order as many reviews are simulated as there are blocks: the events of a block are never asked about, and score
the heads of that review. Found, false and missed events of the blocks are added up; average precision is the mean over blocks that hold
events. Finished parts are kept. Writes `table.md` and `rows.json` into DIR.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Generator
from itertools import product
from pathlib import Path
from typing import Any

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.sources import feature_source
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.apprentice import Apprentice
from napari_tap_events.jobs.feature_cache import FeatureCache
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX, window_grid
from napari_tap_events.jobs.simulate import Trial, simulate
from napari_tap_events.jobs.teaching import settled
from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.settings import ComputeSettings, HeadSettings, MovieSettings, ReviewSettings, ScoreSettings

BLOCKS = 3
HEAD: dict[str, Any] = {"crop_px": 24}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("movie", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--encoders", default="shipped")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--orders", default="mix,random")
    parser.add_argument("--decisions", type=int, default=60)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--error-rate", type=float, default=0.0)
    parser.add_argument("--time-flips", action="store_true", help="Show each event also backwards, as what is none.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for seed, encoder, order in product(range(given.seeds), given.encoders.split(","), given.orders.split(",")):
        path = given.out / f"{Path(encoder).name}-{order}{'-flips' if given.time_flips else ''}-{seed}.json"
        if not path.exists():
            path.write_text(json.dumps(pooled(encoder, order, seed, given)))
        rows += json.loads(path.read_text())
        print(path.stem, json.loads(path.read_text())[-1], flush=True)
    stem = "flips-" if given.time_flips else ""
    (given.out / f"{stem}rows.json").write_text(json.dumps(rows, indent=1))
    (given.out / f"{stem}table.md").write_text(table(rows))


def pooled(encoder: str, order: str, seed: int, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each point of the curve, over all blocks."""
    movie = single_channel(open_movie(given.movie, MovieSettings()))
    compute = compute_for(ComputeSettings(device="cpu", threads=1))
    source = feature_source(encoder, [movie], "unet16", 0, compute)
    settings = settled(HeadSettings(encoder=encoder, seed=seed, time_flips=given.time_flips, **HEAD), source)
    maps = ended(FeatureCache(given.out / "features", 10**10).maps(movie, source, compute, MAP_STRIDE_PX))
    apprentice = Apprentice(maps, window_grid(movie, settings), settings, compute)
    review = ReviewSettings(order=order, card_px=40, retrain_every=given.every, queue_seed=seed)
    person, length, n = (
        Annotator(read_events(given.events), settings, given.error_rate),
        movie.n_frames // BLOCKS,
        movie.n_frames,
    )
    curves = []
    for block in range(BLOCKS):
        held = range(block * length, n if block == BLOCKS - 1 else (block + 1) * length)
        trial = Trial(apprentice, person, review, (n, movie.height, movie.width), held, given.decisions)
        curves.append(ended(simulate(trial, ScoreSettings())))
    points = zip(*(curve.points for curve in curves), strict=False)
    return [{"encoder": Path(encoder).name, "seed": seed, "order": order, **added(list(point))} for point in points]


def added(points: list[Any]) -> dict[str, Any]:
    """Add up the same point of several curves."""
    tp, fp, fn = (sum(getattr(point, name) for point in points) for name in ("tp", "fp", "fn"))
    ap = [point.ap for point in points if point.ap == point.ap]
    return {
        "decisions": points[0].decisions,
        "yes": round(statistics.mean(point.yes for point in points), 1),
        "f1": round(2 * tp / (2 * tp + fp + fn), 3),
        "ap": round(statistics.mean(ap), 3),
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "seconds": round(statistics.mean(point.seconds for point in points), 1),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table, mean and range over encoders and seeds."""
    lines = ["| order | answers | yes | F1 | AP | runs |", "|---|---|---|---|---|---|"]
    for order in dict.fromkeys(row["order"] for row in rows):
        for decisions in sorted({row["decisions"] for row in rows if row["order"] == order}):
            these = [row for row in rows if (row["order"], row["decisions"]) == (order, decisions)]
            f1, ap = ([row[name] for row in these] for name in ("f1", "ap"))
            told = [f"{statistics.mean(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in (f1, ap)]
            yes = statistics.mean(row["yes"] for row in these)
            lines.append(f"| {order} | {decisions} | {yes:.1f} | {told[0]} | {told[1]} | {len(these)} |")
    return "\n".join(lines) + "\n"


def ended(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


if __name__ == "__main__":
    main()
