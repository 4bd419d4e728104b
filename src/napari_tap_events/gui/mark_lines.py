"""The marks of a movie as lines of the list and as ticks of the timeline."""

from __future__ import annotations

from napari_tap_events.gui.colours import KNOWN_LOOKS, SIGNS, KindLook, looks_of_values
from napari_tap_events.gui.mark_table import ONE_FRAME, ListedMark
from napari_tap_events.gui.marker import SAID
from napari_tap_events.gui.timeline import Lane
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.kinds import names_of
from napari_tap_events.project.regions import MarkedRegion


class MarkLines:
    """Makes the lines of the list; one whose mark nothing touched is made once."""

    def __init__(self) -> None:
        self._lines: dict[MarkedRegion, ListedMark] = {}

    def of(self, annotations: Annotations) -> list[ListedMark]:
        """Return all events and points of a movie as lines of the list."""
        events = annotations.events
        names = names_of(annotations.kinds)
        looks = looks_of_values(
            {value: names[value - 1] for value in {region.value for region in events}} | _named(annotations)
        )
        self._lines = {region: self._line(region, looks[region.value]) for region in events}
        lines = list(self._lines.values())
        for point in annotations.points:
            said = SAID[point.meaning]
            lines.append(ListedMark(point.t, point.y, point.x, said, KNOWN_LOOKS[said], point))
        return lines

    def _line(self, region: MarkedRegion, look: KindLook) -> ListedMark:
        known = self._lines.get(region)
        if known is not None and known.look is look:
            return known
        event = region.event
        note = "" if len(region.frames) > 1 else ONE_FRAME
        return ListedMark(event.t, event.y, event.x, event.kind, look, region, note)


def lanes(annotations: Annotations) -> list[Lane]:
    """Return the kinds of a movie with the frames of their events."""
    frames: dict[str, list[int]] = {}
    for region in annotations.events:
        frames.setdefault(region.event.kind, []).append(region.event.t)
    looks = looks_of_values(_named(annotations))
    return [
        Lane(SIGNS[looks[kind.value].symbol], kind.name, looks[kind.value].colour, tuple(frames.get(kind.name, ())))
        for kind in annotations.kinds
    ]


def _named(annotations: Annotations) -> dict[int, str]:
    return {kind.value: kind.name for kind in annotations.kinds}
