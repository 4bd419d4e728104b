"""Everything in the Workbench by its name: what napari's command palette runs.

A command opens the Workbench where it is closed and the step that it belongs to, and presses the button that a hand would press
there: what is in the way is said where a hand would read it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import napari.viewer
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QAbstractButton

from napari_tap_events.gui.workbench import Workbench

PLUGIN, DOCK = "napari-tap-events", "Workbench"
NOT_NOW = "'{name}' cannot be done now; step {number} of the Workbench says why."


def workbench_of(viewer: napari.viewer.Viewer) -> Workbench:
    """Return the Workbench of a viewer; it is opened where it is not there."""
    for docked in viewer.window.dock_widgets.values():
        if isinstance(docked, Workbench):
            return docked
    _, made = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
    return cast("Workbench", made)


def step_movie(viewer: napari.viewer.Viewer) -> None:
    """Open step 1."""
    open_step(viewer, "movie")


def step_mark(viewer: napari.viewer.Viewer) -> None:
    """Open step 2."""
    open_step(viewer, "mark")


def step_pretrain(viewer: napari.viewer.Viewer) -> None:
    """Open step 3."""
    open_step(viewer, "pretrain")


def step_train(viewer: napari.viewer.Viewer) -> None:
    """Open step 4."""
    open_step(viewer, "train")


def step_find(viewer: napari.viewer.Viewer) -> None:
    """Open step 5."""
    open_step(viewer, "find")


def step_review(viewer: napari.viewer.Viewer) -> None:
    """Open step 6."""
    open_step(viewer, "review")


def step_results(viewer: napari.viewer.Viewer) -> None:
    """Open step 7."""
    open_step(viewer, "results")


def open_movie(viewer: napari.viewer.Viewer) -> None:
    """Ask for the file of a movie."""
    press(viewer, "movie", lambda bench: bench.movie.open_button)


def open_folder(viewer: napari.viewer.Viewer) -> None:
    """Ask for a folder of frames, or an OME-Zarr."""
    press(viewer, "movie", lambda bench: bench.movie.folder_button)


def open_project(viewer: napari.viewer.Viewer) -> None:
    """Ask for a project."""
    workbench_of(viewer).project.open_action.trigger()


def new_project(viewer: napari.viewer.Viewer) -> None:
    """Ask where a new project is to lie."""
    workbench_of(viewer).project.new_action.trigger()


def save_project(viewer: napari.viewer.Viewer) -> None:
    """Ask where the project is to be saved."""
    action = workbench_of(viewer).project.save_action
    if action.isEnabled():
        action.trigger()
    else:
        show_info("There is no project yet: it begins with the first movie.")


def start_pretraining(viewer: napari.viewer.Viewer) -> None:
    """Let an encoder learn from the movie."""
    press(viewer, "pretrain", lambda bench: bench.pretrain.recipe.start_button)


def start_training(viewer: napari.viewer.Viewer) -> None:
    """Teach a head by the marks."""
    press(viewer, "train", lambda bench: bench.train.recipe.start_button)


def find_events(viewer: napari.viewer.Viewer) -> None:
    """Go over the movie."""
    press(viewer, "find", lambda bench: bench.finding.recipe.start_button)


def explain(viewer: napari.viewer.Viewer) -> None:
    """Show where the network looks."""
    workbench_of(viewer).finding.why.setValue(True)
    press(viewer, "find", lambda bench: bench.finding.explain.start_button)


def bring_encoder(viewer: napari.viewer.Viewer) -> None:
    """Ask for the folder of an encoder from elsewhere."""
    press(viewer, "train", lambda bench: bench.train.models.button)


def bring_head(viewer: napari.viewer.Viewer) -> None:
    """Ask for the folder of a head, or of an encoder that finds events by itself, from elsewhere."""
    press(viewer, "find", lambda bench: bench.finding.models.button)


def find_movie(viewer: napari.viewer.Viewer) -> None:
    """Ask where a movie lies now that is missing."""
    _in_bar(viewer, lambda bench: bench.project.missing, "No movie is missing.")


def unsaved_marks(viewer: napari.viewer.Viewer) -> None:
    """Go on with marks of an earlier session that were never saved."""
    _in_bar(
        viewer, lambda bench: bench.project.left_button, "There are no marks that were not saved, or a saved project is open."
    )


def pause(viewer: napari.viewer.Viewer) -> None:
    """Let the running jobs wait, and those that wait go on."""
    _jobs(viewer, "pause")


def stop(viewer: napari.viewer.Viewer) -> None:
    """Stop the running jobs."""
    _jobs(viewer, "stop")


def export_csv(viewer: napari.viewer.Viewer) -> None:
    """Write the listed events for a spreadsheet."""
    press(viewer, "results", lambda bench: bench.results.exports.buttons["csv"])


def export_trackmate(viewer: napari.viewer.Viewer) -> None:
    """Write the listed events for TrackMate."""
    press(viewer, "results", lambda bench: bench.results.exports.buttons["trackmate"])


def export_geff(viewer: napari.viewer.Viewer) -> None:
    """Write the listed events as a graph."""
    press(viewer, "results", lambda bench: bench.results.exports.buttons["geff"])


def write_report(viewer: napari.viewer.Viewer) -> None:
    """Write the page of the result."""
    press(viewer, "results", lambda bench: bench.results.exports.report_button)


def open_step(viewer: napari.viewer.Viewer, step: str) -> Workbench:
    """Open a step, and return the Workbench."""
    bench = workbench_of(viewer)
    bench.steps.open(step)
    return bench


def press(viewer: napari.viewer.Viewer, step: str, button_in: Callable[[Workbench], QAbstractButton]) -> None:
    """Press a button of a step, unless a hand could not press it either."""
    bench = open_step(viewer, step)
    button = button_in(bench)
    if button.isHidden() or not button.isEnabled():
        show_info(NOT_NOW.format(name=button.text(), number=list(bench.steps.steps).index(step) + 1))
    else:
        button.click()


def _in_bar(viewer: napari.viewer.Viewer, button_in: Callable[[Workbench], QAbstractButton], otherwise: str) -> None:
    """Press a button that is there only where it can do something."""
    button = button_in(workbench_of(viewer))
    if button.isHidden():
        show_info(otherwise)
    else:
        button.click()


def _jobs(viewer: napari.viewer.Viewer, deed: str) -> None:
    """Press "Pause" or "Stop" of every job that runs."""
    running = [recipe for recipe in workbench_of(viewer).recipes() if recipe.running()]
    for recipe in running:
        getattr(recipe, deed)()
    if not running:
        show_info("No job of the Workbench runs.")
