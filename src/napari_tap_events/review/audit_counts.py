"""Everything that is known of a movie, shared out: what was judged before the audit was drawn, and the windows of the audit.

What was judged before is counted as it is, once and for all. All the rest belongs to the window it lies in, whether it was found in the
audit or by an answer later on, so that windows looked at are a fair sample of all of them, whatever was asked about in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_tap_events.events.matching import match_events
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.verdicts import AuditDesign
from napari_tap_events.review.audit_design import windows_of
from napari_tap_events.review.intervals import Tally
from napari_tap_events.review.places import events_of, nothing_of, table_of
from napari_tap_events.settings import EventSettings

Ints = NDArray[np.int64]
PER_WINDOW = ("right", "wrong", "missed", "listed", "confirmed", "rejected", "added")


@dataclass(frozen=True)
class Counted:
    """What is known.

    Attributes
    ----------
    looked : (W,) bool
        Windows that were looked at.
    right, wrong, missed, listed, confirmed, rejected, added : (W,) int64
        Of each window, named as in `Tally`.
    before_right, before_wrong, before_missed : int
        Judged before the audit was drawn: listed events, listed ones that are none, events that are not listed.
    counted_t : (N,) int64
        Frames of the events that were known before, and of those in windows looked at.
    more_t : (M,) int64
        Frames of events that are known in windows not looked at.
    """

    looked: NDArray[np.bool_]
    right: Ints
    wrong: Ints
    missed: Ints
    listed: Ints
    confirmed: Ints
    rejected: Ints
    added: Ints
    before_right: int
    before_wrong: int
    before_missed: int
    counted_t: Ints
    more_t: Ints

    def tally(self, strata: Ints) -> Tally:
        """Add the windows up by strata; what was known before is one more, in which nothing is left to look at."""
        size = int(strata.max()) + 1

        def total(values: NDArray[Any], before: int = 0) -> Ints:
            return np.append(np.bincount(strata, weights=values, minlength=size), before).astype(np.int64)

        before = {"right": self.before_right, "wrong": self.before_wrong, "missed": self.before_missed}
        counts = {name: total(getattr(self, name), before.get(name, 0)) for name in PER_WINDOW}
        return Tally(windows=total(np.ones(len(strata))), looked=total(self.looked), **counts)


def count(a: Annotations, design: AuditDesign, listed: pd.DataFrame, near: EventSettings) -> Counted:
    """Share everything known out.

    Parameters
    ----------
    a : Annotations
    design : AuditDesign
    listed : events table
        What the model lists, said where it was not taught.
    near : EventSettings
        When two places are one and the same.
    """
    yes, no = table_of(events_of(a)), table_of(nothing_of(a))
    early_yes, early_no = _early(yes, no, design, near)
    by_yes, _ = _pairs(listed, yes[early_yes], near)
    beside = listed[~by_yes]
    by_no, _ = _pairs(beside, no[early_no], near)
    beside = beside[~by_no]
    later = yes[~early_yes]
    looked, inside, seen = _seen(a, design, later, yes[early_yes], near)
    where = _windows(design, beside)
    hit, found = _pairs(beside, seen, near)
    confirmed, known = _pairs(beside, later, near)
    rejected, _ = _pairs(beside, no[~early_no], near)
    others = _windows(design, later[~known])
    there = looked[where]

    def per_window(windows: Ints) -> Ints:
        return np.bincount(windows, minlength=len(design.strata)).astype(np.int64)

    return Counted(
        looked=looked,
        right=per_window(where[there & hit]),
        wrong=per_window(where[there & ~hit]),
        missed=per_window(inside[~found & looked[inside]]),
        listed=per_window(where[~there]),
        confirmed=per_window(where[~there & confirmed]),
        rejected=per_window(where[~there & rejected & ~confirmed]),
        added=per_window(others[~looked[others]]),
        before_right=int(by_yes.sum()),
        before_wrong=int(by_no.sum()),
        before_missed=int(early_yes.sum() - by_yes.sum()),
        counted_t=_frames(yes[early_yes], seen[looked[inside]]),
        more_t=_frames(later[~looked[_windows(design, later)]]),
    )


def _early(
    yes: pd.DataFrame, no: pd.DataFrame, design: AuditDesign, near: EventSettings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which events, and which places of nothing, were judged before the audit was drawn."""
    places = set(design.judged)
    early_no = np.array([tuple(place) in places for place in no.to_numpy()], dtype=bool)
    left = [place for place in design.judged if place not in {tuple(row) for row in no[early_no].to_numpy()}]
    early_yes, _ = _pairs(yes, table_of(left), near)
    return early_yes, early_no


def _seen(
    a: Annotations, design: AuditDesign, later: pd.DataFrame, early: pd.DataFrame, near: EventSettings
) -> tuple[NDArray[np.bool_], Ints, pd.DataFrame]:
    """Return which windows were looked at (W,), the window of each event seen there (N,), and these events (N rows).

    Events that were known before the audit are left out; those marked since are seen, even where the person did not point at them again.
    """
    answers = {audit.window: audit for audit in a.audits if not audit.unsure}
    looked = np.zeros(len(design.strata), bool)
    looked[list(answers)] = True
    told = [(window, (e.t, e.y, e.x)) for window, audit in answers.items() for e in audit.seen]
    seen = table_of([place for _, place in told])
    homes, windows = _windows(design, seen), np.array([window for window, _ in told], dtype=np.int64)
    # what was seen just outside of one window, and lies in another one that was looked at, is told there
    seen, homes = (part[(homes == windows) | ~looked[homes]] for part in (seen, homes))
    known, _ = _pairs(seen, early, near)
    seen, homes = seen[~known], homes[~known]
    again, _ = _pairs(later, seen, near)
    unseen = later[~again]
    theirs = _windows(design, unseen)
    unseen, theirs = unseen[looked[theirs]], theirs[looked[theirs]]
    return looked, np.concatenate([homes, theirs]), pd.concat([seen, unseen], ignore_index=True)


def _frames(*tables: pd.DataFrame) -> Ints:
    return np.concatenate([table["t"].to_numpy(dtype=np.int64) for table in tables])


def _windows(design: AuditDesign, table: pd.DataFrame) -> Ints:
    return windows_of(design, table[["t", "y", "x"]].to_numpy(dtype=np.float64))


def _pairs(table: pd.DataFrame, others: pd.DataFrame, near: EventSettings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Match two tables one to one; say which rows of the one, and which of the other, have a partner."""
    match = match_events(table, others, near.radius_px, near.radius_frames)
    here, there = np.zeros(len(table), bool), np.zeros(len(others), bool)
    here[match.predicted], there[match.truth] = True, True
    return here, there
