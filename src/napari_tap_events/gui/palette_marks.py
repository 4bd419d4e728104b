"""Marking and reviewing by their names, for napari's command palette: each command does what a key or a button of steps 2 and 6 does."""

from __future__ import annotations

from collections.abc import Callable

import napari.viewer
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QAbstractButton

from napari_tap_events.gui.mark_desk import MarkDesk
from napari_tap_events.gui.palette import open_step, press
from napari_tap_events.gui.scope_tool import ScopeTool

Command = Callable[[napari.viewer.Viewer], None]
NO_MARKS_LAYER = "No movie is open, so nothing can be marked: open one in step 1 of the Workbench."
NO_CARD = "No card is shown: start the review in step 6 of the Workbench."


def _on_desk(viewer: napari.viewer.Viewer, do: Callable[[MarkDesk], object]) -> None:
    """Do something in step 2, where a movie is open."""
    desk = open_step(viewer, "mark").mark.desk
    if desk is None:
        show_info(NO_MARKS_LAYER)
    else:
        do(desk)


def _deed(name: str) -> Command:
    """Return a command that does what a key of step 2 does."""
    return lambda viewer: _on_desk(viewer, lambda desk: desk.deeds()[name]())


def _scope(button_in: Callable[[ScopeTool], QAbstractButton]) -> Command:
    """Return a command that presses a button of "What I have looked at"."""

    def press_in(desk: MarkDesk) -> None:
        desk.scope_button.setChecked(True)
        button_in(desk.scope).click()

    return lambda viewer: _on_desk(viewer, press_in)


def _answer(key: str) -> Command:
    """Return a command that does what a key of the card does."""

    def command(viewer: napari.viewer.Viewer) -> None:
        bench = open_step(viewer, "review")
        if bench.review.desk is None or bench.review.desk.reviewer.place() is None:
            show_info(NO_CARD)
        else:
            bench.review.desk.deeds()[key]()

    return command


stamp, brush, fill, erase, move = (_deed(name) for name in ("stamp", "brush", "fill", "erase", "pan"))
smaller, larger = _deed("smaller"), _deed("larger")
next_mark, previous_mark, delete_mark, earlier, later = (_deed(d) for d in ("next", "previous", "delete", "earlier", "later"))
undo, redo = _deed("undo"), _deed("redo")
whole_movie, in_view = _scope(lambda scope: scope.whole_button), _scope(lambda scope: scope.view_button)
draw_scope, clear_scope = _scope(lambda scope: scope.draw_button), _scope(lambda scope: scope.clear_button)
answer_yes, answer_no, answer_unsure = _answer("F"), _answer("J"), _answer("Space")
undo_answer, go_to_card, leave_card = _answer("Z"), _answer("G"), _answer("Esc")


def keys(viewer: napari.viewer.Viewer) -> None:
    """Show the keys for marking, and let them be changed."""
    open_step(viewer, "mark").mark.show_keys()


def add_kind(viewer: napari.viewer.Viewer) -> None:
    """Ask for the name of a new kind of event."""
    _on_desk(viewer, lambda desk: desk.kinds.add_button.click())


def mark_files(viewer: napari.viewer.Viewer) -> None:
    """Offer the import and export of masks and events."""
    _on_desk(viewer, lambda desk: desk.files_button.showMenu())


def start_review(viewer: napari.viewer.Viewer) -> None:
    """Show the first card, or end the learning."""
    press(viewer, "review", lambda bench: bench.review.start.button)


def learn_now(viewer: napari.viewer.Viewer) -> None:
    """Let a head learn from the answers."""
    bench = open_step(viewer, "review")
    if bench.review.desk is None:
        show_info(NO_CARD)
    else:
        bench.review.desk.learn_button.click()
