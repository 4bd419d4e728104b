"""Draw the score of chosen rows of one or more `study labels` against the number of labels: the figure of do-tap-features-help.md.

Usage: python -m benchmarks.labels_figure OUT.svg "NAME=FOLDER:ROW" ...
ROW is the name of a row without its budget, as "tap features alone".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from napari_tap_events.study.study_figures import scores_by_labels

Curve = list[tuple[float, float, float]]


def curve_of(folder: Path, row: str) -> Curve:
    """Return (events that teach, mean, sd) of the average precision of a row.

    With K folds (K - 1) / K of all events teach: that is where "all" stands.
    """
    card = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    folds = card["settings"]["study"]["folds"]
    most = card["summary"]["n_true"] * (1 - 1 / folds)
    curve: Curve = []
    for told in pd.read_csv(folder / "summary.csv").to_dict("records"):
        name, _, budget = str(told["row"]).removesuffix(" labelled").rpartition(", ")
        if name == row and (budget == "all" or float(budget) < int(most)):
            events = most if budget == "all" else float(budget)
            curve.append((round(events), told["average_precision"], told["average_precision_sd"]))
    if not curve:
        raise SystemExit(f"no row of {folder} is called '{row}'")
    return curve


def main(target: Path, asked: list[str]) -> None:
    """Write the figure."""
    curves = {}
    for one in asked:
        name, _, source = one.partition("=")
        folder, _, row = source.rpartition(":")
        curves[name] = curve_of(Path(folder), row)
    target.write_text(scores_by_labels(curves, "average precision of events"), encoding="utf-8")
    print(f"Wrote {target}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
