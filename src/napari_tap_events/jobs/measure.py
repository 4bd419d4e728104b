"""What a trial measured, as one row of numbers: the columns of a study's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

COUNTS = ("n_true", "tp", "fp", "fn")
RATIOS = ("precision", "recall", "f1", "average_precision")
CROPS = ("precision_0", "recall_0", "precision", "recall", "auprc", "auroc", "prevalence")


def row_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that an evaluation fills.

    Parameters
    ----------
    values : mapping
        `evaluation.json` of a head, or of the paper's protocol, which knows no events.

    Returns
    -------
    dict
        Events: counts, ratios, timing (frames), false events, count error per time bin. Windows: `crop_...` at argmax, as published;
        ECE, Brier score and log loss before and after. Leakage, 0..1.
    """
    row: dict[str, Any] = {}
    score = values.get("score")
    if score:
        row |= {name: score[name] for name in (*COUNTS, *RATIOS)}
        row |= {
            "false_rate": score["false_rate"],
            "false_rate_unit": score["false_rate_unit"],
            "timing_median_frames": score["timing_median_frames"],
            "timing_iqr_frames": score["timing_iqr_frames"],
            "count_error": _count_error(score["counts"]),
        }
    row |= {f"crop_{name}": values["crop_level_argmax"].get(name) for name in CROPS}
    (row["tn_crops"], row["fp_crops"]), (row["fn_crops"], row["tp_crops"]) = values["crop_level_argmax"]["confusion"]
    for when in ("before", "after"):
        row |= {f"{name}_{when}": values[f"reliability_{when}"][name] for name in ("ece", "brier", "nll")}
    for method, told in values["calibration_methods"].items():
        row |= {f"{name}_{method}": told[name] for name in ("ece", "brier", "nll")}
        for name, (low, high) in told["interval"].items():
            row |= {f"{name}_{method}_low": low, f"{name}_{method}_high": high}
    row["leakage"] = values["leakage"]
    row |= {f"windows_{criterion}": count for criterion, count in values.get("positives", {}).items()}
    return row | {f"crop_pairs_{part}": count for part, count in values.get("crop_pairs", {}).items()}


def _count_error(counts: list[Mapping[str, int]]) -> float:
    """Return the mean absolute difference of predicted and true events in a time bin."""
    return float(np.mean([abs(one["error"]) for one in counts]))


def accuracy_row(history: Mapping[str, float]) -> dict[str, Any]:
    """Return the columns that a pretrained encoder fills: accuracy and cross entropy on fixed pairs that did not teach."""
    return {name: value for name, value in history.items() if name.startswith("val_")}
