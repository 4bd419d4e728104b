"""Curves of the report along time: events of each kind with their interval, and where the errors lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_tap_events.events.over_time import KindOverTime, OverTime
from napari_tap_events.study.figures import BLUE, DASHES, GREY, INK, VERMILION, WIDE_IN, drawing, floats, kind_colour, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST_IN, FURTHER_IN = 3.2, 2.2


def events_over_time(told: OverTime, true_t: Mapping[str, Sequence[int]], n_frames: int, interval_s: float | None) -> str:
    """Draw how many events of each kind there are over time, a panel for each kind.

    Bars are the events listed, the line is their sliding mean, or the expected number where probabilities are calibrated, and the
    band is its 95 % interval.

    Parameters
    ----------
    told : OverTime
    true_t : mapping of kind to frames of the true events
        Drawn as an outline; empty where they are not known.
    n_frames : int
    interval_s : float or None
        Seconds between frames: adds hours on top.
    """
    many = len(told.kinds)
    with drawing(WIDE_IN, FIRST_IN + FURTHER_IN * (many - 1), rows=(1,) * many) as (figure, axes):
        for axis, kind in zip(axes, told.kinds, strict=True):
            _kind_panel(axis, kind, told)
            if true_t.get(kind.kind):
                true = np.histogram(true_t[kind.kind], told.edges)[0]
                axis.stairs(true, told.edges, color=INK, linewidth=1.1, linestyle=DASHES[2], label="true")
            axis.set(xlim=(0, n_frames), ylim=(0, None))
            axis.set_title(kind.kind)
            axis.locator_params(axis="y", integer=True)
            axis.set_ylabel("per frame" if told.bin_frames == 1 else f"per {told.bin_frames} frames")
        axes[-1].set(xlabel="frame")
        handles, labels = max((axis.get_legend_handles_labels() for axis in axes), key=lambda found: len(found[1]))
        figure.legend(handles, labels, loc="outside upper left", ncols=6, columnspacing=1.4)
        _hours_on_top(axes[0], interval_s, n_frames)
        return svg_of(figure)


def _kind_panel(axis: Axes, kind: KindOverTime, told: OverTime) -> None:
    colour = kind_colour(kind.kind)
    bars: dict[str, Any] = {"width": 0.9 * told.bin_frames, "align": "edge", "linewidth": 0, "alpha": 0.45}
    axis.bar(told.edges[:-1], kind.counted, color=colour, label="listed", **bars)
    axis.fill_between(told.centres, kind.low, kind.high, color=INK, alpha=0.14, linewidth=0, label="95 % interval")
    axis.plot(told.centres, kind.mean, color=INK, linewidth=1.8, label="expected" if told.calibrated else "sliding mean")


def errors_by_time(by_time: Mapping[str, Any]) -> str:
    """Draw where in time the errors of single windows lie.

    Parameters
    ----------
    by_time : mapping
        t (first frame of each bin) and the counts true, false_positive, false_negative, all of one length.
    """
    t = floats(by_time["t"])
    step = float(np.min(np.diff(t))) if t.size > 1 else 1.0
    with drawing(WIDE_IN, 2.7) as (figure, (axis,)):
        missed, false = floats(by_time["false_negative"]), floats(by_time["false_positive"])
        bars: dict[str, Any] = {"width": 0.9 * step, "align": "edge", "linewidth": 0}
        axis.bar(t, floats(by_time["true"]), color=GREY, alpha=0.45, label="true", **bars)
        axis.bar(t, missed, color=VERMILION, label="of these missed", **bars)
        axis.bar(t, -false, color=BLUE, label="false", **bars)
        axis.set_xlim(t.min(), t.max() + step)
        axis.axhline(0, color=INK, linewidth=0.8)
        axis.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        axis.locator_params(axis="y", integer=True)
        axis.set(xlabel="frame", ylabel="false  |  true windows")
        figure.legend(loc="outside upper left", ncols=6, columnspacing=1.4)
        return svg_of(figure)


def _hours_on_top(axis: Axes, interval_s: float | None, n_frames: int) -> None:
    if not interval_s:
        return
    unit_s, name = (3600.0, "time, h") if interval_s * n_frames > 7200 else (60.0, "time, min")
    top = axis.secondary_xaxis(
        "top", functions=(lambda f: np.multiply(f, interval_s / unit_s), lambda h: np.multiply(h, unit_s / interval_s))
    )
    top.set_xlabel(name)
    top.spines["top"].set_visible(True)
