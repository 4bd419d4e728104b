"""Which windows the audit looks at: the movie is cut into windows, these into strata, and within each the order is drawn by chance.

It is drawn when the first answers are there. What was judged until then is counted one by one, and goes on teaching; the windows measure
what there is beside it, so that a small movie does not lose its few events to the audit.

Events are rare: of windows as large as a cell, one in five hundred holds one, and windows drawn evenly would all be empty. So windows
are as large as a person can look over at a glance, and more of them are drawn where the model expects events that nobody has judged. Few
are expected in the lowest stratum, but it is never left out: only there can be seen what the model does not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Say
from napari_tap_events.project.verdicts import AuditDesign, Place
from napari_tap_events.review.cards import WORDS, Card
from napari_tap_events.review.places import events_of, near_any, nothing_of
from napari_tap_events.settings import EventSettings, QueueSettings

STRATA = 3
LEAST_EXPECTED = 0.01
"""Events that any window is taken to hold, whatever the model says."""
DRAW = "draw the audit"
"""What the journal says of it."""


def design_audit(
    shape: tuple[int, int, int], candidates: pd.DataFrame, settings: QueueSettings, taught: bool, judged: Sequence[Place] = ()
) -> AuditDesign:
    """Cut a movie (T, Y, X) into windows, and these into strata.

    Parameters
    ----------
    shape : (T, Y, X)
    candidates : events table
        What the model proposes, and nobody has judged; their probabilities are summed, or where they only rank, one over the rank.
    settings : QueueSettings
    taught : bool
        Whether probabilities mean shares.
    judged : sequence of (t, y, x)
        What is counted one by one.
    """
    sizes = (settings.audit_frames, settings.audit_px, settings.audit_px)
    t, y, x = (max(1, round(n / size)) for n, size in zip((shape[0] - 1, *shape[1:]), sizes, strict=True))
    whole = AuditDesign(shape, (t, y, x), (0,) * (t * y * x), settings.queue_seed)
    p = candidates["probability"].to_numpy(dtype=np.float64)
    weight = p if taught else 1 / (1 + np.argsort(np.argsort(-p)))
    expected = np.full(t * y * x, LEAST_EXPECTED)
    np.add.at(expected, windows_of(whole, candidates[["t", "y", "x"]].to_numpy(dtype=np.float64)), weight)
    return AuditDesign(shape, whole.cuts, tuple(_strata(expected).tolist()), settings.queue_seed, tuple(judged))


def begin_audit(
    a: Annotations, candidates: pd.DataFrame, settings: QueueSettings, near: EventSettings, taught: bool
) -> Say | None:
    """Return what journals the design, once it is time for it; None before, and where there is one already."""
    wanted = settings.order == "mix" and settings.audit > 0
    if a.audit_design is not None or not wanted or len(a.verdicts) < settings.audit_from:
        return None
    judged = (*events_of(a), *nothing_of(a))
    open_ = ~near_any(candidates[["t", "y", "x"]].to_numpy(dtype=np.float64), judged, near)
    return Say(None, design_audit(a.shape, candidates[open_], settings, taught, judged), DRAW)


def windows_of(design: AuditDesign, places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the window of each place (N, 3), t y x in frames and pixels, (N,)."""
    sizes = np.array([design.shape[0] - 1, *design.shape[1:]])
    counts = np.array(design.cuts)
    index = np.clip(np.round(places.reshape(-1, 3)).astype(np.int64), 0, sizes - 1)
    # the inverse of i * size // count, exactly
    cut = ((index + 1) * counts - 1) // sizes
    windows: NDArray[np.int64] = np.asarray(np.ravel_multi_index(tuple(cut.T), design.cuts), dtype=np.int64)
    return windows


def audit_order(design: AuditDesign) -> list[int]:
    """Return all windows in the order in which they are looked at: the strata in turn, within each by chance."""
    strata = np.array(design.strata)
    rng = np.random.default_rng((design.seed, 3))
    queues = [list(rng.permutation(np.flatnonzero(strata == h))) for h in range(strata.max() + 1)]
    return [int(n) for turn in range(len(strata)) for queue in queues for n in queue[turn : turn + 1]]


def next_windows(a: Annotations, closed: range, side_px: float) -> Iterator[Card]:
    """Yield cards for the windows that were not looked at yet, in their order; none in frames that are closed, or before the audit."""
    design = a.audit_design
    if design is None:
        return
    done = {audit.window for audit in a.audits}
    for n in audit_order(design):
        box = design.box(n)
        apart = box.frames.stop <= closed.start or box.frames.start >= closed.stop
        if n not in done and (apart or not len(closed)):
            yield _card(n, box, side_px)


def looked_at(a: Annotations) -> list[Scope]:
    """Return the windows that were looked at: nothing in them is asked about in another way."""
    design = a.audit_design
    return [] if design is None else [design.box(audit.window) for audit in a.audits]


def window_card(a: Annotations, window: int, side_px: float) -> Card:
    """Return the card of a window of the audit.

    Raises
    ------
    ProjectError
        When the audit is not drawn.
    """
    if a.audit_design is None:
        raise ProjectError("the windows of the audit are gone; undo what was undone.")
    return _card(window, a.audit_design.box(window), side_px)


def _card(n: int, box: Scope, side_px: float) -> Card:
    y, x = (box.y0 + box.y1 - 1) / 2, (box.x0 + box.x1 - 1) / 2
    return Card("audit", box.frames.start, y, x, "", None, side_px, box=box, window=n, words=WORDS["audit"])


def _strata(expected: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share windows out so that each stratum spreads alike: equal sums of the square root of what is expected.

    The number of events of a window varies about as much as it is expected to hold; strata with equal sums of the standard
    deviation ask for as many windows each (Neyman 1934, Dalenius and Hodges 1959).
    """
    order = np.argsort(expected, kind="stable")
    spread = np.cumsum(np.sqrt(expected[order]))
    strata = np.empty(len(expected), np.int64)
    strata[order] = np.minimum((STRATA * (spread - spread[0] / 2) / spread[-1]).astype(np.int64), STRATA - 1)
    return strata
