"""Answers cards and windows of the audit at random, takes answers back and changes them; see `killing`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import numpy as np
import scipy.sparse.csgraph  # noqa: F401

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project
from napari_tap_events.project.verdicts import SeenEvent
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import Reply, answer_window, change, decide, last_verdicts
from napari_tap_events.settings import EventSettings, ReviewSettings

NEAR = EventSettings(radius_px=3, radius_frames=0)
REVIEW = ReviewSettings(card_px=8, stamp_px=2, audit=6, audit_px=16, audit_frames=2, audit_from=4)


def digest(a: Annotations) -> str:
    """Return a short hash of all that was said and marked."""
    said = [said.to_json() for said in (*a.verdicts, *a.audits, a.audit_design) if said is not None]
    return hashlib.sha256(a.labels.tobytes() + repr((said, a.points, a.undo_words)).encode()).hexdigest()[:16]


def proposals(shape: tuple[int, int, int]) -> Proposals:
    """Return places that a model might propose, the same for all processes."""
    rng = np.random.default_rng(0)
    t, y, x = rng.integers(0, shape[0] - 1, 300), rng.uniform(0, shape[1] - 1, 300), rng.uniform(0, shape[2] - 1, 300)
    p = rng.random(300)
    rows = [EventRow(int(t[n]), float(y[n]), float(x[n]), "event", float(p[n]), source="head") for n in range(300)]
    return Proposals(events_table(rows), taught=True)


def act(a: Annotations, told: Proposals, rng: random.Random) -> None:
    """Answer the next card, now and then take one back or change one."""
    gesture = rng.randrange(10)
    if gesture == 0:
        a.undo()
        return
    if gesture == 1 and a.verdicts:
        reply = Reply(rng.choice(("yes", "no", "unsure")), nudge=rng.randrange(2))
        a.do(change(a, rng.choice(last_verdicts(a)), reply, REVIEW, NEAR))
        return
    design = begin_audit(a, told.candidates, REVIEW, NEAR, taught=True)
    if design is not None:
        a.do(design)
        return
    cards = next_cards(told, a, REVIEW, NEAR, 1)
    if not cards:
        a.undo()
    elif cards[0].box is not None:
        a.do(answer_window(a, cards[0], [SeenEvent(cards[0].t, cards[0].y, cards[0].x, "death")] * rng.randrange(2)))
    else:
        a.do(decide(a, cards[0], Reply(rng.choice(("yes", "no", "unsure")), tags=("edge",)), REVIEW, NEAR))


def work(folder: str, seed: int) -> Iterator[tuple[int, str]]:
    """Review without end."""
    project = Project.open(folder)
    a, rng = project.annotations("film"), random.Random(seed)
    told = proposals(a.shape)
    while True:
        yield a.now[0], project.trouble or digest(a)
        act(a, told, rng)
