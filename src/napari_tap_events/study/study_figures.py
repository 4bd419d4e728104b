"""Figures of a study: every seed a dot, every row a mean with its spread; labels against score; reliability side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_tap_events.study.figures import (
    BLUE,
    DASHES,
    INK,
    SERIES,
    VERMILION,
    WIDE_IN,
    drawing,
    reliability_panel,
    svg_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_IN, AROUND_IN = 0.3, 1.0
LONGEST_NAME = 48


def rows_of_dots(rows: pd.DataFrame, summary: pd.DataFrame, metrics: Mapping[str, str], chance: float | None = None) -> str:
    """Draw every trial as a dot, and of every row the mean with one sd (thick) and the 95 % interval (thin), a panel a metric.

    Parameters
    ----------
    rows, summary : DataFrame
        Trials; rows with their seeds joined.
    metrics : mapping of column to words
    chance : float, optional
        Value of guessing.
    """
    names = [str(name) for name in summary["row"]]
    with drawing(WIDE_IN, AROUND_IN + ROW_IN * len(names), len(metrics)) as (figure, axes):
        for place, (axis, (metric, words)) in enumerate(zip(axes, metrics.items(), strict=True)):
            for y, one in enumerate(summary.to_dict("records")):
                _one_row(axis, y, {str(key): value for key, value in one.items()}, metric)
                seeds = rows.loc[rows["row"] == one["row"], metric].dropna()
                axis.plot(seeds, np.full(len(seeds), y), "o", color=BLUE, markersize=4, alpha=0.55)
            shown = [_short(name) for name in names] if place == 0 else [""] * len(names)
            axis.set_yticks(range(len(names)), shown)
            axis.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5), xlabel=words)
            if chance is not None:
                axis.axvline(chance, color=INK, linewidth=1, alpha=0.6, linestyle=":")
        return svg_of(figure)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _one_row(axis: Axes, y: int, one: Mapping[str, Any], metric: str) -> None:
    mean, spread = one.get(metric, np.nan), one.get(f"{metric}_sd", np.nan)
    ends = one.get(f"{metric}_low", np.nan), one.get(f"{metric}_high", np.nan)
    if np.isfinite(ends).all():
        axis.plot(ends, (y, y), color=INK, linewidth=1, alpha=0.6)
    if np.isfinite(spread):
        axis.plot((mean - spread, mean + spread), (y, y), color=VERMILION, linewidth=3.5, alpha=0.7, solid_capstyle="butt")
    axis.plot([mean], [y], marker="D", color=VERMILION, markersize=5.5)


def scores_by_labels(curves: Mapping[str, Sequence[tuple[float, float, float]]], words: str) -> str:
    """Draw a score against the number of labelled events that taught.

    Parameters
    ----------
    curves : mapping of name to (events, mean, sd)
    words : str
        What the score is.
    """
    with drawing(WIDE_IN, 3.6) as (figure, (axis,)):
        for i, (name, points) in enumerate(curves.items()):
            events, mean, spread = (np.array(part, dtype=np.float64) for part in zip(*sorted(points), strict=True))
            colour, dash = SERIES[i % len(SERIES)], DASHES[i % len(DASHES)]
            axis.plot(events, mean, marker="o", markersize=5, color=colour, linestyle=dash, label=name)
            axis.fill_between(events, mean - np.nan_to_num(spread), mean + np.nan_to_num(spread), color=colour, alpha=0.13)
        ticks = sorted({event for points in curves.values() for event, _, _ in points})
        axis.set(xscale="log", ylim=(0, 1.02), xlabel="labelled events that teach", ylabel=words)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.legend(loc="lower right")
        return svg_of(figure)


def reliability_of(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw observed frequency against probability for each calibration, over the number of windows per bin."""
    with drawing(WIDE_IN, 4.0, len(methods), rows=(3, 1)) as (figure, axes):
        for column, (name, bins) in enumerate(methods.items()):
            upper, lower = axes[column], axes[len(methods) + column]
            reliability_panel(upper, lower, bins, SERIES[column])
            upper.set_title(f"{name}: ECE {bins['ece']:.3f}")
            if column == 0:
                upper.set_ylabel("observed frequency")
                lower.set_ylabel("windows")
        return svg_of(figure)
