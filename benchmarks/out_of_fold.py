"""How well events of one movie are found out of fold: our rows and the controls, over seeds, on CPUs.

    python benchmarks/out_of_fold.py MOVIE MASKS EVENTS.csv --out DIR [--seeds 3] [--rows tap,intensity] [--threads 1]

Every row is the recipe that the command line runs, with the same window, criterion and split: 6 blocks of time, calibration and
threshold of a block from heads that saw neither it nor the blocks they answer on. Finished parts are kept: the same command goes on
where it was stopped. Writes `table.md` and `rows.json` into DIR.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import torch

from napari_tap_events import __version__
from napari_tap_events.encoder.sources import CONTROLS
from napari_tap_events.events.ranking import average_precision, best_threshold
from napari_tap_events.events.scoring import score_events
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.arrow import detect_arrow
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.train import train
from napari_tap_events.settings import ComputeSettings, DetectSettings, HeadSettings, PretrainSettings, ScoreSettings
from napari_tap_events.training.splits import even_blocks

FOLDS = 6
PRETRAIN = {"steps": 1200, "val_every": 300}
HEAD = {"folds": FOLDS, "crop_px": 24, "criterion": "size-both"}
ENCODERS = {
    "tap": {},
    "tap-synthetic": {"synthetic_movies": 30, "synthetic_look": "nuclei"},
    "shipped-tap": {"start_from": "shipped", "pretext": "time_arrow:1,simulated:1", "steps": 400, "val_every": 200},
}
BARE = {"features": True, "arrow": False, "intensity": False, "simulated": False}
"""Inputs of a row, unless it says otherwise: features alone."""
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "pixel difference": ("difference", {}),
    "intensity + small conv head": ("intensity", {}),
    "random encoder": ("random", {}),
    "scratch (end to end)": ("scratch", {"nested": False, "steps": 150, "batch": 4, "tile_px": 64, "learning_rate": 2e-3}),
    "tap": ("tap", {}),
    "tap + arrow map": ("tap", {"arrow": True}),
    "tap + arrow map + intensity": ("tap", {"arrow": True, "intensity": True}),
    "tap with synthetic movies": ("tap-synthetic", {}),
    "tap with synthetic movies + arrow map": ("tap-synthetic", {"arrow": True}),
    "tap with synthetic movies + arrow map + intensity": ("tap-synthetic", {"arrow": True, "intensity": True}),
    "tap with synthetic movies + arrow map, criterion size-either": (
        "tap-synthetic",
        {"arrow": True, "criterion": "size-either"},
    ),
    "tap with synthetic movies + arrow map, crops of 48 px": ("tap-synthetic", {"arrow": True, "crop_px": 48}),
    "intensity + small conv head, criterion size-either": ("intensity", {"criterion": "size-either"}),
    "shipped: features alone": ("shipped", {}),
    "shipped: intensity, weighed against the event map": (
        "shipped",
        {"features": False, "intensity": True, "simulated": True},
    ),
    "shipped: features and intensity, weighed against the event map": ("shipped", {"intensity": True, "simulated": True}),
    "tap, begun from shipped: arrow map and intensity, weighed against the event map": (
        "shipped-tap",
        {"features": False, "arrow": True, "intensity": True, "simulated": True},
    ),
    "arrow map + intensity (no features)": ("tap-synthetic", {"features": False, "arrow": True, "intensity": True}),
}
ZERO_LABEL = {"arrow map alone, no label: tap": "tap", "arrow map alone, no label: tap with synthetic movies": "tap-synthetic"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("movie", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", default="", help="Only rows whose name contains one of these, comma-separated.")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    wanted = [part for part in given.rows.split(",") if part]
    for seed in range(given.seeds):
        for name in (*ZERO_LABEL, *ROWS):
            if not wanted or any(part in name for part in wanted):
                print(name, seed, one(name, seed, given), flush=True)
    report(given.out)


def one(name: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Return the numbers of a row and seed, computing what is not there yet."""
    path = given.out / "rows" / f"{name.replace(' ', '-')}-{seed}.json"
    if not path.exists():
        started = time.process_time()
        values = zero_label(name, seed, given) if name in ZERO_LABEL else head_row(name, seed, given)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"row": name, "seed": seed, "cpu_s": time.process_time() - started, **values}))
    values = json.loads(path.read_text())
    return {key: values[key] for key in ("f1", "ap", "cpu_s")}


def slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "+-" else "-" for c in name.replace(": ", "-").replace(", ", "-").replace(":", ""))


def run_of(folder: Path, given: argparse.Namespace) -> Run:
    return Run(folder, overwrite=True, compute=ComputeSettings(device="cpu", threads=given.threads))


def encoder_of(name: str, seed: int, given: argparse.Namespace) -> Path:
    folder = given.out / "encoders" / f"{name}-{seed}"
    if not (folder / "result.json").exists():
        settings = PretrainSettings(**{**PRETRAIN, **ENCODERS[name]}, seed=seed)
        started = time.process_time()
        for _ in pretrain([given.movie], settings, run_of(folder, given)):
            pass
        (folder / "cpu_s.txt").write_text(f"{time.process_time() - started:.0f}\n")
    return folder


def head_row(name: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    encoder, changes = ROWS[name]
    source = str(encoder_of(encoder, seed, given)) if encoder in ENCODERS else encoder
    inputs = {} if encoder in CONTROLS else BARE
    settings = HeadSettings(encoder=source, seed=seed, **{**HEAD, **inputs, **changes})
    folder = given.out / "heads" / f"{slug(name)}-{seed}"
    kept = {**dict.fromkeys(ENCODERS, f"{encoder}-{seed}"), "shipped": "shipped"}.get(encoder)
    cache = given.out / "features" / kept if kept else None
    labelled = [Labelled(given.movie, given.masks, given.events)]
    for _ in train(labelled, settings, run_of(folder, given), cache):
        pass
    values = json.loads((folder / "evaluation.json").read_text())
    score = values["score"]
    return {
        "f1": score["f1"],
        "ap": score["average_precision"],
        "tp": score["tp"],
        "fp": score["fp"],
        "fn": score["fn"],
        "ece": values["reliability_after"]["ece"],
        "interval": values["interval"],
        "protocol": values["protocol"],
    }


def zero_label(name: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Score the arrow map alone; its threshold for a block is chosen on the other blocks (their labels are used for that only)."""
    encoder = encoder_of(ZERO_LABEL[name], seed, given)
    folder = given.out / "arrow" / f"{ZERO_LABEL[name]}-{seed}"
    for _ in detect_arrow(given.movie, encoder, DetectSettings(), run_of(folder, given)):
        pass
    candidates, truth = read_events(folder / "candidates.csv"), read_events(given.events)
    score = ScoreSettings()
    n_pairs = json.loads((folder / "result.json").read_text())["inputs"]["movie"]["shape"][0] - 1
    busy = [int(t) for t in truth["t"] if t < n_pairs]
    kept = []
    for block in even_blocks(n_pairs, FOLDS, busy):
        inside, there = candidates["t"].isin(block.pairs), truth["t"].isin(block.pairs)
        threshold = best_threshold(candidates[~inside], truth[~there], score)
        kept.append(candidates[inside & (candidates["probability"] >= threshold)])
    found = pd.concat(kept, ignore_index=True)
    result = score_events(found, truth, score, n_frames=n_pairs + 1, height=1, width=1)
    ap = average_precision(candidates, truth, score)
    return {"f1": result.f1, "ap": ap, "tp": result.tp, "fp": result.fp, "fn": result.fn}


def report(out: Path) -> None:
    """Write the table of all rows that are there."""
    rows = [json.loads(path.read_text()) for path in sorted((out / "rows").glob("*.json"))]
    lines = [
        "| row | seeds | F1 | event AP | found / false / missed (mean) | ECE | CPU s per seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in (*ZERO_LABEL, *ROWS):
        mine = [row for row in rows if row["row"] == name]
        if mine:
            lines.append(line(name, mine))
    about = f"napari-tap-events {__version__}, torch {torch.__version__}, Python {platform.python_version()}, {cpu()}"
    text = "\n".join([*lines, "", about]) + "\n"
    (out / "table.md").write_text(text)
    (out / "rows.json").write_text(json.dumps(rows, indent=1))
    print(text)


def line(name: str, rows: list[dict[str, Any]]) -> str:
    counts = " / ".join(f"{statistics.mean(row[key] for row in rows):.1f}" for key in ("tp", "fp", "fn"))
    ece = f"{statistics.mean(row['ece'] for row in rows):.4f}" if "ece" in rows[0] else "-"
    seconds = statistics.mean(row["cpu_s"] for row in rows)
    f1, ap = spread([row["f1"] for row in rows]), spread([row["ap"] for row in rows])
    return f"| {name} | {len(rows)} | {f1} | {ap} | {counts} | {ece} | {seconds:.0f} |"


def spread(values: list[float]) -> str:
    deviation = f" +- {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{deviation}"


def cpu() -> str:
    return f"{platform.machine()}, {psutil.cpu_count(logical=False)} cores, {torch.backends.cpu.get_cpu_capability()}"


if __name__ == "__main__":
    main()
