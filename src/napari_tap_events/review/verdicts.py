"""What an answer means for the marks: a yes stamps an event, a no says that nothing is there, unsure leaves the place unknown.

Each answer is one correction, so that undo takes back what was said together with what it marked. Answers to windows of the audit mark
nothing: they measure, and never teach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.scope import Scope
from napari_tap_events.project.annotations import Annotations, MarkedRegion
from napari_tap_events.project.corrections import Correction, MarkPoint, Meaning, PaintMask, PointMark, Say, Together
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.stamps import Sheet, disc, frames_of_event
from napari_tap_events.project.verdicts import Answer, AuditAnswer, Place, SeenEvent, Verdict
from napari_tap_events.review.cards import Card
from napari_tap_events.review.places import events_of, nothing_of
from napari_tap_events.settings import EventSettings, ReviewSettings, frame_range

EDITABLE = 10
"""So many of the last answers can still be changed."""


@dataclass(frozen=True)
class Reply:
    """What a person says to a card.

    Attributes
    ----------
    answer : "yes", "no" or "unsure"
    kind : str
        Of the event; "" takes the card's, or the first kind where the card has none of its own.
    nudge : int
        Frames later (or earlier) than the card says.
    y, x : float or None
        Another place, in pixels.
    tags : tuple of str
    """

    answer: Answer
    kind: str = ""
    nudge: int = 0
    y: float | None = None
    x: float | None = None
    tags: tuple[str, ...] = ()


def decide(a: Annotations, card: Card, reply: Reply, settings: ReviewSettings, near: EventSettings) -> Together:
    """Return what an answer to a card changes; `a.do` makes it so.

    Raises
    ------
    ProjectError
        When there is no such kind.
    """
    number = max((verdict.id for verdict in a.verdicts), default=0) + 1
    t = min(max(card.t + reply.nudge, 0), a.shape[0] - 2)
    verdict = Verdict(
        id=number,
        answer=reply.answer,
        reason=card.reason,
        t=t,
        y=card.y if reply.y is None else reply.y,
        x=card.x if reply.x is None else reply.x,
        kind=_kind(a, reply.kind or card.kind).name,
        side_px=card.side_px,
        reach_frames=settings.reach_frames,
        probability=card.probability,
        asked_t=card.t,
        asked_y=card.y,
        asked_x=card.x,
        locked=bool(settings.locked_frames) and t in frame_range(settings.locked_frames, a.shape[0], "locked_frames"),
        tags=reply.tags,
    )
    return _said(a, None, verdict, settings, near)


def change(a: Annotations, before: Verdict, reply: Reply, settings: ReviewSettings, near: EventSettings) -> Together:
    """Return what another answer to a card that was answered already changes.

    Raises
    ------
    ProjectError
        When it is not among the last answers, or there is no such kind.
    """
    if before not in last_verdicts(a):
        raise ProjectError(f"only the last {EDITABLE} answers can be changed; change the mark itself in the Mark step.")
    after = replace(
        before,
        answer=reply.answer,
        kind=_kind(a, reply.kind or before.kind).name,
        t=min(max(before.asked[0] + reply.nudge, 0), a.shape[0] - 2),
        y=before.y if reply.y is None else reply.y,
        x=before.x if reply.x is None else reply.x,
        tags=reply.tags,
    )
    return _said(a, before, after, settings, near)


def last_verdicts(a: Annotations, count: int = EDITABLE) -> tuple[Verdict, ...]:
    """Return the last answers, the newest first."""
    return a.verdicts[::-1][:count]


def answer_window(a: Annotations, card: Card, seen: Iterable[SeenEvent], unsure: bool = False) -> Say:
    """Return what an answer to a window of the audit changes: no marks, only what is known of the window.

    Parameters
    ----------
    a : Annotations
        What was judged in the window before it came goes on teaching; what the window shows does not teach.
    card : Card
    seen : iterable of SeenEvent
        Every event in the window; also those just outside of it, which then count as listed right, but not as in it.
    unsure : bool
        The person could not say.
    """
    seen = tuple(seen)
    words = "audit: cannot say" if unsure else f"audit: {len(seen)} events" if len(seen) != 1 else "audit: 1 event"
    before = next((audit for audit in a.audits if audit.window == card.window), None)
    judged = _judged_in(a, card.box) if before is None else before.judged
    return Say(before, AuditAnswer(card.window, seen, unsure, judged), words)


def _judged_in(a: Annotations, box: Scope | None) -> tuple[Place, ...]:
    places = (*events_of(a), *nothing_of(a))
    return tuple(place for place in places if box is not None and box.contains(place[0], round(place[1]), round(place[2])))


def _kind(a: Annotations, name: str) -> Kind:
    found = next((kind for kind in a.kinds if kind.name == name), None)
    if found is None and name == "event":
        return a.kinds[0]
    if found is None:
        known = ", ".join(kind.name for kind in a.kinds)
        raise ProjectError(f"there is no kind of event '{name}'; there are: {known}.")
    return found


def _said(a: Annotations, before: Verdict | None, after: Verdict, settings: ReviewSettings, near: EventSettings) -> Together:
    """Take back what the answer before did, and do what this one means, as one correction."""
    sheet = Sheet(a.labels)
    points: list[MarkPoint] = []
    own = _own_mark(a, before)
    for t, pixels in own.blobs if own else ():
        sheet.lay(t, pixels, 0)
    if before is not None and before.point:
        points += [MarkPoint(point, None, "take back") for point in a.points if point.id == before.point]
    after = replace(after, point=0, marked=False)
    if after.answer == "yes":
        after = _stamp(a, sheet, own, after, settings, near)
    elif after.answer == "no" and after.reason == "error":
        _erase(a, sheet, after, near)
    if after.answer != "yes":
        meaning: Meaning = "nothing" if after.answer == "no" else "uncertain"
        after = replace(after, point=a.free_point_id())
        points.append(MarkPoint(None, PointMark(after.point, after.t, after.y, after.x, settings.stamp_px, meaning), "answer"))
    parts: list[Correction] = [PaintMask(sheet.patches(), "answer"), *points, Say(before, after)]
    parts = [part for part in parts if not part.empty]
    return Together(tuple(parts), f"answer {after.answer}")


def _stamp(
    a: Annotations, sheet: Sheet, own: MarkedRegion | None, after: Verdict, settings: ReviewSettings, near: EventSettings
) -> Verdict:
    """Stamp the event, unless one of its kind is marked there by somebody else."""
    others = [region for region in a.events if region is not own and region.event.kind == after.kind]
    if any(_is_near(region, after, near) for region in others):
        return after
    kind = _kind(a, after.kind)
    sheet.stamp(
        kind.value, frames_of_event(after.t, a.shape[0]), disc(a.shape, after.y, after.x, settings.stamp_px), (after.y, after.x)
    )
    return replace(after, marked=True)


def _erase(a: Annotations, sheet: Sheet, after: Verdict, near: EventSettings) -> None:
    """Take the doubted mark away."""
    for region in a.events:
        if _is_near(region, after, near):
            for t, pixels in region.blobs:
                sheet.lay(t, pixels, 0)


def _own_mark(a: Annotations, verdict: Verdict | None) -> MarkedRegion | None:
    if verdict is None or not verdict.marked:
        return None
    return a.event_at(verdict.t, verdict.y, verdict.x)


def _is_near(region: MarkedRegion, verdict: Verdict, near: EventSettings) -> bool:
    away = ((region.event.y - verdict.y) ** 2 + (region.event.x - verdict.x) ** 2) ** 0.5
    return away <= near.radius_px and abs(region.event.t - verdict.t) <= near.radius_frames
