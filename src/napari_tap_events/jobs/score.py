"""Scores one events table against another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_tap_events.events.scoring import EventScore, score_events
from napari_tap_events.events.table import read_events
from napari_tap_events.settings import ScoreSettings


@dataclass(frozen=True)
class Scored:
    """A score as plain values, and in words."""

    values: dict[str, Any]
    text: str


def score_tables(events: Path, truth: Path, settings: ScoreSettings) -> Scored:
    """Score predicted events against true ones.

    The size of the movie is not in the tables; the rate of false events is therefore left out.
    """
    predicted, true = read_events(events), read_events(truth)
    n_frames = int(max(predicted["t"].max() if len(predicted) else 0, true["t"].max() if len(true) else 0)) + 2
    score = score_events(predicted, true, settings, n_frames=n_frames, height=1, width=1, recall_only=settings.partial)
    values = score.to_dict()
    for name in ("false_rate", "false_rate_unit"):
        values.pop(name)
    return Scored(values, "\n".join(_lines(score)))


def _lines(score: EventScore) -> list[str]:
    false = "cannot be told" if score.recall_only else score.fp
    lines = [
        f"tolerance {score.radius_px:g} px, {score.frames} frame(s)",
        f"  true events {score.n_true}, predicted {score.n_predicted}, near an uncertain one and left out {score.ignored}",
        f"  found {score.tp}, false {false}, missed {score.fn}",
        f"  precision {_number(score.precision)}  recall {_number(score.recall)}  F1 {_number(score.f1)}",
        f"  average precision {_number(score.average_precision)}",
        f"  timing error (predicted - true) median {_number(score.timing_median_frames)} frames, "
        f"quartile distance {_number(score.timing_iqr_frames)}",
        f"{'Recall' if score.recall_only else 'F1'} by tolerance",
        "  frames  " + "  ".join(f"{p.radius_px:>5g} px" for p in score.tolerance_curve if p.frames == 0),
    ]
    for frames in sorted({point.frames for point in score.tolerance_curve}):
        row = [point for point in score.tolerance_curve if point.frames == frames]
        lines.append(
            f"  {frames:>6}  " + "  ".join(f"{_number(point.recall if score.recall_only else point.f1):>8}" for point in row)
        )
    return lines


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
