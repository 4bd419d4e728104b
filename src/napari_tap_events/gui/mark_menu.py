"""What can become of a mark, as the right button offers it."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QMenu, QWidget

from napari_tap_events.gui.marker import SAID, Marked, Marker
from napari_tap_events.project.corrections import Meaning, PointMark
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.regions import MarkedRegion


def mark_menu(marker: Marker, marked: Marked, parent: QWidget) -> QMenu:
    """Return a menu for an event or a point; its entries act upon it."""
    menu = QMenu(parent)
    title = f"{marked.event.kind}, frame {marked.event.t}" if isinstance(marked, MarkedRegion) else SAID[marked.meaning]
    heading = menu.addAction(title)
    if heading is not None:
        heading.setEnabled(False)
    menu.addSeparator()
    if isinstance(marked, MarkedRegion):
        _add_kinds(menu, marker, marked, marker.annotations.kinds)
        menu.addAction("One frame earlier", lambda: marker.nudge(-1, marked))
        menu.addAction("One frame later", lambda: marker.nudge(1, marked))
    else:
        _add_meaning(menu, marker, marked)
    menu.addSeparator()
    menu.addAction("Delete", lambda: marker.delete(marked))
    return menu


def _add_kinds(menu: QMenu, marker: Marker, region: MarkedRegion, kinds: Sequence[Kind]) -> None:
    for kind in kinds:
        if kind.value != region.value:
            menu.addAction(f"Make it a {kind.name}", lambda kind=kind: marker.change_kind(kind, region))


def _add_meaning(menu: QMenu, marker: Marker, point: PointMark) -> None:
    other: Meaning = "nothing" if point.meaning == "uncertain" else "uncertain"
    words = "Nothing happens here" if other == "nothing" else "Nobody can tell"
    menu.addAction(words, lambda: marker.change_meaning(point, other))
