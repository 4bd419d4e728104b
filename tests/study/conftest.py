"""A result folder with everything in it, made up from a seed: blobs that split in two, and scores of guesses about them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from numpy.typing import NDArray

from napari_tap_events.events.calibration import Calibrator, calibration_summary, fit_calibrator
from napari_tap_events.events.ranking import best_threshold, bootstrap, pr_curve
from napari_tap_events.events.scoring import score_events
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.settings import ScoreSettings

RADIUS = ScoreSettings(radius_px=10, frames=2)


@dataclass(frozen=True)
class Made:
    """A movie (T, Y, X) uint8 and its true events."""

    movie: NDArray[np.uint8]
    truth: pd.DataFrame


def blobs(frames: int, size: int, events: int, seed: int = 0) -> Made:
    """Cells that drift; some are one up to frame t and two from then on."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    cells = [(rng.uniform(8, size - 8, 2), rng.normal(0, 0.15, 2), int(rng.integers(2, frames - 3))) for _ in range(3 * events)]
    movie = rng.normal(14, 3, (frames, size, size))
    for i, ((y, x), (vy, vx), split) in enumerate(cells):
        for t in range(frames):
            apart = 4.5 + 0.3 * (t - split) if i < events and t > split else 0.0
            for side in (-1, 1) if apart else (0,):
                d = ((rows - y - vy * t - side * apart) / 4) ** 2 + ((columns - x - vx * t) / 4) ** 2
                movie[t] += (90 if t != split or i >= events else 150) * np.exp(-d)
    true = [
        EventRow(t, float(y + vy * t), float(x + vx * t), "death" if i % 5 == 4 else "division", source="truth")
        for i, ((y, x), (vy, vx), t) in enumerate(cells[:events])
    ]
    return Made(np.clip(movie, 0, 255).astype(np.uint8), events_table(true))


def guesses(made: Made, seed: int = 1) -> pd.DataFrame:
    """Most true events, a little off, and as many false ones with less probability."""
    rng = np.random.default_rng(seed)
    frames, size, _ = made.movie.shape
    found = [
        EventRow(
            max(int(row.t + rng.integers(-1, 2)), 0),
            row.y + rng.normal(),
            row.x + rng.normal(),
            str(row.kind),
            rng.beta(6, 2),
            "head",
        )
        for row in made.truth.itertuples()
        if rng.random() < 0.85
    ]
    false = [
        EventRow(int(rng.integers(frames - 1)), *rng.uniform(0, size, 2), "division", rng.beta(1.2, 4), "head")
        for _ in made.truth.index
    ]
    return events_table([*found, *false])


def evaluation(made: Made, predicted: pd.DataFrame) -> dict[str, Any]:
    frames, height, width = made.movie.shape
    rng = np.random.default_rng(2)
    labels = rng.random(4000) < 0.13
    logits = 2.5 * rng.normal(np.where(labels, 1.4, -1.4), 1.5)
    fitted = fit_calibrator(logits, labels)
    threshold = best_threshold(predicted, made.truth, RADIUS)
    how: dict[str, Any] = {"threshold": threshold, "n_frames": frames}
    score = score_events(predicted, made.truth, RADIUS, height=height, width=width, kinds="separate", pixel_size_um=0.65, **how)
    before, after = (calibration_summary(c.probability(logits), labels).to_dict() for c in (Calibrator(), fitted))
    t = np.arange(0, frames, 4)
    return {
        "reliability_before": before,
        "reliability_after": after,
        "pr": pr_curve(predicted, made.truth, RADIUS).to_dict(),
        "score": score.to_dict(),
        "interval": bootstrap(predicted, made.truth, RADIUS, repeats=200, **how).to_dict(),
        "threshold": threshold,
        "leakage": 0.0,
        "positives": {"any-both": 5858, "any-either": 9946, "size-either": 7467},
        "crop_level": {
            "precision": 0.7,
            "recall": 0.89,
            "precision_0": 0.98,
            "recall_0": 0.94,
            "auprc": 0.81,
            "auroc": 0.97,
            "confusion": [[15502, 1028], [272, 2198]],
        },
        "by_time": {
            "t": t.tolist(),
            "true": np.histogram(made.truth["t"], np.append(t, frames))[0].tolist(),
            "false_positive": rng.integers(0, 2, t.size).tolist(),
            "false_negative": rng.integers(0, 1, t.size).tolist(),
        },
        "protocol": "Every frame was judged by a head that did not learn from it (6 time blocks).",
    }


def maps(folder: Path, made: Made, events: pd.DataFrame) -> None:
    frames, size, _ = made.movie.shape
    for role, stride, offset in (("probability", 4, 12.0), ("grad_cam", 1, 0.0)):
        n = int((size - 2 * offset) // stride)
        places = offset + stride * np.arange(n)
        stored = create_map(folder / f"{role}.ome.zarr", (frames - 1, n, n), name=role, stride_px=stride, offset_px=offset)
        for t in range(frames - 1):
            frame = np.zeros((n, n))
            for row in events[(events["t"] - t).abs() <= 1].itertuples():
                d = (places[:, None] - row.y) ** 2 + (places - row.x) ** 2
                frame = np.maximum(frame, row.probability * np.exp(-d / 60) * (1 if row.t == t else 0.4))
            stored[t] = frame.astype(np.float16)


def card(made: Made, files: dict[str, str], settings: dict[str, Any]) -> dict[str, Any]:
    frames, height, width = made.movie.shape
    return {
        "schema": 1,
        "command": "demo",
        "created": "2026-11-21T08:00:00",
        "versions": {"napari-tap-events": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11"},
        "settings": settings,
        "inputs": {
            "movie": {
                "path": "movie.tif",
                "name": "blobs <em>",
                "shape": [frames, 1, height, width],
                "dtype": "uint8",
                "pixel_size_um": 0.65,
                "interval_s": 900.0,
                "content_hash": "5056da19b50b6c0b",
            },
            "masks": None,
        },
        "files": files,
        "summary": {"events": 12},
        "warnings": ["Frames 12 and 13 are the same; a movie that stalls can fool the time arrow."],
    }


SETTINGS: dict[str, Any] = {
    "movie": {"axes": "TYX", "channel": None},
    "pretrain": {"preset": "unet16", "patch_px": 48, "steps": 500, "batch": 32, "deltas": [1], "sampling": "motion", "seed": 0},
    "head": {"head": "evidence", "criterion": "size-either", "area_px": 40, "crop_px": 48, "split": "time-blocks",
             "guard_frames": 2, "calibration": "platt", "steps": 300, "batch": 16},
    "detect": {"stride_px": 4, "threshold": None, "radius_px": 10.0, "radius_frames": 2},
    "explain": {"insets": 8, "inset_px": 48},
}  # fmt: skip

FILES = {
    "movie": "movie.tif",
    "truth": "truth.csv",
    "events": "events.csv",
    "probability": "probability.ome.zarr",
    "grad_cam": "grad_cam.ome.zarr",
    "pretrain_history": "pretrain.csv",
    "head_history": "head.csv",
    "evaluation": "evaluation.json",
    "insets": "insets.csv",
}


def build(folder: Path, frames: int = 24, size: int = 96, events: int = 8) -> Path:
    """Write a whole result folder."""
    made = blobs(frames, size, events)
    predicted = guesses(made)
    tifffile.imwrite(folder / "movie.tif", made.movie, imagej=True, metadata={"axes": "TYX"})
    write_events(folder / "truth.csv", made.truth)
    judged = evaluation(made, predicted)
    write_events(folder / "events.csv", predicted[predicted["probability"] >= judged["threshold"]])
    maps(folder, made, predicted)
    step = np.arange(0, 501, 20)
    noise = np.random.default_rng(3).normal(0, 0.01, (4, step.size))
    learned = 1 - np.exp(-np.clip(step - 120, 0, None) / 140)
    history = {"step": step, "loss": 0.69 - 0.3 * learned + noise[0], "val_loss": 0.69 - 0.25 * learned + noise[1]}
    accuracy = {"accuracy": 0.5 + 0.27 * learned + noise[2], "val_accuracy": 0.5 + 0.22 * learned + noise[3]}
    pd.DataFrame({**history, **accuracy, "learning_rate": 1e-3}).to_csv(folder / "pretrain.csv", index=False)
    pd.DataFrame({**history, "accuracy": 0.6 + 0.3 * learned}).to_csv(folder / "head.csv", index=False)
    best = predicted.sort_values("probability", ascending=False).head(6)
    insets = best.assign(rank=np.arange(1, len(best) + 1), value=best["probability"])[["rank", "t", "y", "x", "value"]]
    insets.to_csv(folder / "insets.csv", index=False)
    (folder / "evaluation.json").write_text(json.dumps(judged), encoding="utf-8")
    write_card(folder, card(made, FILES, SETTINGS))
    return folder


def write_card(folder: Path, values: dict[str, Any]) -> None:
    (folder / "result.json").write_text(json.dumps(values), encoding="utf-8")


Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def change(result_folder: Path) -> Callable[[Change], None]:
    """Change the card of the result folder in place."""

    def apply(how: Change) -> None:
        values = json.loads((result_folder / "result.json").read_text(encoding="utf-8"))
        how(values)
        write_card(result_folder, values)

    return apply


@pytest.fixture(scope="session")
def whole_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result folder with everything in it, not to be changed."""
    return build(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def result_folder(tmp_path: Path, whole_result: Path) -> Path:
    """A result folder with everything in it."""
    return Path(shutil.copytree(whole_result, tmp_path / "result"))
