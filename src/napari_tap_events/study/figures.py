"""Curves of the report, drawn as SVG that takes its text colour from the page, so that it is readable in light and in dark.

Colours are those of Okabe and Ito, which colour-blind people can tell apart: https://jfly.uni-koeln.de/color/. Every series
also differs in its line, so that a grey print can be read.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ORANGE, SKY_BLUE, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE)
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
KIND_COLOURS = {"division": ORANGE, "death": SKY_BLUE, "event": YELLOW, "uncertain": GREY}
INK = "#123457"
"""Stands for the page's text colour while drawing; no data has this colour."""

WIDE_IN, NARROW_IN = 10.0, 4.0
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "napari-tap-events",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), INK),
}


def kind_colour(kind: str) -> str:
    """Return the colour of a kind of event; kinds that users made have one by their name."""
    further = (GREEN, PURPLE, VERMILION, BLUE)
    return KIND_COLOURS.get(kind) or further[sum(kind.encode()) % len(further)]


def learning_curves(history: pd.DataFrame, chance: float | None = None) -> str:
    """Draw losses on the left and accuracies on the right.

    Parameters
    ----------
    history : table with `step` and any columns
        Those with "loss" or "entropy" in their name are losses; those with "acc" or "f1" are shares, 0..1; others are not drawn.
    chance : float, optional
        Accuracy of guessing, 0..1.
    """
    losses = _numeric(history, ("loss", "nll", "entropy"))
    shares = _numeric(history, ("acc", "f1", "auroc", "auprc"))
    with drawing(WIDE_IN, 3.0, max(1, bool(losses) + bool(shares))) as (figure, axes):
        panels = iter(axes)
        if losses:
            _series(next(panels), history, losses, "Loss")
        if shares:
            axis = next(panels)
            _series(axis, history, shares, "Accuracy")
            axis.set_ylim(min(0.4, *(float(history[name].min()) for name in shares)), 1.02)
            if chance is not None:
                axis.axhline(chance, color=INK, linewidth=1, alpha=0.6, linestyle=":")
                axis.annotate(
                    "chance", (1, chance), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9
                )
        return svg_of(figure)


def reliability(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """Draw observed frequency against probability, before and after calibration, over the number of windows per bin.

    Parameters
    ----------
    before, after : mapping or None
        As of `calibration_summary`: edges, counts, mean_probability, observed, ece.
    """
    given = [(name, bins, colour) for name, bins, colour in (("before", before, VERMILION), ("after", after, BLUE)) if bins]
    with drawing(WIDE_IN, 4.3, len(given), rows=(3, 1)) as (figure, axes):
        for column, (name, bins, colour) in enumerate(given):
            upper, lower = axes[column], axes[len(given) + column]
            reliability_panel(upper, lower, bins, colour)
            upper.set_title(f"{name.capitalize()} calibration" + (f": ECE {bins['ece']:.3f}" if "ece" in bins else ""))
            if column == 0:
                upper.set_ylabel("observed frequency")
                lower.set_ylabel("windows")
        return svg_of(figure)


def reliability_panel(upper: Axes, lower: Axes, bins: Mapping[str, Any], colour: str) -> None:
    """Draw one reliability diagram, and below it how many windows each bin holds."""
    counts = np.asarray(bins["counts"], dtype=np.float64)
    edges = np.asarray(bins.get("edges") or np.linspace(0, 1, counts.size + 1), dtype=np.float64)
    p, seen = (floats(bins[name]) for name in ("mean_probability", "observed"))
    full = counts > 0
    # a bin with few windows says little: its standard error shows that
    error = np.sqrt(np.clip(seen * (1 - seen), 0.25 / np.maximum(counts, 1), None) / np.maximum(counts, 1))
    upper.plot([0, 1], [0, 1], color=INK, linewidth=1, alpha=0.5, linestyle=":")
    upper.errorbar(p[full], seen[full], yerr=error[full], color=colour, marker="o", markersize=4.5, elinewidth=1, capsize=0)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.06), xticklabels=[])
    lower.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=colour, alpha=0.55, linewidth=0)
    lower.set(xlim=(-0.02, 1.02), yscale="log", xlabel="probability of an event")
    lower.set_ylim(0.7, max(10.0, float(counts.max(initial=1)) * 2))


def precision_recall(curve: Mapping[str, Any], threshold: float | None, area: float | None) -> str:
    """Draw precision against recall, with the chosen threshold marked.

    Parameters
    ----------
    curve : mapping
        threshold, precision, recall: lists of one length, 0..1.
    threshold : float or None
        The chosen one.
    area : float or None
        Average precision.
    """
    level, precision, recall = (floats(curve[name]) for name in ("threshold", "precision", "recall"))
    known = np.isfinite(precision) & np.isfinite(recall)
    order = np.flatnonzero(known)[np.argsort(recall[known], kind="stable")]
    along, height = np.append(0.0, recall[order]), np.append(precision[order[:1]], precision[order])
    with drawing(NARROW_IN, 3.6) as (figure, (axis,)):
        label = "events" if area is None else f"average precision {area:.2f}"
        axis.step(along, height, where="pre", color=BLUE, label=label)
        axis.fill_between(along, height, step="pre", color=BLUE, alpha=0.12, linewidth=0)
        kept = np.flatnonzero(known & (level >= (2.0 if threshold is None else threshold)))
        if kept.size:
            at = kept[np.argmin(level[kept])]
            axis.plot(recall[at], precision[at], "o", color=VERMILION, markersize=8, label=f"threshold {threshold:.2f}")
        axis.set(
            xlim=(0, 1.02), ylim=(0, 1.05), xlabel="recall: share of true events found", ylabel="precision: share of finds true"
        )
        axis.legend(loc="lower left")
        return svg_of(figure)


def tolerance_lines(points: Sequence[Mapping[str, Any]], name: str) -> str:
    """Draw a score (`name`, 0..1) against the tolerance in time, a line for every tolerance in space."""
    with drawing(NARROW_IN, 3.2) as (figure, (axis,)):
        for i, radius in enumerate(sorted({point["radius_px"] for point in points})):
            line = sorted((point["frames"], point[name]) for point in points if point["radius_px"] == radius)
            frames, values = zip(*line, strict=True)
            colour, dash = SERIES[i % len(SERIES)], DASHES[i % len(DASHES)]
            axis.plot(
                frames, floats(values), marker="o", markersize=4, color=colour, linestyle=dash, label=f"within {radius:g} px"
            )
        axis.set(ylim=(0, 1.05), xlabel="tolerance in time, frames", ylabel={"f1": "F1", "recall": "recall"}.get(name, name))
        axis.legend(loc="lower right")
        return svg_of(figure)


@contextmanager
def drawing(width: float, height: float, columns: int = 1, rows: Sequence[int] = (1,)) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure, inches, and its axes row by row, in our style and without touching anybody else's."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=list(rows))
        yield figure, list(axes.ravel())


def svg_of(figure: Figure) -> str:
    """Return the figure as an `<svg>` element that fills its place and follows the page's text colour."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1)
    return _own_names(svg).replace(INK, "currentColor").replace(INK.lower(), "currentColor")


def _own_names(svg: str) -> str:
    """Drop the ids that nothing refers to, and make the others the figure's own: several figures share a page."""
    used = set(re.findall(r"#([\w-]+)\)", svg)) | set(re.findall(r'href="#([\w-]+)"', svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda found: found.group() if found.group(1) in used else "", svg)
    own = f"f{zlib.crc32(svg.encode()):08x}-"
    svg = re.sub(
        r'(id="|#)([\w-]+)(?=["\)])',
        lambda found: found.group(1) + (own if found.group(2) in used else "") + found.group(2),
        svg,
    )
    return svg


def _series(axis: Axes, history: pd.DataFrame, names: list[str], title: str) -> None:
    for i, name in enumerate(names):
        known = history[["step", name]].dropna()
        marker = "o" if len(known) < 12 else None
        style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)], "marker": marker, "markersize": 3.5}
        axis.plot(known["step"], known[name], label=name.replace("_", " "), **style)
    axis.set(xlabel="step")
    axis.set_title(title)
    axis.margins(x=0.02)
    axis.legend(loc="best")


def _numeric(history: pd.DataFrame, words: tuple[str, ...]) -> list[str]:
    """Return the columns of numbers whose name has one of the words."""
    named = [str(name) for name in history.columns if any(word in str(name).lower() for word in words)]
    return [name for name in named if pd.api.types.is_numeric_dtype(history[name]) and bool(history[name].notna().any())]


def floats(values: Any) -> Any:
    """Return numbers as (N,) float64, None as NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
